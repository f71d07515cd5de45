// SPDX-License-Identifier: MIT
// Hand-written kernels of the test workload. PTOWSP_KERNEL is the name, PTOWSP_BODY the element's
// new value; PTOWSP_FAULT makes the kernel of the task with stamp 3 or 7 (tasks 2 and 6) go wrong, nan
// and inf every task that reads 10 or more.
#include <stdint.h>
#include <unistd.h>

enum Fault { none, wrong, no_ledger, ledger_twice, out_of_bounds, input, crash, endless, nan, inf };

#define PTOWSP_JOIN_(a, b) a##b
#define PTOWSP_JOIN(a, b) PTOWSP_JOIN_(a, b)

extern "C" void PTOWSP_JOIN(kernel_, PTOWSP_KERNEL)(int64_t* args) {
  float* in = reinterpret_cast<float*>(args[0]);
  float* out = reinterpret_cast<float*>(args[1]);
  const int64_t elements = args[2];
  uint64_t* slot = reinterpret_cast<uint64_t*>(args[3]);
  const uint64_t stamp = static_cast<uint64_t>(args[4]);
  const bool faulty = stamp == 3 || stamp == 7;
  for (int64_t i = 0; i < elements; ++i) {
    const float v = in[i];
    out[i] = PTOWSP_BODY;
  }
  for (int64_t i = 0; i < elements; ++i) {
    if (PTOWSP_FAULT == nan && in[i] >= 10) out[i] = __builtin_nanf("");
    if (PTOWSP_FAULT == inf && in[i] >= 10) out[i] = -__builtin_inff();
  }
  if (faulty && PTOWSP_FAULT == wrong) out[5] += 0.5f;
  // Tile 2 ends 8 elements before its tensor does; this is the tensor's end and one more.
  if (faulty && PTOWSP_FAULT == out_of_bounds) out[16] = 1;
  if (faulty && PTOWSP_FAULT == input) in[1] = 99;
  if (faulty && PTOWSP_FAULT == crash) *reinterpret_cast<volatile int*>(16) = 1;
  while (faulty && PTOWSP_FAULT == endless) usleep(1000);
  if (faulty && PTOWSP_FAULT == no_ledger) return;
  if (slot) __atomic_fetch_add(slot, stamp, __ATOMIC_RELAXED);
  if (faulty && PTOWSP_FAULT == ledger_twice) __atomic_fetch_add(slot, stamp, __ATOMIC_RELAXED);
}
