// SPDX-License-Identifier: MIT
// Dispatch policies and task windows: which AICPU scheduler a task belongs to, and how both are told
// to a runtime that knows them. The generator computes tables with the same functions. C++17.
// Emitted trees get a copy of it, beside task_graph.h.
#pragma once

#include <stdint.h>

#include "task_graph.h"

namespace ptowsp {
// Hidden, as task_graph.h is, and for the same reason.
namespace dispatch __attribute__((visibility("hidden"))) {
  // Of floor division, so never negative.
  inline int64_t remainder(int64_t value, int64_t modulus) {
    const int64_t rest = value % modulus;
    return rest < 0 ? rest + modulus : rest;
  }

  // Task i of the graph goes to scheduler i modulo their number.
  inline int roundRobin(uint64_t task, int aicpus) {
    return static_cast<int>(task % static_cast<uint64_t>(aicpus));
  }
  // Tasks of one key go to one scheduler: the finalizer of splitmix64, modulo their number.
  inline int hash(int64_t key, int aicpus) {
    return static_cast<int>(graph::mix64(static_cast<uint64_t>(key)) %
                            static_cast<uint64_t>(aicpus));
  }
  // Neighbouring keys go to neighbouring schedulers.
  inline int affinity(int64_t key, int aicpus) {
    return static_cast<int>(remainder(key, aicpus));
  }

  // One digit for each task, the number of its scheduler: 0-9, A-Z, a-z, +, -.
  inline char digitOf(int aicpu) {
    return "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz+-"[aicpu];
  }
  inline int fromTable(const char* digits, int64_t task) {
    const char digit = digits[task];
    if (digit >= 'a') return digit - 'a' + 36;
    if (digit >= 'A') return digit - 'A' + 10;
    if (digit >= '0') return digit - '0';
    return digit == '+' ? 62 : 63;
  }

  enum class Window : int { stall = 0, abort = 1, benchmark = 2 };

  // Runtimes that have no such calls run any task on any core, and bound nothing.
  template <class Runtime>
  void setPolicy(Runtime& runtime, int aicpus, bool work_steal) {
#ifdef PTOWSP_BUILTIN_RUNTIME
    runtime.set_dispatch(aicpus, work_steal);
#else
    (void)runtime, (void)aicpus, (void)work_steal;
#endif
  }
  template <class Runtime>
  void assign(Runtime& runtime, int task, int aicpu) {
#ifdef PTOWSP_BUILTIN_RUNTIME
    runtime.set_task_aicpu(task, aicpu);
#else
    (void)runtime, (void)task, (void)aicpu;
#endif
  }
  template <class Runtime>
  void setWindow(Runtime& runtime, int tasks, Window mode) {
#ifdef PTOWSP_BUILTIN_RUNTIME
    runtime.set_task_window(tasks, static_cast<ptowsp_sim::WindowMode>(mode));
#else
    (void)runtime, (void)tasks, (void)mode;
#endif
  }

}  // namespace dispatch
}  // namespace ptowsp
