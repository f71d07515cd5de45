// SPDX-License-Identifier: MIT
#include "runtime_glue/glue/compare.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace ptowsp::glue {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr Tolerance kDefault = {1e-4, 1e-5};

Comparison compareFloats(const std::vector<float>& got, const std::vector<float>& expected,
                         Tolerance tolerance = kDefault) {
  Comparison result;
  compareRange(ElementType::f32, got.data(), expected.data(), 0, got.size(), tolerance, &result);
  return result;
}

TEST(Compare, EqualValues) {
  const Comparison result = compareFloats({1, -2, 0.0f}, {1, -2, -0.0f});
  EXPECT_EQ(result.compared, 3u);
  EXPECT_EQ(result.differing, 0u);
  EXPECT_EQ(result.max_abs, 0);
  EXPECT_EQ(result.max_rel, 0);
}

TEST(Compare, EitherToleranceIsEnough) {
  EXPECT_EQ(compareFloats({1000.09f}, {1000}).differing, 0u);  // relative
  EXPECT_EQ(compareFloats({1000.2f}, {1000}).differing, 1u);
  EXPECT_EQ(compareFloats({9e-6f}, {0}).differing, 0u);  // absolute
  EXPECT_EQ(compareFloats({1.1e-5f}, {0}).differing, 1u);
  EXPECT_EQ(compareFloats({1}, {2}, {0, 1}).differing, 0u);  // the bound itself is right
  EXPECT_EQ(compareFloats({1}, {2}, {0.5, 0}).differing, 0u);
  EXPECT_EQ(compareFloats({1}, {2}, {0.49, 0.99}).differing, 1u);
}

TEST(Compare, NanEqualsNanOnly) {
  EXPECT_EQ(compareFloats({kNan}, {kNan}).differing, 0u);
  EXPECT_EQ(compareFloats({-kNan}, {kNan}).differing, 0u);
  for (const Comparison& result :
       {compareFloats({kNan}, {1}), compareFloats({1}, {kNan}), compareFloats({kNan}, {kInf})}) {
    EXPECT_EQ(result.differing, 1u);
    EXPECT_EQ(result.max_abs, std::numeric_limits<double>::infinity());
  }
}

TEST(Compare, AnInfinityEqualsTheSameOnly) {
  EXPECT_EQ(compareFloats({kInf, -kInf}, {kInf, -kInf}).differing, 0u);
  EXPECT_EQ(compareFloats({kInf}, {-kInf}).differing, 1u);
  EXPECT_EQ(compareFloats({3e38f}, {kInf}).differing, 1u);
  EXPECT_EQ(compareFloats({kInf}, {3e38f}).differing, 1u);
}

TEST(Compare, LargestErrorsAreOverAllElements) {
  const Comparison result = compareFloats({1.00001f, 5, 102, 0.5f}, {1, 5, 100, 0});
  EXPECT_EQ(result.differing, 2u);
  EXPECT_EQ(result.first, 2u);
  EXPECT_NEAR(result.max_abs, 2, 1e-6);
  EXPECT_NEAR(result.max_rel, 0.02, 1e-6) << "the element of which 0 is expected is left out";
}

// Blocks of equal bytes are passed over; nothing behind or before them may be.
TEST(Compare, EveryPlaceOfALongArrayIsSeen) {
  const size_t size = 5000;
  for (const size_t place : {size_t{0}, size_t{1023}, size_t{1024}, size_t{2047}, size - 1}) {
    std::vector<float> got(size, 1), expected(size, 1);
    got[place] = 2;
    const Comparison result = compareFloats(got, expected);
    EXPECT_EQ(result.differing, 1u);
    EXPECT_EQ(result.first, place);
    EXPECT_EQ(result.compared, size);
  }
}

TEST(Compare, ARangeLeavesTheRestAlone) {
  const std::vector<float> got = {9, 1, 2, 9}, expected = {0, 1, 2.5f, 0};
  Comparison result;
  compareRange(ElementType::f32, got.data(), expected.data(), 1, 2, kDefault, &result);
  EXPECT_EQ(result.compared, 2u);
  EXPECT_EQ(result.differing, 1u);
  EXPECT_EQ(result.first, 2u);
}

TEST(Compare, IntegersAreExactWhateverTheTolerance) {
  const std::vector<int32_t> got = {2147483647, 5}, expected = {-2147483647 - 1, 5};
  Comparison result;
  compareRange(ElementType::i32, got.data(), expected.data(), 0, 2, {1e9, 1e18}, &result);
  EXPECT_EQ(result.differing, 1u);
  EXPECT_EQ(result.max_abs, 4294967295.0);
}

TEST(Decode, Half) {
  const std::vector<uint16_t> bits = {0x3C00, 0xC000, 0x7BFF, 0x0001, 0x0400,
                                      0x8000, 0x7C00, 0xFC00, 0x7E00};
  const auto value = [&](size_t i) { return valueAt(ElementType::f16, bits.data(), i); };
  EXPECT_EQ(value(0), 1);
  EXPECT_EQ(value(1), -2);
  EXPECT_EQ(value(2), 65504);
  EXPECT_EQ(value(3), std::ldexp(1, -24));
  EXPECT_EQ(value(4), std::ldexp(1, -14));
  EXPECT_TRUE(value(5) == 0 && std::signbit(value(5)));
  EXPECT_EQ(value(6), kInf);
  EXPECT_EQ(value(7), -kInf);
  EXPECT_TRUE(std::isnan(value(8)));
}

TEST(Decode, Bfloat) {
  const std::vector<uint16_t> bits = {0x3F80, 0xC040, 0x7F80, 0x7FC0};
  EXPECT_EQ(valueAt(ElementType::bf16, bits.data(), 0), 1);
  EXPECT_EQ(valueAt(ElementType::bf16, bits.data(), 1), -3);
  EXPECT_EQ(valueAt(ElementType::bf16, bits.data(), 2), kInf);
  EXPECT_TRUE(std::isnan(valueAt(ElementType::bf16, bits.data(), 3)));
}

TEST(Compare, HalvesInTheirOwnPrecision) {
  const std::vector<uint16_t> got = {0x3C01}, expected = {0x3C00};  // one ulp apart
  Comparison result;
  compareRange(ElementType::f16, got.data(), expected.data(), 0, 1, {1e-2, 1e-3}, &result);
  EXPECT_EQ(result.differing, 0u);
  EXPECT_EQ(result.max_abs, std::ldexp(1, -10));
}

TEST(ElementName, CountsLikeRowMajorArrays) {
  TensorInfo tensor;
  tensor.name = "y";
  tensor.shape = {2, 3, 4};
  EXPECT_EQ(elementName(tensor, 0), "y[0, 0, 0]");
  EXPECT_EQ(elementName(tensor, 17), "y[1, 1, 1]");
  EXPECT_EQ(elementName(tensor, 23), "y[1, 2, 3]");
  tensor.shape = {7};
  EXPECT_EQ(elementName(tensor, 6), "y[6]");
}

}  // namespace
}  // namespace ptowsp::glue
