// SPDX-License-Identifier: MIT
// ptowsp_device of the C interface: a chip, its options, the order of calls on it.
#pragma once

#include <atomic>
#include <mutex>
#include <string>

#include "ptowsp/glue_c.h"
#include "runtime_glue/glue/call_queue.h"
#include "runtime_glue/glue/chip.h"
#include "runtime_glue/glue/device.h"
#include "runtime_glue/glue/runtime_library.h"
#include "runtime_glue/glue/turns.h"

// The members in the order in which they come to be. Programs hold references: it goes with the last.
struct ptowsp_device {
  ptowsp::glue::RuntimeLibrary library;
  ptowsp::glue::Chip chip;
  ptowsp::glue::Turns turns;
  ptowsp::glue::DeviceOptions options;
  std::string platform = "a2a3sim";  // the runtime's
  std::atomic<int> references{1};

  // The program's part that is running, so that it can be cancelled from outside.
  std::mutex running_mutex;
  ptowsp::glue::Device* running = nullptr;  // guarded by running_mutex
  const void* running_for = nullptr;        // likewise
  // Ends before what its calls need.
  ptowsp::glue::CallQueue queue{turns};

  void retain() { references.fetch_add(1, std::memory_order_relaxed); }
  // acq_rel: whoever deletes it sees what the others did before they let go.
  void release() {
    if (references.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }
  // What runs for `who`, a program or an asynchronous call; null: for whomever.
  void cancel(const void* who);
};

namespace ptowsp::glue {

// ptowsp-run's advice names its options; here others hold.
inline constexpr const char* kDeviceFix =
    "change block_dim and aicpu_threads of the device's options, or leave them out";

// As ptowsp_device_open(); the caller closes *device also after an error.
Status openDevice(const ptowsp_device_options& options, ptowsp_device* device);

// RunningScope: this part of a program is what runs on the device now, for `who`.
class RunningScope {
 public:
  RunningScope(ptowsp_device& device, Device& running, const void* who) : device_(device) {
    set(&running, who);
  }
  ~RunningScope() { set(nullptr, nullptr); }
  RunningScope(const RunningScope&) = delete;
  RunningScope& operator=(const RunningScope&) = delete;

 private:
  void set(Device* running, const void* who) {
    const std::lock_guard<std::mutex> lock(device_.running_mutex);
    device_.running = running;
    device_.running_for = who;
  }
  ptowsp_device& device_;
};

}  // namespace ptowsp::glue
