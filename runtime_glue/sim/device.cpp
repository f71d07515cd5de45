// SPDX-License-Identifier: MIT
#include "runtime_glue/sim/device.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>

#include "runtime_glue/sim/crash_guard.h"
#include "runtime_glue/sim/trace.h"

namespace ptowsp::sim {

namespace {

// A device keeps at most so much memory for graphs to come.
constexpr size_t kMaxSpareBytes = size_t{512} << 20;
constexpr int kMaxBlockDim = 1 << 20;

// The runtime whose orchestration the calling thread is in.
thread_local RuntimeState* t_building = nullptr;

class BuildingScope {
 public:
  explicit BuildingScope(RuntimeState* state) { t_building = state; }
  ~BuildingScope() { t_building = nullptr; }
};

uint64_t nanosecondsSince(std::chrono::steady_clock::time_point start) {
  return static_cast<uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now() - start)
          .count());
}

}  // namespace

bool Device::insideCall() { return t_building != nullptr || onKernelThread(); }

// ---- the life of a runtime ----

RuntimeState* Device::find(void* runtime) {
  const auto found = states_.find(runtime);
  return found == states_.end() ? nullptr : found->second.get();
}

Error Device::checkAlive() const {
  if (!death_) return {};
  return {PTOWSP_SIM_ERROR_DEVICE_DEAD, "the device is dead since a run failed (" + death_.message +
                                            "); call ptowsp_sim_device_reset() to use it again"};
}

std::unique_ptr<Graph> Device::takeGraph() {
  if (spare_graph_ != nullptr) return std::move(spare_graph_);
  return std::make_unique<Graph>();
}

void Device::discard(void* runtime) {
  const auto found = states_.find(runtime);
  if (found == states_.end()) return;
  RuntimeState& state = *found->second;
  if (!state.device_was_reset) memory_.releaseOwnedBy(&state);
  if (last_run_.state == &state) last_run_.state = nullptr;
  const size_t bytes = state.graph->bytes();
  if (bytes <= kMaxSpareBytes && (spare_graph_ == nullptr || bytes > spare_graph_->bytes())) {
    state.graph->clear();
    spare_graph_ = std::move(state.graph);
  }
  states_.erase(found);
}

Error Device::init(void* memory, const HostApi& host_api, const FindFunction& find_function,
                   uint64_t* args, int n_args) {
  if (memory == nullptr || reinterpret_cast<uintptr_t>(memory) % alignof(Runtime) != 0) {
    return {
        PTOWSP_SIM_ERROR_ARGUMENT,
        formatText("init_runtime: the runtime object is at %p; give it get_runtime_size() bytes, "
                   "64-byte aligned",
                   memory)};
  }
  if (n_args < 0 || (args == nullptr && n_args > 0)) {
    return {PTOWSP_SIM_ERROR_ARGUMENT,
            formatText("init_runtime: %d arguments at %p", n_args, static_cast<void*>(args))};
  }
  MutexLock lock(api_mutex_);
  if (Error error = checkAlive()) return error;
  // An object that was dropped without finalize, and whose memory is used again.
  discard(memory);
  auto owned = std::make_unique<RuntimeState>(&memory_, takeGraph());
  RuntimeState& state = *owned;
  OrchestrationFunction function = nullptr;
  if (Error error = find_function(state, &function)) {
    spare_graph_ = std::move(state.graph);
    return error;
  }
  states_[memory] = std::move(owned);
  Runtime* runtime = state.construct(memory, host_api);

  const auto start = std::chrono::steady_clock::now();
  int code = 0;
  Error error;
  try {
    BuildingScope building(&state);
    code = function(runtime, args, n_args);
  } catch (const std::exception& exception) {
    error = {PTOWSP_SIM_ERROR_ORCHESTRATION,
             formatText("the orchestration function threw an exception: %s", exception.what())};
  } catch (...) {
    error = {PTOWSP_SIM_ERROR_ORCHESTRATION, "the orchestration function threw an exception"};
  }
  build_ns_ = nanosecondsSince(start);
  // The first mistake explains what followed from it, a return code included.
  if (state.mistake) {
    error = state.mistake;
    error.message = "while the orchestration built the graph: " + error.message;
  } else if (!error && code != 0) {
    error = {PTOWSP_SIM_ERROR_ORCHESTRATION,
             formatText("the orchestration function returned error %d", code)};
  }
  if (error) {
    error.detail = code;
    discard(memory);
    return error;
  }
  state.phase = RuntimeState::Phase::built;
  return {};
}

