// SPDX-License-Identifier: MIT
// An orchestration as users of pto-runtime write them: (a + b + 1)(a + b + 2), four tasks. Compiled
// once by CMake and once with pto-runtime's own compile line.
#include <iostream>

#include "runtime.h"

extern "C" {

int build_diamond(Runtime* runtime, uint64_t* args, int arg_count) {
  if (arg_count < 4) {
    std::cerr << "build_diamond: expected host_a, host_b, host_f, element count\n";
    return -1;
  }
  void* host_a = reinterpret_cast<void*>(args[0]);
  void* host_b = reinterpret_cast<void*>(args[1]);
  void* host_f = reinterpret_cast<void*>(args[2]);
  const size_t bytes = static_cast<size_t>(args[3]) * sizeof(float);

  void* dev_a = runtime->host_api.device_malloc(bytes);
  void* dev_b = runtime->host_api.device_malloc(bytes);
  void* dev_c = runtime->host_api.device_malloc(bytes);
  void* dev_d = runtime->host_api.device_malloc(bytes);
  void* dev_e = runtime->host_api.device_malloc(bytes);
  void* dev_f = runtime->host_api.device_malloc(bytes);
  if (!dev_a || !dev_b || !dev_c || !dev_d || !dev_e || !dev_f) return -2;
  runtime->host_api.copy_to_device(dev_a, host_a, bytes);
  runtime->host_api.copy_to_device(dev_b, host_b, bytes);
  runtime->record_tensor_pair(host_f, dev_f, bytes);

  union {
    float f32;
    uint64_t u64;
  } scalar;
  scalar.u64 = 0;

  uint64_t add[4] = {(uint64_t)dev_a, (uint64_t)dev_b, (uint64_t)dev_c, args[3]};
  int t0 = runtime->add_task(add, 4, 0, 1);
  scalar.f32 = 1.0f;
  uint64_t one[4] = {(uint64_t)dev_c, scalar.u64, (uint64_t)dev_d, args[3]};
  int t1 = runtime->add_task(one, 4, 1, static_cast<int>(CoreType::AIV));
  scalar.f32 = 2.0f;
  uint64_t two[4] = {(uint64_t)dev_c, scalar.u64, (uint64_t)dev_e, args[3]};
  int t2 = runtime->add_task(two, 4, 1, 1);
  uint64_t mul[4] = {(uint64_t)dev_d, (uint64_t)dev_e, (uint64_t)dev_f, args[3]};
  int t3 = runtime->add_task(mul, 4, 2, 1);

  runtime->add_successor(t0, t1);
  runtime->add_successor(t0, t2);
  runtime->add_successor(t1, t3);
  runtime->add_successor(t2, t3);

  Task* last = runtime->get_task(t3);
  if (last->fanin != 2 || runtime->get_task(t0)->fanout[1] != t2) return -3;
  runtime->print_runtime();
  return 0;
}

}  // extern "C"
