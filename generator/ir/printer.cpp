// SPDX-License-Identifier: MIT
#include "generator/ir/printer.h"

#include "generator/ir/json.h"
#include "generator/ir/schedule.h"
#include "generator/ir/view.h"

namespace ptowsp::ir {
namespace {

using json::numberText;
using json::quoted;

// "a, b, c" of what `text` says for each item.
template <typename Items, typename Text>
std::string joined(const Items& items, const std::string& separator, Text text) {
  std::string out;
  bool first = true;
  for (const auto& item : items) {
    if (!first) out += separator;
    first = false;
    out += text(item);
  }
  return out;
}

std::string indent(int depth) { return std::string(static_cast<size_t>(2 * depth), ' '); }

// A list with one item a line, "[]" when empty.
template <typename Items, typename Text>
std::string lines(const Items& items, int depth, Text text) {
  if (items.empty()) return "[]";
  std::string inner = indent(depth + 1);
  return "[\n" + inner + joined(items, ",\n" + inner, text) + "\n" + indent(depth) + "]";
}

std::string initText(const Init& init) {
  std::string pair = "[" + numberText(init.a) + ", " + numberText(init.b) + "]";
  switch (init.kind) {
    case Init::Kind::uniform:
      return "{\"uniform\": " + pair + "}";
    case Init::Kind::normal:
      return "{\"normal\": " + pair + "}";
    case Init::Kind::constant:
      return "{\"constant\": " + numberText(init.a) + "}";
    case Init::Kind::arange:
      return "{\"arange\": " + pair + "}";
    case Init::Kind::npy:
      return "{\"npy\": " + quoted(init.file) + "}";
  }
  return {};
}

std::string tensorText(const Tensor& tensor) {
  std::string text = "{\"name\": " + quoted(tensor.name) + ", \"dtype\": \"" +
                     nameOf(tensor.dtype) + "\", \"shape\": [" +
                     joined(tensor.shape, ", ", [](int64_t e) { return std::to_string(e); }) +
                     "], \"role\": \"" + nameOf(tensor.role) + "\"";
  if (tensor.init) text += ", \"init\": " + initText(*tensor.init);
  if (tensor.rtol) text += ", \"rtol\": " + numberText(*tensor.rtol);
  if (tensor.atol) text += ", \"atol\": " + numberText(*tensor.atol);
  return text + "}";
}

std::string parameterText(const Parameter& parameter) {
  std::string text = "{\"name\": " + quoted(parameter.name);
  if (parameter.is_scalar) return text + ", \"scalar\": \"" + nameOf(parameter.dtype) + "\"}";
  return text + ", \"tile\": [" + std::to_string(parameter.rows) + ", " +
         std::to_string(parameter.cols) + "], \"dtype\": \"" + nameOf(parameter.dtype) +
         "\", \"access\": \"" + nameOf(parameter.access) + "\"}";
}

std::string operandText(const Operand& operand) {
  if (const double* number = std::get_if<double>(&operand)) return numberText(*number);
  return quoted(std::get<std::string>(operand));
}

std::string opText(const Op& op) {
  std::string text =
      "{\"op\": " + quoted(op.name) + ", \"args\": [" + joined(op.args, ", ", operandText) + "]";
  if (op.value) text += ", \"value\": " + numberText(*op.value);
  if (op.dtype) text += ", \"dtype\": \"" + std::string(nameOf(*op.dtype)) + "\"";
  if (op.rows) text += ", \"rows\": " + std::to_string(*op.rows);
  if (op.cols) text += ", \"cols\": " + std::to_string(*op.cols);
  if (!op.result.empty()) text += ", \"result\": " + quoted(op.result);
  return text + "}";
}

std::string kernelText(const Kernel& kernel) {
  return "{\n      \"name\": " + quoted(kernel.name) +
         ",\n      \"params\": " + lines(kernel.params, 3, parameterText) +
         ",\n      \"body\": " + lines(kernel.body, 3, opText) + "\n    }";
}

std::string argumentText(const Argument& argument) {
  std::string text = quoted(argument.parameter) + ": ";
  if (const double* number = std::get_if<double>(&argument.value))
    return text + numberText(*number);
  return text + quoted(print(std::get<View>(argument.value)));
}

std::string channelText(const Channel& channel) {
  std::string text =
      "{\"name\": " + quoted(channel.name) + ", \"depth\": " + std::to_string(channel.depth);
  if (channel.latency > 0) text += ", \"latency\": " + std::to_string(channel.latency);
  return text + "}";
}

std::string namesText(const std::vector<Name>& names) {
  return "[" + joined(names, ", ", [](const Name& name) { return quoted(name.text); }) + "]";
}

std::string nodesText(const std::vector<Node>& nodes, int depth);

std::string nodeText(const Node& node, int depth) {
  switch (node.kind) {
    case Node::Kind::task:
      return "{\"task\": " + quoted(node.kernel) + ", \"args\": {" +
             joined(node.args, ", ", argumentText) + "}}";
    case Node::Kind::loop:
      return "{\"for\": " + quoted(node.variable) + ", \"extent\": " + std::to_string(node.extent) +
             ", \"mode\": \"" + (node.parallel ? "parallel" : "sequential") +
             "\", \"body\": " + nodesText(node.body, depth) + "}";
    case Node::Kind::sequential:
      return "{\"sequential\": " + nodesText(node.body, depth) + "}";
    case Node::Kind::combine:
      return "{\"combine\": " + nodesText(node.body, depth) + "}";
    case Node::Kind::connect:
      return "{\"connect\": " + nodesText(node.body, depth) + "}";
    case Node::Kind::process:
      return "{\"process\": " + quoted(node.name) + ", \"consumes\": " + namesText(node.consumes) +
             ", \"produces\": " + namesText(node.produces) +
             ", \"body\": " + nodesText(node.body, depth) + "}";
    case Node::Kind::send:
      return "{\"send\": " + quoted(node.channel) + ", \"body\": " + nodesText(node.body, depth) +
             "}";
    case Node::Kind::consume:
      return "{\"consume\": " + quoted(node.channel) + ", \"as\": " + quoted(node.variable) +
             ", \"body\": " + nodesText(node.body, depth) + "}";
  }
  return {};
}

std::string nodesText(const std::vector<Node>& nodes, int depth) {
  return lines(nodes, depth, [depth](const Node& node) { return nodeText(node, depth + 1); });
}

}  // namespace

std::string print(const Workload& workload) {
  std::string text = "{\n  \"ptowsp\": 1,\n  \"name\": " + quoted(workload.name) +
                     ",\n  \"tensors\": " + lines(workload.tensors, 1, tensorText) +
                     ",\n  \"kernels\": " + lines(workload.kernels, 1, kernelText) +
                     (workload.channels.empty()
                          ? ""
                          : ",\n  \"channels\": " + lines(workload.channels, 1, channelText)) +
                     ",\n  \"program\": " + nodesText(workload.program, 1);
  if (!workload.schedule.empty()) {
    text += ",\n  \"schedule\": " + print(workload.schedule);
  }
  return text + "\n}\n";
}

}  // namespace ptowsp::ir
