#include "runtime_glue/sim/executor.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <exception>
#include <new>
#include <system_error>
#include <thread>

#include "runtime_glue/sim/crash_guard.h"
#include "runtime_glue/sim/device_memory.h"
#include "runtime_glue/sim/ready_tasks.h"
#include "runtime_glue/sim/thread_annotations.h"

namespace ptowsp::sim {

namespace {

using Clock = std::chrono::steady_clock;

// How long kernels that already run may go on after the run has failed, and how often one that does
// not return is interrupted again.
constexpr auto kGrace = std::chrono::milliseconds(100);
constexpr auto kInterruptEvery = std::chrono::milliseconds(20);
// How often an idle worker looks around, yielding in between, before it sleeps. Waking it costs the
// others a system call; looking costs it less than that.
constexpr int kLooksBeforeSleep = 24;

int processors() {
  static const int count = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  return count;
}

uint64_t nowNs() {
  timespec time;
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<uint64_t>(time.tv_sec) * 1'000'000'000u + static_cast<uint64_t>(time.tv_nsec);
}

// CoreSet: the cores of one type that a worker owns, used in turn.
struct CoreSet {
  std::vector<int32_t> cores;
  size_t next = 0;

  int32_t take() {
    const int32_t core = cores[next];
    if (++next == cores.size()) next = 0;
    return core;
  }
};

struct alignas(64) Worker {
  int index = 0;
  std::thread thread;
  CoreSet cores[kCoreTypes];
  RandomOrder random;
  std::vector<int32_t> stolen;
  int64_t completed = 0;   // in this run
  int64_t unreported = 0;  // of them: not yet taken off Run::remaining
  KernelCall call;
  alignas(64) ReadyTasks ready;  // others look here
  Mutex mutex;
  CondVar wake;
  bool go PTOWSP_GUARDED_BY(mutex) = false;

  bool owns(int core_type) const { return !cores[core_type].cores.empty(); }
};

// Run: what is shared by the workers during one run.
struct Run {
  const Graph* graph = nullptr;
  const KernelTable* kernels = nullptr;
  const DeviceMemory* memory = nullptr;
  const Platform* platform = nullptr;
  const RunOptions* options = nullptr;
  ptowsp_sim_event* events = nullptr;
  int active = 0;  // the first so many workers take part
};

}  // namespace

struct Executor::Impl {
  ~Impl() {
    for (const auto& worker : workers) {
      MutexLock lock(worker->mutex);
      exiting.store(true, std::memory_order_relaxed);  // relaxed: the mutex orders it
      worker->go = true;
      worker->wake.notify();
    }
    for (const auto& worker : workers) worker->thread.join();
  }

  Error startWorkers(int count);
  void dealCores(const Platform& platform, int active);
  void dealRoots();
  void threadMain(Worker& worker);
  void runTasks(Worker& worker);
  template <bool kShared, bool kObserved>
  void work(Worker& worker);
  template <bool kShared>
  int32_t take(Worker& worker, RandomOrder* random);
  int32_t look(Worker& worker, RandomOrder* random);
  template <bool kShared>
  void add(Worker& worker, int core_type, int32_t task);
  void wakeOne(int core_type) PTOWSP_EXCLUDES(idle_mutex);
  bool goIdle(Worker& worker) PTOWSP_EXCLUDES(idle_mutex);
  bool seesWork(const Worker& worker) const;
  void start(Worker& worker) {
    MutexLock lock(worker.mutex);
    worker.go = true;
    worker.wake.notify();
  }
  void fail(Error error) PTOWSP_EXCLUDES(watch_mutex);
  void onLanding(Worker& worker, int landing);
  void watch() PTOWSP_EXCLUDES(watch_mutex);
  Error timeoutError() const;
  Error deadlockError() const;
  std::string place(int task, int core) const;

  std::vector<std::unique_ptr<Worker>> workers;
  std::atomic<bool> exiting{false};
  int dealt_block_dim = 0;
  int dealt_active = 0;

  Run run;
  Array<int32_t> counters;  // predecessors each task still waits for
  ReadyTasks overflow;      // tasks released by a worker that has no core of their type
  alignas(64) std::atomic<int64_t> remaining{0};
  alignas(64) std::atomic<bool> stop{false};

