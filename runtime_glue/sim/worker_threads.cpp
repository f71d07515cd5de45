// SPDX-License-Identifier: MIT
// The worker threads: they run tasks while there are any, sleep in between, and come back out of
// kernels that crashed.
#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <exception>
#include <string>

#include "runtime_glue/sim/executor_impl.h"

namespace ptowsp::sim {

void Executor::Impl::threadMain(Worker& worker) {
  CrashThread guard(&worker.call, worker.signal_stack.get());
  // Whatever the thread blocked that started this one.
  const sigset_t signals = guardedSignals();
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
  // Handlers come back here out of a kernel; whatever stood between was the kernel's own.
  const int landing = sigsetjmp(worker.call.landing, 1);
  if (landing != landed_first) {
    onLanding(worker, landing);
    while (!goIdle(worker)) runTasks(worker);
  }
  for (;;) {
    {
      MutexLock lock(worker.mutex);
      while (!worker.go) worker.wake.wait(worker.mutex);
      worker.go = false;
    }
    if (exiting.load(std::memory_order_relaxed)) return;
    do {
      runTasks(worker);
    } while (!goIdle(worker));
  }
}

void Executor::Impl::onLanding(Worker& worker, int landing) {
  KernelCall& call = worker.call;
  // relaxed: this thread wrote them
  const int task = call.task.load(std::memory_order_relaxed);
  const int core = call.core.load(std::memory_order_relaxed);
  call.task.store(-1, std::memory_order_relaxed);
  if (landing == landed_interrupt) return;  // whoever interrupted has the error already
  const char* name = sigabbrev_np(call.signal);
  Error crash{PTOWSP_SIM_ERROR_CRASH,
              formatText("%s crashed: SIG%s at address %p", place(task, core).c_str(),
                         name != nullptr ? name : "?", call.address)};
  crash.detail = call.signal;
  fail(at(std::move(crash), task, core));
}

void Executor::Impl::runTasks(Worker& worker) {
  const bool plain = run.events == nullptr && !run.options->random_order &&
                     !run.options->check_each_task && !run.dispatched && !admission.active();
  std::string thrown;
  try {
    if (run.active > 1) {
      plain ? work<true, true>(worker) : work<true, false>(worker);
    } else {
      plain ? work<false, true>(worker) : work<false, false>(worker);
    }
    return;
  } catch (const std::exception& exception) {
    thrown = formatText(": %s", exception.what());
  } catch (...) {
  }
  const int task = worker.call.task.load(std::memory_order_relaxed);
  const int core = worker.call.core.load(std::memory_order_relaxed);
  worker.call.task.store(-1, std::memory_order_relaxed);
  if (task < 0) {
    fail({PTOWSP_SIM_ERROR_OUT_OF_MEMORY, "no memory for the list of ready tasks" + thrown});
    return;
  }
  Error crash{PTOWSP_SIM_ERROR_CRASH, place(task, core) + " threw an exception" + thrown};
  fail(at(std::move(crash), task, core));
}

void Executor::Impl::start(Worker& worker) {
  MutexLock lock(worker.mutex);
  worker.go = true;
  worker.wake.notify();
}

bool Executor::Impl::seesWork(const Worker& worker) const {
  const size_t first = static_cast<size_t>(worker.group - groups.get());
  const size_t count = static_cast<size_t>(run.groups);
  for (size_t step = 0; step < (run.work_steal ? count : 1); ++step) {
    const Group& group = groups[(first + step) % count];
    for (int type = 0; type < kCoreTypes; ++type) {
      if (!worker.owns(type)) continue;
      if (group.inbox.count(type) != 0) return true;
      for (const Worker* member : group.members) {
        if (member->ready.count(type) != 0) return true;
      }
    }
  }
  return false;
}

void Executor::Impl::wakeOne(Group& group, int core_type) {
  Worker* chosen = nullptr;
  {
    MutexLock lock(idle_mutex);
    const auto take = [&](const Worker* w) {
      return w->owns(core_type) && (run.work_steal || w->group == &group);
    };
    const auto found = std::find_if(idle.rbegin(), idle.rend(), take);
    if (found == idle.rend()) return;
    chosen = *found;
    idle.erase(std::next(found).base());
    for (int type = 0; type < kCoreTypes; ++type) {
      if (chosen->owns(type))
        idleCount(*chosen->group, type).fetch_sub(1, std::memory_order_seq_cst);
    }
  }
  start(*chosen);
}

// goIdle: true when the worker is to sleep; false when there was work after all. The last one to go
// idle ends the run.
bool Executor::Impl::goIdle(Worker& worker) {
  bool last = false;
  {
    MutexLock lock(idle_mutex);
    for (int type = 0; type < kCoreTypes; ++type) {
      if (worker.owns(type))
        idleCount(*worker.group, type).fetch_add(1, std::memory_order_seq_cst);
    }
    const bool over =
        stop.load(std::memory_order_relaxed) || remaining.load(std::memory_order_acquire) == 0;
    if (!over && run.active > 1 && seesWork(worker)) {
      for (int type = 0; type < kCoreTypes; ++type) {
        if (worker.owns(type))
          idleCount(*worker.group, type).fetch_sub(1, std::memory_order_seq_cst);
      }
      return false;
    }
    idle.push_back(&worker);
    last = static_cast<int>(idle.size()) == run.active;
  }
  if (last) {
    MutexLock lock(watch_mutex);
    all_idle = true;
    watch_change.notify();
  }
  return true;
}

}  // namespace ptowsp::sim
