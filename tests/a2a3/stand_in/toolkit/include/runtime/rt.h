// SPDX-License-Identifier: MIT
// A stand-in for CANN's header in PtoWsp's tests: the calls that pto-runtime's host library makes. device.cpp
// has what is behind them.
#pragma once

#include <stddef.h>
#include <stdint.h>

typedef int32_t rtError_t;
typedef void* rtStream_t;
typedef enum { RT_MEMCPY_HOST_TO_DEVICE, RT_MEMCPY_DEVICE_TO_HOST } rtMemcpyKind_t;
typedef uint32_t rtMemType_t;
enum { RT_ERROR_NONE = 0, RT_MEMORY_HBM = 2, RT_SCHEM_MODE_BATCH = 1, RT_DEV_BINARY_MAGIC_ELF = 0x43554245 };
enum class rtKernelType_t { KERNEL_TYPE_AICPU_KFC };

struct rtAicpuArgsEx_t {
  void* args;
  uint32_t argsSize;
  uint32_t kernelNameAddrOffset, soNameAddrOffset;
};
struct rtArgsEx_t {
  void* args;
  uint32_t argsSize;
};
struct rtDevBinary_t {
  uint32_t magic, version;
  const void* data;
  uint64_t length;
};
struct rtTaskCfgInfo_t {
  uint32_t schemMode;
};

extern "C" {
rtError_t rtSetDevice(int32_t device);
rtError_t rtMalloc(void** memory, uint64_t size, rtMemType_t type, uint16_t module);
rtError_t rtFree(void* memory);
rtError_t rtMemcpy(void* to, uint64_t most, const void* from, uint64_t size, rtMemcpyKind_t kind);
rtError_t rtStreamCreate(rtStream_t* stream, int32_t priority);
rtError_t rtStreamDestroy(rtStream_t stream);
rtError_t rtStreamSynchronize(rtStream_t stream);
rtError_t rtAicpuKernelLaunchExWithArgs(rtKernelType_t type, const char* op, uint32_t count,
                                        const rtAicpuArgsEx_t* args, void* sm, rtStream_t stream, uint32_t flags);
rtError_t rtRegisterAllKernel(const rtDevBinary_t* binary, void** handle);
rtError_t rtKernelLaunchWithHandleV2(void* handle, uint64_t key, uint32_t blocks, rtArgsEx_t* args, void* sm,
                                     rtStream_t stream, const rtTaskCfgInfo_t* config);
}
