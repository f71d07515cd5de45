// SPDX-License-Identifier: MIT
#include "runtime_glue/glue/run.h"

#include <algorithm>
#include <cstdlib>

#include "runtime_glue/glue/clock.h"
#include "runtime_glue/glue/process_guard.h"
#include "runtime_glue/glue/text.h"

namespace ptowsp::glue {
namespace {

constexpr size_t kRuntimeAlignment = 64;  // the contract's

}  // namespace

void Run::Free::operator()(void* memory) const { std::free(memory); }

Run::Run(Device& device, const Artifact& artifact, const Executable& executable)
    : device_(device),
      manifest_(artifact.manifest),
      executable_(executable),
      names_(artifact.manifest),
      launches_(artifact.manifest, artifact.limited),
      resident_(artifact.manifest) {
  for (size_t i = 0; i < manifest_.tensors.size(); ++i) {
    if (manifest_.tensors[i].role != TensorRole::temporary) given_.push_back(i);
  }
}

Status Run::execute(const std::vector<void*>& tensors) {
  ledger_.assign(static_cast<size_t>(manifest_.graph.tasks), 0);
  beginStats();
  Status status = explain(tensors, executeLaunches(tensors));
  enterPhase("checking the results");
  return status;
}

// What a second run, or the graph, can tell about a run that failed.
Status Run::explain(const std::vector<void*>& tensors, Status status) {
  if (code_ == PTOWSP_SIM_ERROR_GUARD && device_.library().sim())
    status = explainGuardDamage(tensors, std::move(status));
  if (changed_tensor_) {
    const std::vector<int64_t> readers =
        tasksAt(tensors, *changed_tensor_, changed_element_, /*writing=*/false);
    if (!readers.empty())
      status.notes.push_back("this element is read by " + listTasks(names_, readers));
  }
  return status;
}

// One launch after the other; an external runtime's process does all of them.
Status Run::executeLaunches(const std::vector<void*>& tensors) {
  failed_tasks_.clear();
  if (device_.library().external()) return attemptExternal(tensors, &code_);
  launches_.prepare();
  for (launch_ = 0;; ++launch_) {
    Status status = launch(tensors, PTOWSP_SIM_TRACE, &code_);
    if (!status.ok() && launches_.count() > 1)
      status.notes.push_back(format("in launch %d of %d", launch_ + 1, launches_.count()));
    if (!status.ok() || launch_ + 1 == launches_.count()) return status;
  }
}

void Run::fillArgs(const std::vector<void*>& tensors) {
  args_.clear();
  size_t at = 0;
  for (const TensorInfo& tensor : manifest_.tensors) {
    if (tensor.role == TensorRole::temporary) continue;
    args_.push_back(reinterpret_cast<uint64_t>(tensors[at++]));
    args_.push_back(tensor.bytes);
  }
  launches_.appendArgs(launch_, ledger_.data(), &args_);
}

int Run::build(const Inspection::Request& request) {
  if (const SimApi* sim = device_.library().sim())
    return inspection_.build(*sim, runtime_.get(), executable_.orchestration, args_.data(),
                             static_cast<int>(args_.size()), request);
  const std::string& bytes = executable_.orchestration_bytes;
  return device_.library().contract().init_runtime(
      runtime_.get(), reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size(),
      manifest_.orchestration_function.c_str(), args_.data(), static_cast<int>(args_.size()));
}

Status Run::makeRuntime() {
  if (runtime_) return {};
  const size_t size = (device_.library().contract().get_runtime_size() + kRuntimeAlignment - 1) /
                      kRuntimeAlignment * kRuntimeAlignment;
  runtime_.reset(std::aligned_alloc(kRuntimeAlignment, size));
  if (runtime_) return {};
  return Status::runFailure(manifest_.name,
                            format("found no memory for a runtime object of %zu bytes", size));
}

// `code` is the runtime's when a call of it failed.
Status Run::launch(const std::vector<void*>& tensors, uint32_t sim_flags, int* code) {
  const ContractApi& runtime = device_.library().contract();
  changed_tensor_.reset();
  failed_tasks_.clear();
  *code = 0;
  enterPhase("registering the kernels");
  if (Status status = device_.select(sim_flags); !status.ok()) return status;
  if (Status status = device_.registerKernels(manifest_, executable_,
                                              only_ >= 0 || observer_ ? Inspection::indirectKernel()
                                                                      : nullptr);
      !status.ok())
    return status;
  if (Status status = makeRuntime(); !status.ok()) return status;
  fillArgs(tensors);

  enterPhase("building the task graph (orchestration)");
  Inspection::Request request;
  request.only = only_;
  request.observer = observer_;
  request.graph = keep_graph_;
  request.kernels = &executable_.kernels;
  request.manifest = &manifest_;
  request.relay = launches_.relay();
  if ((*code = build(request)) != 0) {
    device_.markDead();
    return buildFailure(*code);
  }
  if (Status status = beginObserving(); !status.ok()) {
    device_.markDead();
    return status;
  }
  enterPhase("running the tasks");
  setLiveLedger(deviceLedger());
  const uint64_t start = nowNs();
  *code = runtime.launch_runtime(runtime_.get(), device_.aicpuThreads(), device_.blockDim(),
                                 device_.options().device_id, nullptr, 0, nullptr, 0);
  const uint64_t wall_ns = nowNs() - start;
  setLiveLedger(nullptr);
  if (*code != 0) {
    device_.markDead();
    collectStats(wall_ns);
    return endObserving(launchFailure(*code));
  }
  collectStats(wall_ns);
  if (Status status = endObserving({}); !status.ok()) {
    device_.markDead();
    return status;
  }
  // What is to be seen on the device is looked at before finalize writes to the host's arrays: a run
  // that failed leaves them as they were.
  enterPhase("checking the run");
  Status seen = checkInputs();
  if (seen.ok()) seen = checkOrder();
  const uint64_t* ledger = deviceLedger();
  const int64_t first = launches_.begin(launch_), end = launches_.end(launch_);
  if (seen.ok() && ledger) seen = checkLedger(ledger, first, end);
  if (!seen.ok()) {
    device_.markDead();
    return seen;
  }
  enterPhase("bringing the results back from the device");
  if ((*code = runtime.finalize_runtime(runtime_.get())) != 0) {
    device_.markDead();
    return Status::runFailure(manifest_.name,
                              format("finalize_runtime failed with code %d", *code) + simMessage());
  }
  return ledger ? Status() : checkLedger(ledger_.data() + first, first, end);
}

void Run::setLiveLedger(const uint64_t* ledger) {
  const std::lock_guard lock(live_lock_);
  live_ledger_ = ledger;
}

// Kernels write their slots while this reads them: a slot is seen before or after, never between.
int64_t Run::completedSoFar() {
  const std::lock_guard lock(live_lock_);
  const int64_t tasks = live_ledger_ ? launches_.end(launch_) - launches_.begin(launch_) : 0;
  int64_t completed = 0;
  for (int64_t task = 0; task < tasks; ++task)
    completed += __atomic_load_n(live_ledger_ + task, __ATOMIC_RELAXED) != 0;
  return completed;
}

const TaskGraph* Run::keptGraph() const {
  const bool built = keep_graph_ && inspection_.graph().tasks() == manifest_.graph.tasks;
  return built ? &inspection_.graph() : nullptr;
}

const uint64_t* Run::deviceLedger() const {
  for (const Allocation& allocation : inspection_.allocations()) {
    if (allocation.host == ledger_.data() + launches_.begin(launch_) && !ledger_.empty())
      return reinterpret_cast<const uint64_t*>(allocation.address);
  }
  return nullptr;
}

const TensorInfo* Run::tensorOf(const Allocation& allocation) const {
  size_t given = 0;
  for (const TensorInfo& tensor : manifest_.tensors) {
    if (tensor.role == TensorRole::temporary) continue;
    if (allocation.host && reinterpret_cast<uint64_t>(allocation.host) == args_[2 * given])
      return &tensor;
    ++given;
  }
  if (allocation.host) return launches_.spilledTo(allocation.host);
  // Other temporaries have no array on the host; tensors are allocated in the workload's order.
  size_t index = 0;
  for (const Allocation& other : inspection_.allocations()) {
    if (other.address == allocation.address) break;
    ++index;
  }
  if (index >= manifest_.tensors.size()) return nullptr;
  const TensorInfo& tensor = manifest_.tensors[index];
  return tensor.role == TensorRole::temporary ? &tensor : nullptr;
}

uint64_t Run::deviceAddress(size_t tensor) const {
  for (const Allocation& allocation : inspection_.allocations()) {
    if (tensorOf(allocation) == &manifest_.tensors[tensor]) return allocation.address;
  }
  return 0;
}

int64_t Run::taskAt(int64_t id) const {
  const int64_t number = inspection_.numberOf(id);
  return number < 0 ? -1 : launches_.begin(launch_) + number;
}

std::string Run::describeAt(int64_t id) const {
  const int64_t task = taskAt(id);
  return task < 0 ? "a relay" : names_.describe(task);
}

void Run::beginStats() {
  stats_ = {};
  stats_.tasks = manifest_.graph.tasks;
  stats_.edges = manifest_.graph.edges;
  stats_.critical_path = manifest_.graph.critical_path;
  events_.clear();
  core_busy_ns_.clear();
}

// Adds one launch to what was collected of those before.
void Run::collectStats(uint64_t wall_ns) {
  ++stats_.launches;
  const SimApi* sim = device_.library().sim();
  ptowsp_sim_stats stats = {};
  stats.size = sizeof stats;
  if (!sim || sim->get_stats(&stats) != 0) {
    stats_.wall_ns += wall_ns;
    return;
  }
  if (stats.tasks && launches_.isWhole()) {  // else the launch was refused before it counted them
    stats_.tasks = stats.tasks;
    stats_.edges = stats.edges;
    if (stats.critical_path) stats_.critical_path = stats.critical_path;
  }
  stats_.completed += stats.completed;
  stats_.critical_path_ns += stats.critical_path_ns;
  stats_.build_ns += stats.build_ns;
  stats_.wall_ns += stats.wall_ns;
  stats_.workers = stats.workers;
  stats_.cores = stats.cores;
  stats_.aicpus = stats.aicpus;
  stats_.window = stats.window;
  stats_.window_high_water = std::max(stats_.window_high_water, stats.window_high_water);
  stats_.window_stalls += stats.window_stalls;
  if (launches_.isWhole()) {
    stats_.core_busy_ns = stats.core_busy_ns;
  } else if (stats.core_busy_ns) {
    core_busy_ns_.resize(static_cast<size_t>(stats.cores));
    for (size_t core = 0; core < core_busy_ns_.size(); ++core)
      core_busy_ns_[core] += stats.core_busy_ns[core];
    stats_.core_busy_ns = core_busy_ns_.data();
  }
  ptowsp_sim_trace trace = {};
  trace.size = sizeof trace;
  if (sim->get_trace(&trace) != 0 || trace.count == 0) return;
  if (!launches_.isWhole()) {
    collectEvents(trace);
  } else if (trace.count == stats_.tasks) {
    stats_.events = trace.events;
  }
}

// Of all tasks, under the numbers that they have in the graph; relays are left out.
void Run::collectEvents(const ptowsp_sim_trace& trace) {
  if (events_.empty()) {
    ptowsp_sim_event none = {};
    none.core = -1;
    events_.assign(static_cast<size_t>(manifest_.graph.tasks), none);
  }
  for (uint32_t id = 0; id < trace.count; ++id) {
    const int64_t task = taskAt(id);
    if (task >= 0 && task < manifest_.graph.tasks) {
      events_[task] = trace.events[id];
      events_[task].task = static_cast<int32_t>(task);
    } else {
      stats_.completed -= trace.events[id].core >= 0 && trace.events[id].end_ns != 0;
    }
  }
  stats_.events = events_.data();
}

std::vector<uint8_t> Run::elementsOfSelectedTask(size_t tensor) {
  const TensorInfo& info = manifest_.tensors[tensor];
  std::vector<uint8_t> marks(info.elements(), 0);
  const uint64_t address = deviceAddress(tensor);
  if (only_ < 0 || !address) return marks;
  const uint64_t size = elementSize(info.dtype);
  const TaskGraph& graph = inspection_.graph();
  for (int64_t task = only_; task < graph.tasks(); ++task) {
    for (const TileRegion& region : graph.regionsOf(manifest_, task)) {
      if (region.access == TileAccess::in || region.address < address ||
          region.address >= address + info.bytes)
        continue;
      for (int64_t row = 0; row < region.rows; ++row) {
        const uint64_t first =
            (region.address + static_cast<uint64_t>(row * region.stride_bytes) - address) / size;
        const uint64_t count = static_cast<uint64_t>(region.row_bytes) / size;
        for (uint64_t i = first; i < first + count && i < marks.size(); ++i)
          marks[i] = task == only_ ? 1 : marks[i] ? 2 : 0;
      }
    }
  }
  return marks;
}

const TaskGraph* Run::buildGraph(const std::vector<void*>& tensors) {
  if (!device_.library().sim() || !launches_.isWhole() || !device_.select(0).ok() ||
      !makeRuntime().ok())
    return nullptr;
  launch_ = 0;
  ledger_.assign(static_cast<size_t>(manifest_.graph.tasks), 0);
  fillArgs(tensors);
  return buildOnly() ? &inspection_.graph() : nullptr;
}

// A graph that never runs, which leaves the device to be made new.
bool Run::buildOnly() {
  Inspection::Request request;
  request.graph = true;
  request.manifest = &manifest_;
  request.relay = launches_.relay();
  const int code = build(request);
  device_.markDead();
  return code == 0;
}

// The runtime forgets what it told of a run when the device is made new.
void Run::ownStats() {
  if (stats_.events && stats_.events != events_.data()) {
    events_.assign(stats_.events, stats_.events + stats_.tasks);
    stats_.events = events_.data();
  }
  if (stats_.core_busy_ns && stats_.core_busy_ns != core_busy_ns_.data()) {
    core_busy_ns_.assign(stats_.core_busy_ns, stats_.core_busy_ns + stats_.cores);
    stats_.core_busy_ns = core_busy_ns_.data();
  }
}

std::vector<int64_t> Run::tasksAt(const std::vector<void*>& tensors, size_t tensor,
                                  uint64_t element, bool writing) {
  std::vector<int64_t> tasks;
  if (!device_.library().sim()) return tasks;
  ownStats();
  for (launch_ = 0; launch_ < launches_.count(); ++launch_) {
    if (!device_.select(0).ok()) return {};
    fillArgs(tensors);
    const uint64_t address = buildOnly() ? deviceAddress(tensor) : 0;
    if (!address) return {};
    appendTasksAt(address + element * elementSize(manifest_.tensors[tensor].dtype), writing, &tasks);
  }
  return tasks;
}

void Run::appendTasksAt(uint64_t byte, bool writing, std::vector<int64_t>* tasks) const {
  const TaskGraph& graph = inspection_.graph();
  for (int64_t id = 0; id < graph.tasks(); ++id) {
    for (const TileRegion& region : graph.regionsOf(manifest_, id)) {
      if ((writing ? region.access != TileAccess::in : region.access != TileAccess::out) &&
          region.covers(byte) && (tasks->empty() || tasks->back() != taskAt(id)))
        tasks->push_back(taskAt(id));
    }
  }
}

}  // namespace ptowsp::glue
