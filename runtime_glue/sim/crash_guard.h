// SPDX-License-Identifier: MIT
// Crash guard: turns a signal inside a kernel into a return to the worker that called it. Two ways
// in: the kernel crashes (SIGSEGV, SIGBUS, SIGFPE, SIGILL), or the run wants its worker back
// (interruptThread). Signals elsewhere go to whoever handled them before.
#pragma once

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>

#include <atomic>
#include <cstdint>

namespace ptowsp::sim {

// KernelCall: what a worker thread is calling. One per worker; read by the signal handlers on the
// worker's own thread and, for messages, by the thread that watches the run.
struct KernelCall {
  std::atomic<int32_t> task{-1};  // -1: not in a kernel
  std::atomic<int32_t> core{-1};
  std::atomic<bool> catch_crashes{true};
  std::atomic<bool> interrupt_wanted{false};
  sigjmp_buf landing;  // where a handler jumps to, with one of the values below
  // Of the crash that made the jump.
  int signal = 0;
  void* address = nullptr;
};

enum Landing { landed_first = 0, landed_crash = 1, landed_interrupt = 2 };

inline constexpr size_t kSignalStackBytes = 64 << 10;

// The signals that the handlers below take.
sigset_t guardedSignals();
// From now on the calling thread's kernel calls are guarded by `call`; by nothing where it is null.
void guardThread(KernelCall* call);

// CrashThread: while it lives, the calling thread's kernel calls are guarded. Its handlers run on
// `signal_stack`, kSignalStackBytes that outlive it, so that even a stack overflow in a kernel is caught.
class CrashThread {
 public:
  CrashThread(KernelCall* call, char* signal_stack);
  ~CrashThread();
  CrashThread(const CrashThread&) = delete;
  CrashThread& operator=(const CrashThread&) = delete;

 private:
  stack_t previous_ = {};
};

// Installs the handlers, again when someone replaced them since. Process wide; call before a run.
void installCrashHandlers(bool catch_crashes);
// Makes `thread` leave its kernel, if it is in one and interrupt_wanted is set there.
void interruptThread(pthread_t thread);
// Whether the calling thread is one that runs kernels.
bool onKernelThread();

}  // namespace ptowsp::sim
