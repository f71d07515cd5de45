#include "generator/analyze/dead_writes.h"

#include <fmt/format.h>

#include <algorithm>

#include "generator/analyze/naming.h"

namespace ptowsp {

void DeadWriteCheck::remember(int32_t earlier, const Statement& statement, int32_t task,
                              int view) {
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
    const TileView& over = dead.statement->views[static_cast<size_t>(dead.view)];
    // The tile of the earlier task that was overwritten last.
    const Kernel& kernel = program_.kernels[static_cast<size_t>(earlier.node->kernel)];
    const TileView* written = nullptr;
    for (size_t v = 0; v < earlier.node->views.size(); ++v) {
      const TileView& candidate = earlier.node->views[v];
      if (kernel.tiles[v].access == Access::in || candidate.tensor != over.tensor) continue;
      written = &candidate;
      break;
    }
    const Tensor& tensor = program_.tensors[static_cast<size_t>(over.tensor)];
    std::string message = fmt::format(
        "what task {} writes, {}, is overwritten by task {} before any task reads it",
        taskName(program_, dead.earlier),
        regionText(tensor, regionOf(tensor, *written, earlier.indices)),
        taskName(program_, dead.task));
    if (dead.more > 0) message += fmt::format(" ({} more tasks are overwritten there)", dead.more);
    Diagnostic& diagnostic = diagnostics.warning("dead-write", written->place, std::move(message),
                                                 "remove the task, or read what it writes");
    diagnostic.related.push_back({over.place, "it is overwritten here"});
  }
}

}  // namespace ptowsp
