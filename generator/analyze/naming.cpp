// SPDX-License-Identifier: MIT
#include "generator/analyze/naming.h"

#include <fmt/format.h>

#include <algorithm>

namespace ptowsp {

namespace {

// Calls enter(loop, iteration) for each loop on the way to the task.
template <class Enter>
const Node* descend(const Node* node, int64_t task, Enter&& enter) {
  while (node->kind != Node::Kind::task) {
    if (node->kind == Node::Kind::loop) {
      const int64_t per_iteration = node->tasks / node->extent;
      enter(*node, task / per_iteration);
      task %= per_iteration;
    }
    if (node->kind == Node::Kind::connect) {
      const auto at = node->order.begin() + task;
      task = std::count(node->order.begin(), at, *at);
      node = &node->body[static_cast<size_t>(*at)];
      continue;
    }
    const Node* child = node->body.data();
    while (task >= child->tasks) {
      task -= child->tasks;
      ++child;
    }
    node = child;
  }
  return node;
}

}  // namespace

TaskLocation locateTask(const Program& program, int64_t task) {
  TaskLocation location;
  location.node = descend(&program.root, task, [&](const Node& loop, int64_t index) {
    location.loops.push_back(&loop);
    location.indices.push_back(index);
  });
  return location;
}

const Node* locateInProcess(const Node& process, int64_t task) {
  return descend(&process, task, [](const Node&, int64_t) {});
}

std::string taskName(const Program& program, int64_t task) {
  const TaskLocation location = locateTask(program, task);
  const Kernel& kernel = program.kernels[static_cast<size_t>(location.node->kernel)];
  std::string name = kernel.userName();
  for (size_t i = 0; i < location.loops.size(); ++i) {
    name += fmt::format("{}{}={}", i == 0 ? "[" : ", ", location.loops[i]->variable,
                        location.indices[i]);
  }
  if (!location.loops.empty()) name += "]";
  if (kernel.stages > 1) name += fmt::format(" stage {}/{}", kernel.stage + 1, kernel.stages);
  return name;
}

int64_t evaluate(const Affine& affine, const std::vector<int64_t>& indices) {
  int64_t value = affine.constant;
  for (size_t d = 0; d < affine.coefficients.size(); ++d)
    value += affine.coefficients[d] * indices[d];
  return value;
}

graph::Rect regionOf(const Tensor& tensor, const TileView& view,
                     const std::vector<int64_t>& indices) {
  const int64_t row = evaluate(view.plane, indices) * tensor.rows + evaluate(view.row, indices);
  const int64_t col = evaluate(view.col, indices);
  return {static_cast<int32_t>(row), static_cast<int32_t>(col),
          static_cast<int32_t>(row + view.rows), static_cast<int32_t>(col + view.cols)};
}

std::string regionText(const Tensor& tensor, const graph::Rect& region) {
  const std::vector<int64_t>& shape = tensor.declaration.shape;
  int64_t plane = region.row0 / tensor.rows;
  const int64_t row = region.row0 % tensor.rows;
  const int64_t row_end = std::min<int64_t>(row + (region.row1 - region.row0), tensor.rows);
  std::string subscripts = fmt::format("{}:{}", region.col0, region.col1);
  if (shape.size() >= 2) subscripts = fmt::format("{}:{}, {}", row, row_end, subscripts);
  for (size_t d = shape.size(); d-- > 2;) {
    const int64_t extent = shape[d - 2];
    subscripts = fmt::format("{}, {}", plane % extent, subscripts);
    plane /= extent;
  }
  return fmt::format("{}[{}]", tensor.declaration.name, subscripts);
}

}  // namespace ptowsp
