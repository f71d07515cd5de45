// SPDX-License-Identifier: MIT
// ptowsp::Call: a run that was started and not waited for. C++17.
#pragma once

#include <chrono>

#include "ptowsp/device.h"
#include "ptowsp/error.h"

namespace ptowsp {

// Call: a workload's start() gives one. Who destroys it waits until the run is over, so the arrays that
// were given need not outlive it. Its members may be called from any threads.
class Call {
 public:
  explicit Call(ptowsp_call* call) : handle_(call) {}

  // The run's statistics, when it is over; throws ptowsp::Error when it failed, as often as it is asked.
  Statistics get() const {
    Statistics statistics = empty();
    detail::check(ptowsp_call_wait(handle_.get(), -1, &statistics));
    return statistics;
  }
  // The same without throwing.
  Result result() const noexcept {
    Statistics statistics = empty();
    if (ptowsp_call_wait(handle_.get(), -1, &statistics) != PTOWSP_OK)
      return Result(detail::lastError());
    return Result(statistics);
  }
  void wait() const noexcept { ptowsp_call_wait(handle_.get(), -1, nullptr); }
  // Whether it is over within that time.
  template <typename Rep, typename Period>
  bool waitFor(std::chrono::duration<Rep, Period> time) const noexcept {
    const double seconds = std::chrono::duration<double>(time).count();
    return ptowsp_call_wait(handle_.get(), seconds < 0 ? 0 : seconds, nullptr) != PTOWSP_RUNNING;
  }
  bool ready() const noexcept { return waitFor(std::chrono::seconds(0)); }
  // A run that has not begun will not; of one that has, the tasks end. Then get() throws
  // Outcome::cancelled. Does nothing before its tasks run, or after.
  void cancel() noexcept { ptowsp_call_cancel(handle_.get()); }

 private:
  static Statistics empty() {
    Statistics statistics = {};
    statistics.size = sizeof statistics;
    return statistics;
  }

  detail::Handle<ptowsp_call, ptowsp_call_release> handle_;
};

}  // namespace ptowsp
