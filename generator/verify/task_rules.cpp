// SPDX-License-Identifier: MIT
// Rules of one task: its arguments, where their views lie for every iteration of the loops around
// it, and whether they overlap each other.
#include <algorithm>

#include "generator/base/checked.h"
#include "generator/base/suggest.h"
#include "generator/ir/view.h"
#include "generator/verify/rules.h"

namespace ptowsp {
namespace {

const Wide kFar = static_cast<Wide>(1) << 120;  // beyond every value of an expression

// Block: start and extent of a view in each dimension of its tensor, for all iterations.
struct Dimension {
  Affine start;
  int64_t extent = 1;
};

std::string tensorShape(const Tensor& tensor) {
  std::string text;
  for (int64_t extent : tensor.declaration.shape) {
    text += (text.empty() ? "" : " x ") + std::to_string(extent);
  }
  return text;
}

std::string wideText(Wide value) { return std::to_string(static_cast<long long>(value)); }

// Resolver: one view of one task.
class Resolver {
 public:
  Resolver(const ir::View& source, const std::string& place, Scope& scope)
      : source_(source), place_(place), scope_(scope) {}

  std::optional<TileView> resolve(const TileParameter& tile, const Kernel& kernel) {
    TileView view;
    view.tensor = scope_.findTensor(source_.tensor);
    if (view.tensor < 0) {
      std::vector<std::string_view> known;
      for (const Tensor& tensor : scope_.program.tensors) known.push_back(tensor.declaration.name);
      error("unknown-name", "unknown tensor " + inQuotes(source_.tensor),
            suggestion(source_.tensor, "tensors", known));
      return std::nullopt;
    }
    tensor_ = &scope_.program.tensors[static_cast<size_t>(view.tensor)];
    if (!resolveDimensions()) return std::nullopt;
    if (tensor_->declaration.dtype != tile.dtype) {
      error("dtype-mismatch", "tensor " + inQuotes(source_.tensor) + " is " +
                                  ir::nameOf(tensor_->declaration.dtype) + ", parameter " +
                                  inQuotes(tile.name) + " of kernel " + inQuotes(kernel.name) +
                                  " is " + ir::nameOf(tile.dtype));
      return std::nullopt;
    }
    bool good = true;
    size_t leading = dimensions_.size() > 2 ? dimensions_.size() - 2 : 0;
    for (size_t d = 0; d < leading; ++d) {
      if (dimensions_[d].extent == 1) continue;
      error("bad-subscript",
            view_() + " takes " + std::to_string(dimensions_[d].extent) + " indices of dimension " +
                std::to_string(d) + " of tensor " + inQuotes(source_.tensor) + " (" +
                tensorShape(*tensor_) + "); a tile lies in the last two",
            "give one index there");
      good = false;
    }
    view.rows = dimensions_.size() > 1 ? dimensions_[dimensions_.size() - 2].extent : 1;
    view.cols = dimensions_.back().extent;
    if (good && (view.rows != tile.rows || view.cols != tile.cols)) {
      error("tile-mismatch",
            view_() + " is " + shapeText(view.rows, view.cols) + ", parameter " +
                inQuotes(tile.name) + " of kernel " + inQuotes(kernel.name) + " is a tile of " +
                shapeText(tile.rows, tile.cols),
            dimensions_.size() == 1 && tile.cols == 1 && tile.rows > 1
                ? "a tensor of one dimension is one row; give it the shape [n, 1] for a column"
                : "change the view or the tile");
      good = false;
    }
    for (size_t d = 0; d < dimensions_.size(); ++d) good = checkBounds(d) && good;
    if (!good || !place(view, leading)) return std::nullopt;
    view.text = source_.text;
    view.place = place_;
    return view;
  }

 private:
  void error(std::string_view rule, std::string message, std::string fix = {}) {
    scope_.diagnostics.error(rule, place_, std::move(message), std::move(fix));
  }

  std::string view_() const { return "view " + inQuotes(source_.text); }

