// SPDX-License-Identifier: MIT
// Watching a run from the thread that started it: its time limit, its end, and how errors are told.
#include <algorithm>
#include <chrono>

#include "runtime_glue/sim/executor_impl.h"

namespace ptowsp::sim {

namespace {

using Clock = std::chrono::steady_clock;

// How often a kernel that does not return is interrupted again.
constexpr auto kInterruptEvery = std::chrono::milliseconds(20);

}  // namespace

void Executor::Impl::watch() {
  const double seconds = run.options->timeout_seconds;
  // A year is as good as no limit, and does not overflow the clock.
  const bool limited = seconds > 0 && seconds < 3.2e7;
  const auto deadline =
      Clock::now() +
      (limited ? std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds))
               : Clock::duration::zero());
  MutexLock lock(watch_mutex);
  while (!all_idle && !error) {
    if (!limited) {
      watch_change.wait(watch_mutex);
    } else if (Clock::now() < deadline) {
      watch_change.waitUntil(watch_mutex, deadline);
    } else {
      error = timeoutError();
      stop.store(true, std::memory_order_relaxed);
    }
  }
  // Failed: what is running may end by itself for a while (not after a time-out), then it must.
  auto interrupt_at =
      Clock::now() + (error.code == PTOWSP_SIM_ERROR_TIMEOUT ? Clock::duration::zero() : kGrace);
  while (!all_idle) {
    if (Clock::now() < interrupt_at) {
      watch_change.waitUntil(watch_mutex, interrupt_at);
      continue;
    }
    for (int w = 0; w < run.active; ++w) {
      Worker& worker = *workers[static_cast<size_t>(w)];
      // relaxed: the signal itself comes later, and is repeated
      worker.call.interrupt_wanted.store(true, std::memory_order_relaxed);
      if (worker.call.task.load(std::memory_order_relaxed) >= 0) {
        interruptThread(worker.thread.native_handle());
      }
    }
    interrupt_at = Clock::now() + kInterruptEvery;
  }
  if (!error && remaining.load(std::memory_order_relaxed) != 0) error = deadlockError();
}

std::string Executor::Impl::place(int task, int core) const {
  return formatText("task %d, %s, on core %d (%s)", task,
                    run.kernels->label(run.graph->task(task).func_id).c_str(), core,
                    coreTypeName(run.platform->coreTypeOf(core)));
}

Error Executor::Impl::at(Error reason, int32_t task, int core) const {
  reason.task = task;
  reason.func_id = run.graph->task(task).func_id;
  reason.core = core;
  reason.core_type = run.platform->coreTypeOf(core);
  return reason;
}

Error Executor::Impl::timeoutError() const {
  Error result{PTOWSP_SIM_ERROR_TIMEOUT,
               formatText("the run did not end within %g s: ", run.options->timeout_seconds)};
  for (int w = 0; w < run.active; ++w) {
    const Worker& worker = *workers[static_cast<size_t>(w)];
    // relaxed: a snapshot of threads that go on running
    const int task = worker.call.task.load(std::memory_order_relaxed);
    const int core = worker.call.core.load(std::memory_order_relaxed);
    if (task < 0) continue;
    if (result.tasks.empty()) result = at(std::move(result), task, core);
    if (result.tasks.size() < 4) {
      result.message += (result.tasks.empty() ? "" : "; ") + place(task, core);
    }
    result.tasks.push_back(task);
  }
  if (result.tasks.empty()) {
    result.message += "no kernel was running at that moment; the graph may just be long";
  } else {
    if (result.tasks.size() > 4) {
      result.message += formatText("; and %zu more", result.tasks.size() - 4);
    }
    result.message += result.tasks.size() == 1 ? ", is still running" : ", are still running";
  }
  result.message += "; look for a kernel that never ends, or allow more time";
  return result;
}

Error Executor::Impl::windowError(int32_t task) const {
  Error result{PTOWSP_SIM_ERROR_WINDOW,
               formatText("task %d, %s, is ready, but lies beyond the task window: task %d is not "
                          "finished, and the window is %d tasks; make it larger, or use the mode "
                          "stall, in which tasks wait",
                          task, run.kernels->label(run.graph->task(task).func_id).c_str(),
                          task - admission.distance(task) + 1, admission.window())};
  result.task = task;
  result.func_id = run.graph->task(task).func_id;
  return result;
}

Error Executor::Impl::deadlockError() const {
  Error result{PTOWSP_SIM_ERROR_DEADLOCK, {}};
  for (int t = 0; t < run.graph->tasks() && result.tasks.size() < 16; ++t) {
    if (counters[static_cast<size_t>(t)] > 0) result.tasks.push_back(t);
  }
  if (!result.tasks.empty()) {
    result.task = result.tasks.front();
    result.func_id = run.graph->task(result.task).func_id;
  }
  result.message =
      formatText("%lld of %d tasks are left and none can run, the first of them task %d",
                 static_cast<long long>(remaining.load(std::memory_order_relaxed)),
                 run.graph->tasks(), result.task);
  return result;
}

void Executor::Impl::fail(Error reason) {
  MutexLock lock(watch_mutex);
  if (!error) error = std::move(reason);
  stop.store(true, std::memory_order_relaxed);  // relaxed: only tells the others not to go on
  watch_change.notify();
}

}  // namespace ptowsp::sim
