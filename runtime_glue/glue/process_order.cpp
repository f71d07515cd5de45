#include "runtime_glue/glue/process_order.h"

#include <memory>
#include <new>

#include "ptowsp/process_script.h"

namespace ptowsp::glue {
namespace {

void addToScript(const ProgramNode& node, ScriptBuilder& builder) {
  const auto body = [&] {
    for (const ProgramNode& child : node.body) addToScript(child, builder);
  };
  if (node.kind == ProgramNode::Kind::task) return builder.task(0);
  if (node.kind == ProgramNode::Kind::send) return builder.send(0, node.channel, body);
  if (node.kind != ProgramNode::Kind::loop) return body();
  if (node.channel >= 0) return builder.consume(0, node.channel, node.extent, body);
  builder.loop(0, node.extent, body);
}

struct OrderVisitor : ProcessVisitor {
  std::vector<ProgramNode::Turn>* order;
  std::vector<int32_t> done;  // tasks of each process
  int32_t process = 0;

  int32_t task(int) {
    const auto tasks = static_cast<int32_t>(order->size());
    order->push_back({process, done[static_cast<size_t>(process)]++});
    return tasks;
  }
};

bool order(ProgramNode& connect, const std::vector<ChannelInfo>& channels) {
  const size_t count = connect.body.size();
  std::vector<ProcessScript> scripts(count);
  std::vector<ProcessCursor> cursors;
  for (size_t p = 0; p < count; ++p) {
    ScriptBuilder builder(scripts[p]);
    addToScript(connect.body[p], builder);
    cursors.emplace_back(scripts[p]);
  }
  OrderVisitor visitor;
  visitor.order = &connect.order;
  visitor.done.resize(count);
  connect.order.reserve(static_cast<size_t>(connect.tasks));
  Network network;
  if (!network.open(channels.data(), static_cast<int>(channels.size()))) throw std::bad_alloc();
  const auto processes = std::make_unique<Process[]>(count);
  const int result = network.run(processes.get(), static_cast<int>(count), [&](int p) {
    const auto i = static_cast<size_t>(visitor.process = p);
    return cursors[i].turn(network, processes[i], visitor);
  });
  if (result == kNetworkNoMemory) throw std::bad_alloc();
  return result == 0;
}

bool orderBelow(ProgramNode& node, const std::vector<ChannelInfo>& channels) {
  if (node.kind == ProgramNode::Kind::connect) return order(node, channels);
  for (ProgramNode& child : node.body) {
    if (!orderBelow(child, channels)) return false;
  }
  return true;
}

}  // namespace

bool orderProcesses(Manifest& manifest) {
  std::vector<ChannelInfo> channels;
  for (const Channel& channel : manifest.channels)
    channels.push_back({channel.name.c_str(), channel.depth, channel.tokens});
  return orderBelow(manifest.program, channels);
}

}  // namespace ptowsp::glue
