// SPDX-License-Identifier: MIT
// The cycle model, computed by hand. A load of b bytes takes 100 + b / 58.56 (rounded down), a store
// 100 + b / 109.38, on a cube core 100 + b / 78.35 and 100 + b / 40.63; a task 500.
#include "generator/analyze/cycles.h"

#include <gtest/gtest.h>

#include "tests/unit/analyze/kernel_text.h"

namespace ptowsp {
namespace {

int64_t cycles(const std::string& text) { return kernelCycles(test::programOf(text).kernels[0]); }

TEST(Cycles, LoadComputeAndStoreFollowOneAnother) {
  // 16384 bytes: load 379, mul by a number 26 + 64, store 249.
  EXPECT_EQ(cycles("in x 64 64\nout y 64 64\ns = mul x 2\nstore y s"), 379 + 90 + 249 + 500);
  // By a tile a repeat takes 2 cycles.
  EXPECT_EQ(cycles("in x 64 64\nout y 64 64\ns = mul x x\nstore y s"), 379 + 26 + 128 + 249 + 500);
  // 8 x 256, 32 repeats of exp.
  EXPECT_EQ(cycles("in x 8 256\nout y 8 256\ne = exp x\nstore y e"), 239 + 30 + 64 + 174 + 500);
  // A division by a number is that of a tile that holds it.
  EXPECT_EQ(cycles("in x 8 256\nout y 8 256\ne = div x 2\nstore y e"), 239 + 45 + 5 * 32 + 174 + 500);
}

TEST(Cycles, PipesWorkAtTheSameTime) {
  // Loads one after the other, 239 each; neg a ends at 239 + 58, its store at 471; neg b begins when
  // b is there, at 478, and ends at 536; its store waits for nothing else.
  EXPECT_EQ(cycles("in a 8 256\nin b 8 256\nout y 8 256\nout z 8 256\n"
                   "c = neg a\nd = neg b\nstore y c\nstore z d"),
            536 + 174 + 500);
}

TEST(Cycles, RowsThatAreNotAdjacentAndNarrowRowsCostMore) {
  Kernel kernel = test::programOf("in x 8 256\nout y 8 256\ne = neg x\nstore y e").kernels[0];
  EXPECT_EQ(kernelCycles(kernel), 239 + 58 + 174 + 500);
  kernel.tiles[0].strided = true;
  EXPECT_EQ(kernelCycles(kernel), 239 + 8 * 4 + 58 + 174 + 500);
  // A row takes at least 32 bytes in a buffer: 64 x 1 is 8 repeats.
  EXPECT_EQ(cycles("in x 64 1\nout y 64 1\ne = neg x\nstore y e"), 104 + 26 + 8 + 102 + 500);
}

TEST(Cycles, ARepeatThatIsNotFullCostsMore) {
  // 3 rows of 32 bytes: one repeat.
  EXPECT_EQ(cycles("in x 3 8\nout y 3 8\ne = neg x\nstore y e"), 101 + 26 + 1 + 17 + 100 + 500);
  // 9 of them: two.
  EXPECT_EQ(cycles("in x 9 8\nout y 9 8\ne = neg x\nstore y e"), 104 + 26 + 2 + 17 + 102 + 500);
}

TEST(Cycles, BroadcastsAreSpreadFirst) {
  // Loads 239 and 100; the column 37, and 13 + 4 for each of 8 rows; sub 25 + 2 * 32.
  EXPECT_EQ(cycles("in x 8 256\nin m 8 1\nout y 8 256\ns = sub x m\nstore y s"),
            239 + 100 + 37 + 8 * 17 + 89 + 174 + 500);
  EXPECT_EQ(cycles("in x 8 256\nin m 8 1\nout y 8 256\ns = div x m\nstore y s"),
            239 + 100 + 37 + 8 * 17 + 30 + 4 * 32 + 174 + 500);
  // A row, loaded in 117: 24 + 32.
  EXPECT_EQ(cycles("in x 8 256\nin m 1 256\nout y 8 256\ns = sub x m\nstore y s"),
            239 + 117 + 56 + 89 + 174 + 500);
}

TEST(Cycles, Reductions) {
  // Each of 8 rows: 4 repeats and 6 more.
  EXPECT_EQ(cycles("in x 8 256\nout y 8 1\ns = rowsum x\nstore y s"), 239 + 44 + 8 * 10 + 100 + 500);
  EXPECT_EQ(cycles("in x 8 256\nout y 8 1\ns = rowmax x\nstore y s"), 239 + 32 + 8 * 10 + 100 + 500);
  // Each of 8 rows: 18, and 2 for its repeat.
  EXPECT_EQ(cycles("in x 8 64\nout y 1 64\ns = colsum x\nstore y s"), 134 + 15 + 8 * 20 + 102 + 500);
  EXPECT_EQ(cycles("in x 8 64\nout y 1 64\ns = colmax x\nstore y s"), 134 + 17 + 8 * 18 + 102 + 500);
}

TEST(Cycles, Matmul) {
  // Loads 309 and 618; b is fed in 128, until 746; 4 x 4 x 8 fractals of 2 cycles after 6; store 503.
  EXPECT_EQ(cycles("in a 64 64\nin b 64 64\nout y 64 64\ns = matmul a b\nstore y s"),
            746 + 6 + 256 + 503 + 500);
  // f16: half the bytes, 4 x 4 x 4 fractals of one cycle, and an f32 result.
  ir::Workload workload =
      test::workloadOf("in a 64 64\nin b 64 64\nout y 64 64\ns = matmul a b\nstore y s");
  for (size_t i : {0, 1}) {
    workload.kernels[0].params[i].dtype = ir::DType::f16;
    workload.tensors[i].dtype = ir::DType::f16;
  }
  Diagnostics diagnostics;
  EXPECT_EQ(kernelCycles(verify(workload, diagnostics)->kernels[0]),
            2 * 204 + 64 + 6 + 64 + 503 + 500);
  // A tile that the sum is added to is not loaded.
  EXPECT_EQ(cycles("in a 64 64\nin b 64 64\ninout c 64 64\ns = matmul a b c\nstore c s"),
            746 + 6 + 256 + 503 + 500);
  // One tile as both factors is loaded once and fed twice, 64 and 128.
  EXPECT_EQ(cycles("in a 64 64\nout y 64 64\ns = matmul a a\nstore y s"),
            309 + 64 + 128 + 6 + 256 + 503 + 500);
}

}  // namespace
}  // namespace ptowsp
