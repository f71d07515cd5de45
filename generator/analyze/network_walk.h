// SPDX-License-Identifier: MIT
// NetworkWalk: one run of a connect node's processes, task by task, and which of its tasks happen
// before the current one: the earlier tasks of its process, and what channels order before it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <new>
#include <span>
#include <stdexcept>
#include <vector>

#include "generator/verify/network.h"
#include "generator/verify/program.h"

namespace ptowsp {

// Hidden, like the Network in it.
class [[gnu::visibility("hidden")]] NetworkWalk {
 public:
  // Happens-before is kept in vector clocks: of each process, how many tasks of each process come
  // before its next step. A slot of a channel carries the clock of who used it last.
  class Visitor : public ProcessVisitor {
   public:
    void room(int channel, int64_t slot) { walk_->join(walk_->slotClock(channel, slot)); }
    void received(int channel, int64_t slot) { walk_->join(walk_->slotClock(channel, slot)); }
    void sent(int channel, int64_t slot) { walk_->keep(walk_->slotClock(channel, slot)); }
    void released(int channel, int64_t slot) { walk_->keep(walk_->slotClock(channel, slot)); }

   protected:
    // The current process adds its next task.
    void add() { walk_->add(); }

   private:
    friend class NetworkWalk;
    NetworkWalk* walk_ = nullptr;
  };

  // begin: index of the first task. operand: as scriptsOf wants it.
  template <class Operand>
  NetworkWalk(const Program& program, const Node& connect, int32_t begin, Operand&& operand)
      : connect_(connect),
        begin_(begin),
        scripts_(scriptsOf(connect, operand)),
        count_(scripts_.size()),
        clocks_(count_ * count_) {
    const std::vector<ChannelInfo> channels = networkChannels(program);
    if (!network_.open(channels.data(), static_cast<int>(channels.size()))) throw std::bad_alloc();
    slot_clocks_.resize(channels.size());
    tasks_.reserve(connect.order.size());
  }

  // Precondition: the processes do not deadlock, which verify has found out.
  template <class V>
  void run(V& visitor) {
    visitor.walk_ = this;
    std::vector<ProcessCursor> cursors(scripts_.begin(), scripts_.end());
    const std::unique_ptr<Process[]> processes = std::make_unique<Process[]>(count_);
    const int result = network_.run(processes.get(), static_cast<int>(count_), [&](int p) {
      current_ = static_cast<size_t>(p);
      process_ = &processes[current_];
      return cursors[current_].turn(network_, processes[current_], visitor);
    });
    if (result == kNetworkNoMemory) throw std::bad_alloc();
    if (result != 0) throw std::logic_error("the processes of " + connect_.place + " deadlock");
  }

  const Node& connect() const { return connect_; }
  std::span<const int32_t> waits() const {
    return {process_->waits.data, static_cast<size_t>(process_->waits.size)};
  }
  // Of a task of this run: its process, and its number in it.
  const Node& processOf(int32_t task) const { return connect_.body[at(task).process]; }
  int32_t numberOf(int32_t task) const { return at(task).number; }
  // Whether the earlier task happens before the current one, as far as the order of processes says:
  // those of one process do.
  bool before(int32_t earlier) const {
    return at(earlier).number < clocks_[current_ * count_ + at(earlier).process];
  }

 private:
  struct Task {
    uint32_t process;
    int32_t number;
  };

  const Task& at(int32_t task) const { return tasks_[static_cast<size_t>(task - begin_)]; }

  void add() {
    int32_t& own = clocks_[current_ * count_ + current_];
    tasks_.push_back({static_cast<uint32_t>(current_), own++});
  }
  int32_t* slotClock(int channel, int64_t slot) {
    std::vector<int32_t>& clocks = slot_clocks_[static_cast<size_t>(channel)];
    const size_t first = static_cast<size_t>(slot) * count_;
    if (clocks.size() < first + count_) clocks.resize(first + count_);
    return clocks.data() + first;
  }
  void join(const int32_t* other) {
    for (size_t p = 0; p < count_; ++p) {
      clocks_[current_ * count_ + p] = std::max(clocks_[current_ * count_ + p], other[p]);
    }
  }
  void keep(int32_t* slot) const {
    std::copy_n(clocks_.data() + current_ * count_, count_, slot);
  }

  const Node& connect_;
  int32_t begin_;
  std::vector<ProcessScript> scripts_;
  size_t count_;
  std::vector<int32_t> clocks_;  // count_ numbers for each process
  std::vector<std::vector<int32_t>> slot_clocks_;
  std::vector<Task> tasks_;
  Network network_;
  size_t current_ = 0;
  const Process* process_ = nullptr;
};

}  // namespace ptowsp
