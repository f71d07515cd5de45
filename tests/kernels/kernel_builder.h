// SPDX-License-Identifier: MIT
// KernelBuilder: kernels of the verified program, written down in a test without a workload file.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "generator/verify/program.h"

namespace ptowsp::test {

class KernelBuilder {
 public:
  explicit KernelBuilder(const std::string& name) {
    kernel_.name = name;
    kernel_.place = "/kernels/0";
  }

  int tile(const std::string& name, int64_t rows, int64_t cols, Access access,
           bool strided = false, DType dtype = DType::f32) {
    const int value = add({Value::Kind::tile, name, dtype, rows, cols,
                           static_cast<int>(kernel_.tiles.size()), 0});
    kernel_.tiles.push_back({name, dtype, rows, cols, access, value, strided});
    return value;
  }
  int in(const std::string& name, int64_t rows, int64_t cols, bool strided = false,
         DType dtype = DType::f32) {
    return tile(name, rows, cols, Access::in, strided, dtype);
  }
  int out(const std::string& name, int64_t rows, int64_t cols, bool strided = false,
          DType dtype = DType::f32) {
    return tile(name, rows, cols, Access::out, strided, dtype);
  }
  int inout(const std::string& name, int64_t rows, int64_t cols, bool strided = false,
            DType dtype = DType::f32) {
    return tile(name, rows, cols, Access::inout, strided, dtype);
  }
  int scalar(const std::string& name, DType dtype = DType::f32) {
    const int value =
        add({Value::Kind::scalar, name, dtype, 1, 1, static_cast<int>(kernel_.scalars.size()), 0});
    kernel_.scalars.push_back({name, dtype, value});
    return value;
  }
  int literal(double number, DType dtype = DType::f32) {
    return add({Value::Kind::literal, "", dtype, 1, 1, 0, number});
  }

  // The result's type and shape follow from the op's form. `name` may be empty: "v" and a number then.
  int op(const std::string& op_name, const std::vector<int>& args, std::string name = {}) {
    const ops::OpInfo& info = find(op_name);
    Value value{Value::Kind::result, std::move(name), kernel_.values[args[0]].dtype, 1, 1, 0, 0};
    for (const int arg : args) {
      value.rows = std::max(value.rows, kernel_.values[arg].rows);
      value.cols = std::max(value.cols, kernel_.values[arg].cols);
    }
    if (info.form == ops::Form::row_reduction) value.cols = 1;
    if (info.form == ops::Form::col_reduction) value.rows = 1;
    if (info.form == ops::Form::matmul) {
      value.dtype = DType::f32;
      value.rows = kernel_.values[args[0]].rows;
      value.cols = kernel_.values[args[1]].cols;
    }
    return result(info, args, std::move(value));
  }
  int cast(int arg, DType dtype) {
    Value value = kernel_.values[arg];
    value.kind = Value::Kind::result;
    value.name.clear();
    value.dtype = dtype;
    return result(find("cast"), {arg}, std::move(value));
  }
  int constant(double number, int64_t rows, int64_t cols, DType dtype = DType::f32) {
    const int arg = literal(number, dtype);
    return result(find("constant"), {arg}, {Value::Kind::result, "", dtype, rows, cols, 0, 0});
  }
  void store(int tile, int value) {
    kernel_.ops.push_back({&find("store"), {tile, value}, -1, ""});
  }

  const Value& value(int index) const { return kernel_.values[index]; }
  Kernel& kernel() { return kernel_; }
  const Kernel& kernel() const { return kernel_; }

 private:
  static const ops::OpInfo& find(const std::string& name) {
    if (const ops::OpInfo* info = ops::findOp(name)) return *info;
    std::cerr << "no op " << name << '\n';
    std::abort();
  }
  int result(const ops::OpInfo& info, const std::vector<int>& args, Value value) {
    if (value.name.empty()) value.name = "v" + std::to_string(kernel_.values.size());
    const int index = add(std::move(value));
    kernel_.ops.push_back({&info, args, index, ""});
    return index;
  }
  int add(Value value) {
    kernel_.values.push_back(std::move(value));
    return static_cast<int>(kernel_.values.size()) - 1;
  }

  Kernel kernel_;
};

}  // namespace ptowsp::test
