// SPDX-License-Identifier: MIT
#include "runtime_glue/sim/graph.h"

#include <algorithm>
#include <cstring>
#include <new>

#include "runtime_glue/sim/kernel_table.h"

namespace ptowsp::sim {

Error Graph::seal(int tasks, size_t edges) {
  if (sealed_ && tasks == tasks_ && edges == edges_) return {};
  sealed_ = false;
  views_.reset();
  const size_t count = static_cast<size_t>(tasks);
  if (!offsets_.reserve(count + 2) || !successors_.reserve(edges) || !fanin_.reserve(count)) {
    return {
        PTOWSP_SIM_ERROR_OUT_OF_MEMORY,
        formatText("no memory for the successor lists of %d tasks and %zu edges", tasks, edges)};
  }
  // A counting sort by source. Counts stand two places to the right, so that after the sums
  // offset[t + 1] is where task t begins, and after the scatter where it ends.
  uint32_t* offset = offsets_.data();
  int32_t* fanin = fanin_.data();
  const Edge* edge = edge_list.data();
  std::memset(offset, 0, (count + 2) * sizeof *offset);
  if (count != 0) std::memset(fanin, 0, count * sizeof *fanin);
  bool backward = false;
  for (size_t e = 0; e < edges; ++e) {
    ++offset[edge[e].from + 2];
    ++fanin[edge[e].to];
    backward |= edge[e].from >= edge[e].to;
  }
  for (size_t t = 0; t < count; ++t) offset[t + 2] += offset[t + 1];
  int32_t* successor = successors_.data();
  for (size_t e = 0; e < edges; ++e) successor[offset[edge[e].from + 1]++] = edge[e].to;

  roots_.clear();
  kernel_uses_.clear();
  std::vector<uint8_t> seen;
  int last_func = -1, last_core = -1;
  for (int t = 0; t < tasks; ++t) {
    if (fanin[t] == 0) roots_.push_back(t);
    const TaskRecord& record = task(t);
    const int core = coreTypeOf(record);
    if (record.func_id == last_func && core == last_core) continue;
    last_func = record.func_id;
    last_core = core;
    if (record.func_id <= KernelTable::kMaxFuncId) {
      const size_t slot = static_cast<size_t>(record.func_id) * 2 + static_cast<size_t>(core);
      if (slot >= seen.size()) seen.resize(slot + 64);
      if (seen[slot]) continue;
      seen[slot] = 1;
    }
    kernel_uses_.push_back({record.func_id, core, t});
  }
  tasks_ = tasks;
  edges_ = edges;
  is_acyclic_ = !backward;
  smallest_window_ = backward ? 0 : 1;
  critical_path_ = 0;
  sealed_ = true;
  return {};
}

void Graph::clear() {
  sealed_ = false;
  tasks_ = 0;
  edges_ = 0;
  roots_.clear();
  kernel_uses_.clear();
  views_.reset();
  schedule = {};
}

size_t Graph::bytes() const {
  return task_aicpus.capacity() + task_records.capacity() * sizeof(TaskRecord) + arguments.capacity() * sizeof(uint64_t) +
         edge_list.capacity() * sizeof(Edge) + offsets_.capacity() * sizeof(uint32_t) +
         successors_.capacity() * sizeof(int32_t) + fanin_.capacity() * sizeof(int32_t);
}

std::vector<int32_t> Graph::topologicalOrder() const {
  std::vector<int32_t> waits(fanin(), fanin() + tasks_);
  std::vector<int32_t> order(roots_);
  order.reserve(static_cast<size_t>(tasks_));
  for (size_t next = 0; next < order.size(); ++next) {
    const int32_t t = order[next];
    for (uint32_t s = offsets()[t]; s < offsets()[t + 1]; ++s) {
      if (--waits[successors()[s]] == 0) order.push_back(successors()[s]);
    }
  }
  return order;
}

std::vector<int32_t> Graph::findCycle() {
  if (is_acyclic_) return {};
  const std::vector<int32_t> order = topologicalOrder();
  is_acyclic_ = order.size() == static_cast<size_t>(tasks_);
  if (is_acyclic_) return {};

  // What the order lacks lies on cycles or behind them. A depth-first walk over it meets its own
  // path on a cycle.
  enum : uint8_t { untouched, on_path, done };
  std::vector<uint8_t> mark(static_cast<size_t>(tasks_), untouched);
  for (const int32_t t : order) mark[t] = done;
  std::vector<int32_t> path;
  std::vector<uint32_t> next;  // of each task on the path: the successor to look at next
  for (int32_t start = 0; start < tasks_; ++start) {
    if (mark[start] != untouched) continue;
    path.assign(1, start);
    next.assign(1, offsets()[start]);
    mark[start] = on_path;
    while (!path.empty()) {
      if (next.back() == offsets()[path.back() + 1]) {
        mark[path.back()] = done;
        path.pop_back();
        next.pop_back();
        continue;
      }
      const int32_t successor = successors()[next.back()++];
      if (mark[successor] == on_path) {
        path.erase(path.begin(), std::find(path.begin(), path.end(), successor));
        return path;
      }
      if (mark[successor] == untouched) {
        mark[successor] = on_path;
        path.push_back(successor);
        next.push_back(offsets()[successor]);
      }
    }
  }
  return {};
}

uint64_t Graph::criticalPath(const uint64_t* weights) const {
  std::vector<uint64_t> before(static_cast<size_t>(tasks_), 0);
  uint64_t longest = 0;
  for (const int32_t t : topologicalOrder()) {
    const uint64_t end = before[t] + (weights != nullptr ? weights[t] : 1);
    longest = std::max(longest, end);
    for (uint32_t s = offsets()[t]; s < offsets()[t + 1]; ++s) {
      uint64_t& start = before[successors()[s]];
      start = std::max(start, end);
    }
  }
  return longest;
}

uint64_t Graph::criticalPath() {
  if (critical_path_ == 0) critical_path_ = criticalPath(nullptr);
  return critical_path_;
}

int Graph::smallestWindow() {
  if (smallest_window_ != 0) return smallest_window_;
  std::vector<int32_t> newest(static_cast<size_t>(tasks_), -1);  // of the tasks waited for
  int window = 1;
  for (const int32_t t : topologicalOrder()) {
    window = std::max(window, newest[t] - t + 1);
    for (uint32_t s = offsets()[t]; s < offsets()[t + 1]; ++s) {
      int32_t& other = newest[successors()[s]];
      other = std::max({other, newest[t], t});
    }
  }
  return smallest_window_ = window;
}

Task* Graph::views() {
  if (views_ != nullptr) return views_.get();
  views_.reset(new (std::nothrow) Task[static_cast<size_t>(tasks_)]);
  if (views_ == nullptr) return nullptr;
  for (int t = 0; t < tasks_; ++t) {
    const TaskRecord& record = task(t);
    Task& view = views_[t];
    view.task_id = t;
    view.func_id = record.func_id;
    view.args = arguments.data() + record.first_argument;
    view.num_args = argumentCountOf(record);
    view.core_type = coreTypeOf(record);
    view.fanin = {fanin()[t]};
    view.fanout = successors() + offsets()[t];
    view.fanout_count = static_cast<int>(offsets()[t + 1] - offsets()[t]);
  }
  return views_.get();
}

}  // namespace ptowsp::sim
