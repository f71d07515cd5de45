// SPDX-License-Identifier: MIT
#include "runtime_glue/glue/device.h"

#include <sched.h>

#include <algorithm>
#include <cstring>

#include "runtime_glue/glue/text.h"

namespace ptowsp::glue {
namespace {

constexpr int kMostAicpus = 64;  // of the built-in runtime

// CPUs that this process may use.
int cpuCount() {
  cpu_set_t set;
  return sched_getaffinity(0, sizeof set, &set) == 0 ? std::max(1, CPU_COUNT(&set)) : 1;
}

}  // namespace

Status Device::open(const RuntimeLibrary& library, const DeviceOptions& options, Chip* shared) {
  library_ = &library;
  options_ = options;
  // Some runtimes hang, or run nothing, on a bad combination of these two; so it never gets there.
  int& threads = options_.aicpu_threads;
  int& blocks = options_.block_dim;
  // Other runtimes do not take the policy; it is recorded only.
  const int wanted = library.sim() ? options_.dispatch_aicpus : 0;
  if (wanted != 0 && threads != 0 && threads != wanted)
    return Status::badArtifact(
        "aicpu_threads",
        format("found %d, but the dispatch policy deals the tasks to %d AICPU schedulers", threads,
               wanted),
        "leave AICPU_THREADS and --aicpu-threads out, or change the policy");
  if (threads == 0) threads = wanted != 0 ? wanted : 1;
  const int most = library.sim() ? kMostAicpus : 4;
  if (threads < 1 || threads > most)
    return Status::badArtifact("aicpu_threads",
                               format("found %d, expected 1 to %d, the schedulers that %s has", threads,
                                      most, library.sim() ? "the built-in runtime" : "pto-runtime"),
                               "change AICPU_THREADS or --aicpu-threads");
  if (blocks == 0) {
    // Two vector cores for each block.
    const int workers = options_.workers > 0 ? options_.workers : cpuCount();
    blocks = library.sim() ? (workers + 1) / 2 : 1;
    blocks = (blocks + threads - 1) / threads * threads;
  }
  if (blocks < 1 || blocks % threads != 0)
    return Status::badArtifact(
        "block_dim",
        format("found %d, expected a positive multiple of aicpu_threads, %d", blocks, threads),
        "change BLOCK_DIM or --block-dim, AICPU_THREADS or --aicpu-threads");
  if (library.external() && blocks > library.external()->most_blocks)
    return Status::badArtifact("block_dim",
                               format("found %d, expected %d at most, the blocks that %s has", blocks,
                                      library.external()->most_blocks, library.external()->name.c_str()),
                               "change BLOCK_DIM or --block-dim");
  if (!shared) return own_.open(library);
  chip_ = shared;
  return {};
}

Status Device::select(uint32_t sim_flags) {
  if (const SimApi* sim = library_->sim()) {
    if (Status status = chip_->use(); !status.ok()) return status;
    ptowsp_sim_options options = {};
    options.size = sizeof options;
    options.flags = sim_flags | PTOWSP_SIM_QUIET;
    options.workers = options_.workers;
    options.timeout_seconds = options_.timeout;
    if (options_.schedule_seed) {
      options.flags |= PTOWSP_SIM_SCHEDULE_SEED;
      options.schedule_seed = *options_.schedule_seed;
    }
    if (const int code = sim->set_options(&options); code != 0)
      return Status::runFailure("device", format("the runtime refused its options, code %d", code));
  } else if (chip_->dead) {
    return Status::runFailure("device", "cannot be used again after a run that failed",
                              "run it in a new process");
  }
  chip_->dead = false;
  if (const int code = library_->contract().set_device(options_.device_id); code != 0)
    return Status::runFailure(
        "device", format("set_device(%d) failed with code %d", options_.device_id, code));
  return {};
}

void Device::cancel() {
  if (const SimApi* sim = library_->sim()) sim->device_cancel(chip_->sim_device);
  if (library_->external()) {
    cancelled_ = true;
    process_.kill();
  }
}

Status Device::registerKernel(int func_id, const std::string& name, int core_type,
                              KernelFunction function) {
  // An image of exactly 8 bytes is the address of a function in this process.
  uint8_t image[sizeof function];
  static_assert(sizeof image == 8, "the contract's image of a function is 8 bytes long");
  std::memcpy(image, &function, sizeof image);
  int code = 0;
  if (const SimApi* sim = library_->sim())
    code = sim->describe_kernel(func_id, name.c_str(), core_type);
  if (code == 0) code = library_->contract().register_kernel(func_id, image, sizeof image);
  if (code == 0) return {};
  return Status::runFailure("kernel " + name,
                            format("register_kernel(%d) failed with code %d", func_id, code));
}

Status Device::registerKernels(const Manifest& manifest, const Executable& executable,
                               KernelFunction instead) {
  chip_->kernels_of = 0;
  for (size_t i = 0; i < executable.kernels.size(); ++i) {
    const KernelInfo& kernel = manifest.kernels[i];
    if (Status status = registerKernel(static_cast<int>(i), kernel.name,
                                       kernel.core_type == "aic" ? 0 : 1,
                                       instead ? instead : executable.kernels[i]);
        !status.ok())
      return status;
  }
  return executable.relay ? registerKernel(manifest.relay, "relay", 1, executable.relay) : Status();
}

}  // namespace ptowsp::glue
