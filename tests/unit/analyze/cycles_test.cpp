// The cycle model, computed by hand. A load or store of b bytes takes 100 + b / 64, an instruction 20
// and a cycle for each 256 bytes, a task 500.
#include "generator/analyze/cycles.h"

#include <gtest/gtest.h>

#include "tests/unit/analyze/kernel_text.h"

namespace ptowsp {
namespace {

int64_t cycles(const std::string& text) { return kernelCycles(test::programOf(text).kernels[0]); }

TEST(Cycles, LoadComputeAndStoreFollowOneAnother) {
  // 16384 bytes: load 356, mul 20 + 64, store 356.
  EXPECT_EQ(cycles("in x 64 64\nout y 64 64\ns = mul x 2\nstore y s"), 356 + 84 + 356 + 500);
  // exp takes 4 cycles for 256 bytes; 8 x 256: 32 repeats.
  EXPECT_EQ(cycles("in x 8 256\nout y 8 256\ne = exp x\nstore y e"), 228 + 20 + 128 + 228 + 500);
}

TEST(Cycles, PipesWorkAtTheSameTime) {
  // Loads one after the other, 228 each; neg a ends at 228 + 52, its store at 508; neg b begins when
  // b is there, at 456, and ends at 508; its store waits for nothing else.
  EXPECT_EQ(cycles("in a 8 256\nin b 8 256\nout y 8 256\nout z 8 256\n"
                   "c = neg a\nd = neg b\nstore y c\nstore z d"),
            508 + 228 + 500);
}

TEST(Cycles, RowsThatAreNotAdjacentAndNarrowRowsCostMore) {
  Kernel kernel = test::programOf("in x 8 256\nout y 8 256\ne = neg x\nstore y e").kernels[0];
  EXPECT_EQ(kernelCycles(kernel), 228 + 52 + 228 + 500);
  kernel.tiles[0].strided = true;
  EXPECT_EQ(kernelCycles(kernel), 228 + 8 * 4 + 52 + 228 + 500);
  // A row takes at least 32 bytes in a buffer: 64 x 1 is 8 repeats.
  EXPECT_EQ(cycles("in x 64 1\nout y 64 1\ne = neg x\nstore y e"), 104 + 28 + 104 + 500);
}

TEST(Cycles, BroadcastsTakeAnInstructionMore) {
  // Loads 228 and 101; sub: 2 instructions, 32 + 32 repeats.
  EXPECT_EQ(cycles("in x 8 256\nin m 8 1\nout y 8 256\ns = sub x m\nstore y s"),
            228 + 101 + 40 + 64 + 228 + 500);
  // div takes 4 cycles for a repeat, the broadcast one.
  EXPECT_EQ(cycles("in x 8 256\nin m 8 1\nout y 8 256\ns = div x m\nstore y s"),
            228 + 101 + 40 + 4 * 32 + 32 + 228 + 500);
}

TEST(Cycles, Reductions) {
  // Each of 8 rows: 4 repeats and one more.
  EXPECT_EQ(cycles("in x 8 256\nout y 8 1\ns = rowsum x\nstore y s"), 228 + 20 + 40 + 101 + 500);
  // 8 rows in 3 halvings, 7 additions of a row of one repeat.
  EXPECT_EQ(cycles("in x 8 64\nout y 1 64\ns = colsum x\nstore y s"), 132 + 60 + 7 + 104 + 500);
}

TEST(Cycles, Matmul) {
  // Loads 356 and 712; feeding L0 64 each, b at 776; 4 x 4 x 8 fractals of 2 cycles.
  EXPECT_EQ(cycles("in a 64 64\nin b 64 64\nout y 64 64\ns = matmul a b\nstore y s"),
            776 + 40 + 256 + 356 + 500);
  // f16: half the bytes, 4 x 4 x 4 fractals of one cycle, and an f32 result.
  ir::Workload workload =
      test::workloadOf("in a 64 64\nin b 64 64\nout y 64 64\ns = matmul a b\nstore y s");
  for (size_t i : {0, 1}) {
    workload.kernels[0].params[i].dtype = ir::DType::f16;
    workload.tensors[i].dtype = ir::DType::f16;
  }
  Diagnostics diagnostics;
  EXPECT_EQ(kernelCycles(verify(workload, diagnostics)->kernels[0]),
            2 * 228 + 32 + 40 + 64 + 356 + 500);
  // A tile that the sum is added to is not loaded.
  EXPECT_EQ(cycles("in a 64 64\nin b 64 64\ninout c 64 64\ns = matmul a b c\nstore c s"),
            776 + 40 + 256 + 356 + 500);
}

}  // namespace
}  // namespace ptowsp
