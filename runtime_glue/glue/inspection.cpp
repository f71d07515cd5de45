// SPDX-License-Identifier: MIT
#include "runtime_glue/glue/inspection.h"

#include <algorithm>
#include <new>

#include "ptowsp/limits.h"
#include "runtime.h"

namespace ptowsp::glue {

namespace {

// Tiles, scalars, element count, strides, ledger slot, stamp.
uint64_t argumentCount(const KernelInfo& kernel) {
  uint64_t count = kernel.tiles.size() + kernel.scalars.size() + 3;
  for (const TileInfo& tile : kernel.tiles) count += tile.strided;
  return count;
}

// A task that there is: the runtime gives null for it when there is no memory for its lists.
Task& taskAt(Runtime& graph, int id) {
  if (Task* const task = graph.get_task(id)) return *task;
  throw std::bad_alloc();
}

// Of the thread that is inside build(); host_api's functions have no argument for it.
thread_local Inspection* current_inspection = nullptr;

}  // namespace

// Hooks: host_api as the orchestration sees it.
struct Inspection::Hooks {
  static thread_local HostApi real;

  // Memory that the tensor at hand has already, or null. Tensors are allocated first, in their order.
  static void* given(size_t index) {
    const std::vector<uint64_t>* tensors = current_inspection->request_.tensors;
    return tensors && index < tensors->size() ? reinterpret_cast<void*>((*tensors)[index]) : nullptr;
  }
  static bool isGiven(uint64_t address) {
    const std::vector<uint64_t>* tensors = current_inspection->request_.tensors;
    return tensors && std::find(tensors->begin(), tensors->end(), address) != tensors->end();
  }