  Mutex idle_mutex;
  std::vector<Worker*> idle PTOWSP_GUARDED_BY(idle_mutex);
  // Sleeping workers that own a core of the type; see ReadyTasks::count.
  alignas(64) std::atomic<int> idle_counts[kCoreTypes] = {};

  Mutex watch_mutex;
  CondVar watch_change;
  bool running PTOWSP_GUARDED_BY(watch_mutex) = false;
  bool all_idle PTOWSP_GUARDED_BY(watch_mutex) = false;
  Error error PTOWSP_GUARDED_BY(watch_mutex);
  std::vector<ptowsp_sim_guard_damage> damage PTOWSP_GUARDED_BY(watch_mutex);
};

Executor::Executor() : impl_(std::make_unique<Impl>()) {}
Executor::~Executor() = default;

// ---- preparing a run ----

Error Executor::Impl::startWorkers(int count) {
  if (static_cast<int>(workers.size()) >= count) return {};
  // Signals meant for the program go to its own threads; these take only what concerns kernels.
  sigset_t blocked, before;
  sigemptyset(&blocked);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGALRM, SIGCHLD, SIGPIPE, SIGUSR1,
                           SIGUSR2, SIGWINCH, SIGTSTP, SIGCONT}) {
    sigaddset(&blocked, signal);
  }
  pthread_sigmask(SIG_BLOCK, &blocked, &before);
  Error failed;
  try {
    while (static_cast<int>(workers.size()) < count) {
      auto worker = std::make_unique<Worker>();
      worker->index = static_cast<int>(workers.size());
      workers.reserve(workers.size() + 1);
      worker->thread = std::thread([this, w = worker.get()] { threadMain(*w); });
      workers.push_back(std::move(worker));
    }
  } catch (const std::system_error& reason) {
    failed = {PTOWSP_SIM_ERROR_SYSTEM,
              formatText("cannot start %d worker threads: %s; ask for fewer workers", count,
                         reason.what())};
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return failed;
}

// AIV cores first, then AIC, in turn: most tasks are vector tasks, and they get the most threads.
void Executor::Impl::dealCores(const Platform& platform, int active) {
  if (dealt_block_dim == platform.block_dim && dealt_active == active) return;
  for (const auto& worker : workers) {
    for (CoreSet& set : worker->cores) set = {};
  }
  int turn = 0;
  for (const int type : {1, 0}) {
    for (int core = 0; core < platform.cores(); ++core) {
      if (platform.coreTypeOf(core) != type) continue;
      workers[static_cast<size_t>(turn)]->cores[type].cores.push_back(core);
      turn = (turn + 1) % active;
    }
  }
  dealt_block_dim = platform.block_dim;
  dealt_active = active;
}

