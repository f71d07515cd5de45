// SPDX-License-Identifier: MIT
#include "generator/analyze/split_cores.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include "generator/analyze/split_kernel.h"
#include "generator/base/checked.h"
#include "generator/verify/names.h"
#include "generator/verify/network.h"

namespace ptowsp {
namespace {

constexpr int64_t kMost = std::numeric_limits<int32_t>::max();

// Nothing beyond 2^31 - 1.
std::optional<int64_t> product(int64_t a, int64_t b) {
  const std::optional<int64_t> value = checkedMul(a, b);
  return value && *value <= kMost ? value : std::nullopt;
}

class Splitter {
 public:
  Splitter(const Program& program, Diagnostics& diagnostics)
      : source_(program), diagnostics_(diagnostics) {
    result_.name = program.name;
    result_.tensors = program.tensors;
    result_.schedule = program.schedule;
    result_.channels = program.channels;
    for (const Tensor& tensor : program.tensors) names_.insert(tensor.declaration.name);
    for (const Kernel& kernel : program.kernels) names_.insert(kernel.name);
    collectVariables(program.root);
  }

  std::optional<Program> split() {
    for (const Kernel& kernel : source_.kernels) addKernel(kernel);
    result_.root = node(source_.root);
    if (!good_) return std::nullopt;
    // Tasks have become several, which stand in one turn of their process.
    if (result_.taskCount() != source_.taskCount()) orderProcesses(result_, diagnostics_);
    return std::move(result_);
  }

 private:
  void collectVariables(const Node& node) {
    if (node.kind == Node::Kind::loop) names_.insert(node.variable);
    for (const Node& child : node.body) collectVariables(child);
  }

  // A name that nothing has and that emitted code can have.
  std::string unused(std::string name, NameUse use) {
    while (names_.contains(name) || !problemOfName(name, use).empty()) name += name.ends_with('_') ? 'x' : '_';
    names_.insert(name);
    return name;
  }

  void addKernel(const Kernel& kernel) {
    first_.push_back(static_cast<int>(result_.kernels.size()));
    splits_.push_back(splitKernel(kernel));
    std::vector<Stage>& stages = splits_.back().stages;
    for (size_t i = 0; i < stages.size(); ++i) {
      if (stages.size() > 1)
        stages[i].kernel.name = unused(fmt::format("{}_s{}", kernel.name, i), NameUse::kernel);
      result_.kernels.push_back(std::move(stages[i].kernel));
    }
  }

  Node node(const Node& source) {
    if (source.kind == Node::Kind::task) return task(source);
    Node copy;
    copy.kind = source.kind;
    copy.place = source.place;
    copy.variable = source.variable;
    copy.extent = source.extent;
    copy.parallel = source.parallel;
    copy.name = source.name;
    copy.channel = source.channel;
    copy.order = source.order;
    const bool loop = source.kind == Node::Kind::loop;
    if (loop) extents_.push_back(source.extent);
    for (const Node& child : source.body) {
      copy.body.push_back(node(child));
      count(copy, checkedAdd(copy.tasks, copy.body.back().tasks));
    }
    if (loop) {
      extents_.pop_back();
      count(copy, checkedMul(copy.tasks, source.extent));
    }
    return copy;
  }

  void count(Node& node, std::optional<int64_t> tasks) {
    if (tasks && *tasks <= kMost) {
      node.tasks = *tasks;
      return;
    }
    if (good_)
      diagnostics_.error("too-many-tasks", node.place,
                         fmt::format("there are more than {} tasks up to here, each stage of a "
                                     "kernel that is split by core being one",
                                     kMost),
                         "use larger tiles");
    good_ = false;
    node.tasks = 0;
  }

