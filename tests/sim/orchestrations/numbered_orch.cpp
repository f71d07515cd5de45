// SPDX-License-Identifier: MIT
// One of several different orchestrations for one process: its first argument is where it writes
// the number it was compiled with.
#include "runtime.h"

extern "C" int build_numbered(Runtime* runtime, uint64_t* args, int arg_count) {
  if (arg_count != 1) return -1;
  *reinterpret_cast<int*>(args[0]) = PTOWSP_TEST_NUMBER;
  for (int t = 0; t < PTOWSP_TEST_NUMBER; ++t) {
    if (runtime->add_task(args, 1, 0, 1) != t) return -2;
  }
  return 0;
}
