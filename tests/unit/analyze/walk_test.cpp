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

TEST(Walk, viewsAreThoseOfTheLoopIndices) {
  const Program p = nest();
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
  EXPECT_EQ(tasks, 1 + 3 * (1 + 2 * 2 + 1) + 1);
}

}  // namespace
}  // namespace ptowsp
