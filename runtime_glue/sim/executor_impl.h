// SPDX-License-Identifier: MIT
// Executor::Impl: what the parts of the executor share. executor.cpp prepares a run, watch.cpp looks
// after the time and puts errors into words, worker_threads.cpp holds the threads and lets them
// sleep, worker_loop.cpp runs tasks.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "runtime_glue/sim/admission.h"
#include "runtime_glue/sim/block.h"
#include "runtime_glue/sim/crash_guard.h"
#include "runtime_glue/sim/executor.h"
#include "runtime_glue/sim/ready_tasks.h"
#include "runtime_glue/sim/thread_annotations.h"

namespace ptowsp::sim {

int processors();

// How long kernels that already run may go on after the run has failed: one that is interrupted may hold
// what it never gives back.
inline constexpr auto kGrace = std::chrono::milliseconds(100);

// CoreSet: some cores of one type that a worker owns, used in turn.
struct CoreSet {
  std::vector<int32_t> cores;
  size_t next = 0;

  int32_t take() {
    const int32_t core = cores[next];
    if (++next == cores.size()) next = 0;
    return core;
  }
};

struct Worker;

// Group: workers that may run each other's tasks, and the cores they own between them. Without a
// dispatch policy there is one. With one, an AICPU scheduler belongs to one group, together with its
// blocks: with fewer workers than schedulers a group is one worker for several schedulers, else a
// group is one scheduler.
struct alignas(64) Group {
  std::vector<Worker*> members;
  ReadyTasks inbox;  // tasks released by a worker that has no core for them
  // Sleeping members that own a core of the type; see ReadyTasks::count.
  alignas(64) std::atomic<int> idle_counts[kCoreTypes] = {};
};

struct alignas(64) Worker {
  int index = 0;
  size_t place = 0;  // in its group
  Group* group = nullptr;
  std::thread thread;
  // By type; with several schedulers in the group, scheduler after scheduler.
  std::vector<CoreSet> cores;
  RandomOrder random;
  std::vector<int32_t> stolen;
  std::vector<int32_t> admitted;
  int64_t completed = 0;   // in this run
  int64_t unreported = 0;  // of them: not yet taken off Run::remaining
  WindowUse window;
  KernelCall call;
  std::unique_ptr<char[]> signal_stack;  // of kSignalStackBytes, for its thread
  alignas(64) ReadyTasks ready;  // others look here
  Mutex mutex;
  CondVar wake;
  bool go PTOWSP_GUARDED_BY(mutex) = false;

  // A worker with several schedulers is alone with them, and owns cores of each type of all.
  bool owns(int core_type) const { return !cores[static_cast<size_t>(core_type)].cores.empty(); }
};

// Run: what is shared by the workers during one run.
struct Run {
  const Graph* graph = nullptr;
  const KernelTable* kernels = nullptr;
  const DeviceMemory* memory = nullptr;
  const Platform* platform = nullptr;
  const RunOptions* options = nullptr;
  ptowsp_sim_event* events = nullptr;
  int active = 0;          // the first so many workers take part
  int groups = 1;          // the first so many groups
  bool dispatched = false; // tasks belong to schedulers
  bool work_steal = false;
};

struct Executor::Impl {
  ~Impl();

  // Preparing a run.
  Error startWorkers(int count);
  void dealCores(const Platform& platform, int active, int groups);
  void dealRoots();
  void checkRootsInWindow();
  Group& groupOf(int32_t task) {
    if (!run.dispatched) return groups[0];
    return groups[run.graph->task_aicpus[static_cast<size_t>(task)] % run.groups];
  }

  // A run of one task, on the calling thread; see one_task.cpp.
  bool canRunHere(const Graph& graph, const RunOptions& options) const;
  RunResult runHere(const Run& one) PTOWSP_EXCLUDES(watch_mutex);
  void dealCoresHere();
  bool interruptHere() PTOWSP_REQUIRES(watch_mutex);

  // Worker threads.
  void threadMain(Worker& worker);
  void runTasks(Worker& worker);
  void start(Worker& worker);
  void wakeOne(Group& group, int core_type) PTOWSP_EXCLUDES(idle_mutex);
  bool goIdle(Worker& worker) PTOWSP_EXCLUDES(idle_mutex);
  bool seesWork(const Worker& worker) const;
  void onLanding(Worker& worker, int landing);
  // Where sleepers that could take a task of the group are counted.
  std::atomic<int>& idleCount(Group& group, int core_type) {
    return (run.work_steal ? groups[0] : group).idle_counts[core_type];
  }

  // The inner loop.
  template <bool kShared, bool kPlain>
  void work(Worker& worker);
  template <bool kShared, bool kPlain>
  int32_t take(Worker& worker, RandomOrder* random);
  int32_t look(Worker& worker, RandomOrder* random);
  int32_t stealFrom(const Group& group, Worker& worker, int core_type);
  template <bool kShared, bool kPlain>
  void add(Worker& worker, int core_type, int32_t task);
  template <bool kShared>
  void finishInWindow(Worker& worker, int32_t task);
  int coreFor(Worker& worker, int32_t task, int core_type);
  bool checkGuards(int32_t task, int core);
  // One predecessor less; whether it was the last.
  template <bool kShared>
  bool release(int32_t task);

  // Watching, and errors.
  void fail(Error reason) PTOWSP_EXCLUDES(watch_mutex);
  void watch() PTOWSP_EXCLUDES(watch_mutex);
  Error timeoutError() const;
  Error deadlockError() const;
  Error windowError(int32_t task) const;
  // The error with its task, kernel and core filled in.
  Error at(Error reason, int32_t task, int core) const;
  std::string place(int task, int core) const;

  std::vector<std::unique_ptr<Worker>> workers;
  // Of a run that begins: kept, so that later ones need no memory for them.
  std::vector<std::vector<int32_t>> root_tasks;
  std::vector<Worker*> root_owners, started;
  std::unique_ptr<Group[]> groups = std::make_unique<Group[]>(1);
  int group_capacity = 1;
  std::atomic<bool> exiting{false};
  Platform dealt_platform = {0, 0};
  int dealt_active = 0;
  int dealt_groups = 0;
  bool dealt_dispatched = false;

  Worker here;  // stands for the calling thread
  Platform here_platform = {0, 0};
  bool here_dispatched = false;

  Run run;
  Array<int32_t> counters;  // predecessors each task still waits for
  Admission admission;
  int64_t roots_beyond = 0;  // the window, and not held back
  alignas(64) std::atomic<int64_t> remaining{0};
  alignas(64) std::atomic<bool> stop{false};

  Mutex idle_mutex;
  std::vector<Worker*> idle PTOWSP_GUARDED_BY(idle_mutex);

  Mutex watch_mutex;
  CondVar watch_change;
  bool running PTOWSP_GUARDED_BY(watch_mutex) = false;
  // The thread that runs a task itself, while it does.
  bool runs_here PTOWSP_GUARDED_BY(watch_mutex) = false;
  pthread_t here_thread PTOWSP_GUARDED_BY(watch_mutex) = {};
  uint64_t here_runs PTOWSP_GUARDED_BY(watch_mutex) = 0;  // that began
  CondVar here_change;  // for those who cancel: one of another run could take the notice meant for watch()
  bool all_idle PTOWSP_GUARDED_BY(watch_mutex) = false;
  Error error PTOWSP_GUARDED_BY(watch_mutex);
  std::vector<ptowsp_sim_guard_damage> damage PTOWSP_GUARDED_BY(watch_mutex);
};

}  // namespace ptowsp::sim
