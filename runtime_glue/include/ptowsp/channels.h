// SPDX-License-Identifier: MIT
// Network: processes that run beside one another, joined by channels, put into one order. The
// generator, the emitted orchestration and the runner use this one implementation, so that a task
// has one index everywhere. Emitted trees hold a copy, hence C++17, C headers only.
//
// The order: in turns, process after process as they are listed. In its turn a process goes on until
// it would add a second task, has to wait for a channel, or ends. So every process gets as far as the
// others, and a small window of tasks holds some of each. The stages of a kernel that was split by
// core stand in one turn: the order is that of the tasks before the split, which defines the result.
//
// A token's way: `room` (there is a free slot), the tasks that make what it stands for, `send`, then
// at the other end `receive`, the tasks that use it, `release` (the slot is free again). A slot
// remembers the last task before `send`, or before `release`, for the next one at its other end to
// wait for: token i's consumer waits for its producer, the producer of token i + slots for the
// consumer of token i. A channel of depth 0 has one slot, and its sender waits until a token is
// received (a rendezvous).
#ifndef PTOWSP_CHANNELS_H
#define PTOWSP_CHANNELS_H

#include <stdint.h>
#include <stdlib.h>

#include "task_graph.h"

namespace ptowsp {
// Hidden, as task_graph.h is, and for the same reason.
inline namespace channels_v1 __attribute__((visibility("hidden"))) {

  struct ChannelInfo {
    const char* name;
    int64_t depth;   // tokens that fit in it; 0: a rendezvous
    int64_t tokens;  // sent and consumed in all
  };

  // Turn: how a process ended its turn. All other numbers are for whoever runs the network: they end
  // the run.
  enum Turn : int { kTurnDone = 0, kTurnBlocked = 10001, kTurnOver = 10002 };

  // Results of Network::run, besides 0 and what a process returned.
  constexpr int kNetworkStuck = 10003;  // no process can go on
  constexpr int kNetworkNoMemory = 10004;

  // Process: what the network knows of one. `waits`: tasks that its next task waits for.
  struct Process {
    int at = 0;         // where it goes on; its own business
    bool ran = false;   // whether it added a task in this turn
    int32_t last = -1;  // the last task it added
    graph::Array<int32_t> waits;

    ~Process() { waits.release(); }
    // The process added task `task`, which waits for all of `waits`.
    void added(int32_t task) {
      ran = true;
      last = task;
      waits.size = 0;
    }
  };

  class Network {
   public:
    Network() = default;
    Network(const Network&) = delete;
    Network& operator=(const Network&) = delete;
    ~Network() {
      for (int i = 0; i < count_; ++i) free(channels_[i].slots);
      free(channels_);
    }

    // False when memory runs out. `channels` need not outlive the call.
    bool open(const ChannelInfo* channels, int count) {
      channels_ = static_cast<Channel*>(calloc(static_cast<size_t>(count) + 1, sizeof(Channel)));
      if (channels_ == nullptr) return false;
      for (count_ = 0; count_ < count; ++count_) {
        Channel& channel = channels_[count_];
        channel.rendezvous = channels[count_].depth == 0;
        channel.capacity = channel.rendezvous ? 1 : channels[count_].depth;
        if (channel.capacity > channels[count_].tokens) channel.capacity = channels[count_].tokens;
        const size_t bytes = sizeof(int32_t) * static_cast<size_t>(channel.capacity);
        channel.slots = static_cast<int32_t*>(malloc(bytes + 1));
        if (channel.slots == nullptr) return false;
        for (int64_t s = 0; s < channel.capacity; ++s) channel.slots[s] = -1;
      }
      return true;
    }

    // Each gives the slot, or -1 when the process has to wait.
    int64_t room(Process& process, int at) {
      Channel& channel = channels_[at];
      if (channel.reserved - channel.released >= channel.capacity) return -1;
      return wait(process, channel, channel.reserved++);
    }
    int64_t receive(Process& process, int at) {
      Channel& channel = channels_[at];
      if (channel.received == channel.sent) return -1;
      return wait(process, channel, channel.received++);
    }
    // After send(): whether the sender may go on.
    int64_t taken(int at) const {
      const Channel& channel = channels_[at];
      if (channel.rendezvous && channel.received < channel.sent) return -1;
      return (channel.sent - 1) % channel.capacity;
    }
    int64_t send(const Process& process, int at) {
      return note(process, channels_[at], channels_[at].sent++);
    }
    int64_t release(const Process& process, int at) {
      return note(process, channels_[at], channels_[at].released++);
    }
    int64_t tokensIn(int at) const { return channels_[at].sent - channels_[at].received; }
    int64_t tokensHeld(int at) const { return channels_[at].reserved - channels_[at].released; }
    int64_t capacity(int at) const { return channels_[at].capacity; }

    // Runs processes 0 to count - 1 to their ends; turn(i) gives process i its turn.
    template <class TurnOf>
    int run(Process* processes, int count, TurnOf&& turn) {
      graph::Array<int32_t> left;
      for (int i = 0; i < count; ++i) {
        if (!left.push(i)) {
          left.release();
          return kNetworkNoMemory;
        }
      }
      int result = 0;
      while (left.size > 0 && result == 0) {
        const uint64_t before = moves_;
        uint32_t kept = 0;
        for (uint32_t i = 0; i < left.size; ++i) {
          const int32_t p = left.data[i];
          processes[p].ran = false;
          const int ended = result == 0 ? turn(static_cast<int>(p)) : kTurnOver;
          if (ended != kTurnDone && ended != kTurnBlocked && ended != kTurnOver) result = ended;
          if (processes[p].ran || ended == kTurnDone) ++moves_;
          if (ended != kTurnDone) left.data[kept++] = p;
        }
        left.size = kept;
        if (result == 0 && moves_ == before) result = out_of_memory_ ? kNetworkNoMemory : kNetworkStuck;
      }
      left.release();
      return result == 0 && out_of_memory_ ? kNetworkNoMemory : result;
    }

   private:
    struct Channel {
      int64_t capacity;
      int64_t reserved, sent, received, released;
      int32_t* slots;  // the last task before the latest send or release
      bool rendezvous;
    };

    int64_t wait(Process& process, const Channel& channel, int64_t token) {
      const int64_t slot = token % channel.capacity;
      ++moves_;
      if (channel.slots[slot] >= 0 && !process.waits.push(channel.slots[slot])) out_of_memory_ = true;
      return slot;
    }
    int64_t note(const Process& process, Channel& channel, int64_t token) {
      const int64_t slot = token % channel.capacity;
      ++moves_;
      channel.slots[slot] = process.last;
      return slot;
    }

    Channel* channels_ = nullptr;
    int count_ = 0;
    uint64_t moves_ = 0;
    bool out_of_memory_ = false;
  };

}  // namespace )
}  // namespace ptowsp

#endif  // PTOWSP_CHANNELS_H
