// SPDX-License-Identifier: MIT
// Numbers of each dtype: rounding a double to one, and the bits of one. Every number of every dtype
// is a double, so the stages hold numbers as doubles and round once for each op.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include "generator/ir/workload.h"

namespace ptowsp::ir {

namespace detail {

// The bits of the nearest number, ties to even, of the IEEE 754 format that has 1 sign bit,
// 15 - kFraction bits of exponent and kFraction bits of fraction: f16 has 10, bf16 has 7.
template <int kFraction>
uint16_t halfBits(double x) {
  constexpr int kBias = (1 << (14 - kFraction)) - 1;
  constexpr int kDrop = 52 - kFraction;
  constexpr uint16_t kInfinityBits = static_cast<uint16_t>((2 * kBias + 1) << kFraction);
  const uint64_t bits = std::bit_cast<uint64_t>(x);
  const uint16_t sign = static_cast<uint16_t>(bits >> 63 << 15);
  if (std::isnan(x)) {
    // Quiet, and with what fits of the payload, as processors convert it.
    const uint64_t payload = (bits & ((uint64_t{1} << 52) - 1)) >> kDrop;
    return static_cast<uint16_t>(sign | kInfinityBits | uint64_t{1} << (kFraction - 1) | payload);
  }
  const double size = std::fabs(x);
  if (size < std::ldexp(1.0, 1 - kBias))  // subnormal: a multiple of the smallest number
    return static_cast<uint16_t>(
        sign | static_cast<uint16_t>(std::nearbyint(std::ldexp(size, kBias - 1 + kFraction))));
  uint64_t kept = bits & ~(uint64_t{1} << 63);
  kept += (uint64_t{1} << (kDrop - 1)) - 1 + (kept >> kDrop & 1);
  kept = (kept >> kDrop) - (uint64_t{1023 - kBias} << kFraction);
  return static_cast<uint16_t>(sign | (kept < kInfinityBits ? kept : kInfinityBits));
}

inline double f16Value(uint16_t bits) {
  const uint64_t sign = uint64_t{bits} >> 15 << 63;
  const uint64_t exponent = bits >> 10 & 31, fraction = bits & 1023;
  if (exponent == 0)
    return std::bit_cast<double>(sign | std::bit_cast<uint64_t>(0x1p-24 * static_cast<double>(fraction)));
  return std::bit_cast<double>(sign | (exponent == 31 ? 2047 : exponent + 1008) << 52 |
                               fraction << 42);
}

}  // namespace detail

// The bits of `value` as an element of `dtype`, in the low bits; `value` is rounded to nearest, ties
// to even. An i32 beyond its ends is the nearest of them, and 0 for NaN.
inline uint32_t bitsOf(DType dtype, double value) {
  switch (dtype) {
    case DType::f32:
      return std::bit_cast<uint32_t>(static_cast<float>(value));
    case DType::f16:
      return detail::halfBits<10>(value);
    case DType::bf16:
      return detail::halfBits<7>(value);
    case DType::i32:
      break;
  }
  if (std::isnan(value)) return 0;
  const double nearest = std::nearbyint(value);
  if (nearest <= -0x1p31) return 0x80000000;
  if (nearest >= 0x1p31 - 1) return 0x7fffffff;
  return static_cast<uint32_t>(static_cast<int32_t>(nearest));
}

// The number that an element of these bits is.
inline double valueOf(DType dtype, uint32_t bits) {
  switch (dtype) {
    case DType::f32:
      return static_cast<double>(std::bit_cast<float>(bits));
    case DType::f16:
      return detail::f16Value(static_cast<uint16_t>(bits));
    case DType::bf16:
      return static_cast<double>(std::bit_cast<float>(bits << 16));
    case DType::i32:
      break;
  }
  return static_cast<double>(static_cast<int32_t>(bits));
}

// `value` rounded once to `dtype`, as bitsOf() does.
inline double roundTo(DType dtype, double value) {
  return dtype == DType::f32 ? static_cast<double>(static_cast<float>(value))
                             : valueOf(dtype, bitsOf(dtype, value));
}

}  // namespace ptowsp::ir