Error Device::checkGraph(Runtime& runtime, RuntimeState& state) const {
  if (Error error = state.seal(runtime)) return error;
  Graph& graph = *state.graph;
  for (const KernelUse& use : graph.kernelUses()) {
    Error error;
    if (!kernels_.isRegistered(use.func_id)) {
      error = {PTOWSP_SIM_ERROR_UNREGISTERED_KERNEL,
               formatText("task %d needs the %s, which is not registered; call register_kernel(%d, "
                          "...) before launch_runtime",
                          use.first_task, kernels_.label(use.func_id).c_str(), use.func_id)};
    } else if (const int wanted = kernels_.coreType(use.func_id);
               wanted >= 0 && wanted != use.core_type) {
      error = {
          PTOWSP_SIM_ERROR_CORE_TYPE,
          formatText("task %d puts the %s on an %s core, but it is made for %s cores; pass core "
                     "type %d to add_task",
                     use.first_task, kernels_.label(use.func_id).c_str(),
                     coreTypeName(use.core_type), coreTypeName(wanted), wanted)};
    } else {
      continue;
    }
    error.task = use.first_task;
    error.func_id = use.func_id;
    error.core_type = use.core_type;
    return error;
  }
  std::vector<int32_t> cycle = graph.findCycle();
  if (!cycle.empty()) {
    Error error{PTOWSP_SIM_ERROR_CYCLE,
                formatText("%zu tasks wait for each other in a cycle:", cycle.size())};
    // A long cycle is told in full by ptowsp_sim_error.tasks.
    const size_t shown = std::min<size_t>(cycle.size(), 16);
    for (size_t i = 0; i < shown; ++i) error.message += formatText(" %d ->", cycle[i]);
    if (shown < cycle.size()) error.message += " ... ->";
    error.message += formatText(" %d; nothing was run", cycle.front());
    error.task = cycle.front();
    error.func_id = graph.task(error.task).func_id;
    error.core_type = coreTypeOf(graph.task(error.task));
    error.tasks = std::move(cycle);
    return error;
  }
  return {};
}

Error Device::checkSchedule(Graph& graph, int aicpus) const {
  const Schedule& schedule = graph.schedule;
  if (schedule.aicpus != 0 && schedule.aicpus != aicpus) {
    return {PTOWSP_SIM_ERROR_BAD_SCHEDULE,
            formatText("the graph's tasks are dealt to %d AICPU schedulers, launch_runtime was "
                       "called with %d; call it with %d",
                       schedule.aicpus, aicpus, schedule.aicpus)};
  }
  if (schedule.window == 0 || schedule.window_mode != ptowsp_sim::kWindowStall) return {};
  const int smallest = graph.smallestWindow();
  if (schedule.window >= smallest) return {};
  return {PTOWSP_SIM_ERROR_BAD_SCHEDULE,
          formatText("a task window of %d tasks can never move on: some task waits for one %d places "
                     "after it; the smallest window of this graph is %d tasks",
                     schedule.window, smallest - 1, smallest)};
}

