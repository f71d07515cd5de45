// SPDX-License-Identifier: MIT
// Workloads with one kernel, from a few lines of text, and kernels back to such lines.
//
//   in q 16 32          a parameter: access (in, out, inout), name, rows, cols; f32
//   scalar a            a scalar parameter
//   s = matmul q k      an op; operands are names or numbers
//   z = constant 0 16 8 a constant and its shape
//   store y s
#pragma once

#include <cstdlib>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "generator/base/diagnostic.h"
#include "generator/verify/verify.h"

namespace ptowsp::test {

inline ir::Operand operandOf(const std::string& word) {
  char* end = nullptr;
  const double number = std::strtod(word.c_str(), &end);
  if (*end == '\0') return number;
  return word;
}

inline ir::Kernel kernelOf(const std::string& name, const std::string& text) {
  ir::Kernel kernel;
  kernel.name = name;
  kernel.place = "/kernels/0";
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream stream(line);
    std::vector<std::string> words;
    for (std::string word; stream >> word;) words.push_back(word);
    if (words.empty()) continue;
    if (words[0] == "in" || words[0] == "out" || words[0] == "inout" || words[0] == "scalar") {
      ir::Parameter parameter;
      parameter.name = words[1];
      parameter.place = kernel.place + "/params/" + std::to_string(kernel.params.size());
      parameter.is_scalar = words[0] == "scalar";
      if (!parameter.is_scalar) {
        parameter.rows = std::stoll(words[2]);
        parameter.cols = std::stoll(words[3]);
        parameter.access = words[0] == "in"    ? ir::Access::in
                           : words[0] == "out" ? ir::Access::out
                                               : ir::Access::inout;
      }
      kernel.params.push_back(std::move(parameter));
      continue;
    }
    ir::Op op;
    op.place = kernel.place + "/body/" + std::to_string(kernel.body.size());
    size_t next = 1;
    if (words[0] == "store") {
      op.name = words[0];
    } else {
      op.result = words[0];
      op.name = words[2];
      next = 3;
    }
    if (op.name == "constant") {
      op.dtype = ir::DType::f32;
      op.value = std::stod(words[3]);
      op.rows = std::stoll(words[4]);
      op.cols = std::stoll(words[5]);
      next = words.size();
    }
    for (; next < words.size(); ++next) op.args.push_back(operandOf(words[next]));
    kernel.body.push_back(std::move(op));
  }
  return kernel;
}

// Loops around the one task: variable and extent. Each tile has a tensor of its name with `_t` behind
// and a plane for each iteration; scalars are 0.5.
struct LoopText {
  std::string variable;
  int64_t extent;
  bool parallel = true;
};

inline ir::Workload workloadOf(const std::string& text, const std::vector<LoopText>& loops = {}) {
  ir::Workload workload;
  workload.name = "test";
  workload.kernels.push_back(kernelOf("k", text));
  ir::Node node;
  node.place = "/program/0";
  node.kernel = "k";
  std::string index;
  std::vector<int64_t> shape;
  for (const LoopText& loop : loops) {
    index += "[" + loop.variable + "]";
    shape.push_back(loop.extent);
  }
  for (const ir::Parameter& parameter : workload.kernels[0].params) {
    ir::Argument argument;
    argument.parameter = parameter.name;
    argument.place = node.place + "/args/" + parameter.name;
    argument.value = 0.5;
    if (!parameter.is_scalar) {
      ir::Tensor tensor;
      tensor.name = parameter.name + "_t";
      tensor.place = "/tensors/" + std::to_string(workload.tensors.size());
      tensor.shape = shape;
      tensor.shape.insert(tensor.shape.end(), {parameter.rows, parameter.cols});
      tensor.role = parameter.access == ir::Access::in    ? ir::Role::input
                    : parameter.access == ir::Access::out ? ir::Role::output
                                                          : ir::Role::inout;
      ir::View view;
      view.tensor = tensor.name;
      view.text = tensor.name + index;
      for (const LoopText& loop : loops) {
        ir::AffineText affine;
        affine.coefficients[loop.variable] = 1;
        view.subscripts.push_back({affine, {}, {}});
      }
      argument.value = view;
      workload.tensors.push_back(std::move(tensor));
    }
    node.args.push_back(std::move(argument));
  }
  for (size_t i = loops.size(); i-- > 0;) {
    ir::Node loop;
    loop.kind = ir::Node::Kind::loop;
    loop.variable = loops[i].variable;
    loop.extent = loops[i].extent;
    loop.parallel = loops[i].parallel;
    loop.place = "/program/0";
    loop.body.push_back(std::move(node));
    node = std::move(loop);
  }
  workload.program.push_back(std::move(node));
  return workload;
}

inline Program programOf(const std::string& text, const std::vector<LoopText>& loops = {}) {
  Diagnostics diagnostics;
  std::optional<Program> program = verify(workloadOf(text, loops), diagnostics);
  if (!program) {
    for (const Diagnostic& diagnostic : diagnostics.all())
      std::fprintf(stderr, "%s: %s\n", diagnostic.place.c_str(), diagnostic.message.c_str());
    std::abort();
  }
  return std::move(*program);
}

// One line: "aic k_s0: in q, in k, out s_out | s = matmul q k | store s_out s".
inline std::string textOf(const Kernel& kernel) {
  std::ostringstream text;
  text << (kernel.core == CoreType::aic ? "aic " : "aiv ") << kernel.name << ":";
  for (size_t i = 0; i < kernel.tiles.size(); ++i)
    text << (i ? ", " : " ") << ir::nameOf(kernel.tiles[i].access) << " " << kernel.tiles[i].name;
  for (const ScalarParameter& scalar : kernel.scalars) text << ", scalar " << scalar.name;
  for (const KernelOp& op : kernel.ops) {
    text << " | ";
    if (op.result >= 0) text << kernel.values[static_cast<size_t>(op.result)].name << " = ";
    text << op.op->name;
    for (const int arg : op.args) {
      const Value& value = kernel.values[static_cast<size_t>(arg)];
      text << " ";
      if (value.kind == Value::Kind::literal)
        text << value.literal;
      else
        text << value.name;
    }
  }
  return text.str();
}

}  // namespace ptowsp::test
