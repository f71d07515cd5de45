// SPDX-License-Identifier: MIT
// The dtypes, once more and otherwise than in the generator and in the kernels: their values as
// doubles, their bits in memory, and the spacing of their values.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

#include "generator/verify/program.h"

namespace ptowsp::test {

inline constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

struct FloatType {
  int precision, least_exponent;  // bits of a normal value; the smallest step is 2^least_exponent
  double largest;
};
inline FloatType floatType(DType dtype) {
  switch (dtype) {
    case DType::f16: return {11, -24, 65504};
    case DType::bf16: return {8, -133, std::ldexp(255, 120)};
    default: return {24, -149, std::ldexp(16777215, 104)};
  }
}

inline int64_t sizeOf(DType dtype) { return dtype == DType::f16 || dtype == DType::bf16 ? 2 : 4; }

// Distance of neighbouring values of the dtype near x; 0 beyond them all, and of integers.
inline double spacing(DType dtype, double x) {
  if (dtype == DType::i32 || !std::isfinite(x)) return 0;
  const FloatType type = floatType(dtype);
  int exponent = 0;
  std::frexp(x, &exponent);
  return std::ldexp(1, std::max(exponent - type.precision, type.least_exponent));
}

// The value of the dtype next to x, ties to even, infinity beyond the largest.
inline double roundTo(DType dtype, double x) {
  if (!std::isfinite(x) || x == 0) return x;
  const double step = spacing(dtype, x);
  const double rounded = std::nearbyint(x / step) * step;
  const double result = std::fabs(rounded) > floatType(dtype).largest
                            ? std::numeric_limits<double>::infinity()
                            : std::fabs(rounded);
  return std::copysign(result, x);
}

inline double wrap(int64_t x) { return static_cast<int32_t>(static_cast<uint32_t>(x)); }

// `cast` to i32, whose zero has no sign.
inline double truncated(double x) {
  if (std::isnan(x)) return 0;
  return std::fmax(-2147483648.0, std::fmin(2147483647.0, std::trunc(x))) + 0.0;
}

// x is a value of the dtype.
inline uint32_t bitsOf(DType dtype, double x) {
  if (dtype == DType::i32) return static_cast<uint32_t>(static_cast<int32_t>(x));
  const FloatType type = floatType(dtype);
  const int mantissa_bits = type.precision - 1;
  const int exponent_bits = (dtype == DType::f16 || dtype == DType::bf16 ? 15 : 31) - mantissa_bits;
  const uint32_t sign = std::signbit(x) ? 1u << (mantissa_bits + exponent_bits) : 0;
  const uint32_t infinity = ((1u << exponent_bits) - 1) << mantissa_bits;
  if (std::isnan(x)) return sign | infinity | (1u << (mantissa_bits - 1));
  if (std::isinf(x)) return sign | infinity;
  if (x == 0) return sign;
  const double step = spacing(dtype, x);
  const auto mantissa = static_cast<uint32_t>(std::fabs(x) / step);
  // A normal value's leading bit adds one to the exponent.
  const auto binade = static_cast<uint32_t>(std::ilogb(step) - type.least_exponent);
  return sign | ((binade << mantissa_bits) + mantissa);
}

inline double valueOf(DType dtype, uint32_t bits) {
  if (dtype == DType::i32) return static_cast<int32_t>(bits);
  const FloatType type = floatType(dtype);
  const int mantissa_bits = type.precision - 1;
  const int width = static_cast<int>(8 * sizeOf(dtype));
  const uint32_t magnitude = bits & ((1u << (width - 1)) - 1);
  const auto exponent = static_cast<int>(magnitude >> mantissa_bits);
  const uint32_t mantissa = magnitude & ((1u << mantissa_bits) - 1);
  const int most = (1 << (width - 1 - mantissa_bits)) - 1;
  double x = exponent == most ? (mantissa ? kNaN : std::numeric_limits<double>::infinity())
             : exponent == 0  ? std::ldexp(mantissa, type.least_exponent)
                              : std::ldexp(mantissa + (1u << mantissa_bits),
                                           exponent - 1 + type.least_exponent);
  return std::copysign(x, bits >> (width - 1) ? -1.0 : 1.0);
}

inline double readNumber(DType dtype, const uint8_t* from) {
  uint32_t bits = 0;
  std::memcpy(&bits, from, static_cast<size_t>(sizeOf(dtype)));
  return valueOf(dtype, bits);
}
inline void writeNumber(DType dtype, double x, uint8_t* to) {
  const uint32_t bits = bitsOf(dtype, x);
  std::memcpy(to, &bits, static_cast<size_t>(sizeOf(dtype)));
}

}  // namespace ptowsp::test