// Neighbouring tasks go to one worker, and the first of them is taken first.
void Executor::Impl::dealRoots() {
  for (int type = 0; type < kCoreTypes; ++type) {
    std::vector<int32_t> tasks;
    const std::vector<int32_t>& roots = run.graph->roots();
    for (auto root = roots.rbegin(); root != roots.rend(); ++root) {
      if (coreTypeOf(run.graph->task(*root)) == type) tasks.push_back(*root);
    }
    int owners = 0;
    for (int w = 0; w < run.active; ++w) owners += workers[static_cast<size_t>(w)]->owns(type);
    size_t end = tasks.size();
    for (int w = 0; w < run.active && end != 0; ++w) {
      Worker& worker = *workers[static_cast<size_t>(w)];
      if (!worker.owns(type)) continue;
      const size_t share = (end + static_cast<size_t>(owners) - 1) / static_cast<size_t>(owners);
      worker.ready.push(type, tasks.data() + (end - share), share);
      end -= share;
      --owners;
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
  if (graph.tasks() == 0) return result;

  installCrashHandlers(options.catch_crashes);
  if ((result.error = impl.startWorkers(active))) return result;
  impl.dealCores(platform, active);

  const size_t tasks = static_cast<size_t>(graph.tasks());
  if (!impl.counters.reserve(tasks)) {
    result.error = {PTOWSP_SIM_ERROR_OUT_OF_MEMORY,
                    formatText("no memory for the counters of %zu tasks", tasks)};
    return result;
  }
  std::memcpy(impl.counters.data(), graph.fanin(), tasks * sizeof(int32_t));
  impl.run = {&graph, &kernels, &memory, &platform, &options, events, active};
  impl.overflow.clear();
  for (int w = 0; w < active; ++w) {
    Worker& worker = *impl.workers[static_cast<size_t>(w)];
    worker.ready.clear();
    worker.completed = worker.unreported = 0;
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

  std::vector<Worker*> first;
  {
    MutexLock lock(impl.idle_mutex);
    impl.idle.clear();
    int counts[kCoreTypes] = {};
    for (int w = 0; w < active; ++w) {
      Worker& worker = *impl.workers[static_cast<size_t>(w)];
      if (worker.ready.count(0) + worker.ready.count(1) != 0) {
        first.push_back(&worker);
        continue;
      }
      impl.idle.push_back(&worker);
      for (int type = 0; type < kCoreTypes; ++type) counts[type] += worker.owns(type);
    }
    for (int type = 0; type < kCoreTypes; ++type) impl.idle_counts[type].store(counts[type]);
  }
  if (first.empty()) {  // no task can run: an error below, not a wait for ever
    MutexLock lock(impl.watch_mutex);
    impl.all_idle = true;
  }
  for (Worker* worker : first) impl.start(*worker);
  impl.watch();

  // All workers sleep again: nothing below is shared any more.
  for (int w = 0; w < active; ++w) {
    result.completed += impl.workers[static_cast<size_t>(w)]->completed;
  }
  MutexLock lock(impl.watch_mutex);
  impl.running = false;
  result.error = std::move(impl.error);
  result.damage = std::move(impl.damage);
  impl.error = {};
  impl.damage.clear();
  return result;
}

void Executor::cancel() {
  Impl& impl = *impl_;
  MutexLock lock(impl.watch_mutex);
  if (!impl.running || impl.all_idle || impl.error) return;
  impl.error = {PTOWSP_SIM_ERROR_CANCELLED, "the run was cancelled before all tasks had run"};
  impl.stop.store(true, std::memory_order_relaxed);
  impl.watch_change.notify();
}

// ---- the thread that started the run: it watches the time ----

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

Error Executor::Impl::timeoutError() const {
  Error result{PTOWSP_SIM_ERROR_TIMEOUT,
               formatText("the run did not end within %g s: ", run.options->timeout_seconds)};
  for (int w = 0; w < run.active; ++w) {
    const Worker& worker = *workers[static_cast<size_t>(w)];
    // relaxed: a snapshot of threads that go on running
    const int task = worker.call.task.load(std::memory_order_relaxed);
    const int core = worker.call.core.load(std::memory_order_relaxed);
    if (task < 0) continue;
    if (result.tasks.empty()) {
      result.task = task;
      result.func_id = run.graph->task(task).func_id;
      result.core = core;
      result.core_type = run.platform->coreTypeOf(core);
    }
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

// ---- the workers ----

void Executor::Impl::threadMain(Worker& worker) {
  CrashThread guard(&worker.call);
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
  crash.task = task;
  crash.func_id = run.graph->task(task).func_id;
  crash.core = core;
  crash.core_type = run.platform->coreTypeOf(core);
  crash.detail = call.signal;
  fail(std::move(crash));
}

void Executor::Impl::runTasks(Worker& worker) {
  const bool observed =
      run.events != nullptr || run.options->random_order || run.options->check_each_task;
  std::string thrown;
  try {
    if (run.active > 1) {
      observed ? work<true, true>(worker) : work<true, false>(worker);
    } else {
      observed ? work<false, true>(worker) : work<false, false>(worker);
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
  crash.task = task;
  crash.func_id = run.graph->task(task).func_id;
  crash.core = core;
  crash.core_type = run.platform->coreTypeOf(core);
  fail(std::move(crash));
}

// The inner loop. kShared: other workers take part. kObserved: trace, random order or a check after
// each task. Plain runs with one worker pay for neither.
template <bool kShared, bool kObserved>
void Executor::Impl::work(Worker& worker) {
  const Graph& graph = *run.graph;
  const KernelFunction* functions = run.kernels->functions().data();
  const uint32_t* offsets = graph.offsets();
  const int32_t* successors = graph.successors();
  int32_t* waits = counters.data();
  RandomOrder* random = kObserved && run.options->random_order ? &worker.random : nullptr;

  int32_t task = -1;
  while (!stop.load(std::memory_order_relaxed)) {
    if (task < 0) task = take<kShared>(worker, random);
    if (task < 0) break;
    const TaskRecord& record = graph.task(task);
    const int core = worker.cores[coreTypeOf(record)].take();

    ptowsp_sim_event* event = nullptr;
    if (kObserved && run.events != nullptr) {
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

    if (kObserved && run.options->check_each_task) {
      std::vector<ptowsp_sim_guard_damage> found = run.memory->findDamage(task);
      if (!found.empty()) {
        Error damaged{PTOWSP_SIM_ERROR_GUARD, place(task, core) + " wrote outside its tiles: " +
                                                  DeviceMemory::describe(found.front())};
        damaged.task = task;
        damaged.func_id = record.func_id;
        damaged.core = core;
        damaged.core_type = coreTypeOf(record);
        {
          MutexLock lock(watch_mutex);
          damage = std::move(found);
        }
        fail(std::move(damaged));
        return;
      }
    }

    const uint32_t end = offsets[task + 1];
    int32_t next = -1;
    for (uint32_t s = offsets[task]; s < end; ++s) {
      const int32_t successor = successors[s];
      if constexpr (kShared) {
        // acq_rel: releases what this task wrote, and acquires what the other predecessors wrote.
        if (std::atomic_ref<int32_t>(waits[successor]).fetch_sub(1, std::memory_order_acq_rel) !=
            1) {
          continue;
        }
      } else {
        if (--waits[successor] != 0) continue;
      }
      const int type = coreTypeOf(graph.task(successor));
      if (next < 0 && random == nullptr && worker.owns(type)) {
        next = successor;
      } else {
        add<kShared>(worker, type, successor);
      }
    }
    task = next;
  }
}

template <bool kShared>
void Executor::Impl::add(Worker& worker, int core_type, int32_t task) {
  if constexpr (kShared) {
    (worker.owns(core_type) ? worker.ready : overflow).push(core_type, task);
    if (idle_counts[core_type].load(std::memory_order_seq_cst) != 0) wakeOne(core_type);
  } else {
    worker.ready.pushAlone(core_type, task);
  }
}

template <bool kShared>
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

// look: work from elsewhere; what was stolen beyond one task becomes the worker's own.
int32_t Executor::Impl::look(Worker& worker, RandomOrder* random) {
  for (const int type : {1, 0}) {
    if (!worker.owns(type)) continue;
    const int32_t task = overflow.pop(type, random);
    if (task >= 0) return task;
    for (int step = 1; step < run.active; ++step) {
      Worker& victim = *workers[static_cast<size_t>((worker.index + step) % run.active)];
      victim.ready.steal(type, &worker.stolen);
      if (worker.stolen.empty()) continue;
      const int32_t stolen = worker.stolen.back();
      worker.stolen.pop_back();
      if (!worker.stolen.empty()) {
        worker.ready.push(type, worker.stolen.data(), worker.stolen.size());
        if (idle_counts[type].load(std::memory_order_seq_cst) != 0) wakeOne(type);
      }
      return stolen;
    }
  }
  return -1;
}

bool Executor::Impl::seesWork(const Worker& worker) const {
  for (int type = 0; type < kCoreTypes; ++type) {
    if (!worker.owns(type)) continue;
    if (overflow.count(type) != 0) return true;
    for (int w = 0; w < run.active; ++w) {
      if (workers[static_cast<size_t>(w)]->ready.count(type) != 0) return true;
    }
  }
  return false;
}

void Executor::Impl::wakeOne(int core_type) {
  Worker* chosen = nullptr;
  {
    MutexLock lock(idle_mutex);
    const auto found = std::find_if(idle.rbegin(), idle.rend(),
                                    [&](const Worker* w) { return w->owns(core_type); });
    if (found == idle.rend()) return;
    chosen = *found;
    idle.erase(std::next(found).base());
    for (int type = 0; type < kCoreTypes; ++type) {
      if (chosen->owns(type)) idle_counts[type].fetch_sub(1, std::memory_order_seq_cst);
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
      if (worker.owns(type)) idle_counts[type].fetch_add(1, std::memory_order_seq_cst);
    }
    const bool over =
        stop.load(std::memory_order_relaxed) || remaining.load(std::memory_order_acquire) == 0;
    if (!over && run.active > 1 && seesWork(worker)) {
      for (int type = 0; type < kCoreTypes; ++type) {
        if (worker.owns(type)) idle_counts[type].fetch_sub(1, std::memory_order_seq_cst);
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
