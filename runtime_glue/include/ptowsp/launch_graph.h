// SPDX-License-Identifier: MIT
// LaunchGraph: the tasks and edges of one launch, as the runtime gets them. It puts relays where a task
// has more successors than the runtime keeps, and compares what the runtime holds with what it got:
// the runtime may drop a task or an edge without a word. Emitted trees get a copy of this file.
//
// Tasks are numbered from 0 within the launch; the runtime's own ids count the relays too, which follow
// the task that they belong to. `AnyRuntime` is class Runtime, which this header does not include.
// kRelays: whether the runtime's limits may ask for relays; without, their code is left out.
#pragma once

#include <stdint.h>
#include <stdlib.h>

#include "dispatch.h"
#include "limits.h"
#include "segments.h"

namespace ptowsp {
inline namespace orchestration_v1 __attribute__((visibility("hidden"))) {

  constexpr int kCoreAic = 0;
  constexpr int kCoreAiv = 1;

  template <class AnyRuntime, bool kRelays>
  class LaunchGraph {
#ifdef PTOWSP_BUILTIN_RUNTIME
    // It drops nothing without a word; its count of edges is enough, and quick.
    static constexpr bool kChecked = kRelays;
#else
    static constexpr bool kChecked = true;
#endif

   public:
    // refused: the runtime did not take a task, or gave it an id out of order. fanout: a task has more
    // successors than the runtime keeps, and relays were not asked for. no_relay: they are needed and
    // the tree has no relay kernel.
    enum class Status { ok, host_memory, refused, fanout, no_relay };

    // `relay`: func_id of the relay kernel, or -1.
    LaunchGraph(AnyRuntime* runtime, int64_t fanout, int relay)
        : runtime_(runtime), fanout_(fanout), relay_(relay) {}
    ~LaunchGraph() {
      free(ids_);
      free(successors_);
      free(given_);
      free(fanin_held_);
      free(fanout_held_);
    }
    LaunchGraph(const LaunchGraph&) = delete;
    LaunchGraph& operator=(const LaunchGraph&) = delete;

    // First, where relays may be needed: the successors of each of the launch's tasks are counted.
    Status expect(int64_t tasks) {
      successors_ = allocate<int32_t>(tasks);
      given_ = allocate<int32_t>(tasks);
      ids_ = allocate<int32_t>(tasks);
      return successors_ && given_ && ids_ ? Status::ok : Status::host_memory;
    }
    void expectEdge(int64_t from) { ++successors_[from]; }

    // Then, before the first task.
    Status open(int64_t tasks) {
      expected_tasks_ = tasks;
      for (int64_t i = 0; relays() && i < tasks; ++i)
        expected_relays_ += graph::RelayTree(successors_[i], fanout_).relays;
      if (expected_relays_ > 0 && relay_ < 0) return Status::no_relay;
      if (!kChecked) return Status::ok;
      fanin_held_ = allocate<int32_t>(tasks + expected_relays_);
      fanout_held_ = allocate<int32_t>(tasks + expected_relays_);
      return fanin_held_ && fanout_held_ ? Status::ok : Status::host_memory;
    }

    // The AICPU scheduler of the tasks that are added from now on, and of their relays.
    void dispatch(int aicpu) { aicpu_ = aicpu; }
    Status addTask(uint64_t* args, int arg_count, int func_id, int core_type) {
      if (!take(args, arg_count, func_id, core_type)) return Status::refused;
      last_ = added_ - 1;
      ++tasks_;
      return relays() ? addRelays() : Status::ok;
    }

    // An edge to the task that was added last.
    Status addEdgeFrom(int64_t from) {
      if (!relays()) return connect(from, last_);
      const graph::RelayTree tree(successors_[from], fanout_);
      return connect(ids_[from] + tree.parentOfSuccessor(given_[from]++), last_);
    }

    int64_t tasks() const { return tasks_; }
    int64_t edges() const { return edges_; }  // to and from relays included
    int64_t held() const { return added_; }   // tasks and relays

    // The id of a task of which the runtime lost an edge, or -1.
    int64_t wrongTask() const {
      for (int64_t i = 0; kChecked && i < added_; ++i) {
        const auto* task = runtime_->get_task(static_cast<int>(i));
        if (!task || task->fanin != fanin_held_[i] || task->fanout_count != fanout_held_[i]) return i;
      }
      return -1;
    }

   private:
    template <class T>
    static T* allocate(int64_t count) {
      return static_cast<T*>(calloc(static_cast<size_t>(count) + 1, sizeof(T)));
    }

    bool relays() const { return kRelays && successors_ != nullptr; }

    // Those of the task that was added last.
    Status addRelays() {
      ids_[tasks_ - 1] = static_cast<int32_t>(last_);
      const graph::RelayTree tree(successors_[tasks_ - 1], fanout_);
      for (int64_t node = 1; node <= tree.relays; ++node) {
        if (!take(nullptr, 0, relay_, kCoreAiv)) return Status::refused;
        if (Status status = connect(last_ + tree.parentOfRelay(node), last_ + node);
            status != Status::ok)
          return status;
      }
      return Status::ok;
    }

    bool take(uint64_t* args, int arg_count, int func_id, int core_type) {
      uint64_t none = 0;
      if (added_ == expected_tasks_ + expected_relays_) return false;
      const int64_t id = added_++;
      if (runtime_->add_task(args ? args : &none, arg_count, func_id, core_type) != id) return false;
      if (aicpu_ >= 0) ptowsp::dispatch::assign(*runtime_, static_cast<int>(id), aicpu_);
      return true;
    }

    Status connect(int64_t from, int64_t to) {
      if (kChecked) {
        if (fanout_held_[from] == fanout_) return Status::fanout;
        ++fanout_held_[from];
        ++fanin_held_[to];
      }
      ++edges_;
      runtime_->add_successor(static_cast<int>(from), static_cast<int>(to));
      return Status::ok;
    }

    AnyRuntime* runtime_;
    int64_t fanout_;
    int relay_;
    int aicpu_ = -1;  // -1: no dispatch policy
    int64_t expected_tasks_ = 0, expected_relays_ = 0;
    int64_t added_ = 0, tasks_ = 0, last_ = 0, edges_ = 0;  // added_: relays too; last_: an id
    int32_t* successors_ = nullptr;  // of each task, within the launch; null where no relays are needed
    int32_t* given_ = nullptr;       // of those, how many have their edge
    int32_t* ids_ = nullptr;
    int32_t* fanin_held_ = nullptr;  // of each id, as handed to the runtime
    int32_t* fanout_held_ = nullptr;
  };

}  // namespace )
}  // namespace ptowsp
