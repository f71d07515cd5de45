// SPDX-License-Identifier: MIT
#include "runtime_glue/sim/calling_thread.h"

#include <pthread.h>

#include <cstdint>
#include <memory>
#include <new>

namespace ptowsp::sim {

namespace {

// StackBounds: asked of the system once for each thread; it reads a file for the first one.
struct StackBounds {
  uintptr_t low = 0, high = 0;

  StackBounds() {
    pthread_attr_t attributes;
    if (pthread_getattr_np(pthread_self(), &attributes) != 0) return;
    void* address = nullptr;
    size_t size = 0;
    if (pthread_attr_getstack(&attributes, &address, &size) == 0) {
      low = reinterpret_cast<uintptr_t>(address);
      high = low + size;
    }
    pthread_attr_destroy(&attributes);
  }
};

// SignalStack: that of a thread that had none, from its first kernel to its end.
struct SignalStack {
  std::unique_ptr<char[]> memory;

  SignalStack() {
    stack_t current = {};
    if (sigaltstack(nullptr, &current) != 0 || (current.ss_flags & SS_DISABLE) == 0) return;
    memory.reset(new (std::nothrow) char[kSignalStackBytes]);
    stack_t own = {};
    own.ss_sp = memory.get();
    own.ss_size = kSignalStackBytes;
    if (memory != nullptr) sigaltstack(&own, nullptr);
  }
  ~SignalStack() {
    stack_t current = {};
    if (memory == nullptr || sigaltstack(nullptr, &current) != 0 || current.ss_sp != memory.get()) {
      return;
    }
    current = {};
    current.ss_flags = SS_DISABLE;
    sigaltstack(&current, nullptr);
  }
};

}  // namespace

CallingThread::CallingThread(KernelCall* call) {
  static thread_local const SignalStack stack;
  static_cast<void>(stack);
  const sigset_t signals = guardedSignals();
  pthread_sigmask(SIG_UNBLOCK, &signals, &before_);
  fegetenv(&arithmetic_);
  fesetenv(FE_DFL_ENV);
  guardThread(call);
}

CallingThread::~CallingThread() {
  guardThread(nullptr);
  fesetenv(&arithmetic_);
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

void CallingThread::landed() {
  const sigset_t signals = guardedSignals();
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
}

size_t CallingThread::stackLeft() {
  static thread_local const StackBounds bounds;
  const auto here = reinterpret_cast<uintptr_t>(__builtin_frame_address(0));
  return here > bounds.low && here < bounds.high ? here - bounds.low : 0;
}

}  // namespace ptowsp::sim
