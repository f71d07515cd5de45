// SPDX-License-Identifier: MIT
// The inner loop: a worker takes a ready task, calls its kernel on a core, and releases what waited
// for it.
#include <sched.h>
#include <time.h>

#include <algorithm>

#include "runtime_glue/sim/device_memory.h"
#include "runtime_glue/sim/executor_impl.h"

namespace ptowsp::sim {

namespace {

// How often an idle worker looks around, yielding in between, before it sleeps. Waking it costs the
// others a system call; looking costs it less than that.
constexpr int kLooksBeforeSleep = 24;

uint64_t nowNs() {
  timespec time;
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<uint64_t>(time.tv_sec) * 1'000'000'000u + static_cast<uint64_t>(time.tv_nsec);
}

}  // namespace

// kShared: other workers take part. kPlain: no trace, random order, check after each task, schedule
// directive. Plain runs with one worker pay for neither.
template <bool kShared, bool kPlain>
void Executor::Impl::work(Worker& worker) {
  const Graph& graph = *run.graph;
  const KernelFunction* functions = run.kernels->functions().data();
  const uint32_t* offsets = graph.offsets();
  const int32_t* successors = graph.successors();
  CoreSet* cores = worker.cores.data();
  RandomOrder* random = !kPlain && run.options->random_order ? &worker.random : nullptr;

  int32_t task = -1;
  while (!stop.load(std::memory_order_relaxed)) {
    if (task < 0) task = take<kShared, kPlain>(worker, random);
    if (task < 0) break;
    const TaskRecord& record = graph.task(task);
    const int core =
        kPlain ? cores[coreTypeOf(record)].take() : coreFor(worker, task, coreTypeOf(record));

    ptowsp_sim_event* event = nullptr;
    if (!kPlain && admission.active()) {
      worker.window.high_water =
          std::max<int64_t>(worker.window.high_water, admission.distance(task));
    }
    if (!kPlain && run.events != nullptr) {
      event = run.events + task;
      *event = {task,
                record.func_id,
                core,
                coreTypeOf(record),
                run.platform->aicpuOf(core),
                worker.index,
                nowNs(),
                0,
                0};
      event->start_ns = nowNs();
    }
    // relaxed: for this thread's signal handlers; the fences keep the compiler from moving them.
    worker.call.core.store(core, std::memory_order_relaxed);
    worker.call.task.store(task, std::memory_order_relaxed);
    std::atomic_signal_fence(std::memory_order_seq_cst);
    functions[record.func_id](graph.argumentsOf(record));
    std::atomic_signal_fence(std::memory_order_seq_cst);
    worker.call.task.store(-1, std::memory_order_relaxed);
    if (event != nullptr) event->end_ns = nowNs();
    ++worker.completed;
    if constexpr (kShared) ++worker.unreported;

    if constexpr (!kPlain) {
      if (run.options->check_each_task && !checkGuards(task, core)) return;
      if (admission.active()) finishInWindow<kShared>(worker, task);
    }

    const uint32_t end = offsets[task + 1];
    int32_t next = -1;
    for (uint32_t s = offsets[task]; s < end; ++s) {
      const int32_t successor = successors[s];
      if (!release<kShared>(successor)) continue;
      if (!kPlain && admission.active() && !admission.holds() && admission.isBeyond(successor)) {
        ++worker.window.stalls;
        if (admission.aborts()) return fail(windowError(successor));
      }
      const int type = coreTypeOf(graph.task(successor));
      if (next < 0 && random == nullptr && worker.owns(type) &&
          (kPlain || &groupOf(successor) == worker.group)) {
        next = successor;
      } else {
        add<kShared, kPlain>(worker, type, successor);
      }
    }
    task = next;
  }
}

template void Executor::Impl::work<false, false>(Worker&);
template void Executor::Impl::work<false, true>(Worker&);
template void Executor::Impl::work<true, false>(Worker&);
template void Executor::Impl::work<true, true>(Worker&);

template <bool kShared>
bool Executor::Impl::release(int32_t task) {
  if constexpr (kShared) {
    // acq_rel: releases what this task wrote, and acquires what the other predecessors wrote.
    return std::atomic_ref<int32_t>(counters[static_cast<size_t>(task)])
               .fetch_sub(1, std::memory_order_acq_rel) == 1;
  } else {
    return --counters[static_cast<size_t>(task)] == 0;
  }
}

// The task's end may let in others; those that only waited for that were stalled.
template <bool kShared>
void Executor::Impl::finishInWindow(Worker& worker, int32_t task) {
  worker.admitted.clear();
  admission.finish(task, &worker.admitted);
  if (!admission.holds()) return;
  for (const int32_t admitted : worker.admitted) {
    if (!release<kShared>(admitted)) continue;
    ++worker.window.stalls;
    add<kShared, false>(worker, coreTypeOf(run.graph->task(admitted)), admitted);
  }
}

// A core of the task's scheduler; of the worker's own when it took another one's task.
int Executor::Impl::coreFor(Worker& worker, int32_t task, int core_type) {
  size_t set = static_cast<size_t>(core_type);
  if (run.dispatched && worker.cores.size() > kCoreTypes) {
    // This worker alone serves several schedulers: each groups-th one.
    const int aicpu = run.graph->task_aicpus[static_cast<size_t>(task)];
    if (&groupOf(task) == worker.group) set += static_cast<size_t>(aicpu / run.groups) * kCoreTypes;
  }
  return worker.cores[set].take();
}

bool Executor::Impl::checkGuards(int32_t task, int core) {
  std::vector<ptowsp_sim_guard_damage> found = run.memory->findDamage(task);
  if (found.empty()) return true;
  Error damaged{PTOWSP_SIM_ERROR_GUARD, place(task, core) + " wrote outside its tiles: " +
                                            DeviceMemory::describe(found.front())};
  {
    MutexLock lock(watch_mutex);
    damage = std::move(found);
  }
  fail(at(std::move(damaged), task, core));
  return false;
}

template <bool kShared, bool kPlain>
void Executor::Impl::add(Worker& worker, int core_type, int32_t task) {
  if constexpr (kShared) {
    Group& group = kPlain ? *worker.group : groupOf(task);
    const bool own = worker.owns(core_type) && (kPlain || &group == worker.group);
    (own ? worker.ready : group.inbox).push(core_type, task);
    if (idleCount(group, core_type).load(std::memory_order_seq_cst) != 0) {
      wakeOne(group, core_type);
    }
  } else {
    worker.ready.pushAlone(core_type, task);
  }
}

template <bool kShared, bool kPlain>
int32_t Executor::Impl::take(Worker& worker, RandomOrder* random) {
  // With a random order the type is drawn too.
  const int first = random != nullptr ? static_cast<int>(random->below(2)) : 1;
  for (const int type : {first, 1 - first}) {
    const int32_t task =
        kShared ? worker.ready.pop(type, random) : worker.ready.popAlone(type, random);
    if (task >= 0) return task;
  }
  if constexpr (!kShared) {
    remaining.store(run.graph->tasks() - worker.completed, std::memory_order_relaxed);
    return -1;
  } else {
    // Counted here and not after each task, so that the workers do not fight for the counter.
    // seq_cst is not needed: sleepers learn of the end under idle_mutex.
    if (worker.unreported != 0) {
      remaining.fetch_sub(worker.unreported, std::memory_order_acq_rel);
      worker.unreported = 0;
    }
    const int looks = run.active <= processors() ? kLooksBeforeSleep : 2;
    for (int attempt = 0; attempt < looks; ++attempt) {
      if (stop.load(std::memory_order_relaxed) || remaining.load(std::memory_order_relaxed) == 0) {
        return -1;
      }
      const int32_t task = look(worker, random);
      if (task >= 0) return task;
      sched_yield();
    }
    return -1;
  }
}

// look: work of the group, then, with work_steal, of the other groups.
int32_t Executor::Impl::look(Worker& worker, RandomOrder* random) {
  for (const int type : {1, 0}) {
    if (!worker.owns(type)) continue;
    int32_t task = worker.group->inbox.pop(type, random);
    if (task >= 0) return task;
    task = stealFrom(*worker.group, worker, type);
    if (task >= 0) return task;
  }
  if (!run.work_steal) return -1;
  const size_t own = static_cast<size_t>(worker.group - groups.get());
  const size_t count = static_cast<size_t>(run.groups);
  for (const int type : {1, 0}) {
    if (!worker.owns(type)) continue;
    for (size_t step = 1; step < count; ++step) {
      Group& group = groups[(own + step) % count];
      int32_t task = group.inbox.pop(type, random);
      if (task < 0) task = stealFrom(group, worker, type);
      if (task >= 0) return task;
    }
  }
  return -1;
}

// What is stolen beyond one task becomes the worker's own.
int32_t Executor::Impl::stealFrom(const Group& group, Worker& worker, int core_type) {
  const size_t members = group.members.size();
  for (size_t step = 1; step <= members; ++step) {
    Worker& victim = *group.members[(worker.place + step) % members];
    if (&victim == &worker) continue;
    victim.ready.steal(core_type, &worker.stolen);
    if (worker.stolen.empty()) continue;
    const int32_t stolen = worker.stolen.back();
    worker.stolen.pop_back();
    if (!worker.stolen.empty()) {
      worker.ready.push(core_type, worker.stolen.data(), worker.stolen.size());
      if (idleCount(*worker.group, core_type).load(std::memory_order_seq_cst) != 0) {
        wakeOne(*worker.group, core_type);
      }
    }
    return stolen;
  }
  return -1;
}

}  // namespace ptowsp::sim
