// SPDX-License-Identifier: MIT
// ReadyTasks: the ready tasks of one worker, a stack for each core type, which other workers may
// steal from. RandomOrder: the source of choices when tasks are to be taken in random order.
#pragma once

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <vector>

#include "runtime_glue/sim/thread_annotations.h"

namespace ptowsp::sim {

inline constexpr int kCoreTypes = 2;

// SpinLock: for sections of a few instructions. Yields after a while, as the holder may have lost
// its processor: workers can be many more than processors.
class PTOWSP_CAPABILITY("spin lock") SpinLock {
 public:
  bool tryLock() PTOWSP_TRY_ACQUIRE(true) {
    // acquire: sees what the last holder wrote; the load first keeps the line shared while it
    // waits.
    return !held_.load(std::memory_order_relaxed) &&
           !held_.exchange(true, std::memory_order_acquire);
  }
  void lock() PTOWSP_ACQUIRE() PTOWSP_NO_THREAD_SAFETY_ANALYSIS {
    for (int attempt = 1; !tryLock(); ++attempt) {
      if (attempt % 64 == 0) sched_yield();
    }
  }
  void unlock() PTOWSP_RELEASE() { held_.store(false, std::memory_order_release); }

 private:
  std::atomic<bool> held_{false};
};

class RandomOrder {
 public:
  void seed(uint64_t seed, uint64_t stream) { state_ = (seed ^ (stream << 32)) + 1; }
  // 0 <= result < bound. splitmix64 and a multiply: the same on every platform.
  uint32_t below(uint32_t bound) {
    uint64_t x = state_ += 0x9E3779B97F4A7C15u;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return static_cast<uint32_t>(((x ^ (x >> 31)) >> 32) * bound >> 32);
  }

 private:
  uint64_t state_ = 0;
};

class ReadyTasks {
 public:
  // Tasks of one core type. seq_cst together with Idle::count: a worker that goes to sleep
  // announces it and then looks here, one that adds a task does so and then looks for sleepers; so
  // one of the two sees the other.
  int count(int core_type) const { return counts_[core_type].load(std::memory_order_seq_cst); }

  void push(int core_type, int32_t task) PTOWSP_EXCLUDES(lock_) {
    lock_.lock();
    pushUnlocked(core_type, task);
    lock_.unlock();
  }
  void push(int core_type, const int32_t* first, size_t count) PTOWSP_EXCLUDES(lock_) {
    lock_.lock();
    tasks_[core_type].insert(tasks_[core_type].end(), first, first + count);
    publish(core_type);
    lock_.unlock();
  }
  // The newest task, or a random one; -1 when there is none.
  int32_t pop(int core_type, RandomOrder* random) PTOWSP_EXCLUDES(lock_) {
    if (counts_[core_type].load(std::memory_order_relaxed) == 0) return -1;
    lock_.lock();
    const int32_t task = popUnlocked(core_type, random);
    if (task >= 0) publish(core_type);
    lock_.unlock();
    return task;
  }
  // Takes the older half, which leads to more work than the newer one and is colder in the owner's
  // cache. Nothing when the lock is taken: the owner goes first.
  void steal(int core_type, std::vector<int32_t>* stolen) PTOWSP_EXCLUDES(lock_) {
    stolen->clear();
    if (counts_[core_type].load(std::memory_order_relaxed) == 0 || !lock_.tryLock()) return;
    std::vector<int32_t>& tasks = tasks_[core_type];
    const auto half = static_cast<std::ptrdiff_t>((tasks.size() + 1) / 2);
    stolen->assign(tasks.begin(), tasks.begin() + half);
    tasks.erase(tasks.begin(), tasks.begin() + half);
    publish(core_type);
    lock_.unlock();
  }

  // For a run with one worker: no locks, no counts.
  void pushAlone(int core_type, int32_t task) PTOWSP_NO_THREAD_SAFETY_ANALYSIS {
    tasks_[core_type].push_back(task);
  }
  int32_t popAlone(int core_type, RandomOrder* random) PTOWSP_NO_THREAD_SAFETY_ANALYSIS {
    return popUnlocked(core_type, random);
  }
  // Between runs only: room for so many tasks, so that none is looked for while they run.
  void reserve(size_t count) PTOWSP_NO_THREAD_SAFETY_ANALYSIS {
    for (std::vector<int32_t>& tasks : tasks_) tasks.reserve(count);
  }
  void clear() PTOWSP_NO_THREAD_SAFETY_ANALYSIS {
    for (int type = 0; type < kCoreTypes; ++type) {
      tasks_[type].clear();
      publish(type);
    }
  }

 private:
  void pushUnlocked(int core_type, int32_t task) PTOWSP_REQUIRES(lock_) {
    tasks_[core_type].push_back(task);
    publish(core_type);
  }
  int32_t popUnlocked(int core_type, RandomOrder* random) PTOWSP_REQUIRES(lock_) {
    std::vector<int32_t>& tasks = tasks_[core_type];
    if (tasks.empty()) return -1;
    if (random != nullptr) {
      std::swap(tasks[random->below(static_cast<uint32_t>(tasks.size()))], tasks.back());
    }
    const int32_t task = tasks.back();
    tasks.pop_back();
    return task;
  }
  void publish(int core_type) PTOWSP_REQUIRES(lock_) {
    counts_[core_type].store(static_cast<int>(tasks_[core_type].size()), std::memory_order_seq_cst);
  }

  SpinLock lock_;
  std::atomic<int> counts_[kCoreTypes] = {};
  std::vector<int32_t> tasks_[kCoreTypes] PTOWSP_GUARDED_BY(lock_);
};

}  // namespace ptowsp::sim
