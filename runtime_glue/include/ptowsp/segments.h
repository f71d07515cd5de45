// SPDX-License-Identifier: MIT
// Segments: how a graph that is too large for one launch of a runtime is cut into several, and how a
// task with too many successors reaches them. The generator, which says what will happen, and every
// emitted orchestration, which does it, use this one implementation; emitted trees get a copy. C++17,
// C headers only, no allocation for a single task.
//
// A segment is a range of task indices, a launch of its own. Edges between segments need nothing: an
// earlier launch has ended. What a launch leaves on the device is gone for the next, so temporaries
// that are read after a cut and were written before it are spilled: copied to the host and back.
//
//   graph::SegmentPlanner planner(limits, launch_bytes, pairs);
//   planner.addTensor(spill_bytes);                 // tensor 0; for each tensor
//   for each task, in order:
//     planner.flow(tensor, earlier);                // it reads what `earlier` wrote there
//     planner.add(predecessors, count);
//   planner.cut();
//   if (planner.status() != graph::PlanStatus::ok) ...
#ifndef PTOWSP_SEGMENTS_H
#define PTOWSP_SEGMENTS_H

#include <stdint.h>
#include <stdlib.h>

#include "limits.h"
#include "task_graph.h"

namespace ptowsp::graph {

#pragma GCC visibility push(hidden)

// RelayTree: a task with more successors than a runtime keeps hands the rest to relays, tasks that do
// nothing but wait for it, in a tree as shallow as can be. Node 0 is the task, nodes 1 .. relays are
// its relays; all have `fanout` places, which are numbered through the nodes. The first `relays` places
// lead to the relays in order, the next to the successors in order.
struct RelayTree {
  int64_t fanout, relays;

  RelayTree(int64_t successors, int64_t fan_out)
      : fanout(fan_out),
        relays(successors <= fan_out ? 0 : (successors - 2) / (fan_out - 1)) {}
  int64_t parentOfRelay(int64_t node) const { return (node - 1) / fanout; }
  int64_t parentOfSuccessor(int64_t index) const { return (relays + index) / fanout; }
};

// too_many_pairs: wherever the graph is cut, a launch has to bring back more tensors than it can.
enum class PlanStatus : uint8_t { ok, out_of_memory, too_many_pairs };

class SegmentPlanner {
 public:
  // `launch_bytes`: what each launch copies besides spills; a cut costs this and twice what it
  // spills. `pairs`: tensors, the ledger among them, that each launch brings back besides spills.
  SegmentPlanner(const limits::LaunchLimits& limits, uint64_t launch_bytes, int64_t pairs)
      : limits_(limits), launch_bytes_(launch_bytes), pairs_(pairs) {}
  SegmentPlanner(const SegmentPlanner&) = delete;
  SegmentPlanner& operator=(const SegmentPlanner&) = delete;
  ~SegmentPlanner() {
    for (uint32_t i = 0; i < tensors_.size; ++i) tensors_.data[i].lives.release();
    tensors_.release();
    fan_out_.release();
    earliest_.release();
    starts_.release();
  }

  // The next tensor. Bytes of one that is not temporary are 0: it is never spilled.
  void addTensor(uint64_t spill_bytes) {
    Tensor tensor = {};
    tensor.bytes = spill_bytes;
    if (!tensors_.push(tensor)) status_ = PlanStatus::out_of_memory;
  }

  // The current task reads what the task `from` wrote in that tensor, which therefore lives across
  // all cuts between them.
  void flow(int32_t tensor, int32_t from) {
    Tensor& t = tensors_.data[tensor];
    if (t.bytes == 0) return;
    // Reads come in the order of tasks: what overlaps the new stretch is at the end.
    while (t.lives.size > 0 && t.lives.data[t.lives.size - 1].to >= from) {
      const int32_t before = t.lives.data[--t.lives.size].from;
      if (before < from) from = before;
    }
    if (!t.lives.push({from, tasks()})) status_ = PlanStatus::out_of_memory;
  }

  // Ends the current task. Relays count as tasks: those of the window of tasks that ends here shrink
  // as its begin moves on, so that each task enters and leaves it once.
  void add(const int32_t* predecessors, int32_t count) {
    if (status_ != PlanStatus::ok) return;
    if (!fan_out_.push(0) || !earliest_.push(0)) {
      status_ = PlanStatus::out_of_memory;
      return;
    }
    for (int32_t i = 0; i < count; ++i) {
      if (predecessors[i] < window_) continue;
      int32_t& fan_out = fan_out_.data[predecessors[i]];
      relays_ -= relaysOf(fan_out);
      relays_ += relaysOf(++fan_out);
    }
    while (tasks() - window_ + relays_ > limits_.tasks) relays_ -= relaysOf(fan_out_.data[window_++]);
    earliest_.data[earliest_.size - 1] = window_;
  }

  // Chooses the cuts that cost least in all; of equally good ones those further to the front.
  void cut() {
    if (status_ != PlanStatus::ok) return;
    const size_t positions = fan_out_.size + size_t{1};
    Position* const at = static_cast<Position*>(calloc(positions + 1, sizeof(Position)));
    int32_t* const queue = static_cast<int32_t*>(malloc(positions * sizeof(int32_t)));
    status_ = !at || !queue ? PlanStatus::out_of_memory : PlanStatus::ok;
    if (status_ == PlanStatus::ok) {
      findCosts(at);
      findCheapest(at, queue);
    }
    free(at);
    free(queue);
  }

