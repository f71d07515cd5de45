// SPDX-License-Identifier: MIT
// RuntimeState: the library's side of one Runtime object: its graph, its tensor pairs and the first
// mistake made while building. The Runtime in the caller's memory only points into it.
#pragma once

#include <memory>
#include <vector>

#include "runtime_glue/sim/device_memory.h"
#include "runtime_glue/sim/error.h"
#include "runtime_glue/sim/graph.h"
#include "runtime_glue/sim/include/runtime.h"
#include "runtime_glue/sim/orchestration.h"

namespace ptowsp::sim {

struct RuntimeState {
  enum class Phase { building, built, succeeded, failed };

  RuntimeState(DeviceMemory* device_memory, std::unique_ptr<Graph> graph_memory)
      : memory(device_memory), graph(std::move(graph_memory)) {}

  // Constructs the Runtime in the caller's memory, bound to this state.
  Runtime* construct(void* runtime_memory, const HostApi& host_api);
  // Seals the graph as the Runtime now describes it; tells the first mistake made while building.
  Error seal(Runtime& runtime);
  // Keeps the first mistake.
  void record(Error error) {
    if (!mistake) mistake = std::move(error);
  }

  DeviceMemory* memory;
  std::unique_ptr<Graph> graph;
  std::vector<TensorPair> pairs;
  Error mistake;
  Orchestration orchestration;
  Phase phase = Phase::building;
  bool device_was_reset = false;
};

}  // namespace ptowsp::sim
