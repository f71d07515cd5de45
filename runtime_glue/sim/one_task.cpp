// SPDX-License-Identifier: MIT
// A graph of one task runs on the thread that launches it: no other could do anything meanwhile, and
// waking one takes longer than most tasks. With a time limit it does not: a kernel that never ends
// needs somebody who watches.
#include <pthread.h>

#include "runtime_glue/sim/calling_thread.h"
#include "runtime_glue/sim/executor_impl.h"

namespace ptowsp::sim {

namespace {

// What emitted kernels may keep on the stack is a quarter of it.
constexpr size_t kStackNeeded = size_t{1} << 20;

}  // namespace

bool Executor::Impl::canRunHere(const Graph& graph, const RunOptions& options) const {
  return graph.tasks() == 1 && options.timeout_seconds == 0 && !onKernelThread() &&
         CallingThread::stackLeft() >= kStackNeeded;
}

// The first core of each type of each scheduler, which is the one that a free chip would take.
void Executor::Impl::dealCoresHere() {
  const Platform& platform = *run.platform;
  if (!here.cores.empty() && here_platform.block_dim == platform.block_dim &&
      here_platform.aicpus == platform.aicpus && here_dispatched == run.dispatched) {
    return;
  }
  const int schedulers = run.dispatched ? platform.aicpus : 1;
  here.cores.resize(static_cast<size_t>(kCoreTypes * schedulers));
  for (int s = 0; s < schedulers; ++s) {
    const int block = s * (platform.block_dim / schedulers);
    here.cores[static_cast<size_t>(kCoreTypes * s)] = {{block}, 0};
    here.cores[static_cast<size_t>(kCoreTypes * s + 1)] = {{platform.block_dim + 2 * block}, 0};
  }
  here_platform = platform;
  here_dispatched = run.dispatched;
}

RunResult Executor::Impl::runHere(const Run& one) {
  RunResult result;
  result.workers = one.active;
  result.window.tasks = one.graph->schedule.window;
  run = one;
  run.active = 1;
  if (!counters.reserve(1) || !admission.begin(1, one.graph->schedule)) {
    result.error = {PTOWSP_SIM_ERROR_OUT_OF_MEMORY, "no memory for the counters of 1 task"};
    return result;
  }
  counters[0] = 0;
  dealCoresHere();
  here.group = &groups[0];
  here.completed = here.unreported = 0;
  here.window = {};
  here.random.seed(run.options->schedule_seed, 0);
  here.ready.clear();
  here.ready.pushAlone(coreTypeOf(run.graph->task(0)), 0);
  // relaxed: only this thread's handlers read them until it is announced below
  here.call.catch_crashes.store(run.options->catch_crashes, std::memory_order_relaxed);
  here.call.interrupt_wanted.store(false, std::memory_order_relaxed);
  remaining.store(1, std::memory_order_relaxed);
  stop.store(false, std::memory_order_relaxed);
  {
    CallingThread thread(&here.call);
    {
      MutexLock lock(watch_mutex);
      running = runs_here = true;
      here_thread = pthread_self();
      ++here_runs;
      all_idle = false;
      error = {};
      damage.clear();
    }
    // Handlers come back here out of the kernel. Without the signal mask, which would take a system
    // call: landed() makes that good.
    const int landing = sigsetjmp(here.call.landing, 0);
    if (landing == landed_first) {
      runTasks(here);
    } else {
      thread.landed();
      onLanding(here, landing);
    }
    MutexLock lock(watch_mutex);
    running = runs_here = false;
    all_idle = true;
    here_change.notify();
  }
  MutexLock lock(watch_mutex);
  result.completed = here.completed;
  result.window.high_water = here.window.high_water;
  result.error = std::move(error);
  result.damage = std::move(damage);
  error = {};
  damage.clear();
  return result;
}

bool Executor::Impl::interruptHere() {
  if (!runs_here) return false;
  if (!error) {
    error = {PTOWSP_SIM_ERROR_CANCELLED, "the run was cancelled before all tasks had run"};
    stop.store(true, std::memory_order_relaxed);
    const uint64_t cancelled = here_runs;
    const auto interrupt_at = std::chrono::steady_clock::now() + kGrace;
    while (runs_here && here_runs == cancelled &&
           std::chrono::steady_clock::now() < interrupt_at) {
      here_change.waitUntil(watch_mutex, interrupt_at);
    }
    if (!runs_here || here_runs != cancelled) return true;
  }
  // relaxed: the signal itself comes later
  here.call.interrupt_wanted.store(true, std::memory_order_relaxed);
  interruptThread(here_thread);
  return true;
}

}  // namespace ptowsp::sim