Error Device::runGraph(RuntimeState& state, const Platform& platform) {
  const Graph& graph = *state.graph;
  last_run_ = {};
  last_run_.state = &state;
  last_run_.platform = platform;
  last_run_.tasks = graph.tasks();
  last_run_.edges = graph.edges();
  ptowsp_sim_event* events = nullptr;
  if ((options_.flags & PTOWSP_SIM_TRACE) != 0) {
    const size_t count = static_cast<size_t>(graph.tasks());
    if (!events_.reserve(count)) {
      return {PTOWSP_SIM_ERROR_OUT_OF_MEMORY,
              formatText("no memory for the trace of %zu tasks", count)};
    }
    events = events_.data();
    for (int t = 0; t < graph.tasks(); ++t) {
      events[t] = {t, graph.task(t).func_id, -1, coreTypeOf(graph.task(t)), -1, -1, 0, 0, 0};
    }
    last_run_.events = count;
  }
  RunOptions options;
  options.workers = options_.workers;
  options.random_order = (options_.flags & PTOWSP_SIM_SCHEDULE_SEED) != 0;
  options.schedule_seed = options_.schedule_seed;
  options.check_each_task = (options_.flags & PTOWSP_SIM_CHECK_EACH_TASK) != 0;
  options.catch_crashes = (options_.flags & PTOWSP_SIM_NO_CRASH_HANDLER) == 0;
  options.timeout_seconds = options_.timeout_seconds;

  const auto start = std::chrono::steady_clock::now();
  RunResult result = executor_.run(graph, kernels_, memory_, platform, options, events);
  last_run_.wall_ns = nanosecondsSince(start);
  last_run_.workers = result.workers;
  last_run_.completed = result.completed;
  last_run_.window = result.window;
  last_run_.damage = std::move(result.damage);
  if (last_run_.damage.empty()) last_run_.damage = memory_.findDamage(-1);
  if (!result.error && !last_run_.damage.empty()) {
    result.error = {PTOWSP_SIM_ERROR_GUARD,
                    "found after the run: " + DeviceMemory::describe(last_run_.damage.front()) +
                        "; run again with PTOWSP_SIM_CHECK_EACH_TASK to learn which task did it"};
  }
  return std::move(result.error);
}

Error Device::launch(void* memory, int aicpus, int block_dim, int device_id) {
  MutexLock lock(api_mutex_);
  RuntimeState* state = find(memory);
  if (state == nullptr) {
    return {PTOWSP_SIM_ERROR_NOT_INITIALIZED,
            formatText("launch_runtime(%p): init_runtime did not succeed for it on this device",
                       memory)};
  }
  if (device_id < 0) {
    return {PTOWSP_SIM_ERROR_ARGUMENT, formatText("launch_runtime: device id %d", device_id)};
  }
  if (aicpus < 1 || block_dim < 1 || block_dim > kMaxBlockDim || block_dim % aicpus != 0) {
    return {
        PTOWSP_SIM_ERROR_ARGUMENT,
        formatText("launch_runtime: block_dim %d and %d AICPU threads; both must be at least 1, "
                   "block_dim at most %d and a multiple of the AICPU threads",
                   block_dim, aicpus, kMaxBlockDim)};
  }
  if (Error error = checkAlive()) return error;
  if (state->device_was_reset) {
    return {PTOWSP_SIM_ERROR_DEVICE_RESET,
            "launch_runtime: the device was reset after init_runtime; finalize this runtime and "
            "initialise it again"};
  }
  Error misuse;
  {
    MutexLock error_lock(error_mutex_);
    std::swap(misuse, misuse_);
  }
  Error error = misuse ? std::move(misuse) : checkGraph(*static_cast<Runtime*>(memory), *state);
  if (!error) error = checkSchedule(*state->graph, aicpus);
  if (!error) {
    error = runGraph(*state, {aicpus, block_dim});
    // After these the memory or the threads of the device are not to be trusted.
    switch (error.code) {
      case PTOWSP_SIM_ERROR_CRASH:
      case PTOWSP_SIM_ERROR_TIMEOUT:
      case PTOWSP_SIM_ERROR_DEADLOCK:
      case PTOWSP_SIM_ERROR_CANCELLED:
      case PTOWSP_SIM_ERROR_WINDOW:
      case PTOWSP_SIM_ERROR_GUARD:
        death_ = error;
        break;
      default:
        break;
    }
  }
  state->phase = error ? RuntimeState::Phase::failed : RuntimeState::Phase::succeeded;
  if (error) state->mistake = error;
  return error;
}

