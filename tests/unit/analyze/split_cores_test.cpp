// SPDX-License-Identifier: MIT
#include "generator/analyze/split_cores.h"

#include <gmock/gmock.h>

#include <functional>

#include "generator/analyze/naming.h"
#include "tests/unit/analyze/kernel_text.h"

namespace ptowsp {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Program split(const Program& program) {
  Diagnostics diagnostics;
  std::optional<Program> result = splitCores(program, diagnostics);
  EXPECT_TRUE(result);
  EXPECT_THAT(diagnostics.all(), IsEmpty());
  return result ? std::move(*result) : Program();
}

std::vector<std::string> stages(const std::string& text) {
  std::vector<std::string> lines;
  for (const Kernel& kernel : split(test::programOf(text)).kernels)
    lines.push_back(test::textOf(kernel));
  return lines;
}

TEST(SplitCores, LeavesAKernelOfOneCoreAsItIs) {
  EXPECT_THAT(stages("in x 8 16\nout y 8 16\ne = exp x\nstore y e"),
              ElementsAre("aiv k: in x, out y | e = exp x | store y e"));
  EXPECT_THAT(stages("in a 8 16\nin b 16 8\nout y 8 8\ns = matmul a b\nstore y s"),
              ElementsAre("aic k: in a, in b, out y | s = matmul a b | store y s"));
}

TEST(SplitCores, SplitsAttentionIntoFourStages) {
  EXPECT_THAT(
      stages("in q 16 32\nin k 32 16\nin v 16 32\nout y 16 32\n"
             "s = matmul q k\nm = rowmax s\nc = sub s m\ne = exp c\nd = rowsum e\n"
             "o = matmul e v\np = div o d\nstore y p"),
      ElementsAre("aic k_s0: in q, in k, out s_out | s = matmul q k | store s_out s",
                  "aiv k_s1: in s, out e_out, out d_out | m = rowmax s | c = sub s m | e = exp c | "
                  "d = rowsum e | store e_out e | store d_out d",
                  "aic k_s2: in v, in e, out o_out | o = matmul e v | store o_out o",
                  "aiv k_s3: out y, in d, in o | p = div o d | store y p"));
}

TEST(SplitCores, PutsIndependentOpsOfACoreIntoOneStage) {
  EXPECT_THAT(stages("in a 8 8\nin b 8 8\nout y 8 8\nout z 8 8\n"
                     "s = matmul a b\nt = matmul b a\nu = exp s\nv = exp t\nstore y u\nstore z v"),
              ElementsAre("aic k_s0: in a, in b, out s_out, out t_out | s = matmul a b | "
                          "t = matmul b a | store s_out s | store t_out t",
                          "aiv k_s1: out y, out z, in s, in t | u = exp s | v = exp t | "
                          "store y u | store z v"));
}

TEST(SplitCores, MultipliesAProductAgainInAnotherStage) {
  EXPECT_THAT(stages("in a 8 8\nin b 8 8\nout y 8 8\ns = matmul a b\nt = matmul s b\nstore y t"),
              ElementsAre("aic k_s0: in a, in b, out s_out | s = matmul a b | store s_out s",
                          "aic k_s1: in b, out y, in s | t = matmul s b | store y t"));
}

TEST(SplitCores, KeepsAccumulatorsThatACubeCoreCanHave) {
  // A chain, from a constant; and a tile that only takes the sum.
  EXPECT_THAT(stages("in a 8 8\nin b 8 8\nout y 8 8\nz = constant 0 8 8\n"
                     "s = matmul a b z\nt = matmul b a s\nstore y t"),
              ElementsAre("aic k: in a, in b, out y | z = constant 0 | s = matmul a b z | "
                          "t = matmul b a s | store y t"));
  EXPECT_THAT(stages("in a 8 8\nin b 8 8\ninout c 8 8\ns = matmul a b c\nstore c s"),
              ElementsAre("aic k: in a, in b, inout c | s = matmul a b c | store c s"));
}

TEST(SplitCores, AddsOtherAccumulatorsOnTheVectorCore) {
  EXPECT_THAT(stages("in a 8 8\nin b 8 8\nin c 8 8\nout y 8 8\ns = matmul a b c\nstore y s"),
              ElementsAre("aic k_s0: in a, in b, out s_product_out | s_product = matmul a b | "
                          "store s_product_out s_product",
                          "aiv k_s1: in c, out y, in s_product | s = add c s_product | store y s"));
  // A sum that goes to two places cannot be added to memory.
  EXPECT_THAT(stages("in a 8 8\nin b 8 8\ninout c 8 8\nout y 8 8\ns = matmul a b c\n"
                     "store c s\nstore y s"),
              ElementsAre("aic k_s0: in a, in b, out s_product_out | s_product = matmul a b | "
                          "store s_product_out s_product",
                          "aiv k_s1: inout c, out y, in s_product | s = add c s_product | "
                          "store c s | store y s"));
  // Two matmuls cannot continue the same sum.
  EXPECT_THAT(stages("in a 8 8\nin b 8 8\nout y 8 8\nout z 8 8\ns = matmul a b\n"
                     "t = matmul b a s\nu = matmul a a s\nstore y t\nstore z u"),
              ElementsAre("aic k_s0: in a, in b, out y, out s_out, out u_product_out | "
                          "s = matmul a b | t = matmul b a s | u_product = matmul a a | store y t | "
                          "store s_out s | store u_product_out u_product",
                          "aiv k_s1: out z, in s, in u_product | u = add s u_product | store z u"));
}

TEST(SplitCores, AnAccumulatorIsNotHeldAcrossAStageThatNeedsIt) {
  EXPECT_THAT(stages("in a 8 8\nin b 8 8\nout y 8 8\ns = matmul a b\ne = exp s\n"
                     "t = matmul e b s\nstore y t"),
              ElementsAre("aic k_s0: in a, in b, out s_out | s = matmul a b | store s_out s",
                          "aiv k_s1: in s, out e_out | e = exp s | store e_out e",
                          "aic k_s2: in b, in e, out t_product_out | t_product = matmul e b | "
                          "store t_product_out t_product",
                          "aiv k_s3: out y, in s, in t_product | t = add s t_product | store y t"));
}

TEST(SplitCores, AStoredValueCrossesInTheUsersTile) {
  EXPECT_THAT(stages("in a 8 8\nin b 8 8\nout y 8 8\nout z 8 8\ns = matmul a b\nstore y s\n"
                     "e = exp s\nstore z e"),
              ElementsAre("aic k_s0: in a, in b, out y | s = matmul a b | store y s",
                          "aiv k_s1: in y, out z | e = exp y | store z e"));
}

TEST(SplitCores, AStoreWaitsForTheLastReaderOfTheOldTile) {
  EXPECT_THAT(stages("in a 8 8\nin b 8 8\ninout c 8 8\nout y 8 8\ns = matmul a b\nstore c s\n"
                     "u = exp s\nstore y u"),
              ElementsAre("aic k_s0: in a, in b, out c | s = matmul a b | store c s",
                          "aiv k_s1: in c, out y | u = exp c | store y u"));
  EXPECT_THAT(stages("in a 8 8\nin b 8 8\ninout c 8 8\nout y 8 8\ns = matmul a b\n"
                     "u = add s c\nstore c s\nstore y u"),
              ElementsAre("aic k_s0: in a, in b, out s_out | s = matmul a b | store s_out s",
                          "aiv k_s1: inout c, out y, in s | u = add s c | store c s | store y u"));
  // The reader is a cube stage: a vector stage after it stores.
  EXPECT_THAT(stages("in a 8 8\ninout c 8 8\nout y 8 8\ne = exp a\nt = matmul e c\nstore c e\n"
                     "store y t"),
              ElementsAre("aiv k_s0: in a, out e_out | e = exp a | store e_out e",
                          "aic k_s1: in c, out y, in e | t = matmul e c | store y t",
                          "aiv k_s2: out c, in e | store c e"));
}

TEST(SplitCores, ComputesConstantsAndBroadcastsAgain) {
  EXPECT_THAT(stages("in a 8 8\nin r 1 8\nin q 8 1\nout y 8 8\nh = constant 2 8 8\nf = mul r q\n"
                     "g = mul a h\nm = add g f\ns = matmul m a\nt = mul s h\nu = add t f\nstore y u"),
              ElementsAre("aiv k_s0: in a, in r, in q, out m_out | h = constant 2 | f = mul r q | "
                          "g = mul a h | m = add g f | store m_out m",
                          "aic k_s1: in a, in m, out s_out | s = matmul m a | store s_out s",
                          "aiv k_s2: in r, in q, out y, in s | h = constant 2 | f = mul r q | "
                          "t = mul s h | u = add t f | store y u"));
}

TEST(SplitCores, AConstantFactorIsStoredForTheCubeCore) {
  EXPECT_THAT(stages("in a 8 8\nout y 8 8\nh = constant 1 8 8\ns = matmul a h\nstore y s"),
              ElementsAre("aiv k_s0: out h_out | h = constant 1 | store h_out h",
                          "aic k_s1: in a, out y, in h | s = matmul a h | store y s"));
}

TEST(SplitCores, ComputesLaterWhatOnlyALaterStageUses) {
  EXPECT_THAT(stages("in a 8 8\nin b 8 8\nout y 8 8\ng = exp a\ne = exp b\ns = matmul a e\n"
                     "u = add s g\nstore y u"),
              ElementsAre("aiv k_s0: in b, out e_out | e = exp b | store e_out e",
                          "aic k_s1: in a, in e, out s_out | s = matmul a e | store s_out s",
                          "aiv k_s2: in a, out y, in s | g = exp a | u = add s g | store y u"));
  // Nothing else would run first: there is no first stage then.
  EXPECT_THAT(stages("in a 8 8\nout y 8 8\ng = exp a\ns = matmul a a\nu = add s g\nstore y u"),
              ElementsAre("aic k_s0: in a, out s_out | s = matmul a a | store s_out s",
                          "aiv k_s1: in a, out y, in s | g = exp a | u = add s g | store y u"));
}

TEST(SplitCores, DropsDeadOpsAndOverwrittenStores) {
  EXPECT_THAT(stages("in a 8 8\nout y 8 8\ns = matmul a a\nd = exp s\nstore y a\ne = neg s\nstore y e"),
              ElementsAre("aic k_s0: in a, out s_out | s = matmul a a | store s_out s",
                          "aiv k_s1: out y, in s | e = neg s | store y e"));
}

TEST(SplitCores, AMatmulThatNothingNeedsAsksForNoCore) {
  EXPECT_THAT(stages("in a 8 8\nout y 8 8\ns = matmul a a\ne = exp a\nstore y e"),
              ElementsAre("aiv k: in a, out y | e = exp a | store y e"));
}

TEST(SplitCores, PassesScalarsToTheStagesThatUseThem) {
  const Program program = split(test::programOf(
      "in a 8 8\nscalar p\nscalar q\nout y 8 8\nm = mul a q\ns = matmul m a\nu = add s p\nstore y u"));
  ASSERT_EQ(program.kernels.size(), 3u);
  EXPECT_EQ(test::textOf(program.kernels[0]), "aiv k_s0: in a, out m_out, scalar q | m = mul a q | store m_out m");
  EXPECT_EQ(test::textOf(program.kernels[2]), "aiv k_s2: out y, in s, scalar p | u = add s p | store y u");
  const std::vector<Node>& tasks = program.root.body[0].body;
  EXPECT_THAT(tasks[0].scalars, ElementsAre(0.5));
  EXPECT_THAT(tasks[1].scalars, IsEmpty());
  EXPECT_THAT(tasks[2].scalars, ElementsAre(0.5));
}

constexpr const char* kMixed = "in a 8 8\nin b 8 4\nout y 8 4\ns = matmul a b\ne = exp s\nstore y e";

TEST(SplitCores, TemporariesHaveAPlaneForEachIteration) {
  const Program program = split(test::programOf(kMixed, {{"i", 3}, {"j", 5, false}}));
  ASSERT_EQ(program.tensors.size(), 4u);
  const Tensor& tensor = program.tensors[3];
  EXPECT_EQ(tensor.declaration.name, "k_s");
  EXPECT_EQ(tensor.declaration.role, Role::temporary);
  EXPECT_THAT(tensor.declaration.shape, ElementsAre(3, 5, 8, 4));
  EXPECT_EQ(tensor.planes, 15);
  EXPECT_EQ(tensor.bytes, 15 * 8 * 4 * 4);
  EXPECT_TRUE(tensor.written);
  EXPECT_EQ(program.taskCount(), 30);

  const Node& list = program.root.body[0].body[0].body[0];
  ASSERT_EQ(list.kind, Node::Kind::sequential);
  ASSERT_EQ(list.body.size(), 2u);
  for (const Node& task : list.body) {
    const Kernel& kernel = program.kernels[static_cast<size_t>(task.kernel)];
    for (size_t v = 0; v < task.views.size(); ++v) {
      if (task.views[v].tensor != 3) continue;
      EXPECT_THAT(task.views[v].plane.coefficients, ElementsAre(5, 1));
      EXPECT_THAT(task.views[v].row.coefficients, ElementsAre(0, 0));
      EXPECT_EQ(kernel.tiles[v].rows, 8);
      EXPECT_EQ(kernel.tiles[v].cols, 4);
    }
  }
  EXPECT_EQ(taskName(program, 7), "k[i=0, j=3] stage 2/2");
}

TEST(SplitCores, EachTaskNodeHasItsOwnTemporaries) {
  ir::Workload workload = test::workloadOf(kMixed);
  workload.program.push_back(workload.program[0]);
  Diagnostics diagnostics;
  const Program program = split(*verify(workload, diagnostics));
  ASSERT_EQ(program.tensors.size(), 5u);
  EXPECT_EQ(program.tensors[3].declaration.name, "k_s");
  EXPECT_EQ(program.tensors[4].declaration.name, "k_s_");
  EXPECT_NE(program.root.body[0].body[0].views[2].tensor, program.root.body[1].body[0].views[2].tensor);
}

TEST(SplitCores, NamesDoNotMeetThoseOfTheUser) {
  ir::Workload workload = test::workloadOf(
      "in a 8 8\nout y 8 8\ns_out = exp a\ns = matmul s_out a\ne = exp s\nstore y e", {{"k_s_out", 2}});
  workload.kernels.push_back(test::kernelOf("k_s0", "in a 8 8\nout y 8 8\ne = exp a\nstore y e"));
  Diagnostics diagnostics;
  const Program program = split(*verify(workload, diagnostics));
  std::vector<std::string> names;
  for (const Kernel& kernel : program.kernels) names.push_back(kernel.name);
  EXPECT_THAT(names, ElementsAre("k_s0_", "k_s1", "k_s2", "k_s0"));
  EXPECT_EQ(test::textOf(program.kernels[0]), "aiv k_s0_: in a, out s_out_out | s_out = exp a | store s_out_out s_out");
  EXPECT_EQ(test::textOf(program.kernels[1]), "aic k_s1: in a, in s_out, out s_out_ | s = matmul s_out a | store s_out_ s");
  EXPECT_EQ(program.tensors[2].declaration.name, "k_s_out_");
  EXPECT_EQ(program.kernels[0].userName(), "k");
  EXPECT_EQ(program.kernels[3].userName(), "k_s0");
}

TEST(SplitCores, ReportsTooManyTasks) {
  const Program program = test::programOf(kMixed, {{"i", 2}});
  Program large = program;
  large.root.body[0].extent = 2'000'000'000;
  Diagnostics diagnostics;
  EXPECT_FALSE(splitCores(large, diagnostics));
  ASSERT_EQ(diagnostics.all().size(), 1u);
  EXPECT_EQ(diagnostics.all()[0].rule, "tensor-too-large");
  EXPECT_EQ(diagnostics.all()[0].message,
            "the temporary for 's' of kernel 'k', which is split by core, has more than 2147483647 "
            "rows, or 2^63 bytes, over all iterations");

  large = test::programOf("in a 1 8\nin b 8 4\nout y 1 4\ns = matmul a b\ne = exp s\nstore y e", {{"i", 2}});
  large.root.body[0].extent = 2'000'000'000;
  Diagnostics tasks;
  EXPECT_FALSE(splitCores(large, tasks));
  ASSERT_EQ(tasks.all().size(), 1u);
  EXPECT_EQ(tasks.all()[0].rule, "too-many-tasks");
  EXPECT_EQ(tasks.all()[0].message,
            "there are more than 2147483647 tasks up to here, each stage of a kernel that is split by "
            "core being one");
}

}  // namespace
}  // namespace ptowsp
