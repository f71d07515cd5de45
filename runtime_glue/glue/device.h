// SPDX-License-Identifier: MIT
// Device: how a program launches on a chip (simulated, or whatever a runtime library drives): options,
// and the kernels that it registers there.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>

#include "runtime_glue/glue/child_process.h"
#include "runtime_glue/glue/chip.h"
#include "runtime_glue/glue/executable.h"
#include "runtime_glue/glue/runtime_library.h"
#include "runtime_glue/glue/status.h"

namespace ptowsp::glue {

struct DeviceOptions {
  int device_id = 0;
  int block_dim = 0;      // 0: as many as the workers can keep busy; 1 on other runtimes
  int aicpu_threads = 0;  // 0: as the dispatch policy says on the built-in runtime, else 1
  int dispatch_aicpus = 0;  // schedulers that the dispatch policy deals tasks to; 0: no policy
  double timeout = 0;     // seconds for one launch, 0: none; for one run on an external runtime
  // The rest needs the built-in runtime.
  int workers = 0;  // 0: one for each CPU
  std::optional<uint64_t> schedule_seed;
};

class Device {
 public:
  Device() = default;
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;

  // Checks the options; block_dim() and aicpuThreads() then hold what launches use. The library and the
  // chip have to outlive the device; without a chip it has one of its own.
  Status open(const RuntimeLibrary& library, const DeviceOptions& options, Chip* shared = nullptr);

  const RuntimeLibrary& library() const { return *library_; }
  const DeviceOptions& options() const { return options_; }
  Chip& chip() { return *chip_; }
  int blockDim() const { return options_.block_dim; }
  int aicpuThreads() const { return options_.aicpu_threads; }

  // Makes it the calling thread's device, as new after a failed run, with these flags of sim_api.h.
  Status select(uint32_t sim_flags);
  // Registers every kernel, `instead` of it when not null; and the relay kernel where there is one. Before
  // each launch, since other runtimes than the built-in one forget them.
  Status registerKernels(const Manifest& manifest, const Executable& executable,
                         KernelFunction instead = nullptr);
  // From any thread: ends the launch that is under way, if the runtime can.
  void cancel();
  // After a run that failed: select() resets the device, if the runtime can.
  void markDead() { chip_->markDead(); }

  // External runtimes: the process of the run, and whether cancel() ended it.
  ChildProcess& process() { return process_; }
  void startedProcess() { cancelled_ = false; }
  bool processCancelled() const { return cancelled_; }

 private:
  Status registerKernel(int func_id, const std::string& name, int core_type,
                        KernelFunction function);

  const RuntimeLibrary* library_ = nullptr;
  DeviceOptions options_;
  Chip own_;
  Chip* chip_ = &own_;
  ChildProcess process_;
  std::atomic<bool> cancelled_{false};
};

}  // namespace ptowsp::glue
