// SPDX-License-Identifier: MIT
#include "runtime_glue/glue/call_queue.h"

#include <chrono>

#include "ptowsp/helper_thread.h"

namespace ptowsp::glue {

CallQueue::~CallQueue() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    ending_ = true;
  }
  pushed_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void CallQueue::push(QueuedCall* call) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!thread_.joinable()) thread_ = helperThread([this] { work(); });
    call->turn = turns_.take();
    call->next = nullptr;
    call->done = false;
    (last_ ? last_->next : first_) = call;
    last_ = call;
  }
  pushed_.notify_one();
}

bool CallQueue::wait(const QueuedCall* call, double seconds) {
  std::unique_lock<std::mutex> lock(mutex_);
  const auto over = [&] { return call->done; };
  // A year is as good as no limit, and does not overflow the clock; so is what is not a number.
  if (!(seconds >= 0 && seconds < 3.2e7)) {
    done_.wait(lock, over);
    return true;
  }
  return done_.wait_for(lock, std::chrono::duration<double>(seconds), over);
}

void CallQueue::work() {
  std::unique_lock<std::mutex> lock(mutex_);
  for (;;) {
    pushed_.wait(lock, [&] { return first_ || ending_; });
    if (!first_) return;
    QueuedCall* const call = first_;
    first_ = call->next;
    if (!first_) last_ = nullptr;
    lock.unlock();
    {
      const Turn turn(turns_, call->turn);
      call->run();
    }
    lock.lock();
    call->done = true;
    done_.notify_all();
  }
}

}  // namespace ptowsp::glue
