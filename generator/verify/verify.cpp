// SPDX-License-Identifier: MIT
#include "generator/verify/verify.h"

#include <cstdint>

#include "generator/base/checked.h"
#include "generator/verify/network.h"
#include "generator/verify/rules.h"

namespace ptowsp {
namespace {

constexpr int64_t kMostTasks = INT32_MAX;  // a task's id is an int in every runtime

// too-many-tasks, empty-extent, empty-body: loops and lists hold tasks, and not more than can be
// numbered.
class TreeBuilder {
 public:
  explicit TreeBuilder(Scope& scope) : scope_(scope) {}

  Node node(const ir::Node& source) {
    switch (source.kind) {
      case ir::Node::Kind::task:
        return buildTask(source, scope_);
      case ir::Node::Kind::loop:
        return loop(source);
      case ir::Node::Kind::sequential:
        return list(source, Node::Kind::sequential);
      case ir::Node::Kind::combine:
        return list(source, Node::Kind::combine);
      case ir::Node::Kind::connect:
        return list(source, Node::Kind::connect);
      case ir::Node::Kind::process:
        return list(source, Node::Kind::process);
      case ir::Node::Kind::send:
        return list(source, Node::Kind::send);
      case ir::Node::Kind::consume:
        return consume(source);
    }
    return {};
  }

  void addBody(Node& node, const std::vector<ir::Node>& body) {
    for (const ir::Node& child : body) {
      node.body.push_back(this->node(child));
      count(node, checkedAdd(node.tasks, node.body.back().tasks));
    }
  }

 private:
  Node list(const ir::Node& source, Node::Kind kind) {
    Node node;
    node.kind = kind;
    node.place = source.place;
    node.name = source.name;
    node.channel = scope_.findChannel(source.channel);
    checkBody(source);
    addBody(node, source.body);
    return node;
  }

  Node loop(const ir::Node& source) {
    Node node;
    node.kind = Node::Kind::loop;
    node.place = source.place;
    node.variable = source.variable;
    node.extent = source.extent;
    node.parallel = source.parallel;
    if (source.extent < 1) {
      scope_.diagnostics.error("empty-extent", source.place + "/extent",
                               "loop " + inQuotes(source.variable) + " has extent " +
                                   std::to_string(source.extent) + ", expected at least 1",
                               "remove the loop, or give it iterations");
      node.extent = 1;
    } else if (source.extent > kMostTasks) {
      tooMany(source.place + "/extent");
      node.extent = 1;
    }
    addLoopBody(node, source);
    return node;
  }

  // A loop over the channel's tokens. What is wrong with the channel was said by buildChannels.
  Node consume(const ir::Node& source) {
    Node node;
    node.kind = Node::Kind::loop;
    node.place = source.place;
    node.variable = source.variable;
    node.channel = scope_.findChannel(source.channel);
    node.extent = node.channel < 0 ? 1 : scope_.program.channels[static_cast<size_t>(node.channel)].tokens;
    addLoopBody(node, source);
    return node;
  }

  void addLoopBody(Node& node, const ir::Node& source) {
    checkBody(source);
    scope_.loops.push_back({source.variable, node.extent});
    addBody(node, source.body);
    scope_.loops.pop_back();
    count(node, checkedMul(node.tasks, node.extent));
  }

  void checkBody(const ir::Node& source) {
    if (!source.body.empty()) return;
    scope_.diagnostics.error("empty-body", source.place, "this node has no task in it",
                             "remove it");
  }

  void count(Node& node, std::optional<int64_t> tasks) {
    if (tasks && *tasks <= kMostTasks) {
      node.tasks = *tasks;
      return;
    }
    tooMany(node.place);
    node.tasks = 0;  // said once, where it happens first
  }

  void tooMany(const std::string& place) {
    scope_.diagnostics.error(
        "too-many-tasks", place,
        "there are more than " + std::to_string(kMostTasks) + " tasks up to here",
        "use larger tiles");
  }

  Scope& scope_;
};

}  // namespace

std::optional<Program> verify(const ir::Workload& workload, Diagnostics& diagnostics) {
  Diagnostics found;
  checkWorkload(workload, found);
  Program program;
  program.name = workload.name;
  for (const ir::Tensor& tensor : workload.tensors) program.tensors.push_back(buildTensor(tensor));
  for (const ir::Kernel& kernel : workload.kernels) {
    program.kernels.push_back(buildKernel(kernel, found));
  }
  program.channels = buildChannels(workload, found);
  program.root.kind = Node::Kind::sequential;
  program.root.place = "/program";
  if (workload.program.empty()) {
    found.error("empty-body", "/program", "the program has no task", "add a task");
  }
  Scope scope{program, {}, found};
  TreeBuilder(scope).addBody(program.root, workload.program);
  if (!found.hasErrors()) buildSchedule(workload, program, found);
  // Asked of a program with errors, these rules would blame what was not understood.
  if (!found.hasErrors()) checkProgram(program, found);
  if (!found.hasErrors()) orderProcesses(program, found);
  bool good = !found.hasErrors();
  diagnostics.add(std::move(found));
  if (!good) return std::nullopt;
  return program;
}

}  // namespace ptowsp
