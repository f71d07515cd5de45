// SPDX-License-Identifier: MIT
// f16 and bf16 against what the formats say.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <random>

#include "ptowsp/float16.h"

namespace ptowsp::cpp_test {
namespace {

// Of the bits, as IEEE 754 defines binary formats: in double, which holds all of them.
double valueOf(uint16_t bits, int fraction_bits, int bias) {
  const int exponent_bits = 15 - fraction_bits;
  const int exponent = bits >> fraction_bits & ((1 << exponent_bits) - 1);
  const int fraction = bits & ((1 << fraction_bits) - 1);
  const double sign = bits & 0x8000 ? -1 : 1;
  if (exponent == (1 << exponent_bits) - 1)
    return fraction ? std::nan("") : sign * std::numeric_limits<double>::infinity();
  if (exponent == 0) return sign * std::ldexp(fraction, 1 - bias - fraction_bits);
  return sign * std::ldexp((1 << fraction_bits) + fraction, exponent - bias - fraction_bits);
}

template <typename Half>
void checkValues(int fraction_bits, int bias) {
  for (int bits = 0; bits < 0x10000; ++bits) {
    const Half half = Half::fromBits(static_cast<uint16_t>(bits));
    const double expected = valueOf(static_cast<uint16_t>(bits), fraction_bits, bias);
    const float found = static_cast<float>(half);
    if (std::isnan(expected)) {
      ASSERT_TRUE(std::isnan(found)) << bits;
      ASSERT_TRUE(std::isnan(static_cast<float>(Half(found)))) << bits;
    } else {
      ASSERT_EQ(found, expected) << bits;
      ASSERT_EQ(Half(found).bits, bits);
    }
  }
}

// The float between two neighbours, and its own neighbours, round as "nearest, ties to even" says.
template <typename Half>
void checkRounding() {
  for (int bits = 0; bits < 0x7FFF; ++bits) {
    const float low = static_cast<float>(Half::fromBits(static_cast<uint16_t>(bits)));
    const float high = static_cast<float>(Half::fromBits(static_cast<uint16_t>(bits + 1)));
    if (!std::isfinite(low) || !std::isfinite(high)) continue;
    const float middle = low + (high - low) / 2;
    if (middle == low || middle == high) continue;  // bf16: below the smallest float
    ASSERT_EQ(Half(middle).bits, bits % 2 == 0 ? bits : bits + 1) << bits;
    ASSERT_EQ(Half(std::nextafter(middle, low)).bits, bits);
    ASSERT_EQ(Half(std::nextafter(middle, high)).bits, bits + 1);
    ASSERT_EQ(Half(-middle).bits, 0x8000 | (bits % 2 == 0 ? bits : bits + 1));
  }
}

TEST(Float16, ValuesOfAllBits) {
  checkValues<f16>(10, 15);
  checkValues<bf16>(7, 127);
}

TEST(Float16, RoundsToTheNearest) {
  checkRounding<f16>();
  checkRounding<bf16>();
  EXPECT_EQ(f16(65504.0f).bits, 0x7BFF);
  EXPECT_EQ(f16(65519.99f).bits, 0x7BFF);
  EXPECT_EQ(f16(65520.0f).bits, 0x7C00);
  EXPECT_EQ(f16(std::numeric_limits<float>::infinity()).bits, 0x7C00);
  EXPECT_EQ(bf16(std::numeric_limits<float>::max()).bits, 0x7F80);
}

// Literals are double or int, and a compiler may have a 16-bit type that they convert to as well.
template <typename Half>
void checkNumbers() {
  EXPECT_EQ(static_cast<float>(Half(1.5)), 1.5f);
  EXPECT_EQ(static_cast<double>(Half(-3)), -3.0);
  EXPECT_EQ(static_cast<int>(Half(7.75f)), 7);
  EXPECT_EQ(static_cast<long>(Half(2ul)), 2);
}

TEST(Float16, FromAndToNumbersOfAllTypes) {
  checkNumbers<f16>();
  checkNumbers<bf16>();
}

#ifdef __FLT16_MANT_DIG__
TEST(Float16, AsTheCompilerConverts) {
  std::mt19937 random(20261123);
  for (int i = 0; i < 1'000'000; ++i) {
    const float value = std::ldexp(static_cast<float>(random()) - 2147483648.0f,
                                   static_cast<int>(random() % 64) - 56);
    const auto expected = static_cast<_Float16>(value);
    ASSERT_EQ(f16(value).bits, f16(expected).bits) << value;
    ASSERT_EQ(static_cast<_Float16>(f16(expected)), expected);
  }
}
#endif

}  // namespace
}  // namespace ptowsp::cpp_test
