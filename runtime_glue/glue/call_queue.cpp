// SPDX-License-Identifier: MIT
#include "runtime_glue/glue/call_queue.h"

#include <pthread.h>
#include <signal.h>

#include <chrono>

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
    if (!thread_.joinable()) {
      // Signals meant for the program go to its own threads; those of crashes are for whoever crashes.
      sigset_t blocked, before;
      sigemptyset(&blocked);
      for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGALRM, SIGCHLD, SIGPIPE, SIGUSR1,
                               SIGUSR2, SIGWINCH, SIGTSTP, SIGCONT})
        sigaddset(&blocked, signal);
      pthread_sigmask(SIG_BLOCK, &blocked, &before);
      try {
        thread_ = std::thread([this] { work(); });
      } catch (...) {
        pthread_sigmask(SIG_SETMASK, &before, nullptr);
        throw;
      }
      pthread_sigmask(SIG_SETMASK, &before, nullptr);
    }
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
  // A year is as good as no limit, and does not overflow the clock.
  if (seconds < 0 || seconds > 3.2e7) {
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
