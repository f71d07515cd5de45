// SPDX-License-Identifier: MIT
#include "runtime_glue/sim/crash_guard.h"

#include <cerrno>

#include "runtime_glue/sim/thread_annotations.h"

namespace ptowsp::sim {

namespace {

constexpr int kCrashSignals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL};
constexpr size_t kCrashSignalCount = sizeof kCrashSignals / sizeof kCrashSignals[0];

// initial-exec: a handler must not be the first to touch it, as that may allocate.
thread_local KernelCall* t_call __attribute__((tls_model("initial-exec"))) = nullptr;

Mutex g_install_mutex;
// Written before the handlers are installed, and only read by them.
struct sigaction g_previous[kCrashSignalCount];
std::atomic<int> g_interrupt_signal{0};

// Set while a previous handler runs: one that was put in front of ours later may call us again.
thread_local bool t_passing_on __attribute__((tls_model("initial-exec"))) = false;

void passOn(int signal, siginfo_t* info, void* context) {
  for (size_t i = 0; i < kCrashSignalCount && !t_passing_on; ++i) {
    if (kCrashSignals[i] != signal) continue;
    const struct sigaction& previous = g_previous[i];
    if ((previous.sa_flags & SA_SIGINFO) != 0 && previous.sa_sigaction != nullptr) {
      t_passing_on = true;
      previous.sa_sigaction(signal, info, context);
      t_passing_on = false;
      return;
    }
    if (previous.sa_handler != SIG_DFL && previous.sa_handler != SIG_IGN) {
      t_passing_on = true;
      previous.sa_handler(signal);
      t_passing_on = false;
      return;
    }
  }
  // Nobody handles it: back to the default, then the faulting instruction runs again and the
  // process ends as it would have without us. A signal that was sent is sent again.
  struct sigaction fallback = {};
  fallback.sa_handler = SIG_DFL;
  sigaction(signal, &fallback, nullptr);
  if (info == nullptr || info->si_code <= 0) raise(signal);
}

void onCrash(int signal, siginfo_t* info, void* context) {
  KernelCall* call = t_call;
  // relaxed: same thread.
  if (call != nullptr && call->task.load(std::memory_order_relaxed) >= 0 &&
      call->catch_crashes.load(std::memory_order_relaxed)) {
    call->signal = signal;
    call->address = info != nullptr ? info->si_addr : nullptr;
    siglongjmp(call->landing, landed_crash);
  }
  passOn(signal, info, context);
}

void onInterrupt(int) {
  const int saved = errno;
  KernelCall* call = t_call;
  if (call != nullptr && call->task.load(std::memory_order_relaxed) >= 0 &&
      call->interrupt_wanted.load(std::memory_order_relaxed)) {
    siglongjmp(call->landing, landed_interrupt);
  }
  errno = saved;
}

}  // namespace

sigset_t guardedSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : kCrashSignals) sigaddset(&signals, signal);
  // acquire: as in interruptThread()
  const int interrupt = g_interrupt_signal.load(std::memory_order_acquire);
  if (interrupt != 0) sigaddset(&signals, interrupt);
  return signals;
}

void guardThread(KernelCall* call) { t_call = call; }

CrashThread::CrashThread(KernelCall* call, char* signal_stack) {
  stack_t stack = {};
  stack.ss_sp = signal_stack;
  stack.ss_size = kSignalStackBytes;
  sigaltstack(&stack, &previous_);
  guardThread(call);
}

CrashThread::~CrashThread() {
  guardThread(nullptr);
  sigaltstack(&previous_, nullptr);
}

void installCrashHandlers(bool catch_crashes) {
  MutexLock lock(g_install_mutex);
  if (g_interrupt_signal.load(std::memory_order_relaxed) == 0) {  // relaxed: under the lock
    // The first real-time signal nobody uses.
    for (int signal = SIGRTMIN + 4; signal <= SIGRTMAX; ++signal) {
      struct sigaction current = {};
      if (sigaction(signal, nullptr, &current) != 0 || current.sa_handler != SIG_DFL) continue;
      struct sigaction action = {};
      action.sa_handler = onInterrupt;
      action.sa_flags = SA_ONSTACK | SA_RESTART;
      sigemptyset(&action.sa_mask);
      sigaction(signal, &action, nullptr);
      g_interrupt_signal.store(signal, std::memory_order_release);
      break;
    }
  }
  if (!catch_crashes) return;
  for (size_t i = 0; i < kCrashSignalCount; ++i) {
    struct sigaction current = {};
    sigaction(kCrashSignals[i], nullptr, &current);
    if ((current.sa_flags & SA_SIGINFO) != 0 && current.sa_sigaction == onCrash) continue;
    g_previous[i] = current;
    struct sigaction action = {};
    action.sa_sigaction = onCrash;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigemptyset(&action.sa_mask);
    sigaction(kCrashSignals[i], &action, nullptr);
  }
}

void interruptThread(pthread_t thread) {
  const int signal = g_interrupt_signal.load(std::memory_order_acquire);
  if (signal != 0) pthread_kill(thread, signal);
}

bool onKernelThread() { return t_call != nullptr; }

}  // namespace ptowsp::sim
