// SPDX-License-Identifier: MIT
// What a trace tells: time each core was busy, and the longest path by kernel time.
#pragma once

#include <cstdint>
#include <vector>

#include "ptowsp/sim_api.h"
#include "runtime_glue/sim/graph.h"

namespace ptowsp::sim {

// `events` has one entry per task of the graph.
std::vector<uint64_t> coreBusyTimes(const ptowsp_sim_event* events, int tasks, int cores);
uint64_t criticalPathTime(const Graph& graph, const ptowsp_sim_event* events);

}  // namespace ptowsp::sim
