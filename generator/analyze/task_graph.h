// SPDX-License-Identifier: MIT
// TaskGraph: the edges of a whole graph, kept only where someone asks to see them.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace ptowsp {

// TaskGraph: the tasks that task i waits for are predecessors[first[i] .. first[i + 1]), ascending.
struct TaskGraph {
  std::vector<int64_t> first = {0};
  std::vector<int32_t> predecessors;

  int64_t taskCount() const { return static_cast<int64_t>(first.size()) - 1; }
  std::span<const int32_t> predecessorsOf(int64_t task) const {
    const auto i = static_cast<size_t>(task);
    return std::span(predecessors)
        .subspan(static_cast<size_t>(first[i]), static_cast<size_t>(first[i + 1] - first[i]));
  }
};

}  // namespace ptowsp
