// SPDX-License-Identifier: MIT
// Executor: runs a sealed graph on simulated cores. Each core belongs to one worker thread for the
// whole run, so that a core never runs two tasks at once without any lock. The threads persist
// between runs and sleep when there is nothing to do; the calling thread watches the time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "runtime_glue/sim/error.h"
#include "runtime_glue/sim/graph.h"
#include "runtime_glue/sim/kernel_table.h"

namespace ptowsp::sim {

class DeviceMemory;

// Platform: the simulated chip of one run. Cores 0 .. block_dim - 1 are AIC, then come two AIV
// cores for each block; AICPU s owns the blocks [s * block_dim / aicpus, (s + 1) * block_dim /
// aicpus).
struct Platform {
  int aicpus = 1;
  int block_dim = 1;

  int cores() const { return 3 * block_dim; }
  int coreTypeOf(int core) const { return core < block_dim ? 0 : 1; }
  int blockOf(int core) const { return core < block_dim ? core : (core - block_dim) / 2; }
  // The scheduler whose blocks the core belongs to.
  int aicpuOf(int core) const { return blockOf(core) / (block_dim / aicpus); }
};

struct RunOptions {
  int workers = 0;  // 0: as many as the machine has
  bool random_order = false;
  uint64_t schedule_seed = 0;
  bool check_each_task = false;
  bool catch_crashes = true;
  double timeout_seconds = 0;
};

// WindowUse: what a run made of its task window; see ptowsp_sim_stats.
struct WindowUse {
  int64_t tasks = 0, high_water = 0, stalls = 0;
};

struct RunResult {
  Error error;
  WindowUse window;
  int workers = 0;
  int64_t completed = 0;
  std::vector<ptowsp_sim_guard_damage> damage;  // found after a task, with check_each_task
};

class Executor {
 public:
  Executor();
  ~Executor();

  // The graph is sealed and acyclic, its kernels are registered. `events` has an entry per task, or
  // is null. One run at a time.
  RunResult run(const Graph& graph, const KernelTable& kernels, const DeviceMemory& memory,
                const Platform& platform, const RunOptions& options, ptowsp_sim_event* events);
  // From any thread: the run that is under way ends with an error, as soon as its kernels return or
  // have been interrupted.
  void cancel();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ptowsp::sim
