// SPDX-License-Identifier: MIT
// runtime.h of the built-in runtime: what orchestration code sees. Source compatible with the
// pto-runtime contract G1 (class Runtime and its members), without its fixed limits. Everything
// here is inline or reached through a table of functions, so that an orchestration library needs no
// link against libptowsp_sim.so. C++17.
#ifndef PTOWSP_SIM_RUNTIME_H
#define PTOWSP_SIM_RUNTIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define PTOWSP_BUILTIN_RUNTIME 1

// PTOWSP_RUNTIME_API_VERSION: changes with any change of layout or meaning below. Each
// orchestration library exports the version it was compiled with; init_runtime compares before it
// calls anything.
#define PTOWSP_RUNTIME_API_VERSION 2u

extern "C" {
// Weak, because every source file of one orchestration library may include this header.
extern const uint32_t ptowsp_runtime_api_version __attribute__((weak, visibility("default")));
const uint32_t ptowsp_runtime_api_version = PTOWSP_RUNTIME_API_VERSION;
}

class Runtime;

enum class CoreType : int {
  AIC = 0,  // cube core
  AIV = 1   // vector core
};

// TensorPair: device memory that finalize copies back to the host and frees.
struct TensorPair {
  void* host_ptr;
  void* dev_ptr;
  size_t size;
};

// HostApi: to be called from the orchestration's own thread. Copies return 0 on success; a copy or
// a free that fails also makes init_runtime fail, so an ignored return code loses nothing.
struct HostApi {
  void* (*device_malloc)(size_t size);
  void (*device_free)(void* dev_ptr);
  int (*copy_to_device)(void* dev_ptr, const void* host_ptr, size_t size);
  int (*copy_from_device)(void* host_ptr, const void* dev_ptr, size_t size);
};

// TaskFanin: what code for pto-runtime uses as an atomic int. A view is a copy, which no other thread has,
// and <atomic> would be a third of what an orchestration has to parse.
struct TaskFanin {
  int value;
  operator int() const { return value; }
  template <class... Order>
  int load(Order...) const {
    return value;
  }
};

// Task: a view of one task. Views are made by the first get_task() after a change of the graph, and
// the next such call replaces them. `args` points to the task's own arguments: writing them changes
// the task. The other members are copies.
struct Task {
  int task_id;
  int func_id;
  uint64_t* args;
  int num_args;
  int core_type;  // 0 = AIC, 1 = AIV
  TaskFanin fanin;
  const int* fanout;
  int fanout_count;
};

namespace ptowsp_sim {

// TaskRecord: 16 bytes, because a graph of a million tasks is written and read once per run.
struct TaskRecord {
  uint64_t first_argument;  // index into the flat array of arguments
  int32_t func_id;
  uint32_t num_args_and_core;  // num_args * 2 + core_type
};

struct Edge {
  int32_t from;
  int32_t to;
};

// RuntimeFunctions: the slow paths, filled in by the library.
struct RuntimeFunctions {
  uint32_t version;
  uint32_t size;
  // Room for one more task or edge, or 0 with the reason recorded: bad arguments or no memory.
  int (*prepare_task)(Runtime* runtime, const uint64_t* args, int num_args, int func_id,
                      int core_type);
  int (*prepare_edge)(Runtime* runtime, int from_task, int to_task);
  Task* (*get_task)(Runtime* runtime, int task_id);
  int (*get_initial_ready_tasks)(Runtime* runtime, int* ready_tasks);
  void (*print_runtime)(const Runtime* runtime);
  void (*record_tensor_pair)(Runtime* runtime, void* host_ptr, void* dev_ptr, size_t size);
  TensorPair* (*get_tensor_pairs)(Runtime* runtime);
  int (*get_tensor_pair_count)(const Runtime* runtime);
  void (*clear_tensor_pairs)(Runtime* runtime);
  void (*set_dispatch)(Runtime* runtime, int aicpus, bool work_steal);
  // Room for the schedulers of all tasks so far, or 0 with the reason recorded.
  int (*prepare_task_aicpu)(Runtime* runtime, int task_id, int aicpu);
  void (*set_task_window)(Runtime* runtime, int tasks, int mode);
};

// What happens to a task that is ready outside of the task window.
enum WindowMode : int {
  kWindowStall = 0,     // it waits until the window has moved on
  kWindowAbort = 1,     // the run fails
  kWindowBenchmark = 2  // it runs, and is counted
};

// AICPU schedulers that one graph may be dealt to; launch_runtime takes as many.
constexpr int kMaxAicpus = 64;

struct RuntimeAccess;

}  // namespace ptowsp_sim

