// SPDX-License-Identifier: MIT
// The order of processes: runs the network of every connect node once, without its tasks. What
// stops it is a deadlock; then it is run again with deeper channels, to say which depth is enough.
#include "generator/verify/network.h"

#include <algorithm>
#include <memory>
#include <new>
#include <optional>

#include "generator/verify/rules.h"

namespace ptowsp {
namespace {

// Run: one run of a network.
class Run {
 public:
  Run(const std::vector<ProcessScript>& scripts, const std::vector<ChannelInfo>& channels)
      : processes_(std::make_unique<Process[]>(scripts.size())) {
    if (!network_.open(channels.data(), static_cast<int>(channels.size()))) throw std::bad_alloc();
    for (const ProcessScript& script : scripts) cursors_.emplace_back(script);
  }

  // Whether all processes ended. `order`: gets the process of each task.
  bool finish(std::vector<int32_t>* order) {
    struct Visitor : ProcessVisitor {
      std::vector<int32_t>* order;
      int32_t process = 0, tasks = 0;
      int32_t task(int) {
        if (order) order->push_back(process);
        return tasks++;
      }
    } visitor;
    visitor.order = order;
    const int result =
        network_.run(processes_.get(), static_cast<int>(cursors_.size()), [&](int p) {
          visitor.process = p;
          const auto i = static_cast<size_t>(p);
          return cursors_[i].turn(network_, processes_[i], visitor);
        });
    if (result == kNetworkNoMemory) throw std::bad_alloc();
    return result == 0;
  }

  const std::vector<ProcessCursor>& cursors() const { return cursors_; }
  const Network& network() const { return network_; }

 private:
  Network network_;
  std::unique_ptr<Process[]> processes_;
  std::vector<ProcessCursor> cursors_;
};

// Deadlock: why a run of a connect node's processes stopped, and which depths would be enough.
class Deadlock {
 public:
  // nodes: what the scripts number.
  Deadlock(const Program& program, const Node& connect, const std::vector<ProcessScript>& scripts,
           const std::vector<const Node*>& nodes, const std::vector<ChannelInfo>& channels,
           const Run& run)
      : program_(program),
        connect_(connect),
        scripts_(scripts),
        nodes_(nodes),
        channels_(channels),
        run_(run) {}

  void report(Diagnostics& diagnostics) const {
    const std::vector<size_t> cycle = findCycle();
    std::string message = "the processes wait for one another, and none can go on: ";
    for (size_t i = 0; i < cycle.size(); ++i) {
      message += (i == 0 ? "" : "; ") + waiting(cycle[i]);
    }
    Diagnostic& error =
        diagnostics.error("deadlock", connect_.place, std::move(message), fix(cycle));
    for (const size_t p : cycle) {
      error.related.push_back({nodes_[static_cast<size_t>(step(p).origin)]->place,
                               "process " + nameOf(p) + " waits here"});
    }
  }

 private:
  std::string nameOf(size_t process) const { return inQuotes(connect_.body[process].name); }
  const ProcessStep& step(size_t process) const { return run_.cursors()[process].step(); }
  int channelOf(size_t process) const { return step(process).operand; }

  // The process at the other end of the channel at which `process` waits: a receiver waits for the
  // one that sends, a sender for the one that receives.
  size_t waitsFor(size_t process) const {
    const auto wanted = step(process).kind == ProcessStep::Kind::receive
                            ? ProcessStep::Kind::send
                            : ProcessStep::Kind::receive;
    for (size_t p = 0; p < scripts_.size(); ++p) {
      for (const ProcessStep& other : scripts_[p]) {
        if (other.kind == wanted && other.operand == channelOf(process)) return p;
      }
    }
    return process;  // ruled out by the rules about channels
  }

  // Who waits for whom leads into a cycle, because a process that ended kept nobody waiting: it
  // sent and consumed all that the others expect of it.
  std::vector<size_t> findCycle() const {
    size_t process = 0;
    while (run_.cursors()[process].ended()) ++process;
    for (size_t i = 0; i < scripts_.size(); ++i) process = waitsFor(process);
    std::vector<size_t> cycle = {process};
    for (size_t p = waitsFor(process); p != process; p = waitsFor(p)) cycle.push_back(p);
    std::rotate(cycle.begin(), std::min_element(cycle.begin(), cycle.end()), cycle.end());
    return cycle;
  }

