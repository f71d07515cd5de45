// SPDX-License-Identifier: MIT
#include "generator/emit/orchestration.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <set>

#include "generator/emit/dispatch.h"
#include "generator/emit/names.h"
#include "generator/ir/dtype.h"
#include "generator/verify/network.h"
#include "ptowsp/limits.h"

namespace ptowsp {
namespace {

// Names: what the user's loop variables and parameters are called in the emitted function. They
// keep their names except where one would hide something that the emitted code itself uses.
class LocalNames {
 public:
  explicit LocalNames(std::set<std::string> user, std::set<std::string> used = {})
      : user_(std::move(user)), more_used_(std::move(used)) {}

  std::string of(const std::string& name) const {
    static const std::set<std::string, std::less<>> used = {
        "graph", "runtime", "args",  "arg_count", "error",    "tensor", "kernel", "ptowsp", "addTasks",
        "Graph", "Runtime", "Block", "tensors",   "expected", "x86",    "linux",  "unix",
        "key",   "pto_wsp_select_aicpu_scheduler_id"};
    std::string local = name;
    if (!used.contains(name) && !more_used_.contains(name)) return local;
    return unused(local + '_');
  }
  // A name for something else, which no variable has.
  std::string unused(std::string local) const {
    while (user_.contains(local)) local += '_';
    return local;
  }