  bool resolveDimensions() {
    const std::vector<int64_t>& shape = tensor_->declaration.shape;
    if (source_.subscripts.size() > shape.size()) {
      error("bad-subscript", view_() + " has " + std::to_string(source_.subscripts.size()) +
                                 " subscripts, tensor " + inQuotes(source_.tensor) + " (" +
                                 tensorShape(*tensor_) + ") has " + std::to_string(shape.size()) +
                                 " dimensions");
      return false;
    }
    bool good = true;
    for (size_t d = 0; d < shape.size(); ++d) {
      Dimension dimension;
      dimension.start.coefficients.assign(scope_.loops.size(), 0);
      dimension.extent = shape[d];
      if (d < source_.subscripts.size()) {
        good = subscript(source_.subscripts[d], shape[d], dimension) && good;
      }
      dimensions_.push_back(std::move(dimension));
    }
    return good;
  }

  bool subscript(const ir::Subscript& subscript, int64_t whole, Dimension& dimension) {
    if (subscript.index) {
      dimension.extent = 1;
      return affine(*subscript.index, dimension.start);
    }
    Affine stop;
    stop.constant = whole;
    stop.coefficients = dimension.start.coefficients;
    if (subscript.start && !affine(*subscript.start, dimension.start)) return false;
    if (subscript.stop && !affine(*subscript.stop, stop)) return false;
    std::optional<Affine> extent = difference(stop, dimension.start);
    if (!extent) {
      error("integer-overflow", view_() + ": an extent does not fit 64 bits");
      return false;
    }
    for (size_t d = 0; d < scope_.loops.size(); ++d) {
      if (extent->coefficients[d] == 0) continue;
      error("bad-subscript",
            view_() + ": the extent of a slice changes with loop variable " +
                inQuotes(scope_.loops[d].variable),
            "a tile has one shape: move both ends of the slice together");
      return false;
    }
    if (extent->constant < 1) {
      error("bad-subscript", view_() + " has a slice of extent " +
                                 std::to_string(extent->constant) + ", expected at least 1");
      return false;
    }
    dimension.extent = extent->constant;
    return true;
  }

  // With loop variables by depth instead of by name.
  bool affine(const ir::AffineText& text, Affine& result) {
    result.constant = text.constant;
    for (const auto& entry : text.coefficients) {
      const std::string& variable = entry.first;
      auto loop = std::find_if(scope_.loops.begin(), scope_.loops.end(),
                               [&](const Loop& l) { return l.variable == variable; });
      if (loop == scope_.loops.end()) {
        std::vector<std::string_view> known;
        for (const Loop& l : scope_.loops) known.push_back(l.variable);
        error(
            "unknown-name",
            view_() + ": " + inQuotes(variable) + " is not the variable of a loop around the task",
            suggestion(variable, "loop variables", known));
        return false;
      }
      result.coefficients[static_cast<size_t>(loop - scope_.loops.begin())] = entry.second;
    }
    return true;
  }

  // out-of-bounds: the first iteration in which the view leaves its tensor.
  bool checkBounds(size_t d) {
    int64_t whole = tensor_->declaration.shape[d];
    const Dimension& dimension = dimensions_[d];
    std::vector<Constraint> below = {{dimension.start, -kFar, -1}};
    Wide last_start = static_cast<Wide>(whole) - dimension.extent;
    std::vector<Constraint> above = {{dimension.start, last_start + 1, kFar}};
    bool is_below = true;
    auto iteration = firstIteration(below, scope_.loops);
    if (!iteration) {
      is_below = false;
      iteration = firstIteration(above, scope_.loops);
    }
    if (!iteration) return true;
    Wide start = valueAt(dimension.start, *iteration);
    constexpr Wide kShown = static_cast<Wide>(1) << 62;
    std::string what = dimension.extent == 1 ? "index" : "elements";
    std::string range = "beyond 64 bits";
    if (start > -kShown && start < kShown) {
      range = wideText(start);
      if (dimension.extent > 1) range += " to " + wideText(start + dimension.extent - 1);
    }
    std::string where = iterationText(below, scope_.loops, *iteration);
    error("out-of-bounds",
          view_() + " leaves tensor " + inQuotes(source_.tensor) + " (" + tensorShape(*tensor_) +
              "): " + what + " " + range + " of dimension " + std::to_string(d) +
              ", which has 0 to " + std::to_string(whole - 1) +
              (where.empty() ? "" : ", at " + where),
          is_below        ? "indices begin at 0; a negative one does not count from the end"
          : where.empty() ? "move the view, or make the tensor larger"
                          : "end the loop earlier, move the view, or make the tensor larger");
    return false;
  }

