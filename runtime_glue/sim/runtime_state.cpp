// SPDX-License-Identifier: MIT
#include "runtime_glue/sim/runtime_state.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <limits>
#include <new>

namespace ptowsp_sim {

// RuntimeAccess: the functions behind Runtime's table, and the only code that sees its members.
struct RuntimeAccess {
  using RuntimeState = ptowsp::sim::RuntimeState;
  using Error = ptowsp::sim::Error;

  static RuntimeState& state(const Runtime* runtime) {
    return *static_cast<RuntimeState*>(runtime->owner_);
  }

  static Runtime* construct(void* memory, RuntimeState* state, const HostApi& host_api) {
    auto* runtime = new (memory) Runtime();
    runtime->host_api = host_api;
    runtime->functions_ = &table;
    runtime->owner_ = state;
    runtime->argument_count_ = runtime->edge_count_ = 0;
    runtime->task_count_ = 0;
    runtime->task_aicpus_ = nullptr;
    runtime->task_aicpu_capacity_ = runtime->aicpus_ = 0;
    bindArrays(runtime);
    return runtime;
  }

  static void bindArrays(Runtime* runtime) {
    const ptowsp::sim::Graph& graph = *state(runtime).graph;
    runtime->tasks_ = graph.task_records.data();
    runtime->arguments_ = graph.arguments.data();
    runtime->edges_ = graph.edge_list.data();
    runtime->task_capacity_ = static_cast<int>(
        std::min<size_t>(graph.task_records.capacity(), std::numeric_limits<int>::max()));
    runtime->argument_capacity_ = graph.arguments.capacity();
    // Successor lists count edges in 32 bits.
    runtime->edge_capacity_ =
        std::min<size_t>(graph.edge_list.capacity(), std::numeric_limits<uint32_t>::max());
  }

  static int outOfMemory(RuntimeState& s, const char* call, int tasks, size_t edges) {
    s.record({PTOWSP_SIM_ERROR_OUT_OF_MEMORY,
              ptowsp::sim::formatText("%s: no memory for more than %d tasks and %zu edges", call,
                                      tasks, edges)});
    return 0;
  }

  static int prepareTask(Runtime* runtime, const uint64_t* args, int num_args, int func_id,
                         int core_type) {
    RuntimeState& s = state(runtime);
    const char* problem = nullptr;
    if (num_args < 0)
      problem = "the number of arguments is negative";
    else if (args == nullptr && num_args > 0)
      problem = "the arguments are a null pointer";
    else if (func_id < 0)
      problem = "func_id is negative";
    else if (core_type != 0 && core_type != 1)
      problem = "the core type is neither 0 (AIC) nor 1 (AIV)";
    if (problem != nullptr) {
      Error error{
          PTOWSP_SIM_ERROR_BAD_TASK,
          ptowsp::sim::formatText("add_task(args, %d, %d, %d), after %d tasks: %s", num_args,
                                  func_id, core_type, runtime->task_count_, problem)};
      error.func_id = func_id;
      s.record(std::move(error));
      return 0;
    }
    if (runtime->task_count_ == std::numeric_limits<int>::max()) {
      return outOfMemory(s, "add_task", runtime->task_count_, runtime->edge_count_);
    }
    // Arrays double, from one page on.
    const size_t tasks = static_cast<size_t>(runtime->task_count_);
    const size_t arguments = runtime->argument_count_;
    const size_t wanted = arguments + static_cast<size_t>(num_args);
    ptowsp::sim::Graph& graph = *s.graph;
    if ((graph.task_records.capacity() <= tasks &&
         !graph.task_records.reserve(std::max<size_t>(256, 2 * tasks), tasks)) ||
        (graph.arguments.capacity() < wanted &&
         !graph.arguments.reserve(std::max({size_t{512}, wanted, 2 * arguments}), arguments))) {
      return outOfMemory(s, "add_task", runtime->task_count_, runtime->edge_count_);
    }
    bindArrays(runtime);
    return 1;
  }

