// SPDX-License-Identifier: MIT
// Fixed pieces of work whose instructions guard_test.py counts with callgrind:
//   guard_work <case>     case: emit, check, inference, graph, schedule
// Only what stands between start() and stop() is counted; each case fails when its work went wrong.
#include <runtime.h>
#include <valgrind/callgrind.h>

#include <cstdio>
#include <cstring>
#include <optional>

#include "generator/analyze/analyze.h"
#include "generator/emit/tree.h"
#include "generator/verify/load.h"
#include "ptowsp/task_graph.h"
#include "tests/bench/sim_device.h"

namespace {

using namespace ptowsp;

constexpr int kSide = 100;

// Of all threads: a worker runs the tasks.
void start() { CALLGRIND_ZERO_STATS; }
void stop() { CALLGRIND_DUMP_STATS; }

// From the workload file to the texts of the emitted tree.
bool emit() {
  start();
  Diagnostics diagnostics;
  const Loaded loaded = load(PTOWSP_GUARD_SCALE, diagnostics);
  if (!loaded.program) return false;
  const std::optional<Analysis> analysis = analyze(*loaded.program, {}, diagnostics);
  const bool good =
      analysis && emitTree(*loaded.program, *analysis, {"scale", "scale.json", ""},
                                  /*for_device=*/false, diagnostics);
  stop();
  return good;
}

// The check of a wavefront of 1000 x 1000 tasks.
bool check() {
  Diagnostics diagnostics;
  const Loaded loaded = load(PTOWSP_GUARD_WAVEFRONT, diagnostics);
  if (!loaded.program) return false;
  start();
  const std::optional<Analysis> analysis = analyze(*loaded.program, {}, diagnostics);
  stop();
  return analysis && analysis->totals.edges == 1'998'000;
}

// The edges of a 100 x 100 wavefront of 4 x 4 tiles, as an orchestration infers them.
bool inference() {
  graph::DependenceTracker tracker;
  graph::GraphTotals totals;
  tracker.addTensor(4 * (kSide + 1), 4 * (kSide + 1), true);
  start();
  for (int row = 0; row < kSide; ++row) {
    for (int col = 0; col < kSide; ++col) {
      tracker.begin();
      tracker.access(0, 4 * row, 4 * (col + 1), 4, 4, graph::Access::in);
      tracker.access(0, 4 * (row + 1), 4 * col, 4, 4, graph::Access::in);
      tracker.access(0, 4 * (row + 1), 4 * (col + 1), 4, 4, graph::Access::out);
      const graph::Predecessors predecessors = tracker.end();
      totals.add(predecessors.tasks, predecessors.count);
    }
  }
  stop();
  return tracker.status() == graph::Status::ok && totals.edges == 2 * kSide * (kSide - 1);
}

void emptyKernel(int64_t*) {}

int buildWavefront(void* object, uint64_t*, int) {
  Runtime& runtime = *static_cast<Runtime*>(object);
  for (int task = 0; task < kSide * kSide; ++task) {
    uint64_t args[] = {0, static_cast<uint64_t>(task) + 1};
    if (runtime.add_task(args, 2, 0, 1) != task) return -1;
    if (task >= kSide) runtime.add_successor(task - kSide, task);
    if (task % kSide > 0) runtime.add_successor(task - 1, task);
  }
  return 0;
}

// A 100 x 100 wavefront through add_task and add_successor.
bool graphBuild() {
  bench::SimDevice device(1, &emptyKernel);
  start();
  const bool built = device.build(&buildWavefront, nullptr, 0);
  stop();
  return built && device.run() && device.completed(kSide * kSide) && device.finish();
}

// The same graph run again by one worker.
bool schedule() {
  bench::SimDevice device(1, &emptyKernel);
  if (!device.build(&buildWavefront, nullptr, 0) || !device.run()) return false;
  start();
  const bool ran = device.run();
  stop();
  return ran && device.completed(kSide * kSide) && device.finish();
}

struct Case {
  const char* name;
  bool (*run)();
};
constexpr Case kCases[] = {{"emit", emit},
                           {"check", check},
                           {"inference", inference},
                           {"graph", graphBuild},
                           {"schedule", schedule}};

}  // namespace

int main(int argc, char** argv) {
  for (const Case& candidate : kCases)
    if (argc == 2 && std::strcmp(argv[1], candidate.name) == 0) return candidate.run() ? 0 : 1;
  std::fprintf(stderr, "usage: guard_work emit|check|inference|graph|schedule\n");
  return 2;
}
