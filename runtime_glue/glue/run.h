// SPDX-License-Identifier: MIT
// Run: executes a loaded workload on a device, any number of times, and checks everything that can
// be checked without knowing the right result: that every task ran once and none before what it
// waits for, that nothing was written where it must not be, that every call of the runtime worked.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "runtime_glue/glue/device.h"
#include "runtime_glue/glue/device_tensor.h"
#include "runtime_glue/glue/executable.h"
#include "runtime_glue/glue/inspection.h"
#include "runtime_glue/glue/launches.h"
#include "runtime_glue/glue/resident_graph.h"
#include "runtime_glue/glue/shared_arrays.h"
#include "runtime_glue/glue/status.h"
#include "runtime_glue/glue/task_names.h"

namespace ptowsp::glue {

inline constexpr const char* kInputFix = "a kernel may write only its out and inout tiles";
inline constexpr const char* kGuardFix =
    "keep the kernel's accesses inside the tiles it was given";

// RunStats: of the last execute(). What only the built-in runtime tells is 0 or null elsewhere;
// pointers stay valid until the next execute().
struct RunStats {
  int64_t tasks = 0, edges = 0;
  int64_t completed = 0;          // tasks that ran
  int64_t critical_path = 0;      // tasks on a longest path
  uint64_t critical_path_ns = 0;  // a longest path by kernel time
  uint64_t build_ns = 0;          // the orchestration
  uint64_t wall_ns = 0;           // the launch
  int workers = 0, cores = 0, aicpus = 0, launches = 0;
  // The task window, see ptowsp_sim_stats; 0 without one.
  int64_t window = 0, window_high_water = 0, window_stalls = 0;
  const uint64_t* core_busy_ns = nullptr;    // one for each core
  const ptowsp_sim_event* events = nullptr;  // one for each task
};

// Operand: the array of one tensor that is not temporary, on the host or on the device.
struct Operand {
  void* host = nullptr;
  DeviceTensor* resident = nullptr;
};

class Run {
 public:
  // Keeps references to all three.
  Run(Device& device, const Artifact& artifact, const Executable& executable);
  ~Run();

  // Runs just this task and those that it waits for, in all later calls; built-in runtime only, and
  // only where launches().isWhole().
  void selectTask(int64_t task) { only_ = task; }

  // Lets `observer` see the tasks of all later runs; under the same conditions as selectTask().
  void observe(TaskObserver* observer) { observer_ = observer; }

  // Keeps tasks and edges of all later runs, for keptGraph(); built-in runtime only.
  void keepGraph() { keep_graph_ = true; }

  // One run. `tensors` has the host array of each tensor that is not temporary, in the workload's
  // order; outputs should be poisoned.
  Status execute(const std::vector<void*>& tensors);

  // One run on a graph that stays on the device, with an operand for each tensor that is not temporary,
  // in the workload's order. Nothing is allocated after the first call that succeeds. Not together with
  // selectTask(), observe() and keepGraph().
  Status call(const std::vector<Operand>& operands);

  // Tasks that the launch under way has run so far; from any thread, while execute() runs. 0 where the
  // runtime does not tell.
  int64_t completedSoFar();

  // What the runtime returned when a call of it failed in the last execute(), else 0.
  int code() const { return code_; }
  const RunStats& stats() const { return stats_; }
  const TaskNames& names() const { return names_; }
  // The tasks that the last failure is about.
  const std::vector<int64_t>& failedTasks() const { return failed_tasks_; }
  // Null unless keepGraph() was called and the last run came to its tasks.
  const TaskGraph* keptGraph() const;
  const Launches& launches() const { return launches_; }
  // The graph, built with these arrays and not run; null where the runtime is not the built-in one,
  // the graph is not launched as a whole, or it could not be built. stats() and
  // elementsOfSelectedTask() end here; the next run begins with a new device.
  const TaskGraph* buildGraph(const std::vector<void*>& tensors);
  bool ran(int64_t task) const {
    return (only_ < 0 || inspection_.selected()[task]) && (!observer_ || observer_->ran(task));
  }

