// SPDX-License-Identifier: MIT
// SimDevice: a device of the built-in runtime with one kernel, as an orchestration and the runner
// use it, through the C interface. Every function is true when all went well.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <memory>

#include "ptowsp/sim_api.h"

namespace ptowsp::bench {

class SimDevice {
 public:
  using Kernel = void (*)(int64_t* args);
  using Orchestration = int (*)(void* runtime, uint64_t* args, int arg_count);

  SimDevice(int workers, Kernel kernel, int aicpus = 1)
      : aicpus_(aicpus),
        device_(ptowsp_sim_device_create()),
        runtime_(std::aligned_alloc(64, size()), std::free) {
    ptowsp_sim_device_use(device_);
    ptowsp_sim_options options = {};
    options.size = sizeof options;
    options.workers = workers;
    const auto entry = reinterpret_cast<uint64_t>(kernel);
    good_ = device_ && runtime_ && ptowsp_sim_set_options(&options) == 0 && set_device(0) == 0 &&
            register_kernel(0, reinterpret_cast<const uint8_t*>(&entry), sizeof entry) == 0;
    ptowsp_sim_device_use(nullptr);
  }
  ~SimDevice() {
    ptowsp_sim_device_use(nullptr);
    ptowsp_sim_device_destroy(device_);
  }
  SimDevice(const SimDevice&) = delete;

  bool build(Orchestration orchestration, uint64_t* args, int arg_count) {
    ptowsp_sim_device_use(device_);
    return good_ && ptowsp_sim_init_function(runtime_.get(), orchestration, args, arg_count) == 0;
  }
  bool run() {
    ptowsp_sim_device_use(device_);
    return launch_runtime(runtime_.get(), aicpus_, aicpus_, 0, nullptr, 0, nullptr, 0) == 0;
  }
  bool finish() {
    ptowsp_sim_device_use(device_);
    return finalize_runtime(runtime_.get()) == 0;
  }
  bool completed(int64_t tasks) {
    ptowsp_sim_device_use(device_);
    ptowsp_sim_stats stats = {};
    stats.size = sizeof stats;
    return ptowsp_sim_get_stats(&stats) == 0 && stats.completed == tasks;
  }

 private:
  static size_t size() { return (get_runtime_size() + 63) / 64 * 64; }

  int aicpus_;  // each has one block
  ptowsp_sim_device* device_;
  std::unique_ptr<void, decltype(&std::free)> runtime_;
  bool good_ = false;
};

}  // namespace ptowsp::bench