// Runtime: the task graph under construction. The library constructs it in the caller's memory; the
// arrays behind it belong to the library. A mistake (bad id, bad argument count, no memory) is
// recorded and makes init_runtime or launch_runtime fail with a message: nothing is dropped
// silently.
class Runtime {
 public:
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  // Task id >= 0, or -1 on failure. core_type: 0 = AIC, 1 = AIV.
  int add_task(uint64_t* args, int num_args, int func_id, int core_type = 0) {
    // A negative count turns into a huge one, which no capacity holds.
    const size_t count = static_cast<unsigned>(num_args);
    if (__builtin_expect(task_count_ == task_capacity_ ||
                             argument_capacity_ - argument_count_ < count || func_id < 0 ||
                             static_cast<unsigned>(core_type) > 1u ||
                             (args == nullptr && count != 0),
                         0)) {
      if (!functions_->prepare_task(this, args, num_args, func_id, core_type)) return -1;
    }
    ptowsp_sim::TaskRecord& record = tasks_[task_count_];
    record.first_argument = argument_count_;
    record.func_id = func_id;
    record.num_args_and_core = static_cast<uint32_t>(count * 2 + static_cast<unsigned>(core_type));
    if (count != 0) memcpy(arguments_ + argument_count_, args, count * sizeof(uint64_t));
    argument_count_ += count;
    return task_count_++;
  }

  // to_task waits for from_task. Equal edges may be added more than once.
  void add_successor(int from_task, int to_task) {
    const unsigned tasks = static_cast<unsigned>(task_count_);
    if (__builtin_expect(static_cast<unsigned>(from_task) >= tasks ||
                             static_cast<unsigned>(to_task) >= tasks ||
                             edge_count_ == edge_capacity_,
                         0)) {
      if (!functions_->prepare_edge(this, from_task, to_task)) return;
    }
    edges_[edge_count_].from = from_task;
    edges_[edge_count_].to = to_task;
    ++edge_count_;
  }

  int get_task_count() const { return task_count_; }
  // Extension: edges added so far, equal ones counted each time.
  int64_t edge_count() const { return static_cast<int64_t>(edge_count_); }

  // nullptr for a bad id. The first call after a change costs time linear in the graph.
  Task* get_task(int task_id) { return functions_->get_task(this, task_id); }
  // Writes the ids of the tasks without predecessors, when ready_tasks is not null; their number.
  int get_initial_ready_tasks(int* ready_tasks) {
    return functions_->get_initial_ready_tasks(this, ready_tasks);
  }
  void print_runtime() const { functions_->print_runtime(this); }

  void record_tensor_pair(void* host_ptr, void* dev_ptr, size_t size) {
    functions_->record_tensor_pair(this, host_ptr, dev_ptr, size);
  }
  // Valid until the next pair is recorded.
  TensorPair* get_tensor_pairs() { return functions_->get_tensor_pairs(this); }
  int get_tensor_pair_count() const { return functions_->get_tensor_pair_count(this); }
  void clear_tensor_pairs() { functions_->clear_tensor_pairs(this); }

  // Extensions, which pto-runtime lacks: schedule directives. A mistake is recorded, as others are.

  // Each task belongs to one of `aicpus` schedulers, and runs on a core of that scheduler's blocks
  // only, or, with work_steal, of one that had nothing to do. Before any set_task_aicpu; the launch
  // must have as many AICPU threads.
  void set_dispatch(int aicpus, bool work_steal) {
    functions_->set_dispatch(this, aicpus, work_steal);
  }
  // The scheduler of a task, 0 to aicpus - 1; 0 where none is set.
  void set_task_aicpu(int task_id, int aicpu) {
    if (__builtin_expect(static_cast<unsigned>(task_id) >= task_aicpu_capacity_ ||
                             task_id >= task_count_ || static_cast<unsigned>(aicpu) >= aicpus_,
                         0)) {
      if (!functions_->prepare_task_aicpu(this, task_id, aicpu)) return;
    }
    task_aicpus_[task_id] = static_cast<uint8_t>(aicpu);
  }
  // Tasks are admitted in the order of their ids, never more than `tasks` from the oldest one that
  // is not finished to the newest one admitted.
  void set_task_window(int tasks, ptowsp_sim::WindowMode mode) {
    functions_->set_task_window(this, tasks, mode);
  }

  HostApi host_api;

 private:
  friend struct ptowsp_sim::RuntimeAccess;
  Runtime() = default;

  const ptowsp_sim::RuntimeFunctions* functions_;
  void* owner_;  // the library's own state of this graph
  ptowsp_sim::TaskRecord* tasks_;
  uint64_t* arguments_;
  ptowsp_sim::Edge* edges_;
  size_t argument_count_;
  size_t argument_capacity_;
  size_t edge_count_;
  size_t edge_capacity_;
  int task_count_;
  int task_capacity_;
  uint8_t* task_aicpus_;
  unsigned task_aicpu_capacity_;
  unsigned aicpus_;  // 0: no dispatch policy
};

#endif  // PTOWSP_SIM_RUNTIME_H
