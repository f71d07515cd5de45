// SPDX-License-Identifier: MIT
// ProcessScript: a process as a list of steps, made from a program tree, and a cursor that goes
// through it in the turns of a Network. For the generator and the runner, who have the tree as data;
// emitted orchestrations have processes as code (processes.h).
#pragma once

#include <cstdint>
#include <vector>

#include "ptowsp/channels.h"

namespace ptowsp {

struct ProcessStep {
  enum class Kind : uint8_t {
    task,     // operand: which
    loop,     // operand: which; extent
    next,     // the end of a loop's body; target: the body's first step
    room,     // these four: operand is a channel
    send,
    receive,
    release,
  };
  Kind kind = Kind::task;
  int operand = 0;
  int target = 0;
  int64_t extent = 0;
  int origin = 0;  // room, send, receive, release: which node they belong to
  bool same_turn = false;  // a task that belongs to the turn of the one before it: its next stage
};
using ProcessScript = std::vector<ProcessStep>;

// ScriptBuilder adds a tree's nodes in program order; `body` adds what is in them.
class ScriptBuilder {
 public:
  explicit ScriptBuilder(ProcessScript& script) : script_(script) {}

  void task(int which, bool same_turn) {
    step({ProcessStep::Kind::task, which, 0, 0, 0, same_turn});
  }
  template <class Body>
  void loop(int which, int64_t extent, Body&& body) {
    step({ProcessStep::Kind::loop, which, 0, extent});
    const int first = static_cast<int>(script_.size());
    body();
    step({ProcessStep::Kind::next, which, first, extent});
  }
  template <class Body>
  void consume(int which, int channel, int64_t tokens, Body&& body) {
    loop(which, tokens, [&] {
      step({ProcessStep::Kind::receive, channel, 0, 0, which});
      body();
      step({ProcessStep::Kind::release, channel, 0, 0, which});
    });
  }
  template <class Body>
  void send(int which, int channel, Body&& body) {
    step({ProcessStep::Kind::room, channel, 0, 0, which});
    body();
    step({ProcessStep::Kind::send, channel, 0, 0, which});
  }

 private:
  void step(const ProcessStep& step) { script_.push_back(step); }

  ProcessScript& script_;
};

// ProcessVisitor: what may be noted on the way; a visitor derives from it and hides what it needs.
// Slots are those of Network. `task` returns the number under which the process' task is known.
struct ProcessVisitor {
  void nextIteration(int /*loop*/) {}
  void leaveLoop(int /*loop*/, int64_t /*extent*/) {}
  void room(int /*channel*/, int64_t /*slot*/) {}
  void sent(int /*channel*/, int64_t /*slot*/) {}
  void taken(int /*channel*/, int64_t /*slot*/) {}
  void received(int /*channel*/, int64_t /*slot*/) {}
  void released(int /*channel*/, int64_t /*slot*/) {}
};

// ProcessCursor: how far one process is.
class ProcessCursor {
 public:
  explicit ProcessCursor(const ProcessScript& script) : script_(&script) {}

  // The step it waits at; only to be asked where it has not ended.
  const ProcessStep& step() const { return (*script_)[at_]; }
  // Whether it waits for a sent token to be received, at a `send` step.
  bool waitsForTaker() const { return sent_; }
  bool ended() const { return at_ == script_->size(); }

  // One turn. visitor.task(which) adds a task; its waits are process.waits.
  template <class Visitor>
  int turn(Network& network, Process& process, Visitor& visitor) {
    using Kind = ProcessStep::Kind;
    while (at_ < script_->size()) {
      const ProcessStep& step = (*script_)[at_];
      switch (step.kind) {
        case Kind::task:
          if (process.ran && !step.same_turn) return kTurnOver;
          process.added(visitor.task(step.operand));
          break;
        case Kind::loop:
          iterations_.push_back(0);
          break;
        case Kind::next:
          visitor.nextIteration(step.operand);
          if (++iterations_.back() < step.extent) {
            at_ = static_cast<size_t>(step.target);
            continue;
          }
          iterations_.pop_back();
          visitor.leaveLoop(step.operand, step.extent);
          break;
        case Kind::room: {
          const int64_t slot = network.room(process, step.operand);
          if (slot < 0) return kTurnBlocked;
          visitor.room(step.operand, slot);
          break;
        }
        case Kind::send: {
          if (!sent_) visitor.sent(step.operand, network.send(process, step.operand));
          const int64_t slot = network.taken(step.operand);
          sent_ = slot < 0;
          if (sent_) return kTurnBlocked;
          visitor.taken(step.operand, slot);
          break;
        }
        case Kind::receive: {
          const int64_t slot = network.receive(process, step.operand);
          if (slot < 0) return kTurnBlocked;
          visitor.received(step.operand, slot);
          break;
        }
        case Kind::release:
          visitor.released(step.operand, network.release(process, step.operand));
          break;
      }
      ++at_;
    }
    return kTurnDone;
  }

 private:
  const ProcessScript* script_;
  size_t at_ = 0;
  std::vector<int64_t> iterations_;
  bool sent_ = false;
};

}  // namespace ptowsp
