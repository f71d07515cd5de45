// SPDX-License-Identifier: MIT
// Rules about processes and channels: what stands where, which process has which end of a channel,
// and how many tokens go through it. Every channel has one process that sends and one that consumes.
#include <algorithm>
#include <cstdint>

#include "generator/base/checked.h"
#include "generator/base/suggest.h"
#include "generator/verify/rules.h"

namespace ptowsp {
namespace {

constexpr int64_t kMostTokens = INT32_MAX;  // a token has a task

using Kind = ir::Node::Kind;

// End: a send or consume node. It stands in loops of `times` iterations together, and in the bodies
// of consume nodes of the channels `within`.
struct End {
  const ir::Node* node;
  const ir::Node* process;
  std::vector<int> within;
  int64_t times;
};

struct Use {
  std::vector<End> sends, consumes;
  const ir::Node* connect = nullptr;  // the first one whose processes name the channel
  bool good = false;                  // one process at each end
};

class Channels {
 public:
  Channels(const ir::Workload& workload, Diagnostics& diagnostics)
      : workload_(workload), diagnostics_(diagnostics), uses_(workload.channels.size()) {}

  std::vector<Channel> build() {
    const size_t errors = diagnostics_.all().size();
    for (const ir::Node& node : workload_.program) visit(node, {});
    const bool placed = diagnostics_.all().size() == errors;
    std::vector<Channel> channels;
    tokens_.assign(uses_.size(), kUnknown);
    for (size_t c = 0; c < uses_.size(); ++c) {
      const ir::Channel& declared = workload_.channels[c];
      // Asked where ends are missing or doubled, token counts would say it again.
      uses_[c].good = placed && checkEnds(c);
      const int64_t tokens = uses_[c].good ? tokensOf(c) : 1;
      channels.push_back({declared.name, declared.depth, declared.latency, tokens, declared.place});
    }
    for (size_t c = 0; c < uses_.size(); ++c) {
      if (uses_[c].good) checkConsumed(c);
    }
    return channels;
  }

 private:
  static constexpr int64_t kUnknown = -1, kAsked = -2;

  // Around: what a node stands in.
  struct Around {
    const ir::Node* connect = nullptr;
    const ir::Node* process = nullptr;
    const ir::Node* parallel = nullptr;  // the innermost parallel loop or combine of the process
    std::vector<int> within;
    int64_t times = 1;
  };

  std::string nameOf(size_t channel) const { return inQuotes(workload_.channels[channel].name); }

  int find(const std::string& name, const std::string& place) {
    std::vector<std::string_view> known;
    for (size_t c = 0; c < workload_.channels.size(); ++c) {
      if (workload_.channels[c].name == name) return static_cast<int>(c);
      known.push_back(workload_.channels[c].name);
    }
    diagnostics_.error("unknown-name", place, "unknown channel " + inQuotes(name),
                       known.empty() ? "declare it in \"channels\""
                                     : suggestion(name, "channels", known));
    return -1;
  }

  void visit(const ir::Node& node, Around around) {
    switch (node.kind) {
      case Kind::task:
        return;
      case Kind::loop:
        around.times = checkedMul(around.times, std::max<int64_t>(node.extent, 1))
                           .value_or(kMostTokens + 1);
        [[fallthrough]];
      case Kind::combine:
        if (node.parallel || node.kind == Kind::combine) around.parallel = &node;
        break;
      case Kind::sequential:
        break;
      case Kind::connect:
        if (around.process) {
          misplaced(node, "connect", "a connect node stands in process " +
                                         inQuotes(around.process->name) +
                                         ": processes hold no processes",
                    "list its processes beside the other ones")
              .related.push_back({around.process->place, "the process is here"});
        }
        around = {&node, nullptr, nullptr, {}, 1};
        break;
      case Kind::process:
        around.process = &node;
        for (const ir::Name& name : node.consumes) declare(name, around);
        for (const ir::Name& name : node.produces) declare(name, around);
        break;
      case Kind::send:
      case Kind::consume:
        if (!end(node, around)) return;
        break;
    }
    for (const ir::Node& child : node.body) visit(child, around);
  }

