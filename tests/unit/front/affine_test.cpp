// SPDX-License-Identifier: MIT
#include "generator/verify/affine.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/seed.h"

namespace ptowsp {
namespace {

const Wide kFar = static_cast<Wide>(1) << 120;

TEST(FirstIteration, FindsTheFirstInLoopOrder) {
  std::vector<Loop> loops = {{"i", 4}, {"j", 5}};
  // i + j >= 5: first at i=1, j=4.
  std::vector<Constraint> constraints = {{{0, {1, 1}}, 5, kFar}};
  auto iteration = firstIteration(constraints, loops);
  ASSERT_TRUE(iteration);
  EXPECT_EQ(*iteration, (std::vector<int64_t>{1, 4}));
  EXPECT_EQ(iterationText(constraints, loops, *iteration), "i=1, j=4");
  EXPECT_EQ(valueAt(constraints[0].expression, *iteration), 5);
  constraints[0].low = 8;
  EXPECT_FALSE(firstIteration(constraints, loops));
}

TEST(FirstIteration, WithoutLoopsAsksTheConstant) {
  EXPECT_TRUE(firstIteration({{{3, {}}, 3, 3}}, {}));
  EXPECT_FALSE(firstIteration({{{3, {}}, 4, 4}}, {}));
}

TEST(FirstIteration, NumbersAtTheEdgeOf64Bits) {
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  std::vector<Loop> loops = {{"i", INT32_MAX}, {"j", INT32_MAX}};
  auto iteration = firstIteration({{{kMost, {kMost, -kMost}}, -kFar, -1}}, loops);
  ASSERT_TRUE(iteration);
  EXPECT_EQ(*iteration, (std::vector<int64_t>{0, 2}));
}

TEST(FirstIteration, HugeLoopsAreNotWalked) {
  std::vector<Loop> loops(6, {"i", INT32_MAX});
  // Only the very last iteration of every loop satisfies it.
  Wide all = 6 * (static_cast<Wide>(INT32_MAX) - 1);
  auto last = firstIteration({{{0, {1, 1, 1, 1, 1, 1}}, all, all}}, loops);
  ASSERT_TRUE(last);
  EXPECT_EQ(*last, (std::vector<int64_t>(6, INT32_MAX - 1)));
}

// Against trying every iteration.
TEST(FirstIteration, AgreesWithBruteForce) {
  std::mt19937 random(static_cast<uint32_t>(test::testSeed()));
  auto pick = [&](int low, int high) {
    return low + static_cast<int>(random() % static_cast<unsigned>(high - low + 1));
  };
  int found = 0;
  for (int round = 0; round < 20000; ++round) {
    std::vector<Loop> loops;
    for (int d = pick(0, 3); d > 0; --d) loops.push_back({"v", pick(1, 5)});
    std::vector<Constraint> constraints;
    for (int c = pick(1, 3); c > 0; --c) {
      Constraint constraint;
      constraint.expression.constant = pick(-12, 12);
      for (size_t d = 0; d < loops.size(); ++d) {
        constraint.expression.coefficients.push_back(pick(-4, 4));
      }
      int low = pick(-6, 6);
      constraint.low = low;
      constraint.high = low + pick(0, 4);
      constraints.push_back(std::move(constraint));
    }
    std::optional<std::vector<int64_t>> expected;
    std::vector<int64_t> at(loops.size(), 0);
    while (!expected) {
      bool holds = true;
      for (const Constraint& c : constraints) {
        Wide value = valueAt(c.expression, at);
        holds = holds && c.low <= value && value <= c.high;
      }
      if (holds) expected = at;
      size_t d = loops.size();
      while (d > 0 && ++at[d - 1] == loops[d - 1].extent) at[--d] = 0;
      if (d == 0) break;
    }
    ASSERT_EQ(firstIteration(constraints, loops), expected);
    found += expected.has_value();
  }
  EXPECT_GT(found, 1000);
}

}  // namespace
}  // namespace ptowsp
