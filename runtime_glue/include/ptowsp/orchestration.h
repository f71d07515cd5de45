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
#include "limits.h"
#include "task_graph.h"

#define PTOWSP_ORCHESTRATION_VERSION 1

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
    kErrorTooManyTasks = -103,    // the graph does not fit the runtime's task table
    kErrorTooManyTensors = -104,  // more tensors to bring back than the runtime records
    kErrorDeviceMemory = -105,    // device_malloc failed
    kErrorCopy = -106,            // copy_to_device failed
    kErrorAddTask = -107,         // add_task refused a task, or gave an id out of order
    kErrorFanout = -108,          // a task has more successors than the runtime keeps
    kErrorTotals = -109,          // tasks, edges or edge hash are not what the generator computed
    kErrorHostMemory = -110,      // malloc failed
    kErrorTracking = -111,        // the edges could not be inferred: no memory, or a bad region
  };

  // Set in the ledger's address: the device can use that memory itself, so that what has run is known
  // even when the graph is never finalized.
  constexpr uint64_t kDeviceLedger = 1;

  enum class Role { input, output, inout, temporary };
  enum class Dependences { dataflow, program_order };

  constexpr int kCoreAic = 0;
  constexpr int kCoreAiv = 1;

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

  inline int fail(int code, const char* format, const char* name, unsigned long long found,
                  unsigned long long expected) {
    fprintf(stderr, "ptowsp: ");
    fprintf(stderr, format, name, found, expected);
    fprintf(stderr, "\n");
    return code;
  }

  // Graph: one build of the task graph. Every function that can fail prints why and returns the
  // code that the orchestration returns at once.
  class Graph {
   public:
    template <int kTensors>
  Graph(Runtime* runtime, const TensorInfo (&tensors)[kTensors], graph::GraphTotals expected,
        Dependences dependences)
      : runtime_(runtime),
        tensors_(tensors),
        tensor_count_(kTensors),
        expected_(expected),
        dependences_(dependences),
        blocks_(runtime->host_api) {}
  ~Graph() {
      free(device_);
      free(fanin_);
      free(fanout_);
    }
    Graph(const Graph&) = delete;
    Graph& operator=(const Graph&) = delete;

    // Arguments: (host pointer, bytes) for each tensor that is not temporary, in the workload's
    // order; then, each optional, the segment number, the ledger on the host (a uint64_t for each
    // task, all zero; null for none), and a spill pointer for each temporary that lives across
    // segments (this graph has one segment, hence none).
    int open(const uint64_t* args, int arg_count);

    // One task: begin, access for each tile in the kernel's order, then add with its arguments.
    void begin() {
      if (dependences_ == Dependences::dataflow) tracker_.begin();
    }
    void access(const Block& block, int64_t rows, int64_t cols, graph::Access access) {
      if (dependences_ == Dependences::dataflow)
        tracker_.access(block.tensor, block.row, block.col, rows, cols, access);
    }
    uint64_t address(const Block& block) const {
      const TensorInfo& tensor = tensors_[block.tensor];
      return device_[block.tensor] +
             static_cast<uint64_t>((block.row * tensor.cols + block.col) * tensor.element_size);
    }
    uint64_t stride(const Block& block) const {
      return static_cast<uint64_t>(tensors_[block.tensor].cols);
    }
    uint64_t ledgerSlot() const { return ledger_ ? ledger_ + sizeof(uint64_t) * totals_.tasks : 0; }
    uint64_t stamp() const { return totals_.tasks + 1; }
    // Of more than 16 arguments the 16th becomes the address of the task's argument block.
    int add(const char* kernel, uint64_t* args, int arg_count, int func_id, int core_type);

    // Compares what was built with what the generator computed.
    int finish();

   private:
    int openTensor(int index, const uint64_t* pair);
    int openLedger(uint64_t host);
    int allocate(const char* what, uint64_t bytes, uint64_t* address);
    int addEdge(int from, int to);
    int checkRuntimeCounts();
    using Blocks = ArgumentBlocks<decltype(Runtime::host_api)>;
    int checkBlocks(Blocks::Status status);

    Runtime* runtime_;
    const TensorInfo* tensors_;
    int tensor_count_;
    graph::GraphTotals expected_;
    Dependences dependences_;
    graph::DependenceTracker tracker_;
    Blocks blocks_;
    graph::GraphTotals totals_ = {};
    uint64_t* device_ = nullptr;  // device address of each tensor
    uint64_t ledger_ = 0;         // device address of the ledger
    int pairs_ = 0;               // recorded with the runtime
    int* fanin_ = nullptr;        // of each task, as added; only where the runtime can drop an edge
    int* fanout_ = nullptr;
  };

  inline int Graph::open(const uint64_t* args, int arg_count) {
    int pairs = 0;
    for (int i = 0; i < tensor_count_; ++i) pairs += tensors_[i].role != Role::temporary;
    const int optional = arg_count - 2 * pairs;
    if (!args || optional < 0 || optional > 2)
      return fail(kErrorArguments, "%s got %lld arguments, expected %lld, segment and ledger",
                  "orchestration", arg_count, 2ull * pairs);
    if (optional > 0 && args[2 * pairs] != 0)
      return fail(kErrorSegment, "%s has no segment %lld, it has %lld", "this graph",
                  args[2 * pairs], 1);
#ifdef RUNTIME_MAX_TASKS
    if (expected_.tasks > RUNTIME_MAX_TASKS)
      return fail(kErrorTooManyTasks, "%s has %lld tasks, the runtime takes %lld in one launch",
                  "the graph", expected_.tasks, RUNTIME_MAX_TASKS);
#endif
#ifndef PTOWSP_BUILTIN_RUNTIME
    fanin_ = static_cast<int*>(calloc(expected_.tasks + 1, sizeof(int)));
    fanout_ = static_cast<int*>(calloc(expected_.tasks + 1, sizeof(int)));
    if (!fanin_ || !fanout_)
      return fail(kErrorHostMemory, "%s: no memory for %lld tasks", "orchestration",
                  expected_.tasks, 0);
#endif
    device_ = static_cast<uint64_t*>(calloc(static_cast<size_t>(tensor_count_), sizeof(uint64_t)));
    if (!device_)
      return fail(kErrorHostMemory, "%s: no memory for %lld tensors", "orchestration",
                  tensor_count_, 0);

    int pair = 0;
    for (int i = 0; i < tensor_count_; ++i) {
      const bool temporary = tensors_[i].role == Role::temporary;
      if (int error = openTensor(i, temporary ? nullptr : args + 2 * pair)) return error;
      pair += !temporary;
    }
    return optional == 2 ? openLedger(args[2 * pairs + 1]) : 0;
  }

  inline int Graph::allocate(const char* what, uint64_t bytes, uint64_t* address) {
    void* memory = runtime_->host_api.device_malloc(static_cast<size_t>(bytes));
    if (!memory)
      return fail(kErrorDeviceMemory, "%s: the device gave no memory for %lld bytes", what, bytes,
                  0);
    *address = reinterpret_cast<uint64_t>(memory);
    return 0;
  }

  inline int Graph::openTensor(int index, const uint64_t* pair) {
    const TensorInfo& tensor = tensors_[index];
    const uint64_t bytes = static_cast<uint64_t>(tensor.rows * tensor.cols * tensor.element_size);
    void* host = nullptr;
    if (pair) {
      host = reinterpret_cast<void*>(pair[0]);
      if (!host)
        return fail(kErrorArguments, "tensor %s: the host pointer is null", tensor.name, 0, 0);
      if (pair[1] != bytes)
        return fail(kErrorArguments, "tensor %s: got %lld bytes, expected %lld", tensor.name,
                    pair[1], bytes);
    }
    if (int error = allocate(tensor.name, bytes, &device_[index])) return error;
    void* device = reinterpret_cast<void*>(device_[index]);
    if ((tensor.role == Role::input || tensor.role == Role::inout) &&
        runtime_->host_api.copy_to_device(device, host, static_cast<size_t>(bytes)) != 0)
      return fail(kErrorCopy, "tensor %s: copying %lld bytes to the device failed", tensor.name,
                  bytes, 0);
    if (tensor.role == Role::output || tensor.role == Role::inout) {
      runtime_->record_tensor_pair(host, device, static_cast<size_t>(bytes));
      if (runtime_->get_tensor_pair_count() != ++pairs_)
        return fail(kErrorTooManyTensors,
                    "tensor %s: the runtime records only %lld tensors to bring back", tensor.name,
                    static_cast<uint64_t>(runtime_->get_tensor_pair_count()), 0);
    }
    tracker_.addTensor(tensor.rows, tensor.cols, tensor.written);
    return 0;
  }

  inline int Graph::openLedger(uint64_t host) {
    if (!host) return 0;
    if (host & kDeviceLedger) {
      ledger_ = host & ~kDeviceLedger;
      return 0;
    }
    const uint64_t bytes = sizeof(uint64_t) * expected_.tasks;
    if (bytes == 0) return 0;
    if (int error = allocate("ledger", bytes, &ledger_)) return error;
    void* device = reinterpret_cast<void*>(ledger_);
    void* memory = reinterpret_cast<void*>(host);
    if (runtime_->host_api.copy_to_device(device, memory, static_cast<size_t>(bytes)) != 0)
      return fail(kErrorCopy, "%s: copying %lld bytes to the device failed", "ledger", bytes, 0);
    runtime_->record_tensor_pair(memory, device, static_cast<size_t>(bytes));
    if (runtime_->get_tensor_pair_count() != ++pairs_)
      return fail(kErrorTooManyTensors, "%s: the runtime records only %lld tensors to bring back",
                  "ledger", static_cast<uint64_t>(runtime_->get_tensor_pair_count()), 0);
    return 0;
  }

  inline int Graph::addEdge(int from, int to) {
#ifdef RUNTIME_MAX_FANOUT
    if (fanout_[from] == RUNTIME_MAX_FANOUT)
      return fail(kErrorFanout, "%s %lld has more successors than the %lld the runtime keeps",
                  "task", static_cast<uint64_t>(from), RUNTIME_MAX_FANOUT);
#endif
#ifndef PTOWSP_BUILTIN_RUNTIME
    ++fanout_[from];
    ++fanin_[to];
#endif
    runtime_->add_successor(from, to);
    return 0;
  }

  inline int Graph::add(const char* kernel, uint64_t* args, int arg_count, int func_id,
                        int core_type) {
    const int task = static_cast<int>(totals_.tasks);
    if (totals_.tasks == expected_.tasks)
      return fail(kErrorTotals, "task of %s: the generator counted %lld tasks only", kernel,
                  expected_.tasks, 0);
    if (arg_count > limits::kArguments) {
      if (int error = checkBlocks(blocks_.pack(args, arg_count))) return error;
      arg_count = limits::kArguments;
    }
    const int id = runtime_->add_task(args, arg_count, func_id, core_type);
    if (id != task)
      return fail(kErrorAddTask, "task of %s: the runtime gave task id %lld, expected %lld", kernel,
                  static_cast<unsigned long long>(id), totals_.tasks);
    const int32_t previous = task - 1;
    graph::Predecessors predecessors = {&previous, task > 0 ? 1 : 0};
    if (dependences_ == Dependences::dataflow) predecessors = tracker_.end();
    for (int32_t i = 0; i < predecessors.count; ++i)
      if (int error = addEdge(predecessors.tasks[i], task)) return error;
    totals_.add(predecessors.tasks, predecessors.count);
    return 0;
  }

  inline int Graph::checkBlocks(Blocks::Status status) {
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

  // checkRuntimeCounts compares the runtime's own record with what was handed to it, since it can
  // drop a task or an edge without a word.
  inline int Graph::checkRuntimeCounts() {
    const uint64_t tasks = static_cast<uint64_t>(runtime_->get_task_count());
    if (tasks != totals_.tasks)
      return fail(kErrorTotals, "%s holds %lld tasks, %lld were added", "the runtime", tasks,
                  totals_.tasks);
#ifdef PTOWSP_BUILTIN_RUNTIME
    const uint64_t edges = static_cast<uint64_t>(runtime_->edge_count());
    if (edges != totals_.edges)
      return fail(kErrorTotals, "%s holds %lld edges, %lld were added", "the runtime", edges,
                  totals_.edges);
#else
    for (int i = 0; i < static_cast<int>(tasks); ++i) {
      const auto* task = runtime_->get_task(i);
      if (!task || task->fanin != fanin_[i] || task->fanout_count != fanout_[i])
        return fail(kErrorTotals, "%s lost an edge of task %lld", "the runtime",
                    static_cast<uint64_t>(i), 0);
    }
#endif
    return 0;
  }

  inline int Graph::finish() {
    if (tracker_.status() != graph::Status::ok) {
      fprintf(stderr, "ptowsp: inferring the edges failed: %s\n",
              graph::describe(tracker_.status()));
      return kErrorTracking;
    }
    if (int error = checkBlocks(blocks_.flush())) return error;
    if (int error = checkRuntimeCounts()) return error;
    if (totals_.tasks != expected_.tasks)
      return fail(kErrorTotals, "%s has %lld tasks, the generator counted %lld", "the graph",
                  totals_.tasks, expected_.tasks);
    if (totals_.edges != expected_.edges)
      return fail(kErrorTotals, "%s has %lld edges, the generator counted %lld", "the graph",
                  totals_.edges, expected_.edges);
    if (totals_.edge_hash != expected_.edge_hash)
      return fail(kErrorTotals, "%s has edge hash %llx, the generator computed %llx", "the graph",
                  totals_.edge_hash, expected_.edge_hash);
    return 0;
  }

}  // namespace )
}  // namespace ptowsp