  Diagnostic& misplaced(const ir::Node& node, std::string_view key, std::string message,
                        std::string fix) {
    return diagnostics_.error("misplaced-node", node.place + "/" + std::string(key),
                              std::move(message), std::move(fix));
  }

  void declare(const ir::Name& name, const Around& around) {
    const int channel = find(name.text, name.place);
    if (channel < 0) return;
    Use& use = uses_[static_cast<size_t>(channel)];
    if (!use.connect) use.connect = around.connect;
    if (use.connect == around.connect) return;
    diagnostics_
        .error("channel-ends", name.place,
               "channel " + inQuotes(name.text) + " is used in two connect nodes",
               "declare a channel for each")
        .related.push_back({use.connect->place, "the other one is here"});
  }

  // A send or consume node: where it stands, and whether its process lists the channel.
  bool end(const ir::Node& node, Around& around) {
    const bool sends = node.kind == Kind::send;
    const std::string key = sends ? "send" : "consume";
    const int channel = find(node.channel, node.place + "/" + key);
    if (channel < 0) return false;
    if (!around.process) {
      misplaced(node, key, "'" + key + "' stands outside of a process",
                "put it into the body of a process of a connect node");
      return false;
    }
    if (around.parallel) {
      const bool loop = around.parallel->kind == Kind::loop;
      misplaced(node, key,
                "'" + key + "' stands in a " +
                    (loop ? "parallel loop over " + inQuotes(around.parallel->variable)
                          : std::string("combine node")) +
                    ", but tokens have an order",
                loop ? "make the loop sequential" : "make the node sequential")
          .related.push_back({around.parallel->place, loop ? "the loop is here" : "it is here"});
      return false;
    }
    const std::vector<ir::Name>& listed = sends ? around.process->produces : around.process->consumes;
    if (std::none_of(listed.begin(), listed.end(),
                     [&](const ir::Name& name) { return name.text == node.channel; })) {
      const std::string list = sends ? "produces" : "consumes";
      diagnostics_
          .error("channel-ends", node.place + "/" + key,
                 "process " + inQuotes(around.process->name) + (sends ? " sends to" : " consumes") +
                     " channel " + inQuotes(node.channel) + ", which it does not list in \"" + list +
                     "\"",
                 "list it there")
          .related.push_back({around.process->place, "the process is here"});
      return false;
    }
    Use& use = uses_[static_cast<size_t>(channel)];
    (sends ? use.sends : use.consumes).push_back({&node, around.process, around.within, around.times});
    if (!sends) around.within.push_back(channel);
    return true;
  }

  // One process sends, one consumes; what processes list they use.
  bool checkEnds(size_t channel) {
    const ir::Channel& declared = workload_.channels[channel];
    const Use& use = uses_[channel];
    if (!use.connect) {
      diagnostics_.error("channel-ends", declared.place,
                         "channel " + nameOf(channel) + " is used by no process", "remove it");
      return false;
    }
    bool good = true;
    for (const bool sends : {true, false}) {
      const std::vector<End>& ends = sends ? use.sends : use.consumes;
      const std::string what = sends ? "sends to" : "consumes";
      const std::string list = sends ? "produces" : "consumes";
      for (const ir::Node& process : use.connect->body) {
        for (const ir::Name& name : sends ? process.produces : process.consumes) {
          if (name.text != declared.name) continue;
          if (std::any_of(ends.begin(), ends.end(),
                          [&](const End& end) { return end.process == &process; })) {
            continue;
          }
          diagnostics_.error("channel-ends", name.place,
                             "process " + inQuotes(process.name) + " lists channel " +
                                 nameOf(channel) + " in \"" + list + "\", but never " + what + " it",
                             "remove it from the list, or use it");
          good = false;
        }
      }
      if (!good) continue;
      if (ends.empty()) {
        diagnostics_.error("channel-ends", declared.place,
                           "no process " + what + " channel " + nameOf(channel),
                           sends ? "send to it, or remove it" : "consume it, or remove it");
        good = false;
        continue;
      }
      for (const End& end : ends) {
        if (end.process == ends[0].process) continue;
        diagnostics_
            .error("channel-ends", end.node->place,
                   "process " + inQuotes(end.process->name) + " " + what + " channel " +
                       nameOf(channel) + ", and process " + inQuotes(ends[0].process->name) +
                       " does too: a channel has one process at each end",
                   "give each process a channel of its own")
            .related.push_back({ends[0].node->place, "process " + inQuotes(ends[0].process->name) +
                                                         " " + what + " it here"});
        good = false;
        break;
      }
    }
    return good;
  }

