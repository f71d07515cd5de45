// SPDX-License-Identifier: MIT
// What Run checks after a launch, and how it words what went wrong. The steps themselves are in
// run.cpp.
#include <algorithm>
#include <cstring>

#include "runtime_glue/glue/compare.h"
#include "runtime_glue/glue/run.h"
#include "runtime_glue/glue/text.h"

namespace ptowsp::glue {

namespace {

constexpr const char* kMoreMemory =
    "give it more memory: a larger machine, fewer programs beside it, or a higher ulimit -v";

// The orchestration's code for a tensor for which the device has no memory.
constexpr int kNoDeviceMemory = -105;

}  // namespace

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
                              error.detail == kNoDeviceMemory ? kMoreMemory : fix);
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
  for (size_t i = 0; i < tasks.size() && i < 8; ++i) {
    const int64_t task = taskAt(tasks[i]);
    status.notes.push_back("task " + std::to_string(tasks[i]) + " is " +
                           (task < 0 ? "a relay" : names_.nameOf(task)));
  }
  if (tasks.size() > 8) status.notes.push_back(format("and %zu more tasks", tasks.size() - 8));
  for (const int64_t id : tasks) {
    if (const int64_t task = taskAt(id); task >= 0) failed_tasks_.push_back(task);
  }
  const std::string alone =
      failed_tasks_.empty()
          ? std::string()
          : format("run it alone under a debugger: --only %lld%s",
                   static_cast<long long>(failed_tasks_.front()),
                   launches_.isWhole() ? "" : ", without --pinned-limits");
  switch (code) {
    case PTOWSP_SIM_ERROR_CRASH:
      status.fix = alone;
      break;
    case PTOWSP_SIM_ERROR_TIMEOUT:
      status.fix = "give it more time with --timeout" + (error.task < 0 ? "" : ", or " + alone);
      break;
    case PTOWSP_SIM_ERROR_OUT_OF_MEMORY:
      status.fix = kMoreMemory;
      break;
    case PTOWSP_SIM_ERROR_SYSTEM:  // threads, mappings: limits of the user, not the artifact
      status.fix = "ask for fewer --workers, or raise the limits of this shell (ulimit -u, ulimit -v)";
      break;
    default:
      status.fix = "build the target " + manifest_.name + " again";
      break;
  }
  return status;
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
      : allocation && allocation->host == ledger_.data() + launches_.begin(launch_)
          ? std::string("the completion ledger")
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
  const std::string fix = kGuardFix;
  first.message = seen.empty() ? first.message : seen;
  first.fix = fix;
  int code = 0;
  Status again = launch(tensors, PTOWSP_SIM_TRACE | PTOWSP_SIM_CHECK_EACH_TASK, &code);
  ptowsp_sim_guard_report report = {};
  report.size = sizeof report;
  if (code != PTOWSP_SIM_ERROR_GUARD || device_.library().sim()->guard_damages(&report) != 0 ||
      report.count == 0) {
    first.notes = {
        "a second run, with one worker and a check after each task, did not show it: it "
        "depends on the order of tasks"};
    return first;
  }
  Status status = Status::runFailure(manifest_.name, damageText(), fix);
  const int64_t task = report.items[0].task < 0 ? -1 : taskAt(report.items[0].task);
  if (const int kernel = names_.kernelOf(task); kernel >= 0)
    status.message +=
        " by " + names_.describe(task) + " (kernel " + manifest_.kernels[kernel].name + ")";
  status.notes = {"found by a second run with one worker and a check after each task"};
  return status;
}

Status Run::beginObserving() {
  if (!observer_) return {};
  std::vector<TensorPlace> places;
  for (size_t i = 0; i < manifest_.tensors.size(); ++i)
    places.push_back({&manifest_.tensors[i], deviceAddress(i)});
  return observer_->begin(inspection_.graph(), places);
}

// What the observer has to say is a note on a run that failed for another reason.
Status Run::endObserving(Status status) {
  if (!observer_) return status;
  std::vector<int64_t> failed;
  Status verdict = observer_->verdict(&failed);
  int64_t skipped = 0;
  for (int64_t task = 0; task < inspection_.graph().tasks(); ++task)
    skipped += inspection_.selected()[task] && !observer_->ran(task);
  stats_.completed = std::max<int64_t>(0, stats_.completed - skipped);
  if (verdict.ok()) return status;
  if (!status.ok()) {
    status.notes.push_back(verdict.message);
    return status;
  }
  failed_tasks_ = std::move(failed);
  return verdict;
}