  std::string waiting(size_t process) const {
    const int at = channelOf(process);
    const Channel& channel = program_.channels[static_cast<size_t>(at)];
    const std::string other = nameOf(waitsFor(process));
    std::string text = nameOf(process) + " waits for ";
    if (step(process).kind == ProcessStep::Kind::receive) {
      return text + "a token of channel " + inQuotes(channel.name) + ", which is empty, from " + other;
    }
    if (run_.cursors()[process].waitsForTaker()) {
      return text + other + " to receive its token from channel " + inQuotes(channel.name) +
             ", which has depth 0";
    }
    return text + "room in channel " + inQuotes(channel.name) + ", which is full (" +
           std::to_string(run_.network().tokensHeld(at)) + " of " +
           std::to_string(run_.network().capacity(at)) + "), from " + other;
  }

  bool finishes(const std::vector<ChannelInfo>& channels) const {
    return Run(scripts_, channels).finish(nullptr);
  }

  // The smallest number from low + 1 to high with which `raise` makes the network finish; more room
  // never stops a network that went on with less. Nothing when `high` is not enough.
  template <class Raise>
  std::optional<int64_t> smallest(int64_t low, int64_t high, Raise&& raise) const {
    const auto enough = [&](int64_t depth) {
      std::vector<ChannelInfo> deeper = channels_;
      raise(deeper, depth);
      return finishes(deeper);
    };
    if (high <= low || !enough(high)) return std::nullopt;
    while (high - low > 1) {
      const int64_t middle = low + (high - low) / 2;
      (enough(middle) ? high : low) = middle;
    }
    return high;
  }

  std::string fix(const std::vector<size_t>& cycle) const {
    std::string best;
    int64_t least = 0;
    for (const size_t process : cycle) {
      if (step(process).kind == ProcessStep::Kind::receive) continue;
      const auto at = static_cast<size_t>(channelOf(process));
      const std::optional<int64_t> depth =
          smallest(channels_[at].depth, channels_[at].tokens,
                   [&](std::vector<ChannelInfo>& deeper, int64_t d) { deeper[at].depth = d; });
      if (!depth || (!best.empty() && *depth - channels_[at].depth >= least)) continue;
      least = *depth - channels_[at].depth;
      best = "give channel " + inQuotes(program_.channels[at].name) + " a depth of at least " +
             std::to_string(*depth);
    }
    if (!best.empty()) return best;
    int64_t most = 0;
    for (const ChannelInfo& channel : channels_) most = std::max(most, channel.tokens);
    const std::optional<int64_t> all =
        smallest(-1, most, [](std::vector<ChannelInfo>& deeper, int64_t d) {
          for (ChannelInfo& channel : deeper) channel.depth = std::max(channel.depth, d);
        });
    if (all) {
      return "one deeper channel is not enough: give each channel a depth of at least " +
             std::to_string(*all);
    }
    return "no depth is enough: let one of them send before it consumes";
  }

  const Program& program_;
  const Node& connect_;
  const std::vector<ProcessScript>& scripts_;
  const std::vector<const Node*>& nodes_;
  const std::vector<ChannelInfo>& channels_;
  const Run& run_;
};

void orderBelow(const Program& program, Node& node, const std::vector<ChannelInfo>& channels,
                Diagnostics& diagnostics) {
  if (node.kind != Node::Kind::connect) {
    for (Node& child : node.body) orderBelow(program, child, channels, diagnostics);
    return;
  }
  std::vector<const Node*> nodes;
  const std::vector<ProcessScript> scripts = scriptsOf(node, [&](const Node& below) {
    nodes.push_back(&below);
    return static_cast<int>(nodes.size()) - 1;
  });
  node.order.clear();
  node.order.reserve(static_cast<size_t>(node.tasks));
  Run run(scripts, channels);
  if (!run.finish(&node.order)) {
    Deadlock(program, node, scripts, nodes, channels, run).report(diagnostics);
  }
}

}  // namespace

bool hasProcesses(const Node& node) {
  return node.kind == Node::Kind::connect ||
         std::any_of(node.body.begin(), node.body.end(), hasProcesses);
}

std::vector<ChannelInfo> networkChannels(const Program& program) {
  std::vector<ChannelInfo> channels;
  for (const Channel& channel : program.channels) {
    channels.push_back({channel.name.c_str(), channel.depth, channel.tokens});
  }
  return channels;
}

void orderProcesses(Program& program, Diagnostics& diagnostics) {
  orderBelow(program, program.root, networkChannels(program), diagnostics);
}

}  // namespace ptowsp