  // How often an end is reached: its loops, and the tokens of the channels it stands within.
  int64_t reached(const End& end) {
    int64_t count = end.times;
    for (const int channel : end.within) {
      const int64_t tokens = tokensOf(static_cast<size_t>(channel));
      count = std::min(checkedMul(count, tokens).value_or(kMostTokens + 1), kMostTokens + 1);
    }
    return count;
  }

  // token-count: tokens sent; 1 where that cannot be known or is too much, which is said once.
  int64_t tokensOf(size_t channel) {
    if (tokens_[channel] == kAsked) {
      diagnostics_.error("token-count", workload_.channels[channel].place,
                         "how many tokens are sent into channel " + nameOf(channel) +
                             " follows from itself: its sender stands in a consume node that waits, "
                             "through other processes or not, for tokens of this channel",
                         "send from a loop of a known extent");
      tokens_[channel] = 1;
    }
    if (tokens_[channel] != kUnknown) return tokens_[channel];
    tokens_[channel] = kAsked;
    int64_t sum = 0;
    for (const End& end : uses_[channel].sends) sum = std::min(sum + reached(end), kMostTokens + 1);
    if (sum > kMostTokens) {
      diagnostics_.error("token-count", workload_.channels[channel].place,
                         "more than " + std::to_string(kMostTokens) +
                             " tokens are sent into channel " + nameOf(channel),
                         "use larger tiles");
      sum = 1;
    }
    return tokens_[channel] = std::max<int64_t>(sum, 1);
  }

  // token-count: what is sent is consumed. A consume node takes all tokens each time it runs.
  void checkConsumed(size_t channel) {
    const Use& use = uses_[channel];
    const int64_t sent = tokensOf(channel);
    int64_t times = 0;
    for (const End& end : use.consumes) times += reached(end);
    if (times == 1) return;
    const End& end = use.consumes.back();
    const std::optional<int64_t> consumed = checkedMul(sent, times);
    const std::string total = consumed ? std::to_string(*consumed) : "more than 2^63";
    Diagnostic& error = diagnostics_.error(
        "token-count", end.node->place,
        "process " + inQuotes(end.process->name) + " consumes " + total + " tokens of channel " +
            nameOf(channel) + " (" + std::to_string(times) + " times all " + std::to_string(sent) +
            "), but process " + inQuotes(use.sends[0].process->name) + " sends " +
            std::to_string(sent),
        "let one consume node run once: its body runs for every token");
    for (const End& send : use.sends) error.related.push_back({send.node->place, "sent here"});
    for (const End& other : use.consumes) {
      if (&other != &end) error.related.push_back({other.node->place, "also consumed here"});
    }
  }

  const ir::Workload& workload_;
  Diagnostics& diagnostics_;
  std::vector<Use> uses_;
  std::vector<int64_t> tokens_;
};

}  // namespace

std::vector<Channel> buildChannels(const ir::Workload& workload, Diagnostics& diagnostics) {
  return Channels(workload, diagnostics).build();
}

}  // namespace ptowsp