  // With selectTask, after execute(): 1 for each element of that tensor (index in the manifest)
  // which the selected task writes and no later task would write again, 2 for those that a later
  // one would.
  std::vector<uint8_t> elementsOfSelectedTask(size_t tensor);
  // Tasks that write (or read) that element, in program order; none when it cannot be told. Builds
  // the graph once more, without running it, so elementsOfSelectedTask() ends here.
  std::vector<int64_t> tasksAt(const std::vector<void*>& tensors, size_t tensor, uint64_t element,
                               bool writing);

 private:
  struct Free {
    void operator()(void* memory) const;
  };

  Status makeRuntime();
  Status callOnDevice(const std::vector<Operand>& operands);
  Status callThroughHost(const std::vector<Operand>& operands);
  Status buildOnDevice();
  Status giveOperands(const std::vector<Operand>& operands);
  Status checkOperands(const std::vector<Operand>& operands);
  Status explainCall(const std::vector<Operand>& operands, Status status);
  const TensorInfo& givenTensor(size_t index) const;
  static Status noContents(const TensorInfo& tensor);
  struct Reports;
  Status attemptExternal(const std::vector<void*>& tensors, int* code);
  Status fillShared(const std::vector<void*>& tensors);
  std::string externalRequest() const;
  void followReports(Reports* reports);
  Status finishExternal(const std::vector<void*>& tensors);
  Status externalFailure(const Reports& reports, int ended);

  Status executeLaunches(const std::vector<void*>& tensors);
  Status launch(const std::vector<void*>& tensors, uint32_t sim_flags, int* code);
  int build(const Inspection::Request& request);
  Status buildFailure(int code);
  Status launchFailure(int code);
  Status explainGuardDamage(const std::vector<void*>& tensors, Status first);
  void setLiveLedger(const uint64_t* ledger);
  Status beginObserving();
  Status endObserving(Status status);
  Status explain(const std::vector<void*>& tensors, Status status);
  Status checkInputs();
  Status inputChanged(const TensorInfo& tensor, const void* device, const void* host);
  Status checkOrder();
  // `ledger`: of the tasks from `begin` to `end`.
  Status checkLedger(const uint64_t* ledger, int64_t begin, int64_t end);
  // The ledger in the device's memory, where that can be read; else null.
  const uint64_t* deviceLedger() const;
  void beginStats();
  void collectStats(uint64_t wall_ns);
  void collectEvents(const ptowsp_sim_trace& trace);
  // The task that the runtime calls `id` in the current launch, -1 for a relay; and in words.
  int64_t taskAt(int64_t id) const;
  std::string describeAt(int64_t id) const;
  void fillArgs(const std::vector<void*>& tensors);
  void ownStats();
  std::string simMessage() const;
  std::string damageText() const;
  bool buildOnly();
  void appendTasksAt(uint64_t byte, bool writing, std::vector<int64_t>* tasks) const;
  const TensorInfo* tensorOf(const Allocation& allocation) const;
  uint64_t deviceAddress(size_t tensor) const;

  Device& device_;
  const Manifest& manifest_;
  const Executable& executable_;
  TaskNames names_;
  Inspection inspection_;
  Launches launches_;
  int launch_ = 0;  // the current one
  std::unique_ptr<void, Free> runtime_;  // the runtime object's memory
  // Of call(): the tensors that are not temporary, as indices into the manifest's.
  std::vector<size_t> given_;
  uint64_t number_ = 0;  // of this Run, once it has called
  ResidentGraph resident_;
  std::vector<void*> pointers_;
  std::vector<uint64_t> args_;
  std::vector<uint64_t> ledger_;
  SharedArrays shared_;  // external runtimes: tensors, ledger, spills
  std::vector<ptowsp_sim_event> events_;  // of all launches, when they are not one whole graph
  std::vector<uint64_t> core_busy_ns_;
  RunStats stats_;
  std::mutex live_lock_;
  const uint64_t* live_ledger_ = nullptr;  // guarded by it: the ledger of the launch under way
  int code_ = 0;
  int64_t only_ = -1;
  TaskObserver* observer_ = nullptr;
  bool keep_graph_ = false;
  std::vector<int64_t> failed_tasks_;
  std::optional<size_t> changed_tensor_;  // an input that the last run changed
  uint64_t changed_element_ = 0;
};

}  // namespace ptowsp::glue
