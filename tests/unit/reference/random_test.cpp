// SPDX-License-Identifier: MIT
// Random numbers against values from an independent program (plain Python integers, written from
// the definition alone); fnv1a64 and mix against the published values of FNV-1a and splitmix64.
#include "generator/reference/random.h"

#include <gtest/gtest.h>

namespace ptowsp::reference {
namespace {

TEST(Random, HashAndFinalizerGiveThePublishedValues) {
  EXPECT_EQ(fnv1a64("a"), 0xaf63dc4c8601ec8cu);
  EXPECT_EQ(fnv1a64("foobar"), 0x85944171f73967e8u);
  EXPECT_EQ(mix(0x9E3779B97F4A7C15), 0xe220a8397b1dcdafu);
}

struct Case {
  const char* tensor;
  uint64_t seed;
  uint64_t words[3];
  uint64_t far_word;  // of index 10^12
  double uniform[3];  // of [-1, 1)
  double normal[3];   // of mean 1, standard deviation 2
};

const Case kCases[] = {
    {"x",
     0,
     {0x338262d8f096398f, 0xcefb9c22cf519144, 0xa4b0db918693ba8a},
     0xd4a677860a3609c9,
     {-0x1.31f6749c3da72p-1, 0x1.3bee708b3d464p-1, 0x1.2586dc8c349dcp-2},
     {1.4819530947456712, 2.353523385494868, 1.56669397522538}},
    {"x",
     1,
     {0xedf4b123158c45c3, 0x1f5017fb9befce03, 0xeb1589417a7d29f4},
     0xca506d831aa0392f,
     {0x1.b7d2c48c56310p-1, -0x1.82bfa0119040ep-1, 0x1.ac562505e9f4ap-1},
     {4.311676689460737, 4.824613417056358, 1.7371673115830797}},
    {"weights",
     12345678901234567890u,
     {0xa95bdef9159ba4a7, 0x7fc890fa171571a2, 0x54bea87d73d589be},
     0x5d807ff2fa4c325f,
     {0x1.4adef7c8acdd0p-2, -0x1.bb782f4754800p-10, -0x1.5a0abc146153cp-2},
     {-1.943973112185482, 2.6709201970099867, -0.6466474392320685}},
};

TEST(Random, NumbersAreThoseOfTheDefinition) {
  for (const Case& known : kCases) {
    const RandomNumbers random(known.tensor, known.seed);
    EXPECT_EQ(random.word(1000000000000), known.far_word);
    for (uint64_t i = 0; i < 3; ++i) {
      EXPECT_EQ(random.word(i), known.words[i]);
      EXPECT_EQ(random.uniform(i, -1, 1), known.uniform[i]);
      // log and cos come from the C library, whose last bit is its own.
      EXPECT_NEAR(random.normal(i, 1, 2), known.normal[i], 1e-15 * 8);
    }
  }
}

TEST(Random, UniformStaysInItsRangeAndFillsIt) {
  const RandomNumbers random("t", 7);
  double sum = 0, low = 1, high = 0;
  const uint64_t count = 100000;
  for (uint64_t i = 0; i < count; ++i) {
    const double u = random.unit(i);
    ASSERT_GE(u, 0);
    ASSERT_LT(u, 1);
    sum += u;
    low = std::min(low, u);
    high = std::max(high, u);
  }
  // The mean of n uniform numbers has deviation 1 / sqrt(12 n), here 0.0009.
  EXPECT_NEAR(sum / count, 0.5, 0.005);
  EXPECT_LT(low, 0.001);
  EXPECT_GT(high, 0.999);
}

TEST(Random, NormalHasItsMeanAndDeviation) {
  const RandomNumbers random("t", 7);
  double sum = 0, squares = 0;
  const uint64_t count = 100000;
  for (uint64_t i = 0; i < count; ++i) {
    const double z = random.normal(i, 0, 1);
    sum += z;
    squares += z * z;
  }
  EXPECT_NEAR(sum / count, 0, 0.016);  // five deviations of the mean
  EXPECT_NEAR(squares / count, 1, 0.023);
}

TEST(Random, TensorsAndSeedsDiffer) {
  EXPECT_NE(RandomNumbers("x", 0).word(0), RandomNumbers("y", 0).word(0));
  EXPECT_NE(RandomNumbers("x", 0).word(0), RandomNumbers("x", 1).word(0));
}

}  // namespace
}  // namespace ptowsp::reference
