// SPDX-License-Identifier: MIT
// Inspection: what an orchestration does while it builds a graph on the built-in runtime: where
// each tensor lies on the device, and, on request, every task with its arguments and successors.
// Built on nothing but class Runtime: the orchestration runs inside a function of ours, which
// stands between it and host_api.
#pragma once

#include <cstdint>
#include <vector>

#include "ptowsp/manifest.h"
#include "runtime_glue/glue/executable.h"
#include "runtime_glue/glue/runtime_library.h"
#include "runtime_glue/glue/task_observer.h"

struct Task;  // of the built-in runtime's runtime.h

namespace ptowsp::glue {

// The runtime.h that this program was compiled with.
uint32_t inspectableRuntimeVersion();

// Allocation: device memory, and the host array that it was filled from or will be brought back to;
// null for temporaries.
struct Allocation {
  uint64_t address = 0, bytes = 0;
  const void* host = nullptr;
};

// TilePlace: the word that holds a tile's address among a task's arguments, and the tensor (its index in
// the manifest) that the tile is a part of.
struct TilePlace {
  uint64_t* word;
  size_t tensor;
};

// TileRegion: the device memory of one tile argument.
struct TileRegion {
  TileAccess access = TileAccess::in;
  uint64_t address = 0;
  int64_t rows = 0, row_bytes = 0, stride_bytes = 0;

  bool covers(uint64_t byte) const;
};

// TaskGraph: tasks and edges as the orchestration handed them to the runtime.
class TaskGraph {
 public:
  int64_t tasks() const { return static_cast<int64_t>(func_ids.size()); }
  const uint64_t* argsOf(int64_t task) const { return args.data() + first_arg[task]; }
  uint64_t argCount(int64_t task) const { return first_arg[task + 1] - first_arg[task]; }
  // Tiles of a task, empty when its kernel or argument count is not the manifest's.
  std::vector<TileRegion> regionsOf(const Manifest& manifest, int64_t task) const;
  // 1 for the task and everything it waits for, directly or not.
  std::vector<uint8_t> withPredecessors(int64_t task) const;

  std::vector<int32_t> func_ids;
  // Of task t: [first_arg[t], first_arg[t + 1]). What lies in an argument block follows the 16
  // arguments of its task, the last of which is the block's address.
  std::vector<uint64_t> first_arg, args;
  std::vector<uint64_t> first_successor;  // likewise
  std::vector<int32_t> successors;
};

class Inspection {
 public:
  // What to look at besides allocations. `only`: run just that task and what it waits for; the
  // other tasks become empty calls. With `only` or an observer every func_id has to be registered as
  // indirectKernel().
  struct Request {
    bool graph = false;
    int64_t only = -1;
    TaskObserver* observer = nullptr;
    const std::vector<KernelFunction>* kernels = nullptr;  // with `only` or an observer
    const Manifest* manifest = nullptr;                    // with these or `graph`

    bool isIndirect() const { return only >= 0 || observer; }
    // Device memory that tensors have already, in the workload's order; 0 for those that the orchestration
    // allocates. What it would copy there, or have brought back, is the caller's to copy.
    const std::vector<uint64_t>* tensors = nullptr;
    int relay = -1;  // func_id of the relay kernel, in a launch that may have relays
  };

  // init_function of the built-in runtime, observed. Allocates nothing after the first of like
  // calls.
  int build(const SimApi& sim, void* runtime, OrchestrationFunction function, uint64_t* args,
            int arg_count, const Request& request);

  const std::vector<Allocation>& allocations() const { return allocations_; }
  // The allocation whose bytes or guards hold `address`, within `slack` bytes; null when none does.
  const Allocation* allocationAt(uint64_t address, uint64_t slack = 0) const;
  const TaskGraph& graph() const { return graph_; }
  // Of the runtime's task `id`, its number among those of the launch that are no relays, or -1.
  int64_t numberOf(int64_t id) const {
    return request_.relay < 0 ? id : id < static_cast<int64_t>(numbers_.size()) ? numbers_[id] : -1;
  }
  // Of an indirect run: 1 for each task that runs.
  const std::vector<uint8_t>& selected() const { return selected_; }

  static KernelFunction indirectKernel();

  // The places of all tiles of tensors that Request::tensors had memory for, by tensor. Of the graph that
  // was built last, as long as it is there.
  std::vector<TilePlace> tilePlaces(void* runtime) const;
  // Tensor `index`, one of those, has other memory now.
  void move(size_t index, uint64_t address) { allocations_[index].address = address; }

 private:
  // Call: stands in the place of a task's first argument in an indirect run.
  struct Call {
    KernelFunction kernel = nullptr;  // null: not selected
    int64_t* args = nullptr;
    TaskObserver* observer = nullptr;
    int64_t task = 0;
  };
  struct Hooks;
  static int observed(void* runtime, uint64_t* args, int arg_count);
  void snapshot(void* runtime);
  void numberTasks(void* runtime);
  void appendBlock(const ::Task& task);
  uint64_t* blockOf(const ::Task& task) const;
  void substitute(void* runtime);

  OrchestrationFunction function_ = nullptr;
  Request request_;
  std::vector<Allocation> allocations_;
  TaskGraph graph_;
  std::vector<uint8_t> selected_;
  std::vector<int64_t> numbers_;
  std::vector<Call> calls_;
};

}  // namespace ptowsp::glue