  static int prepareEdge(Runtime* runtime, int from, int to) {
    RuntimeState& s = state(runtime);
    const auto is_task = [&](int id) { return id >= 0 && id < runtime->task_count_; };
    if (!is_task(from) || !is_task(to)) {
      s.record(
          {PTOWSP_SIM_ERROR_BAD_EDGE,
           ptowsp::sim::formatText("add_successor(%d, %d): there is no task %d, only %d tasks so "
                                   "far; pass ids that add_task returned",
                                   from, to, is_task(from) ? to : from, runtime->task_count_)});
      return 0;
    }
    const size_t edges = runtime->edge_count_;
    if (edges == std::numeric_limits<uint32_t>::max() ||
        !s.graph->edge_list.reserve(std::max<size_t>(512, 2 * edges), edges)) {
      return outOfMemory(s, "add_successor", runtime->task_count_, edges);
    }
    bindArrays(runtime);
    return 1;
  }

  // Every task has a scheduler, also those after the last one that was given one.
  static Error completeTaskAicpus(Runtime* runtime) {
    if (runtime->aicpus_ == 0 || growTaskAicpus(runtime, static_cast<size_t>(runtime->task_count_)))
      return {};
    return {PTOWSP_SIM_ERROR_OUT_OF_MEMORY,
            ptowsp::sim::formatText("no memory for the schedulers of %d tasks",
                                    runtime->task_count_)};
  }

  static Error seal(const Runtime* runtime) {
    return state(runtime).graph->seal(runtime->task_count_, runtime->edge_count_);
  }

  // Makes room for so many tasks; new ones belong to scheduler 0.
  static bool growTaskAicpus(Runtime* runtime, size_t tasks) {
    const size_t known = runtime->task_aicpu_capacity_;
    if (tasks <= known) return true;
    ptowsp::sim::Array<uint8_t>& array = state(runtime).graph->task_aicpus;
    const size_t wanted = std::max(tasks, static_cast<size_t>(runtime->task_capacity_));
    if (!array.reserve(wanted, known)) return false;
    std::memset(array.data() + known, 0, wanted - known);
    runtime->task_aicpus_ = array.data();
    runtime->task_aicpu_capacity_ = static_cast<unsigned>(wanted);
    return true;
  }

  static void setDispatch(Runtime* runtime, int aicpus, bool work_steal) {
    RuntimeState& s = state(runtime);
    if (aicpus < 1 || aicpus > kMaxAicpus) {
      s.record({PTOWSP_SIM_ERROR_BAD_SCHEDULE,
                ptowsp::sim::formatText("set_dispatch(%d): expected 1 to %d AICPU schedulers",
                                        aicpus, kMaxAicpus)});
      return;
    }
    if (s.graph->schedule.aicpus != 0) {
      s.record({PTOWSP_SIM_ERROR_BAD_SCHEDULE,
                ptowsp::sim::formatText("set_dispatch(%d): a policy for %d AICPU schedulers was set "
                                        "before",
                                        aicpus, s.graph->schedule.aicpus)});
      return;
    }
    s.graph->schedule.aicpus = aicpus;
    s.graph->schedule.work_steal = work_steal;
    runtime->aicpus_ = static_cast<unsigned>(aicpus);
  }

  static int prepareTaskAicpu(Runtime* runtime, int task, int aicpu) {
    RuntimeState& s = state(runtime);
    const int aicpus = static_cast<int>(runtime->aicpus_);
    if (task < 0 || task >= runtime->task_count_ || aicpu < 0 || aicpu >= aicpus) {
      s.record({PTOWSP_SIM_ERROR_BAD_SCHEDULE,
                aicpus == 0
                    ? ptowsp::sim::formatText("set_task_aicpu(%d, %d): call set_dispatch first",
                                              task, aicpu)
                    : ptowsp::sim::formatText("set_task_aicpu(%d, %d): expected one of %d tasks and "
                                              "one of %d AICPU schedulers",
                                              task, aicpu, runtime->task_count_, aicpus)});
      return 0;
    }
    if (growTaskAicpus(runtime, static_cast<size_t>(task) + 1)) return 1;
    return outOfMemory(s, "set_task_aicpu", runtime->task_count_, runtime->edge_count_);
  }

  static void setTaskWindow(Runtime* runtime, int tasks, int mode) {
    RuntimeState& s = state(runtime);
    if (tasks < 1 || mode < kWindowStall || mode > kWindowBenchmark) {
      s.record({PTOWSP_SIM_ERROR_BAD_SCHEDULE,
                ptowsp::sim::formatText("set_task_window(%d, %d): expected at least 1 task and a "
                                        "mode from 0 to 2",
                                        tasks, mode)});
      return;
    }
    s.graph->schedule.window = tasks;
    s.graph->schedule.window_mode = static_cast<WindowMode>(mode);
  }

