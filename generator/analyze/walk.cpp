// SPDX-License-Identifier: MIT
#include "generator/analyze/walk.h"

namespace ptowsp {

Walk::Walk(const Program& program) : program_(&program) {
  add(program, program.root);
  // A loop moves every view below it; the coefficients lie in the views, the loop's depth picks
  // one.
  std::vector<int> depth_of_item(items_.size(), 0);
  for (size_t i = 0; i < items_.size(); ++i) {
    Item& item = items_[i];
    const bool loop = item.node->kind == Node::Kind::loop;
    for (int child = static_cast<int>(i) + 1; child < item.end;
         child = items_[static_cast<size_t>(child)].end) {
      depth_of_item[static_cast<size_t>(child)] = depth_of_item[i] + (loop ? 1 : 0);
    }
    if (!loop) continue;
    item.first_delta = static_cast<int>(deltas_.size());
    const size_t depth = static_cast<size_t>(depth_of_item[i]);
    for (int below = static_cast<int>(i) + 1; below < item.end; ++below) {
      const Node& node = *items_[static_cast<size_t>(below)].node;
      for (const TileView& view : node.views) {
        const Tensor& tensor = program.tensors[static_cast<size_t>(view.tensor)];
        deltas_.push_back(
            {view.plane.coefficients[depth] * tensor.rows + view.row.coefficients[depth],
             view.col.coefficients[depth]});
      }
    }
  }
}

void Walk::add(const Program& program, const Node& node) {
  const size_t index = items_.size();
  items_.push_back(
      {&node, 0, static_cast<int>(statements_.size()), static_cast<int>(views_.size()), 0, 0});
  if (node.kind == Node::Kind::task) {
    statements_.push_back(
        {static_cast<int>(statements_.size()), &node, static_cast<int>(views_.size())});
    const Kernel& kernel = program.kernels[static_cast<size_t>(node.kernel)];
    for (size_t v = 0; v < node.views.size(); ++v) {
      const TileView& view = node.views[v];
      const Tensor& tensor = program.tensors[static_cast<size_t>(view.tensor)];
      views_.push_back({view.tensor, kernel.tiles[v].access,
                        view.plane.constant * tensor.rows + view.row.constant, view.col.constant,
                        view.rows, view.cols});
    }
  }
  for (const Node& child : node.body) add(program, child);
  items_[index].end = static_cast<int>(items_.size());
  items_[index].end_view = static_cast<int>(views_.size());
}

}  // namespace ptowsp
