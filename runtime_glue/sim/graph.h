// SPDX-License-Identifier: MIT
// Graph: the tasks and edges of one orchestration. Built through flat arrays that only grow (class
// Runtime writes them), then sealed into immutable successor lists. A run keeps its own counters.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "runtime_glue/sim/block.h"
#include "runtime_glue/sim/error.h"
#include "runtime_glue/sim/include/runtime.h"

namespace ptowsp::sim {

using ptowsp_sim::Edge;
using ptowsp_sim::TaskRecord;

inline int coreTypeOf(const TaskRecord& task) {
  return static_cast<int>(task.num_args_and_core & 1u);
}
inline int argumentCountOf(const TaskRecord& task) {
  return static_cast<int>(task.num_args_and_core >> 1);
}

// KernelUse: one func_id on one core type, and the first task that uses it so.
struct KernelUse {
  int func_id;
  int core_type;
  int first_task;
};

// Schedule: the directives of one graph.
struct Schedule {
  int aicpus = 0;  // 0: no dispatch policy
  bool work_steal = false;
  int window = 0;  // tasks; 0: none
  ptowsp_sim::WindowMode window_mode = ptowsp_sim::kWindowStall;
};

class Graph {
 public:
  // The growable arrays; only their first tasks / arguments / edges entries mean something.
  Array<TaskRecord> task_records;
  Array<uint64_t> arguments;
  Array<Edge> edge_list;
  Array<uint8_t> task_aicpus;  // the scheduler of each task, with a dispatch policy
  Schedule schedule;

  // Rebuilds the successor lists for the first `tasks` tasks and `edges` edges, unless that was
  // already done for these numbers. Fails when out of memory.
  Error seal(int tasks, size_t edges);
  // Forgets tasks and edges and keeps the memory for the next graph.
  void clear();
  size_t bytes() const;

  // All below: of the sealed graph.
  int tasks() const { return tasks_; }
  int64_t edges() const { return static_cast<int64_t>(edges_); }
  const TaskRecord& task(int id) const { return task_records[static_cast<size_t>(id)]; }
  int64_t* argumentsOf(const TaskRecord& task) const {
    return reinterpret_cast<int64_t*>(arguments.data() + task.first_argument);
  }
  const uint32_t* offsets() const { return offsets_.data(); }
  const int32_t* successors() const { return successors_.data(); }
  const int32_t* fanin() const { return fanin_.data(); }
  // Tasks without predecessors, ascending.
  const std::vector<int32_t>& roots() const { return roots_; }
  const std::vector<KernelUse>& kernelUses() const { return kernel_uses_; }

  // The tasks on one cycle, in order; empty when there is none. Free when every edge leads to a
  // later task, as it does in graphs that were added in an order in which they could run, and when it
  // was asked before.
  std::vector<int32_t> findCycle();
  // Length of a longest path of an acyclic graph, each task weighing weights[task]; the number of tasks
  // on it, which is computed once.
  uint64_t criticalPath(const uint64_t* weights) const;
  uint64_t criticalPath();
  // The smallest task window with which the graph can run: one that reaches from each task to the
  // newest of those that it waits for. 1 when every edge leads to a later task. Computed once.
  int smallestWindow();
  // Views for Runtime::get_task(), nullptr when out of memory.
  Task* views();

 private:
  std::vector<int32_t> topologicalOrder() const;

  bool sealed_ = false;
  int tasks_ = 0;
  size_t edges_ = 0;
  // Of the sealed graph, once they were asked for; a launch asks, and a graph may be launched again.
  bool is_acyclic_ = false;
  int smallest_window_ = 0;      // 0: not computed
  uint64_t critical_path_ = 0;   // likewise
  Array<uint32_t> offsets_;
  Array<int32_t> successors_;
  Array<int32_t> fanin_;
  std::vector<int32_t> roots_;
  std::vector<KernelUse> kernel_uses_;
  std::unique_ptr<Task[]> views_;
};

}  // namespace ptowsp::sim