 private:
  std::set<std::string> user_, more_used_;
};

void collectVariables(const Node& node, std::set<std::string>& names) {
  if (node.kind == Node::Kind::loop) names.insert(node.variable);
  for (const Node& child : node.body) collectVariables(child, names);
}

std::string indented(int depth) { return std::string(2 * static_cast<size_t>(depth), ' '); }

// "8 * r + 3", in the emitted function's names; `variables` are those of the enclosing loops.
std::string affineText(const Affine& affine, const std::vector<std::string>& variables) {
  std::string text;
  for (size_t i = 0; i < affine.coefficients.size(); ++i) {
    const int64_t k = affine.coefficients[i];
    if (k == 0) continue;
    const uint64_t size = k < 0 ? -static_cast<uint64_t>(k) : static_cast<uint64_t>(k);
    text += text.empty() ? (k < 0 ? "-" : "") : (k < 0 ? " - " : " + ");
    text += size == 1 ? variables[i] : fmt::format("{} * {}", size, variables[i]);
  }
  if (text.empty()) return fmt::format("{}", affine.constant);
  if (affine.constant > 0) text += fmt::format(" + {}", affine.constant);
  if (affine.constant < 0) text += fmt::format(" - {}", -static_cast<uint64_t>(affine.constant));
  return text;
}

// The row counted through all planes: plane * rows + row.
Affine flatRow(const TileView& view, int64_t rows_per_plane) {
  Affine flat = view.row;
  flat.constant += view.plane.constant * rows_per_plane;
  for (size_t i = 0; i < flat.coefficients.size(); ++i)
    flat.coefficients[i] += view.plane.coefficients[i] * rows_per_plane;
  return flat;
}

std::string scalarText(DType dtype, double value) {
  return fmt::format("0x{:0{}x}", ir::bitsOf(dtype, value), 2 * ir::elementSize(dtype));
}

std::string tensorTable(const Program& program) {
  std::string names, rows;
  for (const Tensor& tensor : program.tensors) {
    names += (names.empty() ? "" : ", ") + tensor.declaration.name;
    rows +=
        fmt::format("    {{\"{}\", ptowsp::Role::{}, {}, {}, {}, {}}},\n", tensor.declaration.name,
                    ir::nameOf(tensor.declaration.role), tensor.planes * tensor.rows, tensor.cols,
                    ir::elementSize(tensor.declaration.dtype), tensor.written ? "true" : "false");
  }
  return fmt::format(
      "namespace tensor {{\n"
      "enum : int {{ {} }};\n"
      "}}\n\n"
      "// Name, role, rows through all leading dimensions, columns, bytes of an element, written.\n"
      "constexpr ptowsp::TensorInfo tensors[] = {{\n{}}};\n",
      names, rows);
}

// One function for each kernel: a call of it is one task.
std::string kernelFunction(const Kernel& kernel, int func_id, const ScheduleText& schedule) {
  std::set<std::string> params;
  for (const TileParameter& tile : kernel.tiles) params.insert(tile.name);
  for (const ScalarParameter& scalar : kernel.scalars) params.insert(scalar.name);
  const LocalNames names(params);

  std::string signature = schedule.parameter, accesses, values, strides, shapes;
  int64_t elements = 0;
  for (const TileParameter& tile : kernel.tiles) {
    const std::string name = names.of(tile.name);
    signature += fmt::format(", ptowsp::Block {}", name);
    shapes += fmt::format("{}{} {} {} x {}", shapes.empty() ? "" : ", ", ir::nameOf(tile.access),
                          tile.name, tile.rows, tile.cols);
    accesses += fmt::format("  graph.access({}, {}, {}, ptowsp::graph::Access::{});\n", name,
                            tile.rows, tile.cols, ir::nameOf(tile.access));
    values += fmt::format("graph.address({}), ", name);
    if (tile.strided) strides += fmt::format("graph.stride({}), ", name);
    if (elements == 0 && tile.access != Access::in) elements = tile.rows * tile.cols;
  }
  for (const ScalarParameter& scalar : kernel.scalars) {
    signature += fmt::format(", uint64_t {}", names.of(scalar.name));
    values += names.of(scalar.name) + ", ";
    shapes += fmt::format(", scalar {}", scalar.name);
  }
  return fmt::format(
      "// {0}({1}), func_id {2}.\n"
      "int {0}(ptowsp::Graph& graph{3}) {{\n"
      "  graph.begin();\n"
      "{4}"
      "  uint64_t args[] = {{{5}{6}, {7}graph.ledgerSlot(), graph.stamp()}};\n"
      "{10}"
      "  return graph.{11}(\"{0}\", args, {8}, {2}, {9});\n"
      "}}\n",
      kernel.name, shapes, func_id, signature, accesses, values, elements, strides,
      kernel.argumentCount(),
      kernel.core == CoreType::aic ? "ptowsp::kCoreAic" : "ptowsp::kCoreAiv", schedule.assignment,
      kernel.argumentCount() > limits::kArguments ? "addWithBlock" : "add");
}

std::string nodeText(const Program& program, const Node& node, const LocalNames& names,
                     std::vector<std::string>& variables, int depth);
std::string processNodeText(const Program& program, const Node& node, const LocalNames& names,
                            std::vector<std::string>& variables, int depth);

std::string bodyText(const Program& program, const Node& node, const LocalNames& names,
                     std::vector<std::string>& variables, int depth,
                     decltype(nodeText)* text_of = nodeText) {
  std::string text;
  for (const Node& child : node.body) text += text_of(program, child, names, variables, depth);
  return text;
}

// "kernel::twice(graph, {tensor::x, 0, 0})".
std::string callText(const Program& program, const Node& node,
                     const std::vector<std::string>& variables) {
  const Kernel& kernel = program.kernels[node.kernel];
  std::string args =
      keyArgument(program.schedule, node.key, affineText(node.key.value, variables));
  for (const TileView& view : node.views) {
    const Tensor& tensor = program.tensors[view.tensor];
    args += fmt::format(", {{tensor::{}, {}, {}}}", tensor.declaration.name,
                        affineText(flatRow(view, tensor.rows), variables),
                        affineText(view.col, variables));
  }
  for (size_t i = 0; i < node.scalars.size(); ++i)
    args += ", " + scalarText(kernel.scalars[i].dtype, node.scalars[i]);
  return fmt::format("kernel::{}(graph{})", kernel.name, args);
}

std::string taskText(const Program& program, const Node& node,
                     const std::vector<std::string>& variables, int depth) {
  return fmt::format("{}if (int error = {}) return error;\n", indented(depth),
                     callText(program, node, variables));
}

// A node of a process. Loop variables belong to the process, which leaves its function to wait.
std::string processNodeText(const Program& program, const Node& node, const LocalNames& names,
                            std::vector<std::string>& variables, int depth) {
  const std::string in = indented(depth);
  const auto body = [&](int body_depth) {
    return bodyText(program, node, names, variables, body_depth, processNodeText);
  };
  switch (node.kind) {
    case Node::Kind::task:
      return fmt::format("{}{}({});\n", in, node.same_turn ? "PTOWSP_NEXT_STAGE" : "PTOWSP_TASK",
                         callText(program, node, variables));
    case Node::Kind::send: {
      const std::string& channel = program.channels[static_cast<size_t>(node.channel)].name;
      return fmt::format("{0}PTOWSP_ROOM(channel::{1});\n{2}{0}PTOWSP_SEND(channel::{1});\n", in,
                         channel, body(depth));
    }
    case Node::Kind::loop: {
      const std::string variable = names.of(node.variable);
      variables.push_back(variable);
      std::string text = body(depth + 1), comment = node.parallel ? "parallel" : "sequential";
      variables.pop_back();
      if (node.consumes()) {
        const std::string& channel = program.channels[static_cast<size_t>(node.channel)].name;
        comment = "consume " + channel;
        text = fmt::format("{0}PTOWSP_RECEIVE(channel::{1});\n{2}{0}PTOWSP_RELEASE(channel::{1});\n",
                           indented(depth + 1), channel, text);
      }
      return fmt::format("{0}for ({1} = 0; {1} < {2}; ++{1}) {{  // {3}\n{4}{0}}}\n", in, variable,
                         node.extent, comment, text);
    }
    default:
      return fmt::format("{0}{{  // {1}\n{2}{0}}}\n", in,
                         node.kind == Node::Kind::combine ? "combine" : "sequential",
                         body(depth + 1));
  }
}

// A connect node: each process a function that stops where it has to wait, run in turns.
std::string connectText(const Program& program, const Node& node, const LocalNames& names,
                        std::vector<std::string>& variables, int depth) {
  const std::string in = indented(depth + 1);
  std::string processes, list;
  for (const Node& process : node.body) {
    std::set<std::string> loops;
    collectVariables(process, loops);
    std::string state;
    for (const std::string& loop : loops)
      state += fmt::format(", {} = int64_t{{0}}", names.of(loop));
    const std::string name = names.unused(process.name + "_process");
    list += ", " + name;
    processes += fmt::format(
        "{0}auto {1} = [&{2}](ptowsp::Process& process) mutable -> int {{\n"
        "{0}  PTOWSP_PROCESS(process)\n{3}{0}  PTOWSP_PROCESS_END\n{0}}};\n",
        in, name, state,
        bodyText(program, process, names, variables, depth + 2, processNodeText));
  }
  const std::string open =
      program.channels.empty()
          ? ""
          : in + "if (int error = ptowsp::openNetwork(network, channels)) return error;\n";
  return fmt::format(
      "{0}{{  // connect\n{1}ptowsp::Network network;\n{2}{3}"
      "{1}if (int error = ptowsp::runProcesses(network{4})) return error;\n{0}}}\n",
      indented(depth), in, open, processes, list);
}

std::string channelTable(const Program& program) {
  if (program.channels.empty()) return "";
  std::string names, rows;
  for (const Channel& channel : program.channels) {
    names += (names.empty() ? "" : ", ") + channel.name;
    rows += fmt::format("    {{\"{}\", {}, {}}},\n", channel.name, channel.depth, channel.tokens);
  }
  return fmt::format(
      "\nnamespace channel {{\n"
      "enum : int {{ {} }};\n"
      "}}\n\n"
      "// Name, depth, tokens.\n"
      "constexpr ptowsp::ChannelInfo channels[] = {{\n{}}};\n",
      names, rows);
}

std::string nodeText(const Program& program, const Node& node, const LocalNames& names,
                     std::vector<std::string>& variables, int depth) {
  switch (node.kind) {
    case Node::Kind::task:
      return taskText(program, node, variables, depth);
    case Node::Kind::loop: {
      const std::string variable = names.of(node.variable);
      variables.push_back(variable);
      std::string body = bodyText(program, node, names, variables, depth + 1);
      variables.pop_back();
      return fmt::format("{0}for (int64_t {1} = 0; {1} < {2}; ++{1}) {{  // {3}\n{4}{0}}}\n",
                         indented(depth), variable, node.extent,
                         node.parallel ? "parallel" : "sequential", body);
    }
    case Node::Kind::connect:
      return connectText(program, node, names, variables, depth);
    default: {
      const std::string body = bodyText(program, node, names, variables, depth + 1);
      return fmt::format("{0}{{  // {1}\n{2}{0}}}\n", indented(depth),
                         node.kind == Node::Kind::combine ? "combine" : "sequential", body);
    }
  }
}

// Runners on a2a3sim take the relay kernel from this library; it is too small for one of its own.
std::string relayFunction() {
  return fmt::format(
      "// The relay kernel, as in kernels/aiv_sim/kernel_{0}.cpp.\n"
      "extern \"C\" __attribute__((visibility(\"default\"))) void kernel_{0}(int64_t*) {{}}\n\n",
      kRelayKernel);
}

}  // namespace

std::string emitOrchestration(const Program& program, const Analysis& analysis,
                              std::string_view source_name) {
  std::set<std::string> loop_variables;
  collectVariables(program.root, loop_variables);
  const bool processes = hasProcesses(program.root);
  const LocalNames names(loop_variables,
                         processes ? std::set<std::string>{"network", "channels", "channel", "process"}
                                   : std::set<std::string>{});

  const ScheduleText schedule = scheduleText(program);
  std::string kernels;
  for (size_t i = 0; i < program.kernels.size(); ++i)
    kernels += (i ? "\n" : "") + kernelFunction(program.kernels[i], static_cast<int>(i), schedule);

  std::vector<std::string> variables;
  const std::string body = bodyText(program, program.root, names, variables, 1);
  const graph::GraphTotals& totals = analysis.totals;
  const bool relay = analysis.segments.relays;

  return generatedBy("//", source_name) +
         fmt::format(
             "#include \"runtime.h\"\n{16}"
             "#include \"ptowsp/orchestration.h\"\n{13}\n"
             "#if PTOWSP_ORCHESTRATION_VERSION != 3\n"
             "#error \"ptowsp/orchestration.h is of another version: emit the workload again\"\n"
             "#endif\n{14}\n"
             "namespace {{\n\n"
             "{0}{15}\n"
             "// Tasks, edges, edge hash and largest fan-out that the generator computed; the relay\n"
             "// kernel's func_id, -1 for none.\n"
             "constexpr ptowsp::Expected expected = {{{{{1}, {2}, 0x{3:016x}u}}, {8}, {9}}};\n\n"
             "{11}"
             "namespace kernel {{\n\n"
             "{4}\n"
             "}}  // namespace kernel\n\n"
             "// Every task, in program order.\n"
             "int addTasks(ptowsp::Graph& graph) {{\n"
             "{7}"
             "  return 0;\n"
             "}}\n\n"
             "}}  // namespace\n\n"
             "{10}"
             "extern \"C\" __attribute__((visibility(\"default\")))\n"
             "int {5}(Runtime* runtime, uint64_t* args, int arg_count) {{\n"
             "  ptowsp::Graph graph(runtime, tensors, expected, ptowsp::Dependences::{6});\n"
             "{12}"
             "  return graph.build(args, arg_count, addTasks);\n"
             "}}\n",
             tensorTable(program), totals.tasks, totals.edges, totals.edge_hash, kernels,
             kOrchestrationFunction,
             analysis.dependences == Dependences::program_order ? "program_order" : "dataflow",
             body, analysis.max_fan_out, relay ? static_cast<int>(program.kernels.size()) : -1,
             relay ? relayFunction() : "",
             schedule.helper, schedule.directives,
             processes ? "#include \"ptowsp/processes.h\"\n" : "",
             processes ? "#if PTOWSP_PROCESSES_VERSION != 1\n"
                         "#error \"ptowsp/processes.h is of another version: emit the workload again\"\n"
                         "#endif\n"
                       : "",
             channelTable(program),
             analysis.only_cells ? "// The tiles of each tensor are cells of one grid.\n"
                                   "#define PTOWSP_TILES_ARE_CELLS 1\n"
                                 : "");
}

}  // namespace ptowsp
