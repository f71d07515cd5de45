// SPDX-License-Identifier: MIT
// Programs made by hand, and a few ops with functions of their own, so that these tests depend on
// neither the reader nor the op table.
#pragma once

#include <cmath>
#include <limits>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "generator/verify/program.h"

namespace ptowsp {

inline ops::OpInfo makeOp(const char* name, ops::Form form, int arity) {
  ops::OpInfo op{};
  op.name = name;
  op.form = form;
  op.arity = arity;
  return op;
}

inline const ops::OpInfo* opNamed(const std::string& name) {
  static const std::map<std::string, ops::OpInfo> table = [] {
    std::map<std::string, ops::OpInfo> ops;
    const auto binary = [&](const char* op, double (*function)(double, double)) {
      ops[op] = makeOp(op, ops::Form::elementwise, 2);
      ops[op].binary = function;
    };
    const auto reduction = [&](const char* op, double (*fold)(double, double), double identity,
                               double (*finish)(double, double)) {
      ops[op] = makeOp(op, ops::Form::row_reduction, 1);
      ops[op].fold = fold;
      ops[op].identity = identity;
      ops[op].finish = finish;
    };
    binary("add", [](double x, double y) { return x + y; });
    binary("sub", [](double x, double y) { return x - y; });
    binary("mul", [](double x, double y) { return x * y; });
    binary("div", [](double x, double y) { return x / y; });
    ops["exp"] = makeOp("exp", ops::Form::elementwise, 1);
    ops["exp"].unary = [](double x) { return std::exp(x); };
    reduction(
        "rowsum", [](double x, double y) { return x + y; }, 0, nullptr);
    reduction(
        "rowmean", [](double x, double y) { return x + y; }, 0,
        [](double total, double count) { return total / count; });
    reduction(
        "rowmax", [](double x, double y) { return x > y ? x : y; },
        -std::numeric_limits<double>::infinity(), nullptr);
    ops["store"] = makeOp("store", ops::Form::store, 2);
    return ops;
  }();
  return &table.at(name);
}

// KernelBuilder: functions that add to the kernel give the new value's index.
class KernelBuilder {
 public:
  explicit KernelBuilder(std::string name) { kernel_.name = std::move(name); }

  int tile(const std::string& name, int64_t rows, int64_t cols, Access access) {
    const int value = add({Value::Kind::tile, name, DType::f32, rows, cols,
                           static_cast<int>(kernel_.tiles.size()), 0});
    kernel_.tiles.push_back({name, DType::f32, rows, cols, access, value, false});
    return value;
  }
  int scalar(const std::string& name) {
    const int value = add(
        {Value::Kind::scalar, name, DType::f32, 1, 1, static_cast<int>(kernel_.scalars.size()), 0});
    kernel_.scalars.push_back({name, DType::f32, value});
    return value;
  }
  int literal(double number) {
    return add({Value::Kind::literal, "", DType::f32, 1, 1, 0, number});
  }
  int op(const std::string& name, std::vector<int> args) { return op(*opNamed(name), args); }
  int op(const ops::OpInfo& info, std::vector<int> args) {
    int64_t rows = 1, cols = 1;
    for (int arg : args) {
      rows = std::max(rows, kernel_.values[static_cast<size_t>(arg)].rows);
      cols = std::max(cols, kernel_.values[static_cast<size_t>(arg)].cols);
    }
    if (info.form == ops::Form::row_reduction) cols = 1;
    const int result = add({Value::Kind::result, "v", DType::f32, rows, cols, 0, 0});
    kernel_.ops.push_back({&info, std::move(args), result, "/kernels/0/body"});
    return result;
  }
  void store(int tile, int value) {
    kernel_.ops.push_back({opNamed("store"), {tile, value}, -1, "/kernels/0/body"});
  }
  Kernel done() { return std::move(kernel_); }

 private:
  int add(Value value) {
    kernel_.values.push_back(std::move(value));
    return static_cast<int>(kernel_.values.size()) - 1;
  }

  Kernel kernel_;
};

// A tensor whose last two dimensions are its rows and columns.
inline Tensor makeTensor(const std::string& name, const std::vector<int64_t>& shape, Role role,
                         std::optional<ir::Init> init = {}) {
  Tensor tensor;
  tensor.declaration.name = name;
  tensor.declaration.shape = shape;
  tensor.declaration.role = role;
  tensor.declaration.init = std::move(init);
  tensor.declaration.place = "/tensors/" + name;
  tensor.cols = shape.back();
  if (shape.size() > 1) tensor.rows = shape[shape.size() - 2];
  for (size_t d = 0; d + 2 < shape.size(); ++d) tensor.planes *= shape[d];
  tensor.elements = tensor.planes * tensor.rows * tensor.cols;
  tensor.bytes = tensor.elements * 4;
  return tensor;
}

inline ir::Init arange(double start, double step) {
  return {ir::Init::Kind::arange, start, step, ""};
}

inline TileView viewOf(int tensor, Affine plane, Affine row, Affine col, int64_t rows,
                       int64_t cols) {
  return {tensor, std::move(plane), std::move(row), std::move(col), rows, cols,
          "",     "/program/view"};
}

// The block of `tensor` at constant (row, col) of its first plane.
inline TileView viewAt(int tensor, int64_t row, int64_t col, int64_t rows, int64_t cols) {
  return viewOf(tensor, {0, {}}, {row, {}}, {col, {}}, rows, cols);
}

inline Node makeTask(int kernel, std::vector<TileView> views, std::vector<double> scalars = {}) {
  Node node;
  node.kernel = kernel;
  node.views = std::move(views);
  node.scalars = std::move(scalars);
  node.tasks = 1;
  return node;
}

inline Node makeList(Node::Kind kind, std::vector<Node> body, int64_t extent = 1) {
  Node node;
  node.kind = kind;
  node.extent = extent;
  for (const Node& child : body) node.tasks += extent * child.tasks;
  node.body = std::move(body);
  return node;
}

inline Node makeLoop(int64_t extent, std::vector<Node> body) {
  return makeList(Node::Kind::loop, std::move(body), extent);
}

inline Program makeProgram(std::vector<Tensor> tensors, std::vector<Kernel> kernels,
                           std::vector<Node> body) {
  return {"test", std::move(tensors), std::move(kernels), {},
          makeList(Node::Kind::sequential, std::move(body))};
}

}  // namespace ptowsp
