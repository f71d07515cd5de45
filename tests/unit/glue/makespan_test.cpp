// SPDX-License-Identifier: MIT
// Makespans worked out by hand.
#include "runtime_glue/glue/makespan.h"

#include <gtest/gtest.h>

namespace ptowsp::glue {
namespace {

struct Task {
  int kernel;
  std::vector<int32_t> successors = {};
};

TaskGraph graphOf(const std::vector<Task>& tasks) {
  TaskGraph graph;
  for (const Task& task : tasks) {
    graph.func_ids.push_back(task.kernel);
    graph.first_successor.push_back(graph.successors.size());
    graph.successors.insert(graph.successors.end(), task.successors.begin(), task.successors.end());
  }
  graph.first_successor.push_back(graph.successors.size());
  return graph;
}

KernelInfo kernelOf(const char* core, int64_t cycles) {
  KernelInfo kernel;
  kernel.core_type = core;
  kernel.cycles = cycles;
  return kernel;
}

// 0: vector, 100 cycles. 1: vector, 30. 2: cube, 70.
const std::vector<KernelInfo> kKernels = {kernelOf("aiv", 100), kernelOf("aiv", 30),
                                          kernelOf("aic", 70)};

TEST(Makespan, NoTaskTakesNoTime) { EXPECT_EQ(makespan(graphOf({}), kKernels, 1), 0); }

TEST(Makespan, AChainTakesTheSumOnAnyChip) {
  const TaskGraph graph = graphOf({{0, {1}}, {2, {2}}, {1}});
  for (const int blocks : {1, 2, 24}) EXPECT_EQ(makespan(graph, kKernels, blocks), 200);
}

TEST(Makespan, IndependentTasksShareTwoVectorCoresOfABlock) {
  const TaskGraph graph = graphOf({{0}, {0}, {0}, {0}, {0}});
  EXPECT_EQ(makespan(graph, kKernels, 1), 300);
  EXPECT_EQ(makespan(graph, kKernels, 2), 200);
  EXPECT_EQ(makespan(graph, kKernels, 3), 100);
}

TEST(Makespan, CubeTasksHaveOneCoreOfABlockAndDoNotWaitForVectorTasks) {
  EXPECT_EQ(makespan(graphOf({{2}, {2}, {2}}), kKernels, 1), 210);
  EXPECT_EQ(makespan(graphOf({{2}, {2}, {2}, {0}, {0}, {0}}), kKernels, 1), 210);
  EXPECT_EQ(makespan(graphOf({{2}, {2}, {2}}), kKernels, 2), 140);
}

// At 0: tasks 0 (100) and 1 (30). At 30: 2 is ready and comes before 3 and 4, although those were ready
// first; it runs to 130. At 100 task 3 begins, to 130, and at 130 task 4, to 160.
TEST(Makespan, OfReadyTasksTheFirstInProgramOrderGoesOn) {
  EXPECT_EQ(makespan(graphOf({{0}, {1, {2}}, {0}, {1}, {1}}), kKernels, 1), 160);
}

// A diamond: 0 (30), then 1 (70, cube) beside 2 (100, vector), then 3 (30) when both are done.
TEST(Makespan, ATaskWaitsForAllItsPredecessors) {
  EXPECT_EQ(makespan(graphOf({{1, {1, 2}}, {2, {3}}, {0, {3}}, {1}}), kKernels, 1), 160);
}

}  // namespace
}  // namespace ptowsp::glue
