// SPDX-License-Identifier: MIT
#include "runtime_glue/glue/process_guard.h"

#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

#include <atomic>
#include <cmath>
#include <cstdio>
#include <cstring>

namespace ptowsp::glue {
namespace {

std::atomic<const char*> phase{"starting"};
char process_name[128] = "ptowsp";
double time_limit = 0;  // seconds, 0 = none
const char* (*locate_address)(const void*) = nullptr;
alignas(16) char handler_stack[64 * 1024];

// Only async-signal-safe calls from here: the process may be in any state.
void put(const char* text) {
  const size_t size = std::strlen(text);
  if (write(STDERR_FILENO, text, size) < 0) return;
}

const char* signalName(int signal) {
  switch (signal) {
    case SIGSEGV:
      return "a memory access that is not allowed (SIGSEGV)";
    case SIGBUS:
      return "a memory access that cannot be made (SIGBUS)";
    case SIGFPE:
      return "an arithmetic trap (SIGFPE)";
    case SIGILL:
      return "an instruction that this CPU does not have (SIGILL)";
    default:
      return "an abort (SIGABRT)";
  }
}

void onCrash(int signal, siginfo_t* info, void*) {
  put(process_name);
  put(": error: crashed while ");
  put(phase.load(std::memory_order_relaxed));
  put(": ");
  put(signalName(signal));
  put("\n");
  if (signal == SIGSEGV && locate_address) {
    if (const char* where = locate_address(info->si_addr)) {
      put("  note: it touched ");
      put(where);
      put("\n");
    }
  }
  put("  fix: run it under a debugger: gdb --args ptowsp-run ...\n");
  _exit(3);
}

void onTimeLimit(int) {
  char text[64];
  put(process_name);
  put(": error: not finished after ");
  // snprintf of a double is not promised to be safe here, so the number is put together by hand.
  char* at = text + sizeof text;
  *--at = 0;
  unsigned long tenths = static_cast<unsigned long>(std::lround(time_limit * 10));
  if (tenths % 10) {
    *--at = static_cast<char>('0' + tenths % 10);
    *--at = '.';
  }
  tenths /= 10;
  do *--at = static_cast<char>('0' + tenths % 10);
  while (tenths /= 10);
  put(at);
  put(" s, while ");
  put(phase.load(std::memory_order_relaxed));
  put("\n  fix: look where it stands with a debugger, or give it more time with --timeout\n");
  _exit(3);
}

void armTimer() {
  itimerval timer = {};
  timer.it_value.tv_sec = static_cast<time_t>(time_limit);
  timer.it_value.tv_usec = static_cast<suseconds_t>((time_limit - std::floor(time_limit)) * 1e6);
  setitimer(ITIMER_REAL, &timer, nullptr);
}

}  // namespace

void enterPhase(const char* text) {
  phase.store(text, std::memory_order_relaxed);
  if (time_limit > 0) armTimer();
}
const char* currentPhase() { return phase.load(std::memory_order_relaxed); }

void reportCrashes(const std::string& name, const char* (*locate)(const void* address)) {
  std::snprintf(process_name, sizeof process_name, "%s", name.c_str());
  locate_address = locate;
  stack_t stack = {};
  stack.ss_sp = handler_stack;
  stack.ss_size = sizeof handler_stack;
  sigaltstack(&stack, nullptr);
  for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}) {
    struct sigaction old = {}, action = {};
    if (sigaction(signal, nullptr, &old) == 0 &&
        ((old.sa_flags & SA_SIGINFO) || old.sa_handler != SIG_DFL))
      continue;
    action.sa_sigaction = onCrash;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESETHAND;
    sigaction(signal, &action, nullptr);
  }
}

void limitTime(const std::string& name, double seconds) {
  std::snprintf(process_name, sizeof process_name, "%s", name.c_str());
  time_limit = seconds;
  struct sigaction action = {};
  action.sa_handler = onTimeLimit;
  sigaction(SIGALRM, &action, nullptr);
  armTimer();
}

}  // namespace ptowsp::glue
