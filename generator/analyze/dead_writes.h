// SPDX-License-Identifier: MIT
// DeadWriteCheck: a task whose written elements are all overwritten before any task reads one of
// them. Sees the conflicts that dependence inference meets; eight bytes for each task. A warning,
// as the result is right all the same.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "generator/analyze/walk.h"
#include "generator/base/diagnostic.h"
#include "generator/verify/program.h"
#include "ptowsp/task_graph.h"

namespace ptowsp {

class DeadWriteCheck {
 public:
  explicit DeadWriteCheck(const Program& program)
      : program_(program), live_(static_cast<size_t>(program.taskCount())) {}

  // The next task, before its conflicts.
  void task(int32_t task, std::span<const ViewAt> views) {
    int64_t area = 0;
    for (const ViewAt& view : views)
      if (view.access != Access::in) area += view.rows * view.cols;
    live_[static_cast<size_t>(task)] = area;
  }
  // The current task touches through this view what an earlier one wrote last, in `region`;
  // `exact`: no element is in two such regions of one write.
  void conflict(int32_t earlier, const Statement& statement, int32_t task, int view,
                const ViewAt& at, const graph::Rect& region, bool exact) {
    int64_t& live = live_[static_cast<size_t>(earlier)];
    if (live == kRead) return;
    if (at.access != Access::out || !exact) {
      live = kRead;
      return;
    }
    live -= int64_t{region.row1 - region.row0} * (region.col1 - region.col0);
    if (live == 0) remember(earlier, statement, task, view);
  }
  void report(Diagnostics& diagnostics) const;

 private:
  static constexpr int64_t kRead = INT64_MIN;

  struct Dead {
    const Node* statement;  // of the task that overwrote the last of it
    int view;
    int32_t earlier, task;
    int64_t more = 0;  // further tasks overwritten by this statement through this view
  };

  void remember(int32_t earlier, const Statement& statement, int32_t task, int view);
  const TileView& writtenView(const Node& task, int tensor) const;

  const Program& program_;
  std::vector<int64_t> live_;  // of each task: elements written and not overwritten, or kRead
  std::vector<Dead> dead_;
};

}  // namespace ptowsp
