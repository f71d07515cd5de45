// SPDX-License-Identifier: MIT
#include "generator/analyze/walk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "generator/analyze/naming.h"
#include "program_builder.h"

namespace ptowsp {
namespace {

using namespace test;

// A nest with several statements at several depths, and a tensor of several planes.
Program nest() {
  return program({tensor("x", Role::inout, {3, 40, 40})},
                 {kernel("a", {{"p", Access::inout, 2, 3}}),
                  kernel("b", {{"q", Access::in, 1, 1}, {"r", Access::out, 1, 1}})},
                 {task(0, {{0, {1}, {2}, {1}}}),
                  loop("i", 3, true,
                       {task(0, {{0, {1, {2}}, {2, {3}}, {0, {1}}}}),
                        loop("j", 2, false,
                             {combine({task(1, {{0, {0, {5, 1}}, {30, {-2, 4}}}, {0, {9}}}),
                                       task(0, {{0, {4, {0, 7}}}})})}),
                        sequential({task(1, {{0, {0}}, {0, {0, {1}}, {39, {-1}}}})})}),
                  loop("k", 1, false, {task(0, {{0, {3, {9}}}})})});
}

// Processes in a loop, with nests of their own, and a task before and after.
Program network() {
  const Kernel a = kernel("a", {{"p", Access::inout, 2, 3}});
  return program(
      {tensor("x", Role::inout, {40, 60})}, {a},
      {task(0, {{0, {0}}}),
       loop("i", 2, false,
            {connect({process("maker", {loop("j", 3, false,
                                             {task(0, {{0, {1, {7, 2}}}}),
                                              send(0, {loop("k", 2, true,
                                                            {task(0, {{0, {0, {1, 4, 3}}, {5}}})})})})}),
                      process("user", {consume(0, "t", 3,
                                               {combine({task(0, {{0, {0, {3, 5}}, {9}}}),
                                                         task(0, {{0, {2, {0, 1}}, {20}}})})}),
                                       task(0, {{0, {30, {1}}}})}),
                      process("alone", {loop("m", 2, true, {task(0, {{0, {0, {0, 9}}, {50}}})})})})}),
       task(0, {{0, {3}}})},
      {channel("c", 1, 3)});
}

class WalkOf : public ::testing::TestWithParam<Program (*)()> {};
INSTANTIATE_TEST_SUITE_P(Programs, WalkOf, ::testing::Values(nest, network));

TEST_P(WalkOf, viewsAreThoseOfTheLoopIndices) {
  const Program p = GetParam()();
  Walk walk(p);
  int64_t tasks = 0;
  walk.run([&](int32_t task, const Statement& statement, std::span<const ViewAt> views) {
    EXPECT_EQ(task, tasks++);
    const TaskLocation location = locateTask(p, task);
    ASSERT_EQ(location.node, statement.node);
    ASSERT_EQ(views.size(), statement.node->views.size());
    for (size_t v = 0; v < views.size(); ++v) {
      const TileView& view = statement.node->views[v];
      const graph::Rect rect =
          regionOf(p.tensors[static_cast<size_t>(view.tensor)], view, location.indices);
      EXPECT_EQ(views[v].row, rect.row0);
      EXPECT_EQ(views[v].col, rect.col0);
      EXPECT_EQ(views[v].rows, view.rows);
      EXPECT_EQ(views[v].access,
                p.kernels[static_cast<size_t>(statement.node->kernel)].tiles[v].access);
    }
    for (const Walk::Level& level : walk.levels()) EXPECT_LE(level.begin, task);
  });
  EXPECT_EQ(tasks, p.taskCount());
}

TEST(Walk, countsTasks) {
  EXPECT_EQ(nest().taskCount(), 1 + 3 * (1 + 2 * 2 + 1) + 1);
  EXPECT_EQ(network().taskCount(), 1 + 2 * (3 * 3 + 3 * 2 + 1 + 2) + 1);
}

// By hand: one task each turn, channels of depth 1, the maker's third task of a round sends.
TEST(Walk, processesTakeTurns) {
  const Program p = network();
  std::vector<std::string> names;
  for (int64_t task = 0; task < 20; ++task) {
    const TaskLocation at = locateTask(p, task);
    std::string name = at.loops.size() > 1 ? at.loops[1]->variable : "-";
    for (size_t i = 1; i < at.indices.size(); ++i) name += std::to_string(at.indices[i]);
    names.push_back(name);
  }
  EXPECT_THAT(names, testing::ElementsAre(
                         "-",                                              // before
                         "j0", "m0", "j00", "m1", "j01", "t0",             // token 0 is sent
                         "j1", "t0", "j10",                                // its room is free again
                         "j11", "t1", "j2", "t1", "j20", "j21", "t2", "t2", "-",
                         "j0"));                                           // the next iteration
}

}  // namespace
}  // namespace ptowsp
