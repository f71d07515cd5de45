// SPDX-License-Identifier: MIT
// TaskNames: tasks by the names users know them by, kernel and loop indices ("softmax_rows[r=3]"),
// computed from the manifest's program tree; tasks are numbered in program order.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ptowsp/manifest.h"

namespace ptowsp::glue {

class TaskNames {
 public:
  // Keeps a reference to the manifest.
  explicit TaskNames(const Manifest& manifest) : manifest_(manifest) {}

  int64_t count() const { return manifest_.program.tasks; }
  // The kernel's index, -1 when there is no such task.
  int kernelOf(int64_t task) const;
  // "scale" or "scale[b=0,r=3]", loop variables outermost first, and "attention[t=1] stage 2/3" for a
  // kernel that was split by core; "task 17" when there is none.
  std::string nameOf(int64_t task) const;
  // "task 3, scale[r=3]"; without loops "task 0, scale".
  std::string describe(int64_t task) const;
  // Tasks that `text` means, at most `limit`: a number, or a name in which any loop index and the
  // stage may be left out ("scale" means every task of scale).
  std::vector<int64_t> find(const std::string& text, size_t limit) const;

 private:
  const Manifest& manifest_;
};

// "3 scale[r=3], 5 scale[r=5] and 7 more", for a list of tasks.
std::string listTasks(const TaskNames& names, const std::vector<int64_t>& tasks, size_t shown = 8);

}  // namespace ptowsp::glue
