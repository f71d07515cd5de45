// SPDX-License-Identifier: MIT
// Admission: the task window of a run. Tasks are admitted in the order of their ids, as a ring lets
// them in: the newest admitted one is less than `window` tasks after the oldest unfinished one.
#pragma once

#include <atomic>
#include <cstdint>
#include <cstring>
#include <vector>

#include "runtime_glue/sim/block.h"
#include "runtime_glue/sim/graph.h"
#include "runtime_glue/sim/ready_tasks.h"

namespace ptowsp::sim {

class Admission {
 public:
  // For a run of `tasks` tasks; false when out of memory.
  bool begin(int32_t tasks, const Schedule& schedule) {
    tasks_ = tasks;
    window_ = schedule.window;
    mode_ = schedule.window_mode;
    oldest_.store(0, std::memory_order_relaxed);
    if (!active()) return true;
    if (!done_.reserve(static_cast<size_t>(tasks))) return false;
    std::memset(done_.data(), 0, static_cast<size_t>(tasks));
    return true;
  }
  bool active() const { return window_ != 0; }
  bool holds() const { return active() && mode_ == ptowsp_sim::kWindowStall; }
  bool aborts() const { return mode_ == ptowsp_sim::kWindowAbort; }
  int window() const { return window_; }

  // Whether the task lies beyond the window. acquire: a task that was admitted by another worker
  // came with the place of the window that let it in.
  bool isBeyond(int32_t task) const {
    return task - oldest_.load(std::memory_order_acquire) >= window_;
  }
  // Tasks from the oldest unfinished one to this one, both counted.
  int32_t distance(int32_t task) const {
    return task - oldest_.load(std::memory_order_acquire) + 1;
  }

  // The task is done: appends the tasks that this admits, ascending.
  void finish(int32_t task, std::vector<int32_t>* admitted) PTOWSP_EXCLUDES(lock_) {
    // seq_cst, here and below: a worker marks its task and then looks whether that is the oldest;
    // the one that moves the window moves it and then looks at marks. So one of the two sees the
    // other, and the window never stays behind.
    std::atomic_ref<uint8_t>(done_[static_cast<size_t>(task)]).store(1, std::memory_order_seq_cst);
    if (oldest_.load(std::memory_order_seq_cst) != task) return;
    lock_.lock();
    int32_t oldest = oldest_.load(std::memory_order_relaxed);
    while (oldest < tasks_ && std::atomic_ref<uint8_t>(done_[static_cast<size_t>(oldest)])
                                      .load(std::memory_order_seq_cst) != 0) {
      oldest_.store(++oldest, std::memory_order_seq_cst);
      // window_ <= tasks_ - oldest + 1 is all that can be left to admit.
      if (window_ <= tasks_ - oldest) admitted->push_back(oldest - 1 + window_);
    }
    lock_.unlock();
  }

 private:
  int32_t tasks_ = 0;
  int32_t window_ = 0;
  ptowsp_sim::WindowMode mode_ = ptowsp_sim::kWindowStall;
  Array<uint8_t> done_;
  alignas(64) std::atomic<int32_t> oldest_{0};  // unfinished
  SpinLock lock_;
};

}  // namespace ptowsp::sim
