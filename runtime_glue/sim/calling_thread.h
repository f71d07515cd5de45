// SPDX-License-Identifier: MIT
// CallingThread: lets a kernel run on the thread that asked for it as it would on a worker's own, and
// leaves the thread as it was.
#pragma once

#include <fenv.h>
#include <signal.h>

#include <cstddef>

#include "runtime_glue/sim/crash_guard.h"

namespace ptowsp::sim {

class CallingThread {
 public:
  // The crash signals are let through, and arithmetic is as a new process has it, whatever rounding
  // or flushing the program chose. The thread gets a signal stack for the rest of its life, unless it
  // has one.
  explicit CallingThread(KernelCall* call);
  ~CallingThread();
  CallingThread(const CallingThread&) = delete;
  CallingThread& operator=(const CallingThread&) = delete;

  // After a signal handler came back by a jump: lets those signals through again.
  void landed();
  // Bytes of stack that the calling thread has left, 0 where that cannot be known.
  static size_t stackLeft();

 private:
  sigset_t before_;
  fenv_t arithmetic_;
};

}  // namespace ptowsp::sim
