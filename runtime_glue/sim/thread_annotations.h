// SPDX-License-Identifier: MIT
// Locks whose rules stand in the declarations: clang checks them with -Wthread-safety, g++ ignores
// them. Every mutex of the built-in runtime is one of these.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

#if defined(__clang__)
#define PTOWSP_THREAD(x) __attribute__((x))
#else
#define PTOWSP_THREAD(x)
#endif
#define PTOWSP_CAPABILITY(name) PTOWSP_THREAD(capability(name))
#define PTOWSP_SCOPED_CAPABILITY PTOWSP_THREAD(scoped_lockable)
#define PTOWSP_GUARDED_BY(mutex) PTOWSP_THREAD(guarded_by(mutex))
#define PTOWSP_REQUIRES(...) PTOWSP_THREAD(requires_capability(__VA_ARGS__))
#define PTOWSP_EXCLUDES(...) PTOWSP_THREAD(locks_excluded(__VA_ARGS__))
#define PTOWSP_ACQUIRE(...) PTOWSP_THREAD(acquire_capability(__VA_ARGS__))
#define PTOWSP_TRY_ACQUIRE(...) PTOWSP_THREAD(try_acquire_capability(__VA_ARGS__))
#define PTOWSP_RELEASE(...) PTOWSP_THREAD(release_capability(__VA_ARGS__))
#define PTOWSP_NO_THREAD_SAFETY_ANALYSIS PTOWSP_THREAD(no_thread_safety_analysis)

namespace ptowsp::sim {

class PTOWSP_CAPABILITY("mutex") Mutex {
 public:
  void lock() PTOWSP_ACQUIRE() { mutex_.lock(); }
  void unlock() PTOWSP_RELEASE() { mutex_.unlock(); }

 private:
  friend class CondVar;
  std::mutex mutex_;
};

class PTOWSP_SCOPED_CAPABILITY MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) PTOWSP_ACQUIRE(mutex) : mutex_(mutex) { mutex_.lock(); }
  ~MutexLock() PTOWSP_RELEASE() { mutex_.unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

// CondVar: waits may wake early; the caller loops over its condition.
class CondVar {
 public:
  void wait(Mutex& mutex) PTOWSP_REQUIRES(mutex) {
    std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
    condition_.wait(lock);
    lock.release();
  }
  void waitUntil(Mutex& mutex, std::chrono::steady_clock::time_point deadline)
      PTOWSP_REQUIRES(mutex) {
    std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
    condition_.wait_until(lock, deadline);
    lock.release();
  }
  void notify() { condition_.notify_one(); }

 private:
  std::condition_variable condition_;
};

}  // namespace ptowsp::sim