  // The block's plane, row and column. Every start lies in its dimension for all iterations.
  bool place(TileView& view, size_t leading) {
    for (size_t d = 0; d < dimensions_.size(); ++d) {
      Affine& start = dimensions_[d].start;
      for (size_t i = 0; i < scope_.loops.size(); ++i) {
        // Only a loop of one iteration can have such a coefficient; it adds nothing there, and
        // without it no later arithmetic on views can overflow.
        int64_t k = start.coefficients[i], whole = tensor_->declaration.shape[d];
        if (scope_.loops[i].extent == 1 && (k > whole || k < -whole)) start.coefficients[i] = 0;
      }
    }
    view.plane.coefficients.assign(scope_.loops.size(), 0);
    for (size_t d = 0; d < leading; ++d) {
      int64_t whole = tensor_->declaration.shape[d];
      auto append = [&](int64_t& total, int64_t part) {
        std::optional<int64_t> scaled = checkedMul(total, whole);
        std::optional<int64_t> sum = scaled ? checkedAdd(*scaled, part) : std::nullopt;
        total = sum.value_or(0);
        return sum.has_value();
      };
      bool fits = append(view.plane.constant, dimensions_[d].start.constant);
      for (size_t i = 0; i < scope_.loops.size(); ++i) {
        fits = append(view.plane.coefficients[i], dimensions_[d].start.coefficients[i]) && fits;
      }
      if (fits) continue;
      error("integer-overflow", view_() + ": its leading index does not fit 64 bits");
      return false;
    }
    view.row.coefficients.assign(scope_.loops.size(), 0);
    if (dimensions_.size() > 1) view.row = dimensions_[dimensions_.size() - 2].start;
    view.col = dimensions_.back().start;
    return true;
  }

