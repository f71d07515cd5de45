// SPDX-License-Identifier: MIT
// Segmentation: how a graph runs on the pinned pto-runtime, which holds only so much in one launch. The
// emitted orchestration finds the same cuts with the same code, ptowsp/segments.h.
#pragma once

#include <cstdint>
#include <vector>

#include "generator/base/diagnostic.h"
#include "generator/verify/program.h"
#include "ptowsp/segments.h"

namespace ptowsp {

struct Segmentation {
  std::vector<int32_t> starts = {0};  // first task of each launch; one launch for most graphs
  std::vector<int> spills;            // temporaries that live across launches, in order
  bool relays = false;                // some task has more successors than a runtime keeps
  int64_t pairs = 0;                  // tensors that a launch brings back, the ledger among them
  bool fits = true;                   // false: no cut lets every launch bring back few enough tensors
};

// Rule too-many-tensors: a graph that no way of cutting makes fit. For workloads that are built for a
// runtime with the pinned limits.
void checkLimits(const Program& program, const Segmentation& segments, Diagnostics& diagnostics);

// Segmenter: follows the walk over all tasks.
class __attribute__((visibility("hidden"))) Segmenter {
 public:
  explicit Segmenter(const Program& program);

  // The current task reads what `earlier` wrote in that tensor.
  void flow(int tensor, int32_t earlier) { planner_.flow(tensor, earlier); }
  // Ends the current task.
  void add(const int32_t* predecessors, int32_t count) { planner_.add(predecessors, count); }

  // `max_fan_out` of the whole graph.
  Segmentation finish(int64_t max_fan_out);

 private:
  const Program& program_;
  int64_t pairs_;
  graph::SegmentPlanner planner_;
};

}  // namespace ptowsp
