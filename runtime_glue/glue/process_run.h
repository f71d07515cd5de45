// SPDX-License-Identifier: MIT
// Going through the processes of a connect node, in the order of their tasks' indices.
#pragma once

#include <new>
#include <vector>

#include "ptowsp/manifest.h"
#include "ptowsp/process_script.h"

namespace ptowsp::glue {

// Adds a node of a process to a script. Tasks are numbered by their kernels, all else by 0.
inline void addToScript(const ProgramNode& node, ScriptBuilder& builder) {
  const auto body = [&] {
    for (const ProgramNode& child : node.body) addToScript(child, builder);
  };
  if (node.kind == ProgramNode::Kind::task) return builder.task(node.kernel, node.same_turn);
  if (node.kind == ProgramNode::Kind::send) return builder.send(0, node.channel, body);
  if (node.kind != ProgramNode::Kind::loop) return body();
  if (node.channel >= 0) return builder.consume(0, node.channel, node.extent, body);
  builder.loop(0, node.extent, body);
}

// The channels as a Network takes them; the names are the manifest's.
inline std::vector<ChannelInfo> networkChannels(const Manifest& manifest) {
  std::vector<ChannelInfo> channels;
  for (const Channel& channel : manifest.channels)
    channels.push_back({channel.name.c_str(), channel.depth, channel.tokens});
  return channels;
}

// Runs the processes; `visitor` is a ProcessVisitor with a member `process`, which is the index of the
// one whose turn it is. False when some can never end.
template <class Visitor>
bool runProcesses(const ProgramNode& connect, const std::vector<ChannelInfo>& channels,
                  Visitor& visitor) {
  const size_t count = connect.body.size();
  std::vector<ProcessScript> scripts(count);
  std::vector<ProcessCursor> cursors;
  for (size_t p = 0; p < count; ++p) {
    ScriptBuilder builder(scripts[p]);
    addToScript(connect.body[p], builder);
    cursors.emplace_back(scripts[p]);
  }
  Network network;
  if (!network.open(channels.data(), static_cast<int>(channels.size()))) throw std::bad_alloc();
  std::vector<Process> processes(count);
  const int result = network.run(processes.data(), static_cast<int>(count), [&](int p) {
    visitor.process = p;
    const auto i = static_cast<size_t>(p);
    return cursors[i].turn(network, processes[i], visitor);
  });
  if (result == kNetworkNoMemory) throw std::bad_alloc();
  return result == 0;
}

}  // namespace ptowsp::glue
