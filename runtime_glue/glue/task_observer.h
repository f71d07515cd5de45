// SPDX-License-Identifier: MIT
// TaskObserver: sees the tiles of every task of a run, just before its kernel is called and just
// after it returned. A run that has one calls kernels through it, so it is for looking at data, not
// at times.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime_glue/glue/status.h"

namespace ptowsp::glue {

class TaskGraph;
struct Manifest;
struct TensorInfo;

// TensorPlace: where a tensor lies on the device.
struct TensorPlace {
  const TensorInfo* tensor = nullptr;
  uint64_t address = 0;
};

class TaskObserver {
 public:
  virtual ~TaskObserver() = default;

  // Before the tasks of a run: its graph, which stays until the run has ended, and the tensors. An
  // error ends the run before any task.
  virtual Status begin(const TaskGraph& graph, const std::vector<TensorPlace>& tensors) = 0;
  // Called by whichever thread runs the task, by several at once for different tasks. before() may
  // answer false, and then neither the kernel nor after() is called: the run fails, so verdict()
  // has to be an error.
  virtual bool before(int64_t task) = 0;
  virtual void after(int64_t task) = 0;
  // Whether before() answered true.
  virtual bool ran(int64_t task) const = 0;
  // When no task runs any more, whether or not the run succeeded. `failed` are the tasks it is
  // about.
  virtual Status verdict(std::vector<int64_t>* failed) = 0;
};

}  // namespace ptowsp::glue