Error Device::finalize(void* memory) {
  MutexLock lock(api_mutex_);
  RuntimeState* state = find(memory);
  if (state == nullptr) {
    return {
        PTOWSP_SIM_ERROR_NOT_INITIALIZED,
        formatText("finalize_runtime(%p): init_runtime did not succeed for it on this device, or "
                   "it was finalised before",
                   memory)};
  }
  Error error;
  if (state->device_was_reset) {
    error = {PTOWSP_SIM_ERROR_DEVICE_RESET,
             "finalize_runtime: the device was reset, so the results are gone"};
  } else if (state->phase == RuntimeState::Phase::built) {
    error = {PTOWSP_SIM_ERROR_NOT_RUN,
             "finalize_runtime: the graph was never run, so no results are copied back"};
  } else if (state->phase == RuntimeState::Phase::failed) {
    error = {PTOWSP_SIM_ERROR_NOT_RUN,
             "finalize_runtime: the launch failed, so no results are copied back (" +
                 state->mistake.message + ")"};
  } else {
    for (const TensorPair& pair : state->pairs) {
      Error copied = memory_.copyOut(pair.host_ptr, pair.dev_ptr, pair.size);
      if (copied && !error) error = std::move(copied);
    }
    MutexLock error_lock(error_mutex_);
    if (!error && misuse_) std::swap(error, misuse_);
  }
  if (!state->device_was_reset) {
    // One buffer may stand in several pairs, or a pair may name a part of one.
    std::vector<void*> recorded;
    for (const TensorPair& pair : state->pairs) recorded.push_back(pair.dev_ptr);
    std::sort(recorded.begin(), recorded.end());
    recorded.erase(std::unique(recorded.begin(), recorded.end()), recorded.end());
    for (void* address : recorded) {
      if (!memory_.isAllocation(address)) continue;
      Error released = memory_.release(address);
      if (released && !error) error = std::move(released);
    }
    unrecorded_allocations_ = memory_.releaseOwnedBy(state);
  }
  discard(memory);
  return error;
}

Error Device::reset() {
  MutexLock lock(api_mutex_);
  for (auto& [memory, state] : states_) state->device_was_reset = true;
  memory_.clear();
  kernels_.clear();
  death_ = {};
  last_run_ = {};
  unrecorded_allocations_ = 0;
  MutexLock error_lock(error_mutex_);
  last_error_ = {};
  misuse_ = {};
  return {};
}

// ---- kernels and options ----

Error Device::registerKernel(int func_id, const uint8_t* image, size_t size) {
  MutexLock lock(api_mutex_);
  return kernels_.add(func_id, image, size);
}

Error Device::describeKernel(int func_id, const char* name, int core_type) {
  MutexLock lock(api_mutex_);
  return kernels_.describe(func_id, name, core_type);
}

Error Device::setOptions(const ptowsp_sim_options& wanted) {
  constexpr uint32_t known = PTOWSP_SIM_TRACE | PTOWSP_SIM_CHECK_EACH_TASK |
                             PTOWSP_SIM_SCHEDULE_SEED | PTOWSP_SIM_NO_CRASH_HANDLER |
                             PTOWSP_SIM_QUIET;
  if ((wanted.flags & ~known) != 0) {
    return {PTOWSP_SIM_ERROR_ARGUMENT,
            formatText("options: unknown flags 0x%x; this library is older than its caller",
                       wanted.flags & ~known)};
  }
  if (wanted.workers < 0) {
    return {PTOWSP_SIM_ERROR_ARGUMENT,
            formatText("options: %d workers; expected 0 (as many as the machine has) or more",
                       wanted.workers)};
  }
  if (!(wanted.timeout_seconds >= 0)) {  // not a number as well
    return {PTOWSP_SIM_ERROR_ARGUMENT,
            formatText("options: a time limit of %g s; expected 0 (none) or more",
                       wanted.timeout_seconds)};
  }
  MutexLock lock(api_mutex_);
  options_ = wanted;
  MutexLock error_lock(error_mutex_);
  quiet_ = (wanted.flags & PTOWSP_SIM_QUIET) != 0;
  return {};
}

ptowsp_sim_options Device::options() {
  MutexLock lock(api_mutex_);
  return options_;
}

// ---- memory ----

void* Device::allocate(size_t size) { return memory_.allocate(size, t_building); }

Error Device::release(void* address) {
  Error error = memory_.release(address);
  if (!error) return error;
  if (t_building != nullptr) {
    t_building->record(error);
  } else {
    MutexLock lock(error_mutex_);
    if (!misuse_) misuse_ = error;
  }
  return error;
}

