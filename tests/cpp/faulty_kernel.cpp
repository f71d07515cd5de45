// SPDX-License-Identifier: MIT
// The kernel of scale.json, with one mistake: PTOWSP_FAULT.
#include <stdint.h>
#include <unistd.h>

enum Fault { crash, endless, no_stamp, twice_stamped, writes_behind, changes_input };

extern "C" __attribute__((visibility("default"))) void kernel_twice(int64_t* args) {
  float* in = reinterpret_cast<float*>(args[0]);
  float* out = reinterpret_cast<float*>(args[1]);
  const int64_t elements = args[2];
  uint64_t* slot = reinterpret_cast<uint64_t*>(args[3]);
  const uint64_t stamp = static_cast<uint64_t>(args[4]);
  for (int64_t i = 0; i < elements; ++i) out[i] = 2 * in[i];
  constexpr Fault kFault = PTOWSP_FAULT;
  volatile uintptr_t nowhere = 16;  // which the compiler is not to know
  if (kFault == crash) *reinterpret_cast<volatile int*>(nowhere) = 1;
  while (kFault == endless) usleep(1000);
  if (kFault == writes_behind) out[elements] = 1;
  if (kFault == changes_input) in[65] = 99;
  if (kFault == no_stamp) return;
  __atomic_fetch_add(slot, stamp, __ATOMIC_RELAXED);
  if (kFault == twice_stamped) __atomic_fetch_add(slot, stamp, __ATOMIC_RELAXED);
}
