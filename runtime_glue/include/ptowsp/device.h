// SPDX-License-Identifier: MIT
// ptowsp::Device: what workloads run on, and what they share. C++17.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "ptowsp/error.h"

namespace ptowsp {

// DeviceOptions: 0 and empty texts are the defaults.
struct DeviceOptions {
  std::string platform;   // "a2a3sim", or "a2a3"; empty: what the runtime is for
  int device_id = 0;
  int block_dim = 0;      // blocks: 1 AIC and 2 AIV cores each. 0: as each workload was built for
  int aicpu_threads = 0;  // AICPU schedulers. 0: as each workload was built for
  int workers = 0;        // threads that run kernels. 0: one for each CPU
  std::chrono::duration<double> timeout{0};  // for the tasks of one run. 0: none
  // The built-in runtime where empty; else a library with its interface, or the folder of an external
  // one's libraries, as a build with PTO_RUNTIME_PATH makes it.
  std::string runtime;
};

namespace detail {

// Closer: a handle of the C interface, and how it is given back.
template <typename T, void (*kClose)(T*)>
struct Closer {
  void operator()(T* handle) const noexcept { kClose(handle); }
};
template <typename T, void (*kClose)(T*)>
using Handle = std::unique_ptr<T, Closer<T, kClose>>;

// A library of another version, whose functions take other arguments, is refused before the first call.
inline void checkLibrary() {
  if (ptowsp_glue_abi() == PTOWSP_GLUE_ABI) return;
  raise(Error(Outcome::bad_input, "libptowsp_glue_c.so",
              "found interface " + std::to_string(ptowsp_glue_abi()) + " of the library, version " +
                  ptowsp_glue_version() + ", expected " + std::to_string(PTOWSP_GLUE_ABI) +
                  ", that of the headers that this program was compiled with",
              {}, "build this program again with the PtoWsp that it runs with"));
}

}  // namespace detail

// Device: workloads that run on one device run one after another, in the order in which they were
// called, from whatever threads; those on different devices run independently of each other. Workloads
// keep what they need of it, so it may go before them.
class Device {
 public:
  // Throws ptowsp::Error when the options do not fit together or there is no such runtime.
  explicit Device(const DeviceOptions& options = DeviceOptions()) {
    detail::checkLibrary();
    ptowsp_device_options given = {};
    given.size = sizeof given;
    given.device_id = options.device_id;
    given.block_dim = options.block_dim;
    given.aicpu_threads = options.aicpu_threads;
    given.workers = options.workers;
    given.timeout_seconds = options.timeout.count();
    given.platform = options.platform.empty() ? nullptr : options.platform.c_str();
    given.runtime = options.runtime.empty() ? nullptr : options.runtime.c_str();
    ptowsp_device* device = nullptr;
    detail::check(ptowsp_device_open(&given, &device));
    handle_.reset(device);
  }

  // From any thread: ends the tasks of the run that is under way, which then fails with
  // Outcome::cancelled. Does nothing before its tasks run, or after.
  void cancel() noexcept { ptowsp_device_cancel(handle_.get()); }
  // For the C interface.
  ptowsp_device* handle() const noexcept { return handle_.get(); }

 private:
  detail::Handle<ptowsp_device, ptowsp_device_close> handle_;
};

}  // namespace ptowsp