Error Device::copyIn(void* device, const void* host, size_t size) {
  Error error = memory_.copyIn(device, host, size);
  if (error && t_building != nullptr) t_building->record(error);
  return error;
}

Error Device::copyOut(void* host, const void* device, size_t size) {
  Error error = memory_.copyOut(host, device, size);
  if (error && t_building != nullptr) t_building->record(error);
  return error;
}

// ---- results ----

Error Device::trace(ptowsp_sim_trace* trace) {
  MutexLock lock(api_mutex_);
  trace->count = static_cast<uint32_t>(last_run_.events);
  trace->events = last_run_.events != 0 ? events_.data() : nullptr;
  return {};
}

Error Device::stats(ptowsp_sim_stats* stats) {
  MutexLock lock(api_mutex_);
  LastRun& run = last_run_;
  if (run.state != nullptr && run.tasks != 0 && run.critical_path == 0) {
    run.critical_path = run.state->graph->criticalPath();
    if (run.events != 0) run.critical_path_ns = criticalPathTime(*run.state->graph, events_.data());
  }
  if (run.events != 0 && run.core_busy.empty()) {
    run.core_busy =
        coreBusyTimes(events_.data(), static_cast<int>(run.tasks), run.platform.cores());
  }
  const bool launched = run.workers != 0;
  stats->workers = run.workers;
  stats->tasks = run.tasks;
  stats->edges = run.edges;
  stats->completed = run.completed;
  stats->critical_path = static_cast<int64_t>(run.critical_path);
  stats->build_ns = build_ns_;
  stats->wall_ns = run.wall_ns;
  stats->critical_path_ns = run.critical_path_ns;
  stats->core_busy_ns = run.core_busy.empty() ? nullptr : run.core_busy.data();
  stats->cores = launched ? run.platform.cores() : 0;
  stats->aicpus = launched ? run.platform.aicpus : 0;
  stats->window = run.window.tasks;
  stats->window_high_water = run.window.high_water;
  stats->window_stalls = run.window.stalls;
  const DeviceMemory::Usage usage = memory_.usage();
  stats->live_allocations = usage.allocations;
  stats->live_bytes = usage.bytes;
  stats->peak_bytes = usage.peak_bytes;
  stats->unrecorded_allocations = unrecorded_allocations_;
  return {};
}

Error Device::graph(ptowsp_sim_graph* result) {
  MutexLock lock(api_mutex_);
  if (last_run_.state == nullptr) {
    return {PTOWSP_SIM_ERROR_NOT_INITIALIZED,
            "ptowsp_sim_get_graph: nothing was launched, or it is finalised already; ask before "
            "finalize_runtime"};
  }
  const Graph& graph = *last_run_.state->graph;
  result->tasks = graph.tasks();
  result->edges = graph.edges();
  result->offsets = graph.offsets();
  result->successors = graph.successors();
  result->fanin = graph.fanin();
  return {};
}

Error Device::guardReport(ptowsp_sim_guard_report* report) {
  MutexLock lock(api_mutex_);
  report->count = static_cast<uint32_t>(last_run_.damage.size());
  report->items = last_run_.damage.data();
  return {};
}

int Device::report(Error error) {
  if (!error) return PTOWSP_SIM_OK;
  MutexLock lock(error_mutex_);
  if (!quiet_) {
    std::fprintf(stderr, "ptowsp-sim: error: %s [%s]\n", error.message.c_str(),
                 ptowsp_sim_status_name(error.code));
  }
  last_error_ = std::move(error);
  return last_error_.code;
}

ptowsp_sim_error Device::lastError() {
  MutexLock lock(error_mutex_);
  ptowsp_sim_error result = {};
  result.code = last_error_.code;
  result.task = last_error_.task;
  result.func_id = last_error_.func_id;
  result.core = last_error_.core;
  result.core_type = last_error_.core_type;
  result.detail = last_error_.detail;
  result.task_count = static_cast<uint32_t>(last_error_.tasks.size());
  result.tasks = last_error_.tasks.data();
  result.message = last_error_.message.c_str();
  return result;
}

}  // namespace ptowsp::sim
