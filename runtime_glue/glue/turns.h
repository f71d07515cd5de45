// SPDX-License-Identifier: MIT
// Turns: calls on one device run one after another, in the order in which they asked.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace ptowsp::glue {

class Turns {
 public:
  // A place in the order; every one that is taken has to be waited for and ended.
  uint64_t take() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return next_++;
  }
  void wait(uint64_t turn) {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [&] { return current_ == turn; });
  }
  void end() {
    bool waited_for = false;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      waited_for = ++current_ != next_;
    }
    if (waited_for) changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  uint64_t next_ = 0, current_ = 0;
};

// Turn: one of them, for as long as it lives.
class Turn {
 public:
  explicit Turn(Turns& turns) : Turn(turns, turns.take()) {}
  Turn(Turns& turns, uint64_t turn) : turns_(turns) { turns_.wait(turn); }
  ~Turn() { turns_.end(); }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

 private:
  Turns& turns_;
};

}  // namespace ptowsp::glue