  static Task* getTask(Runtime* runtime, int task_id) {
    if (task_id < 0 || task_id >= runtime->task_count_) return nullptr;
    if (Error error = seal(runtime)) {
      state(runtime).record(std::move(error));
      return nullptr;
    }
    Task* views = state(runtime).graph->views();
    return views == nullptr ? nullptr : views + task_id;
  }

  static int getInitialReadyTasks(Runtime* runtime, int* ready_tasks) {
    if (Error error = seal(runtime)) {
      state(runtime).record(std::move(error));
      return 0;
    }
    const std::vector<int32_t>& roots = state(runtime).graph->roots();
    if (ready_tasks != nullptr) std::copy(roots.begin(), roots.end(), ready_tasks);
    return static_cast<int>(roots.size());
  }

  static void print(const Runtime* runtime) {
    if (seal(runtime)) {
      std::printf("Runtime: %d tasks, no memory to list them\n", runtime->task_count_);
      return;
    }
    const ptowsp::sim::Graph& graph = *state(runtime).graph;
    std::printf("Runtime: %d tasks, %lld edges, %zu ready at once\n", graph.tasks(),
                static_cast<long long>(graph.edges()), graph.roots().size());
    for (int t = 0; t < graph.tasks(); ++t) {
      std::printf("  task %d: func_id %d, %s, %d args, fanin %d, fanout [", t,
                  graph.task(t).func_id,
                  ptowsp::sim::coreTypeName(ptowsp::sim::coreTypeOf(graph.task(t))),
                  ptowsp::sim::argumentCountOf(graph.task(t)), graph.fanin()[t]);
      for (uint32_t s = graph.offsets()[t]; s < graph.offsets()[t + 1]; ++s) {
        std::printf("%s%d", s == graph.offsets()[t] ? "" : " ", graph.successors()[s]);
      }
      std::printf("]\n");
    }
    std::fflush(stdout);
  }

  static void recordTensorPair(Runtime* runtime, void* host_ptr, void* dev_ptr, size_t size) {
    RuntimeState& s = state(runtime);
    if (host_ptr == nullptr && size != 0) {
      s.record({PTOWSP_SIM_ERROR_BAD_PAIR, "record_tensor_pair: the host pointer is null"});
      return;
    }
    if (Error error = s.memory->checkRange(dev_ptr, size)) {
      s.record({PTOWSP_SIM_ERROR_BAD_PAIR, "record_tensor_pair: " + error.message});
      return;
    }
    try {
      s.pairs.push_back({host_ptr, dev_ptr, size});
    } catch (const std::bad_alloc&) {
      outOfMemory(s, "record_tensor_pair", runtime->task_count_, runtime->edge_count_);
    }
  }
  static TensorPair* getTensorPairs(Runtime* runtime) { return state(runtime).pairs.data(); }
  static int getTensorPairCount(const Runtime* runtime) {
    return static_cast<int>(state(runtime).pairs.size());
  }
  static void clearTensorPairs(Runtime* runtime) { state(runtime).pairs.clear(); }

  static const RuntimeFunctions table;
};

const RuntimeFunctions RuntimeAccess::table = {PTOWSP_RUNTIME_API_VERSION,
                                               sizeof(RuntimeFunctions),
                                               prepareTask,
                                               prepareEdge,
                                               getTask,
                                               getInitialReadyTasks,
                                               print,
                                               recordTensorPair,
                                               getTensorPairs,
                                               getTensorPairCount,
                                               clearTensorPairs,
                                               setDispatch,
                                               prepareTaskAicpu,
                                               setTaskWindow};

}  // namespace ptowsp_sim

namespace ptowsp::sim {

Runtime* RuntimeState::construct(void* runtime_memory, const HostApi& host_api) {
  return ptowsp_sim::RuntimeAccess::construct(runtime_memory, this, host_api);
}

Error RuntimeState::seal(Runtime& runtime) {
  if (mistake) return mistake;
  if (Error error = ptowsp_sim::RuntimeAccess::completeTaskAicpus(&runtime)) return error;
  return ptowsp_sim::RuntimeAccess::seal(&runtime);
}

}  // namespace ptowsp::sim
