// SPDX-License-Identifier: MIT
#include "generator/analyze/buffers.h"

#include <gmock/gmock.h>

#include <map>
#include <random>

#include "generator/analyze/buffer_check.h"
#include "generator/analyze/split_cores.h"
#include "tests/seed.h"
#include "tests/unit/analyze/kernel_text.h"

namespace ptowsp {
namespace {

Program programOfStages(const std::string& text) {
  Diagnostics diagnostics;
  return *splitCores(test::programOf(text), diagnostics);
}

BufferPlan planOf(const std::string& text) { return planBuffers(programOfStages(text).kernels[0]); }

TEST(Buffers, RowsArePaddedTo32Bytes) {
  EXPECT_EQ(vectorTileBytes(8, 256, DType::f32), 8 * 1024);
  EXPECT_EQ(vectorTileBytes(8, 1, DType::f32), 8 * 32);
  EXPECT_EQ(vectorTileBytes(3, 17, DType::f16), 3 * 64);
}

TEST(Buffers, ATileIsReusedWhenNothingNeedsItAnyMore) {
  // x and a, then a and b, then b and c: never three at a time.
  const BufferPlan plan =
      planOf("in x 8 8\nout y 8 8\na = exp x\nb = neg a\nc = exp b\nstore y c");
  EXPECT_EQ(plan.use(Buffer::unified).bytes, 512);
  EXPECT_EQ(plan.use(Buffer::unified).live, 512);
  EXPECT_EQ(plan.use(Buffer::unified).op, 0);
  EXPECT_EQ(plan.use(Buffer::l1).bytes, 0);
}

TEST(Buffers, ScratchForReductionsAndBroadcasts) {
  // rowsum: x 2048, d 256, and a copy of x.
  EXPECT_EQ(planOf("in x 8 64\nout y 8 1\nd = rowsum x\nstore y d").use(Buffer::unified).bytes,
            2048 + 256 + 2048);
  // sub: x, m, result, and m spread.
  EXPECT_EQ(planOf("in x 8 64\nin m 8 1\nout y 8 64\nd = sub x m\nstore y d").use(Buffer::unified).bytes,
            2048 + 256 + 2048 + 2048);
  // A number behind needs none, one in front does.
  EXPECT_EQ(planOf("in x 8 64\nout y 8 64\nd = sub x 1\nstore y d").use(Buffer::unified).bytes, 4096);
  EXPECT_EQ(planOf("in x 8 64\nout y 8 64\nd = sub 1 x\nstore y d").use(Buffer::unified).bytes, 6144);
}

TEST(Buffers, TheCubeCoresBuffers) {
  const BufferPlan plan =
      planOf("in a 64 32\nin b 32 48\nout y 64 48\ns = matmul a b\nstore y s");
  EXPECT_EQ(plan.use(Buffer::unified).bytes, 0);
  EXPECT_EQ(plan.use(Buffer::l1).bytes, 64 * 32 * 4 + 32 * 48 * 4);
  EXPECT_EQ(plan.use(Buffer::l0a).bytes, 64 * 32 * 4);
  EXPECT_EQ(plan.use(Buffer::l0b).bytes, 32 * 48 * 4);
  EXPECT_EQ(plan.use(Buffer::l0c).bytes, 64 * 48 * 4);
  // Extents are padded to 16.
  EXPECT_EQ(planOf("in a 5 17\nin b 17 1\nout y 5 1\ns = matmul a b\nstore y s").use(Buffer::l1).bytes,
            16 * 32 * 4 + 32 * 16 * 4);
}

TEST(Buffers, ASumIsContinuedInPlace) {
  const BufferPlan plan = planOf(
      "in a 64 64\nin b 64 64\nout y 64 64\ns = matmul a b\nt = matmul b a s\nu = matmul b b t\n"
      "store y u");
  EXPECT_EQ(plan.use(Buffer::l0c).bytes, 64 * 64 * 4);
  EXPECT_EQ(plan.use(Buffer::l1).bytes, 2 * 64 * 64 * 4);
}

TEST(Buffers, DeepMatmulsTakeKInParts) {
  EXPECT_EQ(matmulDepth(64, 64, 64, DType::f32), 64);
  EXPECT_EQ(matmulDepth(64, 256, 64, DType::f32), 256);  // 64 KiB
  EXPECT_EQ(matmulDepth(64, 257, 64, DType::f32), 128);
  EXPECT_EQ(matmulDepth(128, 512, 16, DType::f16), 128);
  EXPECT_EQ(matmulDepth(4096, 64, 16, DType::f32), 16);
  const BufferPlan plan =
      planOf("in a 64 512\nin b 512 64\nout y 64 64\ns = matmul a b\nstore y s");
  EXPECT_EQ(plan.use(Buffer::l0a).bytes, 65536);
  EXPECT_EQ(plan.use(Buffer::l1).bytes, 2 * 64 * 512 * 4);
  EXPECT_TRUE(plan.fits());
}

// A kernel of one core from random unary, binary and reducing ops over tiles of many sizes.
std::string randomChain(std::mt19937& random) {
  const auto below = [&](size_t n) { return random() % n; };
  struct Tile {
    std::string name;
    int rows, cols;
  };
  std::vector<Tile> values;
  std::string params, body;
  for (size_t i = 0; i < 1 + below(4); ++i) {
    Tile tile = {"in" + std::to_string(i), 1 + static_cast<int>(below(40)), 1 + static_cast<int>(below(90))};
    params += "in " + tile.name + " " + std::to_string(tile.rows) + " " + std::to_string(tile.cols) + "\n";
    values.push_back(tile);
  }
  for (size_t i = 0; i < 2 + below(14); ++i) {
    const Tile a = values[below(values.size())];
    Tile r = {"v" + std::to_string(i), a.rows, a.cols};
    switch (below(3)) {
      case 0:
        body += r.name + " = exp " + a.name + "\n";
        break;
      case 1:
        body += r.name + " = rowsum " + a.name + "\n";
        r.cols = 1;
        break;
      default: {
        const Tile b = values[below(values.size())];
        if ((a.rows != b.rows && b.rows != 1) || (a.cols != b.cols && b.cols != 1)) {
          body += r.name + " = neg " + a.name + "\n";
          break;
        }
        body += r.name + " = add " + a.name + " " + b.name + "\n";
      }
    }
    values.push_back(r);
  }
  for (size_t i = 0; i < values.size(); ++i) {
    if (i + 1 < values.size() && below(4) != 0) continue;
    const std::string name = "to" + std::to_string(i);
    params += "out " + name + " " + std::to_string(values[i].rows) + " " + std::to_string(values[i].cols) + "\n";
    body += "store " + name + " " + values[i].name + "\n";
  }
  return params + body;
}

TEST(Buffers, RandomKernelsOverlapNowhereAndLieDense) {
  double used = 0, least = 0;
  const auto seed = static_cast<uint32_t>(test::testSeed());
  for (uint32_t n = 0; n < 2000; ++n) {
    std::mt19937 random(seed + n);
    const std::string text = randomChain(random);
    SCOPED_TRACE("case " + std::to_string(n) + "\n" + text);
    const Kernel kernel = test::programOf(text).kernels[0];
    const BufferPlan plan = planBuffers(kernel);
    // Brute force, op by op and block by block: each block has one owner.
    std::map<int, size_t> bytes_of;
    int64_t sum = 0, highest = 0, most = 0;
    for (int op = 0; op < static_cast<int>(kernel.ops.size()); ++op) {
      std::map<int64_t, size_t> owner;
      int64_t live = 0;
      for (size_t p = 0; p < plan.placements.size(); ++p) {
        const Placement& placement = plan.placements[p];
        if (op < placement.first || op > placement.last) continue;
        ASSERT_EQ(placement.address % 32, 0);
        ASSERT_EQ(placement.bytes % 32, 0);
        live += placement.bytes;
        for (int64_t at = placement.address; at < placement.address + placement.bytes; at += 32)
          ASSERT_TRUE(owner.emplace(at, p).second) << "op " << op << ", address " << at;
      }
      most = std::max(most, live);
      // Operands and result are there.
      const KernelOp& at = kernel.ops[static_cast<size_t>(op)];
      for (size_t a = at.result < 0 ? 1 : 0; a < at.args.size(); ++a)
        ASSERT_TRUE(std::ranges::any_of(plan.placements, [&](const Placement& p) {
          return p.value == at.args[a] && p.first <= op && op <= p.last;
        }));
    }
    for (const Placement& placement : plan.placements) {
      sum += placement.bytes;
      highest = std::max(highest, placement.address + placement.bytes);
    }
    const BufferUse& use = plan.use(Buffer::unified);
    ASSERT_EQ(use.live, most);
    ASSERT_EQ(use.bytes, highest);
    ASSERT_LE(use.live, use.bytes);
    ASSERT_LE(use.bytes, sum);
    used += static_cast<double>(use.bytes);
    least += static_cast<double>(use.live);
  }
  EXPECT_LT(used, 1.03 * least);
}

TEST(Buffers, AKernelThatDoesNotFitIsAnErrorForADevice) {
  const Program program =
      test::programOf("in x 128 200\nout y 128 200\na = exp x\nb = add a x\nstore y b");
  Diagnostics diagnostics;
  checkBuffers(program, true, diagnostics);
  ASSERT_EQ(diagnostics.all().size(), 1u);
  EXPECT_EQ(diagnostics.all()[0].severity, Severity::error);
  EXPECT_EQ(diagnostics.all()[0].rule, "tile-too-large");
  EXPECT_EQ(diagnostics.all()[0].place, "/kernels/0/body/1");
  EXPECT_EQ(diagnostics.all()[0].message,
            "kernel 'k' takes 307200 bytes of the unified buffer, which has 188416 for tiles; at op "
            "'add' 307200 are live: 'x' (128 x 200 f32) 102400, 'a' (128 x 200 f32) 102400, 'b' (128 x "
            "200 f32) 102400");
  EXPECT_EQ(diagnostics.all()[0].fix, "use smaller tiles, or split the kernel");
}

TEST(Buffers, AndAWarningForTheSimulator) {
  const Program program = programOfStages(
      "in a 256 64\nin b 64 256\nout y 256 256\ns = matmul a b\nstore y s");
  Diagnostics diagnostics;
  checkBuffers(program, false, diagnostics);
  ASSERT_EQ(diagnostics.all().size(), 1u);
  EXPECT_EQ(diagnostics.all()[0].severity, Severity::warning);
  EXPECT_EQ(diagnostics.all()[0].message,
            "kernel 'k' takes 262144 bytes of the L0C, which has 131072 for tiles; at op 'matmul' "
            "262144 are live: 's' (256 x 256 f32) 262144; it runs on a2a3sim, and cannot on a2a3");
}

TEST(Buffers, AStageIsCalledByTheUsersKernel) {
  const Program program = programOfStages(
      "in a 256 64\nin b 64 256\nout y 256 256\ns = matmul a b\ne = exp s\nstore y e");
  Diagnostics diagnostics;
  checkBuffers(program, true, diagnostics);
  ASSERT_EQ(diagnostics.all().size(), 2u);
  EXPECT_THAT(diagnostics.all()[0].message, testing::StartsWith("stage 1/2 of kernel 'k' takes 262144"));
  EXPECT_THAT(diagnostics.all()[1].message, testing::StartsWith("stage 2/2 of kernel 'k' takes 524288"));
}

TEST(Buffers, TextForPeople) {
  EXPECT_EQ(bufferText(test::programOf("in x 8 8\nout y 8 8\na = exp x\nstore y a").kernels[0]),
            "unified buffer 512 of 188416 bytes");
  EXPECT_EQ(bufferText(programOfStages("in a 16 16\nout y 16 16\ns = matmul a a\nstore y s").kernels[0]),
            "L1 1024 of 524288, L0A 1024 of 65536, L0B 1024 of 65536, L0C 1024 of 131072 bytes");
}

}  // namespace
}  // namespace ptowsp
