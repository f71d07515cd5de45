// SPDX-License-Identifier: MIT
#include "runtime_glue/glue/process_order.h"

#include "runtime_glue/glue/process_run.h"

namespace ptowsp::glue {
namespace {

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
  OrderVisitor visitor;
  visitor.order = &connect.order;
  visitor.done.resize(connect.body.size());
  connect.order.reserve(static_cast<size_t>(connect.tasks));
  return runProcesses(connect, channels, visitor);
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
  return orderBelow(manifest.program, networkChannels(manifest));
}

}  // namespace ptowsp::glue
