// SPDX-License-Identifier: MIT
// Device: one simulated device: its memory, kernels, options, the runtimes initialised on it and
// the results of its last launch. The order of calls and the life of a runtime are decided here.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

#include "runtime_glue/sim/block.h"
#include "runtime_glue/sim/device_memory.h"
#include "runtime_glue/sim/error.h"
#include "runtime_glue/sim/executor.h"
#include "runtime_glue/sim/kernel_table.h"
#include "runtime_glue/sim/runtime_state.h"
#include "runtime_glue/sim/thread_annotations.h"

namespace ptowsp::sim {

class Device {
 public:
  Device() = default;
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;

  // Finds or loads the orchestration function into the state; part of init().
  using FindFunction = std::function<Error(RuntimeState&, OrchestrationFunction*)>;

  Error init(void* runtime, const HostApi& host_api, const FindFunction& find, uint64_t* args,
             int n_args) PTOWSP_EXCLUDES(api_mutex_);
  Error launch(void* runtime, int aicpus, int block_dim, int device_id)
      PTOWSP_EXCLUDES(api_mutex_, error_mutex_);
  Error finalize(void* runtime) PTOWSP_EXCLUDES(api_mutex_);
  // Not guarded by the lock that the launch to be cancelled holds: the executor has its own.
  void cancel() PTOWSP_NO_THREAD_SAFETY_ANALYSIS { executor_.cancel(); }
  Error registerKernel(int func_id, const uint8_t* image, size_t size) PTOWSP_EXCLUDES(api_mutex_);
  Error describeKernel(int func_id, const char* name, int core_type) PTOWSP_EXCLUDES(api_mutex_);
  Error setOptions(const ptowsp_sim_options& options) PTOWSP_EXCLUDES(api_mutex_);
  ptowsp_sim_options options() PTOWSP_EXCLUDES(api_mutex_);
  Error reset() PTOWSP_EXCLUDES(api_mutex_);

  // Device memory. Also from inside an orchestration, on its thread.
  void* allocate(size_t size);
  Error release(void* address);
  Error copyIn(void* device, const void* host, size_t size);
  Error copyOut(void* host, const void* device, size_t size);

  Error trace(ptowsp_sim_trace* trace) PTOWSP_EXCLUDES(api_mutex_);
  Error stats(ptowsp_sim_stats* stats) PTOWSP_EXCLUDES(api_mutex_);
  Error graph(ptowsp_sim_graph* graph) PTOWSP_EXCLUDES(api_mutex_);
  Error guardReport(ptowsp_sim_guard_report* report) PTOWSP_EXCLUDES(api_mutex_);

  // Keeps the error for lastError(), prints it unless quiet; its code.
  int report(Error error) PTOWSP_EXCLUDES(error_mutex_);
  ptowsp_sim_error lastError() PTOWSP_EXCLUDES(error_mutex_);

  // Whether the calling thread is inside an orchestration or a kernel.
  static bool insideCall();

 private:
  struct LastRun {
    RuntimeState* state = nullptr;  // null: nothing launched, or finalised since
    Platform platform;
    int workers = 0;
    int64_t tasks = 0, edges = 0, completed = 0;
    uint64_t wall_ns = 0;
    size_t events = 0;
    uint64_t critical_path = 0, critical_path_ns = 0;  // 0: not computed
    WindowUse window;
    std::vector<uint64_t> core_busy;
    std::vector<ptowsp_sim_guard_damage> damage;
  };

  RuntimeState* find(void* runtime) PTOWSP_REQUIRES(api_mutex_);
  Error checkAlive() const PTOWSP_REQUIRES(api_mutex_);
  // All that can be wrong with a graph before any of it runs.
  Error checkGraph(Runtime& runtime, RuntimeState& state) const PTOWSP_REQUIRES(api_mutex_);
  // The launch has the schedulers that the graph is dealt to, and its task window can move on.
  Error checkSchedule(Graph& graph, int aicpus) const;
  Error runGraph(RuntimeState& state, const Platform& platform) PTOWSP_REQUIRES(api_mutex_);
  void discard(void* runtime) PTOWSP_REQUIRES(api_mutex_);
  std::unique_ptr<Graph> takeGraph() PTOWSP_REQUIRES(api_mutex_);

  Mutex api_mutex_;
  DeviceMemory memory_;
  KernelTable kernels_ PTOWSP_GUARDED_BY(api_mutex_);
  Executor executor_ PTOWSP_GUARDED_BY(api_mutex_);
  ptowsp_sim_options options_ PTOWSP_GUARDED_BY(api_mutex_) = {};
  std::unordered_map<void*, std::unique_ptr<RuntimeState>> states_ PTOWSP_GUARDED_BY(api_mutex_);
  // The largest graph that was given back: its memory is mapped already, which is most of the cost
  // of building a large graph.
  std::unique_ptr<Graph> spare_graph_ PTOWSP_GUARDED_BY(api_mutex_);
  Error death_ PTOWSP_GUARDED_BY(api_mutex_);  // why the device is dead
  Array<ptowsp_sim_event> events_ PTOWSP_GUARDED_BY(api_mutex_);
  LastRun last_run_ PTOWSP_GUARDED_BY(api_mutex_);
  uint64_t build_ns_ PTOWSP_GUARDED_BY(api_mutex_) = 0;
  int64_t unrecorded_allocations_ PTOWSP_GUARDED_BY(api_mutex_) = 0;

  Mutex error_mutex_;
  Error last_error_ PTOWSP_GUARDED_BY(error_mutex_);
  bool quiet_ PTOWSP_GUARDED_BY(error_mutex_) = false;
  // A failed device_free, which has no return code: the next launch or finalize tells.
  Error misuse_ PTOWSP_GUARDED_BY(error_mutex_);
};

}  // namespace ptowsp::sim
