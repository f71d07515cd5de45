#include "runtime_glue/glue/run.h"

#include <time.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "runtime_glue/glue/compare.h"
#include "runtime_glue/glue/process_guard.h"
#include "runtime_glue/glue/text.h"

namespace ptowsp::glue {
namespace {

constexpr size_t kRuntimeAlignment = 64;  // the contract's
// Guards of the built-in runtime are at least this long; damage further out hits nothing known.
constexpr uint64_t kGuardBytes = 64;

uint64_t now() {
  timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<uint64_t>(time.tv_sec) * 1000000000u + static_cast<uint64_t>(time.tv_nsec);
}

}  // namespace

void Run::Free::operator()(void* memory) const { std::free(memory); }

Run::Run(Device& device, const Artifact& artifact, const Executable& executable)
    : device_(device),
      artifact_(artifact),
      manifest_(artifact.manifest),
      executable_(executable),
      names_(artifact.manifest) {}

Status Run::execute(const std::vector<void*>& tensors) {
  int code = 0;
  Status status = attempt(tensors, PTOWSP_SIM_TRACE, &code);
  if (code == PTOWSP_SIM_ERROR_GUARD && device_.library().sim())
    status = explainGuardDamage(tensors, std::move(status));
  if (changed_tensor_) {
    const std::vector<int64_t> readers =
        tasksAt(tensors, *changed_tensor_, changed_element_, /*writing=*/false);
    if (!readers.empty())
      status.notes.push_back("this element is read by " + listTasks(names_, readers));
  }
  enterPhase("checking the results");
  return status;
}

void Run::fillArgs(const std::vector<void*>& tensors) {
  args_.clear();
  size_t at = 0;
  for (const TensorInfo& tensor : manifest_.tensors) {
    if (tensor.role == TensorRole::temporary) continue;
    args_.push_back(reinterpret_cast<uint64_t>(tensors[at++]));
    args_.push_back(tensor.bytes);
  }
  args_.push_back(0);  // segment
  args_.push_back(reinterpret_cast<uint64_t>(ledger_.data()));
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

// `code` is the runtime's when a call of it failed.
Status Run::attempt(const std::vector<void*>& tensors, uint32_t sim_flags, int* code) {
  const ContractApi& runtime = device_.library().contract();
  stats_ = {};
  changed_tensor_.reset();
  *code = 0;
  enterPhase("registering the kernels");
  if (Status status = device_.select(sim_flags); !status.ok()) return status;
  if (Status status = device_.registerKernels(
          manifest_, executable_, only_ >= 0 ? Inspection::subsetKernel() : nullptr);
      !status.ok())
    return status;
  if (!runtime_) {
    const size_t size = (runtime.get_runtime_size() + kRuntimeAlignment - 1) / kRuntimeAlignment *
                        kRuntimeAlignment;
    runtime_.reset(std::aligned_alloc(kRuntimeAlignment, size));
    if (!runtime_)
      return Status::runFailure(manifest_.name, format("found no memory for a runtime object of "
                                                       "%zu bytes", size));
  }
  ledger_.assign(static_cast<size_t>(manifest_.graph.tasks), 0);
  fillArgs(tensors);

  enterPhase("building the task graph (orchestration)");
  Inspection::Request request;
  request.only = only_;
  request.kernels = &executable_.kernels;
  if ((*code = build(request)) != 0) {
    device_.markDead();
    return buildFailure(*code);
  }
  enterPhase("running the tasks");
  const uint64_t begin = now();
  *code = runtime.launch_runtime(runtime_.get(), device_.aicpuThreads(), device_.blockDim(),
                                 device_.options().device_id, nullptr, 0, nullptr, 0);
  const uint64_t wall_ns = now() - begin;
  if (*code != 0) {
    device_.markDead();
    collectStats(wall_ns);
    return launchFailure(*code);
  }
  collectStats(wall_ns);
  // What is to be seen on the device is looked at before finalize releases it; what finalize
  // brings back is looked at after.
  enterPhase("checking the run");
  Status seen = checkInputs();
  if (seen.ok()) seen = checkOrder();
  enterPhase("bringing the results back from the device");
  if ((*code = runtime.finalize_runtime(runtime_.get())) != 0) {
    device_.markDead();
    return Status::runFailure(manifest_.name, format("finalize_runtime failed with code %d", *code) +
                                                  simMessage());
  }
  return seen.ok() ? checkLedger() : seen;
}

// ": message" of the built-in runtime's last error.
std::string Run::simMessage() const {
  const SimApi* sim = device_.library().sim();
  ptowsp_sim_error error = {};
  error.size = sizeof error;
  if (!sim || sim->last_error(&error) != 0 || error.code == 0) return {};
  return std::string(": ") + error.message;
}

Status Run::buildFailure(int code) {
  const SimApi* sim = device_.library().sim();
  ptowsp_sim_error error = {};
  error.size = sizeof error;
  const std::string fix = "build the target " + manifest_.name +
                          " again; if that does not help, report it with the workload file";
  if (!sim)
    return Status::runFailure(
        manifest_.name, format("building the task graph failed: init_runtime returned %d", code),
        fix);
  sim->last_error(&error);
  if (error.code == PTOWSP_SIM_ERROR_ORCHESTRATION)
    return Status::runFailure(manifest_.name,
                              format("building the task graph failed: %s returned %d",
                                     manifest_.orchestration_function.c_str(), error.detail),
                              fix);
  return Status::runFailure(manifest_.name,
                            "building the task graph failed: " + std::string(error.message), fix);
}

Status Run::launchFailure(int code) {
  const SimApi* sim = device_.library().sim();
  if (!sim)
    return Status::runFailure(manifest_.name,
                              format("running the tasks failed: launch_runtime returned %d", code));
  ptowsp_sim_error error = {};
  error.size = sizeof error;
  sim->last_error(&error);
  Status status = Status::runFailure(manifest_.name, error.message);
  std::vector<int64_t> tasks;
  if (error.task >= 0) tasks.push_back(error.task);
  for (uint32_t i = 0; error.tasks && i < error.task_count; ++i) {
    if (error.tasks[i] != error.task) tasks.push_back(error.tasks[i]);
  }
  for (size_t i = 0; i < tasks.size() && i < 8; ++i)
    status.notes.push_back("task " + std::to_string(tasks[i]) + " is " + names_.nameOf(tasks[i]));
  if (tasks.size() > 8) status.notes.push_back(format("and %zu more tasks", tasks.size() - 8));
  switch (code) {
    case PTOWSP_SIM_ERROR_CRASH:
      status.fix = format("run it alone under a debugger: --only %d", error.task);
      break;
    case PTOWSP_SIM_ERROR_TIMEOUT:
      status.fix = error.task < 0 ? std::string("give it more time with --timeout")
                                  : format("give it more time with --timeout, or run it alone under "
                                           "a debugger: --only %d", error.task);
      break;
    default:
      status.fix = "build the target " + manifest_.name + " again";
      break;
  }
  return status;
}

const TensorInfo* Run::tensorOf(const Allocation& allocation) const {
  size_t given = 0;
  for (const TensorInfo& tensor : manifest_.tensors) {
    if (tensor.role == TensorRole::temporary) continue;
    if (allocation.host && reinterpret_cast<uint64_t>(allocation.host) == args_[2 * given])
      return &tensor;
    ++given;
  }
  if (allocation.host) return nullptr;
  // Temporaries have no array on the host; they are allocated in the workload's order.
  size_t before = 0;
  for (const Allocation& other : inspection_.allocations()) {
    if (other.address == allocation.address) break;
    before += other.host == nullptr;
  }
  for (const TensorInfo& tensor : manifest_.tensors) {
    if (tensor.role == TensorRole::temporary && before-- == 0) return &tensor;
  }
  return nullptr;
}

uint64_t Run::deviceAddress(size_t tensor) const {
  for (const Allocation& allocation : inspection_.allocations()) {
    if (tensorOf(allocation) == &manifest_.tensors[tensor]) return allocation.address;
  }
  return 0;
}

std::string Run::damageText() const {
  ptowsp_sim_guard_report report = {};
  report.size = sizeof report;
  if (device_.library().sim()->guard_damages(&report) != 0 || report.count == 0) return {};
  const ptowsp_sim_guard_damage& damage = report.items[0];
  const Allocation* allocation = inspection_.allocationAt(damage.address);
  const TensorInfo* tensor = allocation ? tensorOf(*allocation) : nullptr;
  const std::string what =
      tensor ? std::string(tensor->role == TensorRole::temporary ? "temporary " : "tensor ") +
                   tensor->name
      : allocation && allocation->host == ledger_.data() ? std::string("the completion ledger")
                                                         : std::string("a device allocation");
  const unsigned long long damaged = static_cast<unsigned long long>(damage.damaged_bytes);
  if (damage.offset < 0)
    return format("%llu bytes written before %s on the device, the first %lld bytes before it",
                  damaged, what.c_str(), static_cast<long long>(-damage.offset));
  return format("%llu bytes written behind %s on the device, the first at byte %lld of its %llu",
                damaged, what.c_str(), static_cast<long long>(damage.offset),
                static_cast<unsigned long long>(damage.bytes));
}

Status Run::explainGuardDamage(const std::vector<void*>& tensors, Status first) {
  const std::string seen = damageText();
  const std::string fix = "keep the kernel's accesses inside the tiles it was given";
  first.message = seen.empty() ? first.message : seen;
  first.fix = fix;
  int code = 0;
  Status again = attempt(tensors, PTOWSP_SIM_TRACE | PTOWSP_SIM_CHECK_EACH_TASK, &code);
  ptowsp_sim_guard_report report = {};
  report.size = sizeof report;
  if (code != PTOWSP_SIM_ERROR_GUARD ||
      device_.library().sim()->guard_damages(&report) != 0 || report.count == 0) {
    first.notes = {"a second run, with one worker and a check after each task, did not show it: it "
                   "depends on the order of tasks"};
    return first;
  }
  Status status = Status::runFailure(manifest_.name, damageText(), fix);
  const int64_t task = report.items[0].task;
  if (const int kernel = names_.kernelOf(task); kernel >= 0)
    status.message += " by " + names_.describe(task) + " (kernel " +
                      manifest_.kernels[kernel].name + ")";
  status.notes = {"found by a second run with one worker and a check after each task"};
  return status;
}

// A kernel has no way to the host's arrays, so what it can change is the device's copy of an input.
Status Run::checkInputs() {
  for (const Allocation& allocation : inspection_.allocations()) {
    const TensorInfo* tensor = allocation.host ? tensorOf(allocation) : nullptr;
    if (!tensor || tensor->role != TensorRole::input) continue;
    const char* device = reinterpret_cast<const char*>(allocation.address);
    const char* host = static_cast<const char*>(allocation.host);
    if (std::memcmp(device, host, tensor->bytes) == 0) continue;
    const size_t size = elementSize(tensor->dtype);
    uint64_t i = 0;
    while (std::memcmp(device + i * size, host + i * size, size) == 0) ++i;
    Status status = Status::runFailure(
        manifest_.name,
        format("input %s was changed on the device: found %.9g in %s, expected %.9g",
               tensor->name.c_str(), valueAt(tensor->dtype, device, i),
               elementName(*tensor, i).c_str(), valueAt(tensor->dtype, host, i)),
        "a kernel may write only its out and inout tiles");
    changed_tensor_ = static_cast<size_t>(tensor - manifest_.tensors.data());
    changed_element_ = i;
    return status;
  }
  return {};
}

Status Run::checkOrder() {
  const SimApi* sim = device_.library().sim();
  if (!sim || !stats_.events) return {};
  ptowsp_sim_graph graph = {};
  graph.size = sizeof graph;
  if (sim->get_graph(&graph) != 0) return {};
  for (int32_t from = 0; from < graph.tasks; ++from) {
    const uint64_t end = stats_.events[from].end_ns;
    for (uint32_t e = graph.offsets[from]; e < graph.offsets[from + 1]; ++e) {
      const int32_t to = graph.successors[e];
      if (stats_.events[to].start_ns >= end) continue;
      return Status::runFailure(
          manifest_.name,
          format("%s started %.3f us before %s had ended, which it waits for",
                 names_.describe(to).c_str(),
                 static_cast<double>(end - stats_.events[to].start_ns) / 1000,
                 names_.describe(from).c_str()),
          "the runtime breaks the graph's order: report it");
    }
  }
  return {};
}

Status Run::checkLedger() {
  std::vector<int64_t> missing, repeated, strange;
  for (size_t task = 0; task < ledger_.size(); ++task) {
    const uint64_t stamp = task + 1, found = ledger_[task];
    const bool expected = ran(static_cast<int64_t>(task));
    if (found == (expected ? stamp : 0)) continue;
    (found == 0 ? missing : found % stamp == 0 && expected ? repeated : strange)
        .push_back(static_cast<int64_t>(task));
  }
  if (missing.empty() && repeated.empty() && strange.empty()) return {};
  Status status = Status::runFailure(
      manifest_.name,
      format("the completion ledger is not as expected for %zu of %s",
             missing.size() + repeated.size() + strange.size(),
             counted(static_cast<long long>(ledger_.size()), "task").c_str()),
      "the runtime lost or repeated tasks, or their kernels do not end as emitted ones do: build "
      "the target " + manifest_.name + " again");
  if (!missing.empty())
    status.notes.push_back("not run to the end: " + listTasks(names_, missing));
  if (!repeated.empty()) status.notes.push_back("run more than once: " + listTasks(names_, repeated));
  if (!strange.empty())
    status.notes.push_back("with a stamp that is not theirs: " + listTasks(names_, strange));
  return status;
}

void Run::collectStats(uint64_t wall_ns) {
  stats_.tasks = manifest_.graph.tasks;
  stats_.edges = manifest_.graph.edges;
  stats_.critical_path = manifest_.graph.critical_path;
  stats_.wall_ns = wall_ns;
  stats_.launches = 1;
  const SimApi* sim = device_.library().sim();
  if (!sim) return;
  ptowsp_sim_stats stats = {};
  stats.size = sizeof stats;
  if (sim->get_stats(&stats) == 0) {
    if (stats.tasks) {  // else the launch was refused before it counted them
      stats_.tasks = stats.tasks;
      stats_.edges = stats.edges;
    }
    stats_.completed = stats.completed;
    if (stats.critical_path) stats_.critical_path = stats.critical_path;
    stats_.critical_path_ns = stats.critical_path_ns;
    stats_.build_ns = stats.build_ns;
    stats_.wall_ns = stats.wall_ns;
    stats_.workers = stats.workers;
    stats_.cores = stats.cores;
    stats_.aicpus = stats.aicpus;
    stats_.core_busy_ns = stats.core_busy_ns;
  }
  ptowsp_sim_trace trace = {};
  trace.size = sizeof trace;
  if (sim->get_trace(&trace) == 0 && trace.count == stats_.tasks && trace.count > 0)
    stats_.events = trace.events;
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

std::vector<int64_t> Run::tasksAt(const std::vector<void*>& tensors, size_t tensor,
                                  uint64_t element, bool writing) {
  if (!device_.library().sim() || !device_.select(0).ok()) return {};
  fillArgs(tensors);
  Inspection::Request request;
  request.graph = true;
  const int code = build(request);
  // This graph never runs, which leaves the device to be made new.
  device_.markDead();
  const uint64_t address = code == 0 ? deviceAddress(tensor) : 0;
  if (!address) return {};
  const uint64_t byte = address + element * elementSize(manifest_.tensors[tensor].dtype);
  const TaskGraph& graph = inspection_.graph();
  std::vector<int64_t> tasks;
  for (int64_t task = 0; task < graph.tasks(); ++task) {
    for (const TileRegion& region : graph.regionsOf(manifest_, task)) {
      if ((writing ? region.access != TileAccess::in : region.access != TileAccess::out) &&
          region.covers(byte) && (tasks.empty() || tasks.back() != task))
        tasks.push_back(task);
    }
  }
  return tasks;
}

}  // namespace ptowsp::glue
