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
           bool strided = false) {
    const int value = add({Value::Kind::tile, name, DType::f32, rows, cols,
                           static_cast<int>(kernel_.tiles.size()), 0});
    kernel_.tiles.push_back({name, DType::f32, rows, cols, access, value, strided});
    return value;
  }
  int in(const std::string& name, int64_t rows, int64_t cols, bool strided = false) {
    return tile(name, rows, cols, Access::in, strided);
  }
  int out(const std::string& name, int64_t rows, int64_t cols, bool strided = false) {
    return tile(name, rows, cols, Access::out, strided);
  }
  int inout(const std::string& name, int64_t rows, int64_t cols, bool strided = false) {
    return tile(name, rows, cols, Access::inout, strided);
  }
  int scalar(const std::string& name) {
    const int value = add({Value::Kind::scalar, name, DType::f32, 1, 1,
                           static_cast<int>(kernel_.scalars.size()), 0});
    kernel_.scalars.push_back({name, DType::f32, value});
    return value;
  }
  int literal(double number) {
    return add({Value::Kind::literal, "", DType::f32, 1, 1, 0, number});
  }

  // The result's shape follows from the op's form. `name` may be empty: "v" and a number then.
  int op(const std::string& op_name, const std::vector<int>& args, std::string name = {}) {
    const ops::OpInfo& info = find(op_name);
    Value value{Value::Kind::result, std::move(name), DType::f32, 1, 1, 0, 0};
    for (const int arg : args) {
      value.rows = std::max(value.rows, kernel_.values[arg].rows);
      value.cols = std::max(value.cols, kernel_.values[arg].cols);
    }
    if (info.form == ops::Form::row_reduction) value.cols = 1;
    if (value.name.empty()) value.name = "v" + std::to_string(kernel_.values.size());
    const int result = add(std::move(value));
    kernel_.ops.push_back({&info, args, result, ""});
    return result;
  }
  void store(int tile, int value) {
    kernel_.ops.push_back({&find("store"), {tile, value}, -1, ""});
  }

  const Value& value(int index) const { return kernel_.values[index]; }
  const Kernel& kernel() const { return kernel_; }

 private:
  static const ops::OpInfo& find(const std::string& name) {
    if (const ops::OpInfo* info = ops::findOp(name)) return *info;
    std::cerr << "no op " << name << '\n';
    std::abort();
  }
  int add(Value value) {
    kernel_.values.push_back(std::move(value));
    return static_cast<int>(kernel_.values.size()) - 1;
  }

  Kernel kernel_;
};

}  // namespace ptowsp::test
