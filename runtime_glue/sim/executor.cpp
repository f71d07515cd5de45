// SPDX-License-Identifier: MIT
// Preparing a run: threads, cores and the tasks that can run at once. The run itself is in
// worker_loop.cpp.
#include "runtime_glue/sim/executor.h"

#include <algorithm>
#include <cstring>
#include <system_error>

#include "ptowsp/helper_thread.h"
#include "runtime_glue/sim/executor_impl.h"

namespace ptowsp::sim {

int processors() {
  static const int count = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  return count;
}

Executor::Executor() : impl_(std::make_unique<Impl>()) {}
Executor::~Executor() = default;

Executor::Impl::~Impl() {
  for (const auto& worker : workers) {
    MutexLock lock(worker->mutex);
    exiting.store(true, std::memory_order_relaxed);  // relaxed: the mutex orders it
    worker->go = true;
    worker->wake.notify();
  }
  for (const auto& worker : workers) worker->thread.join();
}

Error Executor::Impl::startWorkers(int count) {
  if (static_cast<int>(workers.size()) >= count) return {};
  try {
    while (static_cast<int>(workers.size()) < count) {
      auto worker = std::make_unique<Worker>();
      worker->index = static_cast<int>(workers.size());
      workers.reserve(workers.size() + 1);
      worker->signal_stack.reset(new char[kSignalStackBytes]);
      worker->thread = helperThread([this, w = worker.get()] { threadMain(*w); });
      workers.push_back(std::move(worker));
    }
  } catch (const std::system_error& reason) {
    return {PTOWSP_SIM_ERROR_SYSTEM,
            formatText("cannot start %d worker threads: %s; ask for fewer workers", count,
                       reason.what())};
  }
  return {};
}

// Workers and schedulers in turn to groups. In each group AIV cores first, then AIC, in turn: most
// tasks are vector tasks, and they get the most threads.
void Executor::Impl::dealCores(const Platform& platform, int active, int group_count) {
  if (dealt_platform.block_dim == platform.block_dim && dealt_platform.aicpus == platform.aicpus &&
      dealt_active == active && dealt_groups == group_count && dealt_dispatched == run.dispatched) {
    return;
  }
  if (group_count > group_capacity) {
    groups = std::make_unique<Group[]>(static_cast<size_t>(group_count));
    group_capacity = group_count;
  }
  for (int g = 0; g < group_capacity; ++g) groups[static_cast<size_t>(g)].members.clear();
  const int schedulers = run.dispatched ? (platform.aicpus + group_count - 1) / group_count : 1;
  for (const auto& worker : workers) {
    worker->cores.assign(static_cast<size_t>(kCoreTypes * schedulers), {});
    if (worker->index >= active) continue;
    Group& group = groups[static_cast<size_t>(worker->index % group_count)];
    worker->group = &group;
    worker->place = group.members.size();
    group.members.push_back(worker.get());
  }
  std::vector<size_t> turns(static_cast<size_t>(group_count), 0);
  for (const int type : {1, 0}) {
    for (int core = 0; core < platform.cores(); ++core) {
      if (platform.coreTypeOf(core) != type) continue;
      const int aicpu = run.dispatched ? platform.aicpuOf(core) : 0;
      const size_t g = static_cast<size_t>(aicpu % group_count);
      const std::vector<Worker*>& members = groups[g].members;
      const int set = aicpu / group_count * kCoreTypes + type;
      members[turns[g]]->cores[static_cast<size_t>(set)].cores.push_back(core);
      turns[g] = (turns[g] + 1) % members.size();
    }
  }
  dealt_platform = platform;
  dealt_active = active;
  dealt_groups = group_count;
  dealt_dispatched = run.dispatched;
}

// In each group neighbouring tasks go to one worker, and the first of them is taken first.
void Executor::Impl::dealRoots() {
  for (int type = 0; type < kCoreTypes; ++type) {
    std::vector<std::vector<int32_t>>& tasks = root_tasks;
    if (tasks.size() < static_cast<size_t>(run.groups)) tasks.resize(static_cast<size_t>(run.groups));
    for (std::vector<int32_t>& of_group : tasks) of_group.clear();
    const std::vector<int32_t>& roots = run.graph->roots();
    for (auto root = roots.rbegin(); root != roots.rend(); ++root) {
      if (coreTypeOf(run.graph->task(*root)) != type) continue;
      if (admission.holds() && admission.isBeyond(*root)) continue;  // admitted later
      tasks[static_cast<size_t>(&groupOf(*root) - groups.get())].push_back(*root);
    }
    for (size_t g = 0; g < static_cast<size_t>(run.groups); ++g) {
      std::vector<Worker*>& owners = root_owners;
      owners.clear();
      for (Worker* worker : groups[g].members) {
        if (worker->owns(type)) owners.push_back(worker);
      }
      size_t end = tasks[g].size(), left = owners.size();
      for (size_t w = 0; w < owners.size() && end != 0; ++w, --left) {
        const size_t share = (end + left - 1) / left;
        owners[w]->ready.push(type, tasks[g].data() + (end - share), share);
        end -= share;
      }
    }
  }
}

RunResult Executor::run(const Graph& graph, const KernelTable& kernels, const DeviceMemory& memory,
                        const Platform& platform, const RunOptions& options,
                        ptowsp_sim_event* events) {
  Impl& impl = *impl_;
  RunResult result;
  int wanted = options.workers;
  if (wanted <= 0) wanted = processors();
  if (options.check_each_task) wanted = 1;
  const int active = std::min(wanted, platform.cores());
  result.workers = active;
  result.window.tasks = graph.schedule.window;
  if (graph.tasks() == 0) return result;

  installCrashHandlers(options.catch_crashes);
  if (impl.canRunHere(graph, options)) {
    return impl.runHere({&graph, &kernels, &memory, &platform, &options, events, active, 1,
                         graph.schedule.aicpus != 0, graph.schedule.work_steal});
  }
  if ((result.error = impl.startWorkers(active))) return result;
  const bool dispatched = graph.schedule.aicpus != 0;
  impl.run = {&graph, &kernels, &memory, &platform, &options, events, active,
              dispatched ? std::min(active, platform.aicpus) : 1, dispatched,
              graph.schedule.work_steal};
  impl.dealCores(platform, active, impl.run.groups);

  const size_t tasks = static_cast<size_t>(graph.tasks());
  if (!impl.counters.reserve(tasks) || !impl.admission.begin(graph.tasks(), graph.schedule)) {
    result.error = {PTOWSP_SIM_ERROR_OUT_OF_MEMORY,
                    formatText("no memory for the counters of %zu tasks", tasks)};
    return result;
  }
  std::memcpy(impl.counters.data(), graph.fanin(), tasks * sizeof(int32_t));
  if (impl.admission.holds()) {
    // Admission counts like one more predecessor.
    for (size_t t = static_cast<size_t>(graph.schedule.window); t < tasks; ++t) ++impl.counters[t];
  }
  for (int g = 0; g < impl.run.groups; ++g) {
    impl.groups[static_cast<size_t>(g)].inbox.clear();
    impl.groups[static_cast<size_t>(g)].inbox.reserve(tasks);
  }
  for (int w = 0; w < active; ++w) {
    Worker& worker = *impl.workers[static_cast<size_t>(w)];
    worker.ready.clear();
    worker.ready.reserve(tasks);
    worker.stolen.reserve(tasks);
    worker.admitted.reserve(impl.admission.active() ? tasks : 0);
    worker.completed = worker.unreported = 0;
    worker.window = {};
    worker.random.seed(options.schedule_seed, static_cast<uint64_t>(w));
    // relaxed: starting a worker orders these
    worker.call.catch_crashes.store(options.catch_crashes, std::memory_order_relaxed);
    worker.call.interrupt_wanted.store(false, std::memory_order_relaxed);
  }
  impl.remaining.store(graph.tasks(), std::memory_order_relaxed);
  impl.stop.store(false, std::memory_order_relaxed);
  {
    MutexLock lock(impl.watch_mutex);
    impl.running = true;
    impl.all_idle = false;
    impl.error = {};
    impl.damage.clear();
  }
  impl.dealRoots();
  impl.checkRootsInWindow();

  std::vector<Worker*>& started = impl.started;
  started.clear();
  {
    MutexLock lock(impl.idle_mutex);
    impl.idle.clear();
    impl.idle.reserve(static_cast<size_t>(active));
    for (int g = 0; g < impl.run.groups; ++g) {
      for (auto& count : impl.groups[static_cast<size_t>(g)].idle_counts) count.store(0);
    }
    for (int w = 0; w < active; ++w) {
      Worker& worker = *impl.workers[static_cast<size_t>(w)];
      // A scheduler without tasks looks for those of others, where it may take them.
      if (impl.run.work_steal || worker.ready.count(0) + worker.ready.count(1) != 0) {
        started.push_back(&worker);
        continue;
      }
      impl.idle.push_back(&worker);
      for (int type = 0; type < kCoreTypes; ++type) {
        if (worker.owns(type)) impl.idleCount(*worker.group, type).fetch_add(1);
      }
    }
  }
  if (started.empty()) {  // no task can run: an error below, not a wait for ever
    MutexLock lock(impl.watch_mutex);
    impl.all_idle = true;
  }
  for (Worker* worker : started) impl.start(*worker);
  impl.watch();

  // All workers sleep again: nothing below is shared any more.
  for (int w = 0; w < active; ++w) {
    const Worker& worker = *impl.workers[static_cast<size_t>(w)];
    result.completed += worker.completed;
    result.window.high_water = std::max(result.window.high_water, worker.window.high_water);
    result.window.stalls += worker.window.stalls;
  }
  MutexLock lock(impl.watch_mutex);
  impl.running = false;
  result.window.stalls += impl.roots_beyond;
  result.error = std::move(impl.error);
  result.damage = std::move(impl.damage);
  impl.error = {};
  impl.damage.clear();
  return result;
}

// Roots are ready from the beginning: beyond the window they fail the run or are counted. (With
// mode stall they are counted when they are admitted.)
void Executor::Impl::checkRootsInWindow() {
  roots_beyond = 0;
  if (!admission.active() || admission.holds()) return;
  for (const int32_t root : run.graph->roots()) {
    if (!admission.isBeyond(root)) continue;
    if (roots_beyond++ == 0 && admission.aborts()) fail(windowError(root));
  }
}

void Executor::cancel() {
  Impl& impl = *impl_;
  MutexLock lock(impl.watch_mutex);
  // A thread that runs its task itself has nobody else to interrupt it: that is done here, after a while.
  if (impl.interruptHere() || !impl.running || impl.all_idle || impl.error) return;
  impl.error = {PTOWSP_SIM_ERROR_CANCELLED, "the run was cancelled before all tasks had run"};
  impl.stop.store(true, std::memory_order_relaxed);
  impl.watch_change.notify();
}

}  // namespace ptowsp::sim
