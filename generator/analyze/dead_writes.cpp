// SPDX-License-Identifier: MIT
#include "generator/analyze/dead_writes.h"

#include <fmt/format.h>

#include <algorithm>

#include "generator/analyze/naming.h"

namespace ptowsp {

void DeadWriteCheck::remember(int32_t earlier, const Statement& statement, int32_t task, int view) {
  const auto known = std::ranges::find_if(dead_, [&](const Dead& dead) {
    return dead.statement == statement.node && dead.view == view;
  });
  if (known != dead_.end()) {
    ++known->more;
  } else {
    dead_.push_back({statement.node, view, earlier, task});
  }
}

void DeadWriteCheck::report(Diagnostics& diagnostics) const {
  for (const Dead& dead : dead_) {
    const TaskLocation earlier = locateTask(program_, dead.earlier);
    const TaskLocation later = locateTask(program_, dead.task);
    const TileView& over = dead.statement->views[static_cast<size_t>(dead.view)];
    const Tensor& tensor = program_.tensors[static_cast<size_t>(over.tensor)];
    const TileView& written = writtenView(*earlier.node, over.tensor);
    const graph::Rect region = regionOf(tensor, written, earlier.indices);
    const graph::Rect last = regionOf(tensor, over, later.indices);
    const bool whole = last.row0 <= region.row0 && last.row1 >= region.row1 &&
                       last.col0 <= region.col0 && last.col1 >= region.col1;
    std::string message =
        fmt::format("what task {} writes, {}, is overwritten{}by task {}{}before any task reads it",
                    taskName(program_, dead.earlier), regionText(tensor, region),
                    whole ? " " : ", last ", taskName(program_, dead.task), whole ? " " : ", ");
    if (dead.more == 1) message += " (1 more task is overwritten there)";
    if (dead.more > 1) message += fmt::format(" ({} more tasks are overwritten there)", dead.more);
    Diagnostic& diagnostic = diagnostics.warning("dead-write", written.place, std::move(message),
                                                 "remove the task, or read what it writes");
    diagnostic.related.push_back({over.place, "it is overwritten here"});
  }
}

// The first view of the tensor through which the task writes.
const TileView& DeadWriteCheck::writtenView(const Node& task, int tensor) const {
  const Kernel& kernel = program_.kernels[static_cast<size_t>(task.kernel)];
  size_t v = 0;
  while (kernel.tiles[v].access == Access::in || task.views[v].tensor != tensor) ++v;
  return task.views[v];
}

}  // namespace ptowsp
