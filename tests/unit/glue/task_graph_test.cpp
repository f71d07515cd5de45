// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime_glue/glue/inspection.h"

namespace ptowsp::glue {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Tasks without arguments, and edges given by their ends.
TaskGraph graphOf(int tasks, const std::vector<std::pair<int, int>>& edges) {
  TaskGraph graph;
  graph.func_ids.assign(tasks, 0);
  graph.first_arg.assign(tasks + 1, 0);
  graph.first_successor.push_back(0);
  for (int from = 0; from < tasks; ++from) {
    for (const auto& [a, b] : edges) {
      if (a == from) graph.successors.push_back(b);
    }
    graph.first_successor.push_back(graph.successors.size());
  }
  return graph;
}

TEST(TaskGraph, PredecessorsAreTransitive) {
  const TaskGraph graph = graphOf(6, {{0, 2}, {1, 2}, {2, 4}, {3, 5}, {0, 4}});
  EXPECT_THAT(graph.withPredecessors(4), ElementsAre(1, 1, 1, 0, 1, 0));
  EXPECT_THAT(graph.withPredecessors(5), ElementsAre(0, 0, 0, 1, 0, 1));
  EXPECT_THAT(graph.withPredecessors(0), ElementsAre(1, 0, 0, 0, 0, 0));
}

TEST(TaskGraph, ACycleEnds) {
  EXPECT_THAT(graphOf(3, {{0, 1}, {1, 0}, {2, 2}}).withPredecessors(1), ElementsAre(1, 1, 0));
}

TEST(TileRegion, CoversItsRowsOnly) {
  const TileRegion region = {TileAccess::out, 1000, 3, 16, 64};
  EXPECT_FALSE(region.covers(999));
  EXPECT_TRUE(region.covers(1000));
  EXPECT_TRUE(region.covers(1015));
  EXPECT_FALSE(region.covers(1016)) << "between the rows";
  EXPECT_TRUE(region.covers(1128 + 15));
  EXPECT_FALSE(region.covers(1128 + 16));
  EXPECT_FALSE(region.covers(1192)) << "behind the last row";
}

TEST(TaskGraph, RegionsComeFromTheKernelArguments) {
  Manifest manifest;
  KernelInfo kernel;
  kernel.tiles = {{"a", TileAccess::in, 2, 4, ElementType::f32, false},
                  {"b", TileAccess::out, 2, 8, ElementType::f16, true}};
  kernel.scalars = {"s"};
  manifest.kernels = {kernel};
  TaskGraph graph = graphOf(1, {});
  graph.args = {0x1000, 0x2000, 7, 16,
                100,    0x3000, 1};  // tiles, scalar, count, stride, slot, stamp
  graph.first_arg = {0, 7};
  const std::vector<TileRegion> regions = graph.regionsOf(manifest, 0);
  ASSERT_EQ(regions.size(), 2u);
  EXPECT_EQ(regions[0].address, 0x1000u);
  EXPECT_EQ(regions[0].stride_bytes, 16);
  EXPECT_EQ(regions[1].access, TileAccess::out);
  EXPECT_EQ(regions[1].row_bytes, 16);
  EXPECT_EQ(regions[1].stride_bytes, 200);
  graph.first_arg = {0, 6};
  EXPECT_THAT(graph.regionsOf(manifest, 0), IsEmpty()) << "not the manifest's number of arguments";
  graph.func_ids = {4};
  EXPECT_THAT(graph.regionsOf(manifest, 0), IsEmpty()) << "not a kernel of the manifest";
}

}  // namespace
}  // namespace ptowsp::glue