// A kernel has no way to the host's arrays, so what it can change is the device's copy of an input.
Status Run::checkInputs() {
  for (const Allocation& allocation : inspection_.allocations()) {
    const TensorInfo* tensor = allocation.host ? tensorOf(allocation) : nullptr;
    if (!tensor || tensor->role != TensorRole::input) continue;
    const char* device = reinterpret_cast<const char*>(allocation.address);
    const char* host = static_cast<const char*>(allocation.host);
    if (std::memcmp(device, host, tensor->bytes) == 0) continue;
    return inputChanged(*tensor, device, host);
  }
  return {};
}

Status Run::inputChanged(const TensorInfo& tensor, const void* device, const void* host) {
  const size_t size = elementSize(tensor.dtype);
  const char* const found = static_cast<const char*>(device);
  const char* const expected = static_cast<const char*>(host);
  uint64_t i = 0;
  while (std::memcmp(found + i * size, expected + i * size, size) == 0) ++i;
  changed_tensor_ = static_cast<size_t>(&tensor - manifest_.tensors.data());
  changed_element_ = i;
  return Status::runFailure(
      manifest_.name,
      format("input %s was changed on the device: found %.9g in %s, expected %.9g",
             tensor.name.c_str(), valueAt(tensor.dtype, device, i), elementName(tensor, i).c_str(),
             valueAt(tensor.dtype, host, i)),
      kInputFix);
}

Status Run::checkOrder() {
  const SimApi* sim = device_.library().sim();
  ptowsp_sim_trace trace = {};
  trace.size = sizeof trace;
  if (!sim || !stats_.events || sim->get_trace(&trace) != 0) return {};
  ptowsp_sim_graph graph = {};
  graph.size = sizeof graph;
  if (sim->get_graph(&graph) != 0) return {};
  for (int32_t from = 0; from < graph.tasks; ++from) {
    const uint64_t end = trace.events[from].end_ns;
    for (uint32_t e = graph.offsets[from]; e < graph.offsets[from + 1]; ++e) {
      const int32_t to = graph.successors[e];
      if (trace.events[to].start_ns >= end) continue;
      return Status::runFailure(manifest_.name,
                                format("%s started %.3f us before %s had ended, which it waits for",
                                       describeAt(to).c_str(),
                                       static_cast<double>(end - trace.events[to].start_ns) / 1000,
                                       describeAt(from).c_str()),
                                "the runtime breaks the graph's order: report it");
    }
  }
  return {};
}

Status Run::checkLedger(const uint64_t* ledger, int64_t begin, int64_t end) {
  std::vector<int64_t> missing, repeated, strange;
  for (int64_t task = begin; task < end; ++task) {
    const uint64_t stamp = static_cast<uint64_t>(task) + 1, found = ledger[task - begin];
    const bool expected = ran(task);
    if (found == (expected ? stamp : 0)) continue;
    (found == 0                       ? missing
     : found % stamp == 0 && expected ? repeated
                                      : strange)
        .push_back(task);
  }
  if (missing.empty() && repeated.empty() && strange.empty()) return {};
  for (const std::vector<int64_t>* tasks : {&missing, &repeated, &strange})
    failed_tasks_.insert(failed_tasks_.end(), tasks->begin(), tasks->end());
  Status status = Status::runFailure(
      manifest_.name,
      format("the completion ledger is not as expected for %zu of %s",
             missing.size() + repeated.size() + strange.size(),
             counted(static_cast<long long>(end - begin), "task").c_str()),
      "the runtime lost or repeated tasks, or their kernels do not end as emitted ones do: build "
      "the target " +
          manifest_.name + " again");
  if (!missing.empty()) status.notes.push_back("not run to the end: " + listTasks(names_, missing));
  if (!repeated.empty())
    status.notes.push_back("run more than once: " + listTasks(names_, repeated));
  if (!strange.empty())
    status.notes.push_back("with a stamp that is not theirs: " + listTasks(names_, strange));
  return status;
}

}  // namespace ptowsp::glue
