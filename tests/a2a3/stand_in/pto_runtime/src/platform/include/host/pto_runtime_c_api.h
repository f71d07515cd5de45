// SPDX-License-Identifier: MIT
// A stand-in: what the version is known by.
int register_kernel(int func_id, const unsigned char* bin, unsigned long size);
int launch_runtime(void* runtime, int aicpu_thread_num, int block_dim, int device_id);