  const ir::View& source_;
  const std::string& place_;
  Scope& scope_;
  const Tensor* tensor_ = nullptr;
  std::vector<Dimension> dimensions_;
};

// aliased-arguments: a kernel reads its tiles on entry and writes them in an order of its own, so a
// written tile overlaps no other tile of the task, in any iteration.
void checkAliases(const Node& task, const Kernel& kernel, Scope& scope) {
  for (size_t i = 0; i < task.views.size(); ++i) {
    for (size_t j = i + 1; j < task.views.size(); ++j) {
      const TileView &a = task.views[i], &b = task.views[j];
      bool reads_only =
          kernel.tiles[i].access == Access::in && kernel.tiles[j].access == Access::in;
      if (a.tensor != b.tensor || a.tensor < 0 || reads_only) continue;
      std::optional<Affine> plane = difference(a.plane, b.plane);
      std::optional<Affine> row = difference(a.row, b.row);
      std::optional<Affine> col = difference(a.col, b.col);
      if (!plane || !row || !col) continue;  // views inside one tensor: cannot happen
      // They overlap where a begins before b ends and b begins before a ends.
      std::vector<Constraint> overlap = {{*plane, 0, 0},
                                         {*row, 1 - static_cast<Wide>(a.rows), b.rows - 1},
                                         {*col, 1 - static_cast<Wide>(a.cols), b.cols - 1}};
      auto iteration = firstIteration(overlap, scope.loops);
      if (!iteration) continue;
      std::string where = iterationText(overlap, scope.loops, *iteration);
      bool same = a.rows == b.rows && a.cols == b.cols;
      Diagnostic& error = scope.diagnostics.error(
          "aliased-arguments", b.place,
          "views " + inQuotes(a.text) + " and " + inQuotes(b.text) +
              " of one task overlap, and the task writes " +
              inQuotes(kernel.tiles[i].access != Access::in ? kernel.tiles[i].name
                                                            : kernel.tiles[j].name) +
              (where.empty() ? "" : ", at " + where),
          same ? "use one parameter with access 'inout' for both"
               : "give the kernel one 'inout' parameter that covers both");
      error.related.push_back({a.place, "the other view is here"});
    }
  }
}

// What is there instead of an argument of the other kind.
std::string found(const ir::Argument& argument) {
  return std::holds_alternative<double>(argument.value) ? "a number" : "a view";
}

}  // namespace

int Scope::findTensor(std::string_view name) const {
  for (size_t i = 0; i < program.tensors.size(); ++i) {
    if (program.tensors[i].declaration.name == name) return static_cast<int>(i);
  }
  return -1;
}

int Scope::findKernel(std::string_view name) const {
  for (size_t i = 0; i < program.kernels.size(); ++i) {
    if (program.kernels[i].name == name) return static_cast<int>(i);
  }
  return -1;
}

int Scope::findChannel(std::string_view name) const {
  for (size_t i = 0; i < program.channels.size(); ++i) {
    if (program.channels[i].name == name) return static_cast<int>(i);
  }
  return -1;
}

Node buildTask(const ir::Node& node, Scope& scope) {
  Node task;
  task.kind = Node::Kind::task;
  task.place = node.place;
  task.tasks = 1;
  task.kernel = scope.findKernel(node.kernel);
  Diagnostics& diagnostics = scope.diagnostics;
  if (task.kernel < 0) {
    std::vector<std::string_view> known;
    for (const Kernel& kernel : scope.program.kernels) known.push_back(kernel.name);
    diagnostics.error("unknown-name", node.place + "/task",
                      "unknown kernel " + inQuotes(node.kernel),
                      suggestion(node.kernel, "kernels", known));
    return task;
  }
  Kernel& kernel = scope.program.kernels[static_cast<size_t>(task.kernel)];
  std::vector<std::string_view> unnamed;  // parameters without an argument
  auto argumentFor = [&](const std::string& parameter) -> const ir::Argument* {
    for (const ir::Argument& argument : node.args) {
      if (argument.parameter == parameter) return &argument;
    }
    unnamed.push_back(parameter);
    return nullptr;
  };

  bool good = true;
  for (TileParameter& tile : kernel.tiles) {
    TileView& view = task.views.emplace_back();
    const ir::Argument* argument = argumentFor(tile.name);
    if (!argument) continue;
    const ir::View* source = std::get_if<ir::View>(&argument->value);
    if (!source) {
      diagnostics.error("wrong-argument", argument->place,
                        "parameter " + inQuotes(tile.name) + " is a tile: expected a view, found " +
                            found(*argument));
      continue;
    }
    std::optional<TileView> resolved =
        Resolver(*source, argument->place, scope).resolve(tile, kernel);
    good = good && resolved;
    if (!resolved) continue;
    view = std::move(*resolved);
    Tensor& tensor = scope.program.tensors[static_cast<size_t>(view.tensor)];
    tile.strided = tile.strided || (view.rows > 1 && view.cols != tensor.cols);
    if (tile.access == Access::in) continue;
    tensor.written = true;
    if (tensor.declaration.role == Role::input) {
      diagnostics
          .error("access-mismatch", argument->place,
                 "the task writes tensor " + inQuotes(tensor.declaration.name) +
                     ", whose role is 'input' (parameter " + inQuotes(tile.name) + " has access '" +
                     ir::nameOf(tile.access) + "')",
                 "make the tensor's role 'output', or 'inout' to keep its old elements")
          .related.push_back({tensor.declaration.place, "the tensor is here"});
    }
  }
  for (const ScalarParameter& scalar : kernel.scalars) {
    double& value = task.scalars.emplace_back(0);
    const ir::Argument* argument = argumentFor(scalar.name);
    if (!argument) continue;
    if (const double* number = std::get_if<double>(&argument->value)) {
      value = roundedTo(scalar.dtype, *number, argument->place, diagnostics);
    } else {
      diagnostics.error("wrong-argument", argument->place,
                        "parameter " + inQuotes(scalar.name) +
                            " is a scalar: expected a number, found " + found(*argument));
    }
  }
  for (const ir::Argument& argument : node.args) {
    auto named = [&](const auto& parameter) { return parameter.name == argument.parameter; };
    if (std::any_of(kernel.tiles.begin(), kernel.tiles.end(), named) ||
        std::any_of(kernel.scalars.begin(), kernel.scalars.end(), named)) {
      continue;
    }
    std::string_view nearest = nearestName(argument.parameter, unnamed);
    diagnostics.error(
        "unknown-argument", argument.place,
        "kernel " + inQuotes(kernel.name) + " has no parameter " + inQuotes(argument.parameter),
        nearest.empty() ? "remove it" : "did you mean " + inQuotes(nearest) + "?");
  }
  for (std::string_view parameter : unnamed) {
    diagnostics.error("missing-argument", node.place,
                      "the task gives no argument for parameter " + inQuotes(parameter) +
                          " of kernel " + inQuotes(kernel.name),
                      "add it to \"args\"");
  }
  if (good) checkAliases(task, kernel, scope);
  return task;
}

}  // namespace ptowsp