  // Throws nothing: an orchestration frees what it has when it is given null, and not otherwise.
  static void* allocate(size_t size) noexcept {
    std::vector<Allocation>& all = current_inspection->allocations_;
    try {
      all.emplace_back();
    } catch (const std::bad_alloc&) {
      return nullptr;
    }
    void* memory = given(all.size() - 1);
    if (!memory) memory = real.device_malloc(size);
    if (memory)
      all.back() = {reinterpret_cast<uint64_t>(memory), static_cast<uint64_t>(size), nullptr};
    else
      all.pop_back();
    return memory;
  }
  static void release(void* memory) {
    std::vector<Allocation>& all = current_inspection->allocations_;
    const uint64_t address = reinterpret_cast<uint64_t>(memory);
    all.erase(std::remove_if(all.begin(), all.end(),
                             [&](const Allocation& a) { return a.address == address; }),
              all.end());
    if (!isGiven(address)) real.device_free(memory);
  }
  static int copy(void* device, const void* host, size_t size) {
    for (Allocation& allocation : current_inspection->allocations_) {
      if (allocation.address == reinterpret_cast<uint64_t>(device) && allocation.bytes == size)
        allocation.host = host;
    }
    return isGiven(reinterpret_cast<uint64_t>(device)) ? 0
                                                       : real.copy_to_device(device, host, size);
  }
};

thread_local HostApi Inspection::Hooks::real = {};

uint32_t inspectableRuntimeVersion() { return PTOWSP_RUNTIME_API_VERSION; }

bool TileRegion::covers(uint64_t byte) const {
  if (byte < address) return false;
  const uint64_t offset = byte - address;
  const uint64_t row = offset / static_cast<uint64_t>(stride_bytes);
  return row < static_cast<uint64_t>(rows) &&
         offset - row * static_cast<uint64_t>(stride_bytes) < static_cast<uint64_t>(row_bytes);
}

std::vector<TileRegion> TaskGraph::regionsOf(const Manifest& manifest, int64_t task) const {
  const int32_t func_id = func_ids[task];
  if (func_id < 0 || static_cast<size_t>(func_id) >= manifest.kernels.size()) return {};
  const KernelInfo& kernel = manifest.kernels[func_id];
  const uint64_t count = argumentCount(kernel);
  const bool blocked = count > limits::kArguments;
  if (argCount(task) != count + blocked) return {};
  const uint64_t* const words = argsOf(task);
  // The block's address stands between the direct arguments and the others.
  const auto value = [&](uint64_t i) {
    return words[blocked && i >= limits::kDirectArguments ? i + 1 : i];
  };
  uint64_t stride_arg = kernel.tiles.size() + kernel.scalars.size() + 1;
  std::vector<TileRegion> regions;
  for (size_t i = 0; i < kernel.tiles.size(); ++i) {
    const TileInfo& tile = kernel.tiles[i];
    const int64_t size = static_cast<int64_t>(elementSize(tile.dtype));
    const int64_t stride = tile.strided ? static_cast<int64_t>(value(stride_arg++)) : tile.cols;
    regions.push_back(
        {tile.access, value(i), tile.rows, tile.cols * size, std::max(stride, tile.cols) * size});
  }
  return regions;
}

std::vector<uint8_t> TaskGraph::withPredecessors(int64_t task) const {
  const size_t count = static_cast<size_t>(tasks());
  std::vector<uint64_t> first(count + 2, 0);
  for (const int32_t to : successors) ++first[to + 2];
  for (size_t i = 2; i < first.size(); ++i) first[i] += first[i - 1];
  std::vector<int32_t> predecessors(successors.size());
  for (size_t from = 0; from < count; ++from) {
    for (uint64_t e = first_successor[from]; e < first_successor[from + 1]; ++e)
      predecessors[first[successors[e] + 1]++] = static_cast<int32_t>(from);
  }
  std::vector<uint8_t> selected(count, 0);
  std::vector<int64_t> open = {task};
  selected[task] = 1;
  while (!open.empty()) {
    const int64_t at = open.back();
    open.pop_back();
    for (uint64_t e = first[at]; e < first[at + 1]; ++e) {
      if (!selected[predecessors[e]]) {
        selected[predecessors[e]] = 1;
        open.push_back(predecessors[e]);
      }
    }
  }
  return selected;
}

const Allocation* Inspection::allocationAt(uint64_t address, uint64_t slack) const {
  for (const Allocation& allocation : allocations_) {
    if (address + slack >= allocation.address &&
        address < allocation.address + allocation.bytes + slack)
      return &allocation;
  }
  return nullptr;
}

int Inspection::build(const SimApi& sim, void* runtime, OrchestrationFunction function,
                      uint64_t* args, int arg_count, const Request& request) {
  function_ = function;
  request_ = request;
  allocations_.clear();
  current_inspection = this;
  const int code = sim.init_function(runtime, &Inspection::observed, args, arg_count);
  current_inspection = nullptr;
  return code;
}

int Inspection::observed(void* runtime, uint64_t* args, int arg_count) {
  Inspection& self = *current_inspection;
  Runtime& graph = *static_cast<Runtime*>(runtime);
  Hooks::real = graph.host_api;
  graph.host_api.device_malloc = &Hooks::allocate;
  graph.host_api.device_free = &Hooks::release;
  graph.host_api.copy_to_device = &Hooks::copy;
  const int code = self.function_(runtime, args, arg_count);
  graph.host_api = Hooks::real;
  if (code != 0) return code;
  const TensorPair* pairs = graph.get_tensor_pairs();
  for (int i = 0; i < graph.get_tensor_pair_count(); ++i) {
    for (Allocation& allocation : self.allocations_) {
      if (allocation.address == reinterpret_cast<uint64_t>(pairs[i].dev_ptr))
        allocation.host = pairs[i].host_ptr;
    }
  }
  if (self.request_.tensors) graph.clear_tensor_pairs();
  if (self.request_.relay >= 0) self.numberTasks(runtime);
  if (self.request_.graph || self.request_.isIndirect()) self.snapshot(runtime);
  if (self.request_.isIndirect() && self.request_.only < self.graph_.tasks()) self.substitute(runtime);
  return 0;
}

void Inspection::numberTasks(void* runtime) {
  Runtime& source = *static_cast<Runtime*>(runtime);
  numbers_.clear();
  int64_t number = 0;
  for (int id = 0; id < source.get_task_count(); ++id)
    numbers_.push_back(taskAt(source, id).func_id == request_.relay ? -1 : number++);
}

void Inspection::snapshot(void* runtime) {
  Runtime& source = *static_cast<Runtime*>(runtime);
  graph_ = {};
  graph_.first_arg.push_back(0);
  graph_.first_successor.push_back(0);
  for (int t = 0; t < source.get_task_count(); ++t) {
    const Task& task = taskAt(source, t);
    graph_.func_ids.push_back(task.func_id);
    graph_.args.insert(graph_.args.end(), task.args, task.args + task.num_args);
    appendBlock(task);
    graph_.first_arg.push_back(graph_.args.size());
    graph_.successors.insert(graph_.successors.end(), task.fanout, task.fanout + task.fanout_count);
    graph_.first_successor.push_back(graph_.successors.size());
  }
}

// The task's argument block; null when it has none, or it is not where one can be.
uint64_t* Inspection::blockOf(const Task& task) const {
  const std::vector<KernelInfo>& kernels = request_.manifest->kernels;
  if (task.func_id < 0 || static_cast<size_t>(task.func_id) >= kernels.size()) return nullptr;
  const uint64_t count = argumentCount(kernels[task.func_id]);
  if (count <= limits::kArguments || task.num_args != limits::kArguments) return nullptr;
  const uint64_t address = task.args[limits::kDirectArguments];
  const uint64_t words = count - limits::kDirectArguments;
  const Allocation* const memory = allocationAt(address);
  if (!memory || address % sizeof(uint64_t) != 0 ||
      memory->address + memory->bytes - address < words * sizeof(uint64_t))
    return nullptr;
  return reinterpret_cast<uint64_t*>(address);
}

// Puts the contents of the task's argument block behind its arguments, so that they outlive the device.
// Where there should be a block and is none, regionsOf() then knows nothing of the task.
void Inspection::appendBlock(const Task& task) {
  const uint64_t* const block = blockOf(task);
  if (!block) return;
  const uint64_t count = argumentCount(request_.manifest->kernels[task.func_id]);
  graph_.args.insert(graph_.args.end(), block, block + (count - limits::kDirectArguments));
}

std::vector<TilePlace> Inspection::tilePlaces(void* runtime) const {
  Runtime& graph = *static_cast<Runtime*>(runtime);
  const Manifest& manifest = *request_.manifest;
  std::vector<TilePlace> places;
  const auto addTile = [&](uint64_t* word) {
    for (size_t i = 0; i < request_.tensors->size() && i < allocations_.size(); ++i) {
      if ((*request_.tensors)[i] == 0 || *word < allocations_[i].address ||
          *word >= allocations_[i].address + allocations_[i].bytes)
        continue;
      places.push_back({word, i});
      return;
    }
  };
  for (int t = 0; t < graph.get_task_count(); ++t) {
    Task& task = taskAt(graph, t);
    if (task.func_id < 0 || static_cast<size_t>(task.func_id) >= manifest.kernels.size()) continue;
    uint64_t* const block = blockOf(task);
    const size_t tiles = manifest.kernels[task.func_id].tiles.size();
    for (size_t i = 0; i < tiles; ++i)
      addTile(block && i >= limits::kDirectArguments ? block + (i - limits::kDirectArguments)
                                                     : task.args + i);
  }
  std::stable_sort(places.begin(), places.end(),
                   [](const TilePlace& a, const TilePlace& b) { return a.tensor < b.tensor; });
  return places;
}

// Every task keeps its place in the graph; its kernel becomes indirectKernel() and its first argument
// the Call that says what, if anything, to run.
void Inspection::substitute(void* runtime) {
  Runtime& target = *static_cast<Runtime*>(runtime);
  if (request_.only >= 0)
    selected_ = graph_.withPredecessors(request_.only);
  else
    selected_.assign(static_cast<size_t>(graph_.tasks()), 1);
  calls_.assign(selected_.size(), {});
  for (int t = 0; t < target.get_task_count(); ++t) {
    Call& call = calls_[t];
    const int32_t func_id = graph_.func_ids[t];
    if (selected_[t] && func_id >= 0 && static_cast<size_t>(func_id) < request_.kernels->size())
      call.kernel = (*request_.kernels)[func_id];
    call.args = reinterpret_cast<int64_t*>(graph_.args.data() + graph_.first_arg[t]);
    call.observer = request_.observer;
    call.task = t;
    if (graph_.argCount(t) > 0) taskAt(target, t).args[0] = reinterpret_cast<uint64_t>(&call);
  }
}

KernelFunction Inspection::indirectKernel() {
  return [](int64_t* args) {
    const Call& call = *reinterpret_cast<const Call*>(args[0]);
    if (!call.kernel || (call.observer && !call.observer->before(call.task))) return;
    call.kernel(call.args);
    if (call.observer) call.observer->after(call.task);
  };
}

}  // namespace ptowsp::glue
