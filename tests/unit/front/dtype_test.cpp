// SPDX-License-Identifier: MIT
#include "generator/ir/dtype.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace ptowsp::ir {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// The bits are numpy's: numpy.float16(x).view(numpy.uint16).
TEST(DType, HalfPrecision) {
  EXPECT_EQ(bitsOf(DType::f16, 1), 0x3C00u);
  EXPECT_EQ(bitsOf(DType::f16, -2), 0xC000u);
  EXPECT_EQ(bitsOf(DType::f16, -0.0), 0x8000u);
  EXPECT_EQ(bitsOf(DType::f16, 0.1), 0x2E66u);
  EXPECT_EQ(bitsOf(DType::f16, 65504), 0x7BFFu);
  EXPECT_EQ(bitsOf(DType::f16, std::nextafter(65520, 0)), 0x7BFFu);
  EXPECT_EQ(bitsOf(DType::f16, 65520), 0x7C00u) << "a tie, and the even neighbour is infinity";
  EXPECT_EQ(bitsOf(DType::f16, -kInfinity), 0xFC00u);
  EXPECT_EQ(bitsOf(DType::f16, 1 + 0x1p-11), 0x3C00u) << "a tie, to even";
  EXPECT_EQ(bitsOf(DType::f16, 1 + 0x3p-11), 0x3C02u) << "a tie, to even";
  EXPECT_EQ(bitsOf(DType::f16, 1 + 0x1p-11 + 0x1p-50), 0x3C01u) << "f32 would make it a tie";
  EXPECT_EQ(bitsOf(DType::f16, 0x1p-24), 0x0001u);
  EXPECT_EQ(bitsOf(DType::f16, 0x1p-25), 0x0000u);
  EXPECT_EQ(bitsOf(DType::f16, 0x3p-25), 0x0002u);
  EXPECT_EQ(bitsOf(DType::f16, 0x1p-14 - 0x1p-26), 0x0400u) << "the smallest normal";
}

TEST(DType, UpperHalfOfAnF32) {
  EXPECT_EQ(bitsOf(DType::bf16, 1), 0x3F80u);
  EXPECT_EQ(bitsOf(DType::bf16, -0.1), 0xBDCDu);
  EXPECT_EQ(bitsOf(DType::bf16, 1 + 0x1p-8), 0x3F80u) << "a tie, to even";
  EXPECT_EQ(bitsOf(DType::bf16, 1 + 0x3p-8), 0x3F82u) << "a tie, to even";
  EXPECT_EQ(bitsOf(DType::bf16, 1 + 0x1p-8 + 0x1p-50), 0x3F81u) << "f32 would make it a tie";
  EXPECT_EQ(bitsOf(DType::bf16, 3.4e38), 0x7F80u);
  EXPECT_EQ(bitsOf(DType::bf16, 0x1p-133), 0x0001u);
  EXPECT_EQ(bitsOf(DType::bf16, 0x1p-134), 0x0000u);
}

TEST(DType, EveryPatternOfSixteenBitsIsItself) {
  for (DType dtype : {DType::f16, DType::bf16}) {
    const uint32_t infinity = dtype == DType::f16 ? 0x7C00 : 0x7F80;
    for (uint32_t bits = 0; bits < 0x10000; ++bits) {
      const double value = valueOf(dtype, bits);
      if ((bits & 0x7FFF) > infinity)
        EXPECT_TRUE(std::isnan(value) && std::isnan(roundTo(dtype, value))) << bits;
      else
        ASSERT_EQ(bitsOf(dtype, value), bits);
    }
    EXPECT_EQ(valueOf(dtype, infinity), kInfinity);
  }
}

// Between neighbours: below the middle, the middle, above it.
TEST(DType, EveryRoundingIsToNearest) {
  for (DType dtype : {DType::f16, DType::bf16}) {
    const uint32_t infinity = dtype == DType::f16 ? 0x7C00 : 0x7F80;
    for (uint32_t bits = 0; bits + 1 < infinity; ++bits) {
      const double low = valueOf(dtype, bits), high = valueOf(dtype, bits + 1);
      const double middle = low + (high - low) / 2;
      ASSERT_EQ(bitsOf(dtype, std::nextafter(middle, low)), bits);
      ASSERT_EQ(bitsOf(dtype, std::nextafter(middle, high)), bits + 1);
      ASSERT_EQ(bitsOf(dtype, -middle), 0x8000 | (bits + (bits & 1)));
    }
  }
}

TEST(DType, IntegersEndWhereTheyEnd) {
  EXPECT_EQ(roundTo(DType::i32, 2.5), 2);
  EXPECT_EQ(roundTo(DType::i32, -3.5), -4);
  EXPECT_EQ(roundTo(DType::i32, 3e9), 2147483647);
  EXPECT_EQ(roundTo(DType::i32, -kInfinity), -2147483648.0);
  EXPECT_EQ(roundTo(DType::i32, kNan), 0);
  EXPECT_EQ(bitsOf(DType::i32, -1), 0xFFFFFFFFu);
  EXPECT_EQ(valueOf(DType::i32, 0x80000000u), -2147483648.0);
}

TEST(DType, SinglePrecision) {
  EXPECT_EQ(bitsOf(DType::f32, 0.1), 0x3DCCCCCDu);
  EXPECT_EQ(valueOf(DType::f32, 0x3DCCCCCDu), double{0.1f});
  EXPECT_EQ(roundTo(DType::f32, 1 + 0x1p-30), 1);
}

}  // namespace
}  // namespace ptowsp::ir
