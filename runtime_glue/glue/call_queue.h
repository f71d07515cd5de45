// SPDX-License-Identifier: MIT
// CallQueue: asynchronous calls of one device. One thread takes them in the order in which they were
// made; their turns on the device are taken at the same time, so that they keep their place among the
// calls that do not wait in a queue.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "runtime_glue/glue/turns.h"

namespace ptowsp::glue {

// QueuedCall: what is queued. `next` and `done` belong to the queue.
struct QueuedCall {
  virtual ~QueuedCall() = default;
  // On the queue's thread, when it is the call's turn. Throws nothing.
  virtual void run() = 0;

  uint64_t turn = 0;
  QueuedCall* next = nullptr;
  bool done = false;
};

class CallQueue {
 public:
  explicit CallQueue(Turns& turns) : turns_(turns) {}
  // No call may be queued.
  ~CallQueue();
  CallQueue(const CallQueue&) = delete;
  CallQueue& operator=(const CallQueue&) = delete;

  // Throws std::system_error when there is no thread for it.
  void push(QueuedCall* call);
  // Waits until the call is over, for so many seconds at most (less than 0: however long it takes);
  // whether it is.
  bool wait(const QueuedCall* call, double seconds);

 private:
  void work();

  Turns& turns_;
  std::mutex mutex_;
  std::condition_variable pushed_, done_;
  QueuedCall* first_ = nullptr;
  QueuedCall* last_ = nullptr;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace ptowsp::glue
