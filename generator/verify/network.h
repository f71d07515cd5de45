// SPDX-License-Identifier: MIT
// Processes of a connect node: their order, and the scripts for all who go through them in it.
#pragma once

#include <vector>

#include "generator/base/diagnostic.h"
#include "generator/verify/program.h"
#include "ptowsp/process_script.h"

namespace ptowsp {

// Fills in Node::order of every connect node (network.cpp). Rule: deadlock. To be called again by
// whoever changes the tasks of a program.
void orderProcesses(Program& program, Diagnostics& diagnostics);

// Adds a node of a process to a script. operand(node) numbers tasks, loops and sends; it is asked in
// program order, of a node before what is in it.
template <class Operand>
void addToScript(const Node& node, ScriptBuilder& builder, Operand& operand) {
  const auto body = [&] {
    for (const Node& child : node.body) addToScript(child, builder, operand);
  };
  if (node.kind == Node::Kind::task) return builder.task(operand(node), node.same_turn);
  if (node.kind == Node::Kind::send) {
    return builder.send(operand(node), node.channel, body);
  }
  if (node.consumes()) return builder.consume(operand(node), node.channel, node.extent, body);
  if (node.kind == Node::Kind::loop) return builder.loop(operand(node), node.extent, body);
  body();
}

// The scripts of a connect node's processes.
template <class Operand>
std::vector<ProcessScript> scriptsOf(const Node& connect, Operand&& operand) {
  std::vector<ProcessScript> scripts(connect.body.size());
  for (size_t p = 0; p < scripts.size(); ++p) {
    ScriptBuilder builder(scripts[p]);
    addToScript(connect.body[p], builder, operand);
  }
  return scripts;
}

// Whether there is a connect node at `node` or below it.
bool hasProcesses(const Node& node);

// Channels as a Network takes them.
std::vector<ChannelInfo> networkChannels(const Program& program);

}  // namespace ptowsp
