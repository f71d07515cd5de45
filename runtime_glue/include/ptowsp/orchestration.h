// SPDX-License-Identifier: MIT
// What every emitted orchestration shares: it opens the tensors on the device, adds tasks with the
// edges that their tile regions ask for, and compares the totals with the generator's before it
// reports success. Emitted trees get a copy of it, beside task_graph.h, in
// kernels/orchestration/ptowsp.
//
// The file that includes it has included the runtime's own runtime.h before. Nothing else of that
// runtime is named here than the members of class Runtime that its contract lists.
#pragma once

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "argument_blocks.h"
#include "dispatch.h"
#include "launch_graph.h"
#include "limits.h"
#include "segments.h"
#include "task_graph.h"

#define PTOWSP_ORCHESTRATION_VERSION 3

#ifndef PTOWSP_BUILTIN_RUNTIME
// Compared with the size that the runtime's library says, before it builds a graph: with other limits
// members lie elsewhere.
extern "C" const uint64_t ptowsp_runtime_object_size __attribute__((visibility("default")));
extern "C" const uint64_t ptowsp_runtime_object_size = sizeof(Runtime);
#endif

namespace ptowsp {
// Hidden, as task_graph.h is, and for the same reason.
inline namespace orchestration_v1 __attribute__((visibility("hidden"))) {

  // Return codes of build_pto_wsp_graph, besides 0. Each comes with one line on stderr.
  enum OrchestrationError : int {
    kErrorArguments = -101,  // argument count, a null pointer, or a size that is not the tensor's
    kErrorSegment = -102,    // a segment that the graph does not have
    kErrorTooManyTasks = -103,    // the whole graph was asked for, and it takes several launches
    kErrorTooManyTensors = -104,  // more tensors to bring back than the runtime records
    kErrorDeviceMemory = -105,    // device_malloc failed
    kErrorCopy = -106,            // copy_to_device failed
    kErrorAddTask = -107,         // add_task refused a task, or gave an id out of order
    kErrorFanout = -108,          // a task has more successors than the runtime keeps
    kErrorTotals = -109,          // tasks, edges or edge hash are not what the generator computed
    kErrorHostMemory = -110,      // malloc failed
    kErrorTracking = -111,        // the edges could not be inferred: no memory, or a bad region
    kErrorRelay = -112,           // relays are needed, and the tree has no relay kernel
  };

  // Set in the ledger's address: the device can use that memory itself, so that what has run is known
  // even when the graph is never finalized.
  constexpr uint64_t kDeviceLedger = 1;
  // Set in the ledger's address: a slot takes a whole line of a core's cache, of which it is the first 8
  // bytes. For devices whose caches know nothing of each other: a core that writes its line back would
  // otherwise bring back what the slots beside its own were.
  constexpr uint64_t kSpreadLedger = 2, kCacheLine = 64;

  enum class Role { input, output, inout, temporary };
  enum class Dependences { dataflow, program_order };

  struct TensorInfo {
    const char* name;
    Role role;
    int64_t rows;  // through all leading dimensions
    int64_t cols;
    int64_t element_size;  // bytes
    bool written;          // by some task; one that is not needs no tracking
  };

  // Block: the place of a tile in a tensor; row counts through all leading dimensions.
  struct Block {
    int tensor;
    int64_t row;
    int64_t col;
  };

  // Expected: what the generator computed, and the func_id of the relay kernel, -1 without one.
  struct Expected {
    graph::GraphTotals totals;
    int64_t max_fan_out;
    int relay;
  };

  // Whether graphs may have to be cut into several launches, or need relays: only where the runtime has
  // limits. For others that code is left out, which is half of what there is to compile.
#if defined(RUNTIME_MAX_TASKS) || defined(RUNTIME_MAX_FANOUT) || defined(RUNTIME_MAX_TENSOR_PAIRS)
  constexpr bool kLimited = true;
#else
  constexpr bool kLimited = false;
#endif

  // Defined before the inclusion where the generator found each tensor's tiles to be cells of one grid.
#ifdef PTOWSP_TILES_ARE_CELLS
  using Tracker = graph::Tracker<true>;
#else
  using Tracker = graph::Tracker<false>;
#endif

  // What one launch of this runtime holds.
  constexpr limits::LaunchLimits launchLimits() {
    limits::LaunchLimits found;
#ifdef RUNTIME_MAX_ARGS
    static_assert(RUNTIME_MAX_ARGS >= limits::kArguments, "tasks have up to 16 arguments");
#endif
#ifdef RUNTIME_MAX_TASKS
    found.tasks = RUNTIME_MAX_TASKS;
#endif
#ifdef RUNTIME_MAX_FANOUT
    static_assert(RUNTIME_MAX_FANOUT >= 2, "relays need two places, or they lead nowhere");
    found.fanout = RUNTIME_MAX_FANOUT;
#endif
#ifdef RUNTIME_MAX_TENSOR_PAIRS
    found.pairs = RUNTIME_MAX_TENSOR_PAIRS;
#endif
    return found;
  }

  inline int fail(int code, const char* format, const char* name, unsigned long long found,
                  unsigned long long expected) {
    fprintf(stderr, "ptowsp: ");
    fprintf(stderr, format, name, found, expected);
    fprintf(stderr, "\n");
    return code;
  }

  // Graph: one build of the task graph, or of one segment of it. Every function that can fail prints
  // why and returns the code that the orchestration returns at once.
  //
  // The emitted function that adds all tasks is called once where the graph fits one launch. Else it is
  // called first to plan the segments, then, where relays may be needed, to count successors, and last
  // to add the segment's tasks. Each time the edges are inferred anew, from the first task on.
  class Graph {
   public:
    template <int kTensors>
    Graph(Runtime* runtime, const TensorInfo (&tensors)[kTensors], const Expected& expected,
          Dependences dependences, const limits::LaunchLimits& limits = launchLimits())
        : runtime_(runtime),
          tensors_(tensors),
          tensor_count_(kTensors),
          expected_(expected),
          dependences_(dependences),
          limits_(limits),
          blocks_(runtime->host_api),
          launch_(runtime, limits.fanout, expected.relay) {}
    ~Graph() {
      free(device_);
      free(first_write_);
    }
    Graph(const Graph&) = delete;
    Graph& operator=(const Graph&) = delete;

    // Arguments: (host pointer, bytes) for each tensor that is not temporary, in the workload's
    // order; then, each optional, the segment number, the ledger on the host (a uint64_t for each
    // task of the whole graph, all zero at first; null for none), and a spill pointer for each
    // temporary that lives across segments, in the workload's order. `add_tasks` adds every task.
    int build(const uint64_t* args, int arg_count, int (*add_tasks)(Graph&));

    // The next task waits for these too, whatever it touches. In program order it does anyway.
    void waitFor(const int32_t* tasks, uint32_t count) {
      if (dependences_ == Dependences::dataflow)
        for (uint32_t i = 0; i < count; ++i) tracker_->after(tasks[i]);
    }
    int32_t lastTask() const { return static_cast<int32_t>(totals_.tasks) - 1; }

    // One task: begin, access for each tile in the kernel's order, then add with its arguments.
    void begin() {
      if (tracks()) tracker_->begin();
    }
    void access(const Block& block, int64_t rows, int64_t cols, graph::Access access) {
      if (!tracks()) return;
      if constexpr (kLimited) {
        planAccess(block, rows, cols, access);
      } else {
        tracker_->access(block.tensor, block.row, block.col, rows, cols, access);
      }
    }
    uint64_t address(const Block& block) const {
      const TensorInfo& tensor = tensors_[block.tensor];
      return device_[block.tensor] +
             static_cast<uint64_t>((block.row * tensor.cols + block.col) * tensor.element_size);
    }
    uint64_t stride(const Block& block) const {
      return static_cast<uint64_t>(tensors_[block.tensor].cols);
    }
    uint64_t ledgerSlot() const {
      return ledger_ ? ledger_ + slot_bytes_ * (totals_.tasks - first_) : 0;
    }
    // The task's number in the whole graph.
    uint64_t task() const { return totals_.tasks; }
    uint64_t stamp() const { return totals_.tasks + 1; }
    // The AICPU scheduler of the tasks that are added from now on.
    void dispatch(int aicpu) { launch_.dispatch(aicpu); }
    int add(const char* kernel, uint64_t* args, int arg_count, int func_id, int core_type);
    // The same for more than 16 arguments: the 16th becomes the address of the task's argument block.
    int addWithBlock(const char* kernel, uint64_t* args, int arg_count, int func_id, int core_type);

   private:
    enum class Pass { plan, count, add };
    // Returned by add() when the rest of the tasks is not wanted; never leaves build().
    static constexpr int kEnough = 1;
    using Blocks = ArgumentBlocks<decltype(Runtime::host_api)>;
    using Launch = LaunchGraph<Runtime, kLimited>;

    bool tracks() const {
      return dependences_ == Dependences::dataflow || (kLimited && pass_ == Pass::plan);
    }
    // Whether tasks are only looked at, before any is added.
    bool looksAhead() const { return kLimited && pass_ != Pass::add; }
    bool spills(int tensor) const {
      if constexpr (kLimited) return planner_ && planner_->spills(tensor);
      return false;
    }
    bool fits() const {
      return expected_.totals.tasks <= static_cast<uint64_t>(limits_.tasks) &&
             expected_.max_fan_out <= limits_.fanout;
    }
    int64_t tensorPairs() const;
    uint64_t launchBytes() const;
    void planAccess(const Block& block, int64_t rows, int64_t cols, graph::Access access);
    int plan(graph::SegmentPlanner& planner);
    int buildLaunch(const uint64_t* args, int arg_count);
    bool crosses(int tensor, uint64_t position) const;
    int look(const graph::Predecessors& predecessors);
    int chooseSegment(const uint64_t* args, int arg_count);
    int run(Pass pass);
    int open(const uint64_t* args);
    int openTensor(int index, const uint64_t* pair, void* spill);
    int openLedger();
    int allocate(const char* what, uint64_t bytes, uint64_t* address);
    int copyIn(const char* what, void* host, uint64_t device, uint64_t bytes);
    int record(const char* what, void* host, uint64_t device, uint64_t bytes);
    int check(typename Blocks::Status status);
    int check(typename Launch::Status status, const char* kernel, uint64_t task);
    int checkRuntimeCounts();
    int checkTotals();

    Runtime* runtime_;
    const TensorInfo* tensors_;
    int tensor_count_;
    Expected expected_;
    Dependences dependences_;
    limits::LaunchLimits limits_;
    Blocks blocks_;
    Launch launch_;
    int (*add_tasks_)(Graph&) = nullptr;
    Pass pass_ = Pass::add;
    Tracker* tracker_ = nullptr;                   // of the pass
    graph::GraphTotals totals_ = {};               // of the pass
    graph::SegmentPlanner* planner_ = nullptr;     // null where the whole graph fits
    uint64_t first_ = 0, end_ = 0;                 // tasks of this launch
    uint64_t* device_ = nullptr;                   // device address of each tensor
    uint64_t* first_write_ = nullptr;              // of each tensor: its first writer + 1, 0: none yet
    uint64_t ledger_host_ = 0;                     // of the whole graph; 0 for none
    uint64_t slot_bytes_ = sizeof(uint64_t);       // of the ledger
    uint64_t ledger_ = 0;                          // of this launch, on the device
    int pairs_ = 0;                                // recorded with the runtime
  };

  inline int64_t Graph::tensorPairs() const {
    int64_t pairs = 0;
    for (int i = 0; i < tensor_count_; ++i)
      pairs += tensors_[i].role == Role::output || tensors_[i].role == Role::inout;
    return pairs + 1;  // the ledger
  }

  inline uint64_t bytesOf(const TensorInfo& tensor) {
    return static_cast<uint64_t>(tensor.rows * tensor.cols * tensor.element_size);
  }

  // Inputs go to the device in each launch, results go there and come back.
  inline uint64_t Graph::launchBytes() const {
    uint64_t bytes = 0;
    for (int i = 0; i < tensor_count_; ++i)
      bytes += tensors_[i].role == Role::temporary ? 0
               : tensors_[i].role == Role::input   ? bytesOf(tensors_[i])
                                                   : 2 * bytesOf(tensors_[i]);
    return bytes;
  }

  inline int Graph::build(const uint64_t* args, int arg_count, int (*add_tasks)(Graph&)) {
    add_tasks_ = add_tasks;
    end_ = expected_.totals.tasks;
    const size_t tensors = static_cast<size_t>(tensor_count_);
    device_ = static_cast<uint64_t*>(calloc(tensors, sizeof(uint64_t)));
    first_write_ = static_cast<uint64_t*>(calloc(tensors, sizeof(uint64_t)));
    if (!device_ || !first_write_)
      return fail(kErrorHostMemory, "%s: no memory for %lld tensors", "orchestration",
                  tensor_count_, 0);
    if constexpr (kLimited) {
      if (!fits()) {
        graph::SegmentPlanner planner(limits_, launchBytes(), tensorPairs());
        planner_ = &planner;
        if (int error = plan(planner)) return error;
        return buildLaunch(args, arg_count);
      }
    }
    return buildLaunch(args, arg_count);
  }

  inline int Graph::buildLaunch(const uint64_t* args, int arg_count) {
    if (int error = chooseSegment(args, arg_count)) return error;
    const int64_t tasks = static_cast<int64_t>(end_ - first_);
    if (kLimited && expected_.max_fan_out > limits_.fanout) {
      if (int error = check(launch_.expect(tasks), "all", 0)) return error;
      if (int error = run(Pass::count)) return error;
    }
    if (int error = check(launch_.open(tasks), "all", 0)) return error;
    if (int error = open(args)) return error;
    if (int error = run(Pass::add)) return error;
    if (int error = check(blocks_.flush())) return error;
    if (int error = checkRuntimeCounts()) return error;
    return totals_.tasks < expected_.totals.tasks ? 0 : checkTotals();
  }

  // Segments: where they begin and what has to be spilled between them.
  inline int Graph::plan(graph::SegmentPlanner& planner) {
    for (int i = 0; i < tensor_count_; ++i)
      planner.addTensor(tensors_[i].role == Role::temporary ? bytesOf(tensors_[i]) : 0);
    if (int error = run(Pass::plan)) return error;
    if (int error = checkTotals()) return error;
    planner.cut();
    switch (planner.status()) {
      case graph::PlanStatus::ok:
        return 0;
      case graph::PlanStatus::out_of_memory:
        return fail(kErrorHostMemory, "%s: no memory to cut %lld tasks into launches",
                    "orchestration", expected_.totals.tasks, 0);
      case graph::PlanStatus::too_many_pairs:
        break;
    }
    return fail(kErrorTooManyTensors,
                "%s: a launch would have to bring back more than the %lld tensors that the runtime "
                "records",
                "the graph", static_cast<uint64_t>(limits_.pairs), 0);
  }

  inline int Graph::chooseSegment(const uint64_t* args, int arg_count) {
    int pairs = 0, spilled = 0, segments = 1;
    for (int i = 0; i < tensor_count_; ++i) {
      pairs += tensors_[i].role != Role::temporary;
      spilled += spills(i);
    }
    if constexpr (kLimited) segments = planner_ ? planner_->segments() : 1;
    const int optional = arg_count - 2 * pairs;
    if (args && optional == 0 && segments > 1)
      return fail(kErrorTooManyTasks,
                  "%s: its %lld tasks take %lld launches of this runtime, each with a segment number",
                  "the whole graph was asked for", expected_.totals.tasks,
                  static_cast<uint64_t>(segments));
    if (!args || optional < 0 || (optional != 2 + spilled && (optional > 2 || spilled > 0)))
      return fail(kErrorArguments,
                  "%s got %lld arguments, expected %lld, segment, ledger, and its spill pointers",
                  "orchestration", arg_count, 2ull * pairs);
    if (optional > 0) {
      const uint64_t segment = args[2 * pairs];
      if (optional > 1) ledger_host_ = args[2 * pairs + 1] & ~kSpreadLedger;
      if (optional > 1 && (args[2 * pairs + 1] & kSpreadLedger)) slot_bytes_ = kCacheLine;
      if (segment >= static_cast<uint64_t>(segments))
        return fail(kErrorSegment, "%s has no segment %lld, it has %lld", "this graph", segment,
                    static_cast<uint64_t>(segments));
      if constexpr (kLimited) {
        if (planner_) {
          first_ = static_cast<uint64_t>(planner_->start(static_cast<int32_t>(segment)));
          end_ = static_cast<uint64_t>(planner_->start(static_cast<int32_t>(segment) + 1));
        }
      }
    }
    return 0;
  }

  // Calls the function that adds all tasks, with a tracker of its own.
  inline int Graph::run(Pass pass) {
    Tracker tracker;
    for (int i = 0; i < tensor_count_; ++i)
      tracker.addTensor(tensors_[i].rows, tensors_[i].cols, tensors_[i].written);
    pass_ = pass;
    tracker_ = &tracker;
    totals_ = {};
    int error = add_tasks_(*this);
    if (error == kEnough) error = 0;
    if (error == 0 && tracker.status() != graph::Status::ok) {
      fprintf(stderr, "ptowsp: inferring the edges failed: %s\n", graph::describe(tracker.status()));
      error = kErrorTracking;
    }
    tracker_ = nullptr;
    return error;
  }

  inline int Graph::open(const uint64_t* args) {
    int pair = 0, spill = 0, pairs = 0;
    for (int i = 0; i < tensor_count_; ++i) pairs += tensors_[i].role != Role::temporary;
    for (int i = 0; i < tensor_count_; ++i) {
      const bool temporary = tensors_[i].role == Role::temporary;
      const bool spilled = spills(i);
      void* host = spilled ? reinterpret_cast<void*>(args[2 * pairs + 2 + spill]) : nullptr;
      if (spilled && !host)
        return fail(kErrorArguments, "temporary %s: the spill pointer is null", tensors_[i].name, 0,
                    0);
      if (int error = openTensor(i, temporary ? nullptr : args + 2 * pair, host)) return error;
      pair += !temporary;
      spill += spilled;
    }
    return openLedger();
  }

  inline int Graph::allocate(const char* what, uint64_t bytes, uint64_t* address) {
    void* memory = runtime_->host_api.device_malloc(static_cast<size_t>(bytes));
    if (!memory)
      return fail(kErrorDeviceMemory, "%s: the device gave no memory for %lld bytes", what, bytes,
                  0);
    *address = reinterpret_cast<uint64_t>(memory);
    return 0;
  }

  inline int Graph::copyIn(const char* what, void* host, uint64_t device, uint64_t bytes) {
    if (runtime_->host_api.copy_to_device(reinterpret_cast<void*>(device), host,
                                          static_cast<size_t>(bytes)) == 0)
      return 0;
    return fail(kErrorCopy, "tensor %s: copying %lld bytes to the device failed", what, bytes, 0);
  }

  inline int Graph::record(const char* what, void* host, uint64_t device, uint64_t bytes) {
    runtime_->record_tensor_pair(host, reinterpret_cast<void*>(device), static_cast<size_t>(bytes));
    if (runtime_->get_tensor_pair_count() == ++pairs_) return 0;
    return fail(kErrorTooManyTensors, "tensor %s: the runtime records only %lld tensors to bring back", what,
                static_cast<uint64_t>(runtime_->get_tensor_pair_count()), 0);
  }

  // An output that an earlier segment wrote in part goes in again, and so does a temporary that
  // lives across the cut before this segment; one that lives across the cut behind it comes back.
  inline int Graph::openTensor(int index, const uint64_t* pair, void* spill) {
    const TensorInfo& tensor = tensors_[index];
    const uint64_t bytes = bytesOf(tensor);
    void* host = spill;
    bool in = spill && crosses(index, first_);
    bool out = spill && end_ < expected_.totals.tasks && crosses(index, end_);
    if (pair) {
      host = reinterpret_cast<void*>(pair[0]);
      if (!host)
        return fail(kErrorArguments, "tensor %s: the host pointer is null", tensor.name, 0, 0);
      if (pair[1] != bytes)
        return fail(kErrorArguments, "tensor %s: got %lld bytes, expected %lld", tensor.name,
                    pair[1], bytes);
      const bool written_before = first_write_[index] != 0 && first_write_[index] <= first_;
      in = tensor.role != Role::output || written_before;
      out = tensor.role != Role::input;
    }
    if (int error = allocate(tensor.name, bytes, &device_[index])) return error;
    if (in) {
      if (int error = copyIn(tensor.name, host, device_[index], bytes)) return error;
    }
    return out ? record(tensor.name, host, device_[index], bytes) : 0;
  }

  // Of this launch's tasks only.
  inline int Graph::openLedger() {
    if (ledger_host_ & kDeviceLedger) {
      ledger_ = (ledger_host_ & ~kDeviceLedger) + slot_bytes_ * first_;
      return 0;
    }
    const uint64_t bytes = slot_bytes_ * (end_ - first_);
    if (!ledger_host_ || bytes == 0) return 0;
    void* host = reinterpret_cast<void*>(ledger_host_ + slot_bytes_ * first_);
    if (int error = allocate("ledger", bytes, &ledger_)) return error;
    if (int error = copyIn("ledger", host, ledger_, bytes)) return error;
    return record("ledger", host, ledger_, bytes);
  }

  inline bool Graph::crosses(int tensor, uint64_t position) const {
    if constexpr (kLimited) return planner_->crosses(tensor, static_cast<int32_t>(position));
    return false;
  }

  // One function for all passes, so that the tracker's are compiled once.
  inline void Graph::planAccess(const Block& block, int64_t rows, int64_t cols,
                                graph::Access access) {
    const bool plans = pass_ == Pass::plan;
    if (plans && access != graph::Access::in && first_write_[block.tensor] == 0)
      first_write_[block.tensor] = totals_.tasks + 1;
    tracker_->access(block.tensor, block.row, block.col, rows, cols, access,
                     [&](int32_t earlier, bool wrote, const graph::Rect&) {
                       if (plans && wrote && access != graph::Access::out)
                         planner_->flow(block.tensor, earlier);
                     });
  }

  inline int Graph::addWithBlock(const char* kernel, uint64_t* args, int arg_count, int func_id,
                                 int core_type) {
    if (!looksAhead() && totals_.tasks >= first_ && totals_.tasks < end_) {
      if (int error = check(blocks_.pack(args, arg_count))) return error;
    }
    return add(kernel, args, limits::kArguments, func_id, core_type);
  }

  inline int Graph::add(const char* kernel, uint64_t* args, int arg_count, int func_id,
                        int core_type) {
    const uint64_t task = totals_.tasks;
    if (task == expected_.totals.tasks)
      return fail(kErrorTotals, "task of %s: the generator counted %lld tasks only", kernel, task, 0);
    if (kLimited && pass_ != Pass::plan && task == end_) return kEnough;
    const int32_t previous = static_cast<int32_t>(task) - 1;
    graph::Predecessors predecessors = {&previous, task > 0 ? 1 : 0};
    if (dependences_ == Dependences::dataflow) predecessors = tracker_->end();
    totals_.add(predecessors.tasks, predecessors.count);
    if (looksAhead()) return look(predecessors);
    if (kLimited && task < first_) return 0;
    if (int error = check(launch_.addTask(args, arg_count, func_id, core_type), kernel, task))
      return error;
    for (int32_t i = 0; i < predecessors.count; ++i) {
      // Those of earlier segments have run.
      const int64_t from = predecessors.tasks[i] - static_cast<int64_t>(first_);
      if (kLimited && from < 0) continue;
      if (int error = check(launch_.addEdgeFrom(from), kernel, task)) return error;
    }
    return 0;
  }

  // The task that was counted last, while segments are planned or successors counted.
  inline int Graph::look(const graph::Predecessors& predecessors) {
    if constexpr (kLimited) {
      if (pass_ == Pass::plan) {
        planner_->add(predecessors.tasks, predecessors.count);
        return 0;
      }
      for (int32_t i = 0; totals_.tasks > first_ && i < predecessors.count; ++i) {
        const int64_t from = predecessors.tasks[i] - static_cast<int64_t>(first_);
        if (from >= 0) launch_.expectEdge(from);
      }
    }
    return 0;
  }

  inline int Graph::check(typename Blocks::Status status) {
    switch (status) {
      case Blocks::Status::ok:
        return 0;
      case Blocks::Status::host_memory:
        return fail(kErrorHostMemory, "%s: no memory on the host", "argument blocks", 0, 0);
      case Blocks::Status::device_memory:
        return fail(kErrorDeviceMemory, "%s: the device gave no memory", "argument blocks", 0, 0);
      case Blocks::Status::copy:
        break;
    }
    return fail(kErrorCopy, "%s: copying them to the device failed", "argument blocks", 0, 0);
  }

  inline int Graph::check(typename Launch::Status status, const char* kernel, uint64_t task) {
    switch (status) {
      case Launch::Status::ok:
        return 0;
      case Launch::Status::host_memory:
        return fail(kErrorHostMemory, "%s: no memory for %lld tasks", "orchestration",
                    end_ - first_, 0);
      case Launch::Status::refused:
        return fail(kErrorAddTask,
                    "task of %s: the runtime refused task %lld, or gave it an id out of order",
                    kernel, task, 0);
      case Launch::Status::fanout:
        return fail(kErrorFanout,
                    "task of %s: task %lld waits for one with more successors than the %lld that "
                    "the runtime keeps",
                    kernel, task, static_cast<uint64_t>(limits_.fanout));
      case Launch::Status::no_relay:
        break;
    }
    return fail(kErrorRelay,
                "%s: tasks have more successors than the %lld that the runtime keeps, and the "
                "workload was emitted without a relay kernel",
                "the graph", static_cast<uint64_t>(limits_.fanout), 0);
  }

  // checkRuntimeCounts compares the runtime's own record with what was handed to it, since it can
  // drop a task or an edge without a word.
  inline int Graph::checkRuntimeCounts() {
    const uint64_t tasks = static_cast<uint64_t>(runtime_->get_task_count());
    const uint64_t added = static_cast<uint64_t>(launch_.held());
    if (tasks != added)
      return fail(kErrorTotals, "%s holds %lld tasks, %lld were added", "the runtime", tasks, added);
    if (static_cast<uint64_t>(launch_.tasks()) != end_ - first_)
      return fail(kErrorTotals, "%s got %lld tasks, expected %lld", "the launch",
                  static_cast<uint64_t>(launch_.tasks()), end_ - first_);
#ifdef PTOWSP_BUILTIN_RUNTIME
    const uint64_t edges = static_cast<uint64_t>(runtime_->edge_count());
    if (edges != static_cast<uint64_t>(launch_.edges()))
      return fail(kErrorTotals, "%s holds %lld edges, %lld were added", "the runtime", edges,
                  static_cast<uint64_t>(launch_.edges()));
#endif
    const int64_t wrong = launch_.wrongTask();
    if (wrong >= 0)
      return fail(kErrorTotals, "%s lost an edge of task %lld", "the runtime",
                  static_cast<uint64_t>(wrong), 0);
    return 0;
  }

  // Compares the whole graph with what the generator computed.
  inline int Graph::checkTotals() {
    const graph::GraphTotals& expected = expected_.totals;
    if (totals_.tasks != expected.tasks)
      return fail(kErrorTotals, "%s has %lld tasks, the generator counted %lld", "the graph",
                  totals_.tasks, expected.tasks);
    if (totals_.edges != expected.edges)
      return fail(kErrorTotals, "%s has %lld edges, the generator counted %lld", "the graph",
                  totals_.edges, expected.edges);
    if (totals_.edge_hash != expected.edge_hash)
      return fail(kErrorTotals, "%s has edge hash %llx, the generator computed %llx", "the graph",
                  totals_.edge_hash, expected.edge_hash);
    return 0;
  }

}  // namespace )
}  // namespace ptowsp