  Node task(const Node& source) {
    const auto kernel = static_cast<size_t>(source.kernel);
    const KernelSplit& split = splits_[kernel];
    std::vector<TileView> views = source.views;
    for (const Crossing& crossing : split.crossings)
      views.push_back(temporary(source_.kernels[kernel], crossing, source));
    std::vector<Node> tasks;
    for (size_t i = 0; i < split.stages.size(); ++i) {
      const Stage& stage = split.stages[i];
      Node task;
      task.place = source.place;
      task.tasks = 1;
      task.key = source.key;
      task.same_turn = i > 0;
      task.kernel = first_[kernel] + static_cast<int>(i);
      for (const int tile : stage.tiles) task.views.push_back(views[static_cast<size_t>(tile)]);
      for (const int scalar : stage.scalars)
        task.scalars.push_back(source.scalars[static_cast<size_t>(scalar)]);
      tasks.push_back(std::move(task));
    }
    if (tasks.size() == 1) return std::move(tasks[0]);
    Node list;
    list.kind = Node::Kind::sequential;
    list.place = source.place;
    list.tasks = static_cast<int64_t>(tasks.size());
    list.body = std::move(tasks);
    return list;
  }

  // A tensor with a plane for each iteration of the loops around the task, and the view of one.
  TileView temporary(const Kernel& kernel, const Crossing& crossing, const Node& task) {
    Tensor tensor;
    tensor.declaration.name =
        unused(fmt::format("{}_{}", kernel.name, crossing.name), NameUse::variable);
    tensor.declaration.dtype = crossing.dtype;
    tensor.declaration.role = Role::temporary;
    tensor.declaration.place = crossing.place;
    tensor.declaration.shape = extents_;
    tensor.declaration.shape.insert(tensor.declaration.shape.end(), {crossing.rows, crossing.cols});
    tensor.rows = crossing.rows;
    tensor.cols = crossing.cols;
    tensor.written = true;

    TileView view;
    view.tensor = static_cast<int>(result_.tensors.size());
    view.rows = crossing.rows;
    view.cols = crossing.cols;
    view.place = task.place;
    view.text = tensor.declaration.name;
    for (Affine* affine : {&view.plane, &view.row, &view.col})
      affine->coefficients.assign(extents_.size(), 0);
    std::optional<int64_t> planes = 1;
    for (size_t d = extents_.size(); d-- > 0 && planes;) {
      view.plane.coefficients[d] = *planes;
      planes = product(*planes, extents_[d]);
    }
    const std::optional<int64_t> rows = planes ? product(*planes, crossing.rows) : planes;
    const std::optional<int64_t> elements = rows ? checkedMul(*rows, crossing.cols) : rows;
    const std::optional<int64_t> bytes =
        elements ? checkedMul(*elements, ir::elementSize(crossing.dtype)) : elements;
    if (!bytes && good_)
      diagnostics_.error(
          "tensor-too-large", task.place,
          fmt::format("the temporary for '{}' of kernel '{}', which is split by core, has more than {} "
                      "rows, or 2^63 bytes, over all iterations",
                      crossing.name, kernel.name, kMost),
          "use larger tiles and fewer iterations");
    good_ = good_ && bytes;
    tensor.planes = planes.value_or(1);
    tensor.elements = elements.value_or(0);
    tensor.bytes = bytes.value_or(0);
    result_.tensors.push_back(std::move(tensor));
    return view;
  }

  const Program& source_;
  Diagnostics& diagnostics_;
  Program result_;
  std::set<std::string> names_;
  std::vector<KernelSplit> splits_;  // by the user's kernel; their kernels are in result_
  std::vector<int> first_;           // by the user's kernel its first stage in result_
  std::vector<int64_t> extents_;     // of the loops around the node at hand
  bool good_ = true;
};

}  // namespace

bool needsSplit(const Program& program) {
  return std::ranges::any_of(program.kernels, [](const Kernel& kernel) {
    return splitKernel(kernel).stages.size() > 1;
  });
}

std::optional<Program> splitCores(const Program& program, Diagnostics& diagnostics) {
  return Splitter(program, diagnostics).split();
}

}  // namespace ptowsp
