// SPDX-License-Identifier: MIT
#include "runtime_glue/glue/makespan.h"

#include <algorithm>
#include <array>
#include <functional>
#include <queue>

namespace ptowsp::glue {
namespace {

template <typename T>
using Lowest = std::priority_queue<T, std::vector<T>, std::greater<T>>;

}  // namespace

int64_t makespan(const TaskGraph& graph, const std::vector<KernelInfo>& kernels, int block_dim) {
  const int64_t tasks = graph.tasks();
  std::vector<bool> cube;
  std::vector<int64_t> cycles;
  for (const KernelInfo& kernel : kernels) {
    cube.push_back(kernel.core_type == "aic");
    cycles.push_back(kernel.cycles);
  }
  // A relay only passes on that its predecessors are done.
  cube.push_back(false);
  cycles.push_back(0);
  const auto kernelOf = [&](int64_t task) {
    return std::min(static_cast<size_t>(graph.func_ids[task]), kernels.size());
  };
  std::vector<int32_t> waits_for(static_cast<size_t>(tasks), 0);
  for (const int32_t successor : graph.successors) ++waits_for[successor];

  std::array<Lowest<int64_t>, 2> ready;  // by core type: [1] cube
  const auto makeReady = [&](int64_t task) { ready[cube[kernelOf(task)]].push(task); };
  for (int64_t task = 0; task < tasks; ++task)
    if (waits_for[task] == 0) makeReady(task);

  std::array<int64_t, 2> free = {2 * int64_t{block_dim}, int64_t{block_dim}};
  Lowest<std::pair<int64_t, int64_t>> running;  // when it ends, task
  int64_t now = 0;
  for (;;) {
    for (size_t type = 0; type < 2; ++type) {
      while (free[type] > 0 && !ready[type].empty()) {
        const int64_t task = ready[type].top();
        ready[type].pop();
        --free[type];
        running.emplace(now + cycles[kernelOf(task)], task);
      }
    }
    if (running.empty()) return now;
    now = running.top().first;
    // Everything that ends now frees its core before the next tasks are chosen.
    while (!running.empty() && running.top().first == now) {
      const int64_t task = running.top().second;
      running.pop();
      ++free[cube[kernelOf(task)]];
      for (uint64_t s = graph.first_successor[task]; s < graph.first_successor[task + 1]; ++s)
        if (--waits_for[graph.successors[s]] == 0) makeReady(graph.successors[s]);
    }
  }
}

}  // namespace ptowsp::glue
