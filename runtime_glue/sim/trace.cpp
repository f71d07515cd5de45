// SPDX-License-Identifier: MIT
#include "runtime_glue/sim/trace.h"

namespace ptowsp::sim {

namespace {
// A kernel that did not return took no known time.
uint64_t duration(const ptowsp_sim_event& event) {
  return event.core >= 0 && event.end_ns > event.start_ns ? event.end_ns - event.start_ns : 0;
}
}  // namespace

std::vector<uint64_t> coreBusyTimes(const ptowsp_sim_event* events, int tasks, int cores) {
  std::vector<uint64_t> busy(static_cast<size_t>(cores), 0);
  for (int t = 0; t < tasks; ++t) {
    if (events[t].core >= 0) busy[static_cast<size_t>(events[t].core)] += duration(events[t]);
  }
  return busy;
}

uint64_t criticalPathTime(const Graph& graph, const ptowsp_sim_event* events) {
  std::vector<uint64_t> weights(static_cast<size_t>(graph.tasks()));
  for (int t = 0; t < graph.tasks(); ++t) weights[static_cast<size_t>(t)] = duration(events[t]);
  return graph.criticalPath(weights.data());
}

}  // namespace ptowsp::sim
