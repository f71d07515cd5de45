// SPDX-License-Identifier: MIT
// Which task is number i, and how tasks and regions are called in messages. Nothing is stored for a
// task: it is found by dividing its number by the counts of the nodes above it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "generator/verify/program.h"
#include "ptowsp/task_graph.h"

namespace ptowsp {

// TaskLocation: a task's node and the values of the loop variables around it, outermost first.
struct TaskLocation {
  const Node* node = nullptr;
  std::vector<const Node*> loops;
  std::vector<int64_t> indices;
};

// Precondition: 0 <= task < program.taskCount(). In a connect node it takes time in proportion to
// the tasks before it.
TaskLocation locateTask(const Program& program, int64_t task);
// The statement of the task that is number `task` of those below a process, in program order.
const Node* locateInProcess(const Node& process, int64_t task);

// "softmax_rows[r=3]"; "diamond_top" where there is no loop around it; "attention[t=1] stage 2/3" of a
// kernel that was split by core.
std::string taskName(const Program& program, int64_t task);

int64_t evaluate(const Affine& affine, const std::vector<int64_t>& indices);

// The flat region that a view denotes at these loop indices.
graph::Rect regionOf(const Tensor& tensor, const TileView& view,
                     const std::vector<int64_t>& indices);

// "x[1, 8:16, 0:256]": a region as a subscript of the tensor. Of a region that reaches over several
// planes, the part in its first plane.
std::string regionText(const Tensor& tensor, const graph::Rect& region);

}  // namespace ptowsp
