// SPDX-License-Identifier: MIT
// The order of passes that a kernel's values are computed in. That the results are right is tried in
// tests/kernels; here is what the plan costs, and when parameters are overwritten.
#include "generator/emit/sim_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/kernels/kernel_builder.h"

namespace ptowsp {
namespace {

using test::KernelBuilder;
using testing::ElementsAre;
using testing::IsEmpty;

// "rows: stage passes" of each loop: a pass is written as its loads, '>', computed values, then
// "fold", "keep" and "store" with what they are of.
std::vector<std::string> describe(const KernelBuilder& k, const SimPlan& plan) {
  const Kernel& kernel = k.kernel();
  std::vector<std::string> lines;
  for (const SimRowLoop& loop : plan.loops) {
    for (const SimStage& stage : loop.stages) {
      for (const SimPass& pass : stage.passes) {
        std::string loads, computes, line;
        for (const SimStep& step : pass.steps)
          (step.load ? loads : computes) += ' ' + kernel.values[step.value].name;
        line = std::to_string(loop.rows) + 'x' + std::to_string(pass.columns) + loads + " >" +
               computes;
        for (const int value : pass.folds) line += " fold " + kernel.values[value].name;
        for (const int value : pass.keeps) line += " keep " + kernel.values[value].name;
        for (const int tile : pass.stores) line += " store " + kernel.tiles[tile].name;
        lines.push_back(line);
      }
    }
  }
  return lines;
}

TEST(SimPlan, SoftmaxIsThreePassesAndKeepsItsExponentials) {
  KernelBuilder k("softmax");
  const int x = k.in("x", 8, 256), y = k.out("y", 8, 256);
  const int e = k.op("exp", {k.op("sub", {x, k.op("rowmax", {x}, "m")}, "s")}, "e");
  k.store(y, k.op("div", {e, k.op("rowsum", {e}, "d")}, "p"));
  const SimPlan plan = planSimKernel(k.kernel());
  EXPECT_THAT(describe(k, plan), ElementsAre("8x256 x > fold m", "8x256 x > s e fold d keep e",
                                             "8x256 e > p store y"));
  EXPECT_EQ(plan.temporary_bytes, 1024);
}

TEST(SimPlan, WhatIsCheapIsComputedAgain) {
  KernelBuilder k("standardize");
  const int x = k.in("x", 4, 100), y = k.out("y", 4, 100);
  const int d = k.op("sub", {x, k.op("rowmean", {x}, "mean")}, "d");
  const int square = k.op("mul", {d, d}, "square");
  k.store(y, k.op("div", {d, k.op("rowmean", {square}, "variance")}, "z"));
  const SimPlan plan = planSimKernel(k.kernel());
  EXPECT_THAT(describe(k, plan),
              ElementsAre("4x100 x > fold mean", "4x100 x > d square fold variance",
                          "4x100 x > d z store y"));
  EXPECT_EQ(plan.temporary_bytes, 0);
}

TEST(SimPlan, EqualShapesAreOneLongRow) {
  KernelBuilder k("scale");
  const int x = k.in("x", 64, 64), y = k.out("y", 64, 64);
  k.store(y, k.op("mul", {x, k.literal(2)}, "doubled"));
  EXPECT_THAT(describe(k, planSimKernel(k.kernel())),
              ElementsAre("1x4096 x > doubled store y"));
}

TEST(SimPlan, StridedTilesAreNotOneLongRow) {
  KernelBuilder k("scale");
  const int x = k.in("x", 64, 64, true), y = k.out("y", 64, 64);
  k.store(y, k.op("mul", {x, k.literal(2)}, "doubled"));
  EXPECT_THAT(describe(k, planSimKernel(k.kernel())), ElementsAre("64x64 x > doubled store y"));
}

TEST(SimPlan, ParameterIsOverwrittenOnlyAfterItsLastReader) {
  KernelBuilder k("late");
  const int x = k.inout("x", 2, 8), y = k.out("y", 2, 8);
  k.store(x, k.op("exp", {x}, "e"));
  k.store(y, k.op("sub", {x, k.op("rowsum", {x}, "d")}, "z"));
  EXPECT_THAT(describe(k, planSimKernel(k.kernel())),
              ElementsAre("2x8 x > e fold d keep e", "2x8 x e > z store x store y"));
}

TEST(SimPlan, ParameterOfOneRowIsOverwrittenAfterAllLoops) {
  KernelBuilder k("row");
  const int w = k.inout("w", 1, 8), x = k.in("x", 2, 8), y = k.out("y", 2, 8);
  k.store(w, k.op("neg", {w}, "n"));
  k.store(y, k.op("mul", {x, w}, "z"));
  EXPECT_THAT(describe(k, planSimKernel(k.kernel())),
              ElementsAre("2x8 w x > z store y", "1x8 w > n store w"));
}

TEST(SimPlan, WhatNoStoreNeedsIsNotComputed) {
  KernelBuilder k("dead");
  const int x = k.in("x", 1, 8), y = k.out("y", 1, 8);
  k.op("rowsum", {k.op("exp", {x}, "e")}, "d");
  k.store(y, k.op("log", {x}, "l"));
  k.store(y, k.op("neg", {x}, "n"));
  EXPECT_THAT(describe(k, planSimKernel(k.kernel())), ElementsAre("1x8 x > n store y"));
}

TEST(SimPlan, ColumnsAreScalarsOfTheirRow) {
  KernelBuilder k("columns");
  const int v = k.in("v", 4, 1), x = k.in("x", 4, 8), o = k.out("o", 4, 1);
  k.store(o, k.op("mul", {v, k.op("rowsum", {x}, "d")}, "z"));
  const SimPlan plan = planSimKernel(k.kernel());
  EXPECT_THAT(describe(k, plan), ElementsAre("4x8 x > fold d"));
  const SimRowLoop& loop = plan.loops.back();
  EXPECT_THAT(loop.scalar_loads, ElementsAre(v));
  ASSERT_EQ(loop.stages.size(), 2u);
  EXPECT_THAT(loop.stages[0].scalars, IsEmpty());
  EXPECT_THAT(loop.stages[1].scalars, ElementsAre(k.kernel().ops[1].result));
  EXPECT_THAT(loop.scalar_stores, ElementsAre(1 + 1));
}

}  // namespace
}  // namespace ptowsp