  PlanStatus status() const { return status_; }
  int32_t tasks() const { return static_cast<int32_t>(fan_out_.size); }
  int32_t segments() const { return static_cast<int32_t>(starts_.size) - 1; }
  // Segment i is the tasks [start(i), start(i + 1)).
  int32_t start(int32_t segment) const { return starts_.data[segment]; }

  // Whether the tensor has to be spilled at a cut before task `position`.
  bool crosses(int32_t tensor, int32_t position) const {
    const Array<Life>& lives = tensors_.data[tensor].lives;
    uint32_t low = 0, high = lives.size;  // the first that ends at `position` or later
    while (low < high) {
      const uint32_t middle = low + (high - low) / 2;
      if (lives.data[middle].to < position) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low < lives.size && lives.data[low].from < position;
  }
  // Whether it is spilled at any cut that was made.
  bool spills(int32_t tensor) const {
    for (int32_t i = 1; i < segments(); ++i) {
      if (crosses(tensor, start(i))) return true;
    }
    return false;
  }

 private:
  // Life: a value written by task `from` is read by task `to`, or a chain of such values.
  struct Life {
    int32_t from, to;
  };
  struct Tensor {
    uint64_t bytes;
    Array<Life> lives;  // ascending, apart from each other
  };
  // Position: a cut before a task. While the costs are found, `spill` and `pairs` are differences to
  // the position before.
  struct Position {
    uint64_t spill, best;  // bytes spilled there; cost of all that lies before, kNoWay for no way
    int32_t pairs, previous;
  };
  static constexpr uint64_t kNoWay = UINT64_MAX;

  int64_t relaysOf(int32_t successors) const {
    return successors <= limits_.fanout ? 0 : RelayTree(successors, limits_.fanout).relays;
  }

  void findCosts(Position* at) const {
    for (uint32_t t = 0; t < tensors_.size; ++t) {
      const Tensor& tensor = tensors_.data[t];
      for (uint32_t i = 0; i < tensor.lives.size; ++i) {
        at[tensor.lives.data[i].from + 1].spill += tensor.bytes;
        at[tensor.lives.data[i].to + 1].spill -= tensor.bytes;
        ++at[tensor.lives.data[i].from + 1].pairs;
        --at[tensor.lives.data[i].to + 1].pairs;
      }
    }
    for (int32_t i = 1; i <= tasks(); ++i) {
      at[i].spill += at[i - 1].spill;
      at[i].pairs += at[i - 1].pairs;
    }
  }

  // The cost of a launch that begins at `position`, with all before it.
  uint64_t costFrom(const Position* at, int32_t position) const {
    return at[position].best + (position == 0 ? 0 : launch_bytes_ + 2 * at[position].spill + 1);
  }

  // Shortest path over positions: a segment that ends before `end` begins between earliest(end - 1)
  // and end - 1. Both only grow, so a queue of begins, cheapest first, gives each minimum at once.
  void findCheapest(Position* at, int32_t* queue) {
    uint32_t head = 0, tail = 0;
    for (int32_t end = 1; end <= tasks(); ++end) {
      const int32_t begin = end - 1;
      const bool usable = at[begin].best != kNoWay &&
                          (begin == 0 || pairs_ + at[begin].pairs <= limits_.pairs);
      if (usable) {
        const uint64_t cost = costFrom(at, begin);
        while (tail > head && costFrom(at, queue[tail - 1]) > cost) --tail;
        queue[tail++] = begin;
      }
      while (head < tail && queue[head] < earliest_.data[begin]) ++head;
      at[end].best = head == tail ? kNoWay : costFrom(at, queue[head]);
      at[end].previous = head == tail ? 0 : queue[head];
    }
    if (at[tasks()].best == kNoWay || pairs_ > limits_.pairs) {
      status_ = PlanStatus::too_many_pairs;
      return;
    }
    for (int32_t end = tasks(); end > 0; end = at[end].previous) pushStart(end);
    pushStart(0);
    for (uint32_t i = 0, j = starts_.size; i < j--; ++i) {
      const int32_t other = starts_.data[i];
      starts_.data[i] = starts_.data[j];
      starts_.data[j] = other;
    }
  }
  void pushStart(int32_t position) {
    if (!starts_.push(position)) status_ = PlanStatus::out_of_memory;
  }

  limits::LaunchLimits limits_;
  uint64_t launch_bytes_;
  int64_t pairs_;
  Array<Tensor> tensors_;
  Array<int32_t> fan_out_;   // of each task, to tasks of its window
  Array<int32_t> earliest_;  // of each task: where a segment that ends with it may begin at the earliest
  Array<int32_t> starts_;
  int32_t window_ = 0;
  int64_t relays_ = 0;  // of the tasks from window_ on
  PlanStatus status_ = PlanStatus::ok;
};

#pragma GCC visibility pop

}  // namespace ptowsp::graph

#endif  // PTOWSP_SEGMENTS_H
