// SPDX-License-Identifier: MIT
// ptowsp::f16 and ptowsp::bf16: elements of tensors of these dtypes, to store and to convert. They
// have no arithmetic of their own: kernels have. C++17.
#pragma once

#include <cstdint>
#include <cstring>
#include <type_traits>

namespace ptowsp {
namespace detail {

template <typename Number>
using IfNumber = std::enable_if_t<std::is_arithmetic_v<Number>>;

inline std::uint32_t bitsOf(float value) {
  std::uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}
inline float floatOf(std::uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

// To the nearest, ties to even; beyond 65504 an infinity. A NaN stays one.
inline std::uint16_t halfBits(float value) {
  const std::uint32_t bits = bitsOf(value);
  const std::uint32_t sign = bits >> 16 & 0x8000u, magnitude = bits & 0x7FFFFFFFu;
  if (magnitude > 0x7F800000u) return static_cast<std::uint16_t>(sign | 0x7E00u);
  if (magnitude >= 0x477FF000u) return static_cast<std::uint16_t>(sign | 0x7C00u);
  if (magnitude < 0x38800000u) {
    // Below the smallest normal number: a multiple of 2^-24. Adding 0.5 rounds to one.
    const float shifted = floatOf(magnitude) + 0.5f;
    return static_cast<std::uint16_t>(sign | (bitsOf(shifted) - 0x3F000000u));
  }
  const std::uint32_t rounded = magnitude + 0xFFFu + (magnitude >> 13 & 1u);
  return static_cast<std::uint16_t>(sign | ((rounded - 0x38000000u) >> 13));
}

inline float halfValue(std::uint16_t half) {
  const std::uint32_t sign = (half & 0x8000u) << 16, magnitude = half & 0x7FFFu;
  if (magnitude >= 0x7C00u) return floatOf(sign | 0x7F800000u | (magnitude & 0x3FFu) << 13);
  if (magnitude >= 0x400u) return floatOf(sign | ((magnitude << 13) + 0x38000000u));
  return floatOf(sign | bitsOf(static_cast<float>(magnitude) * 0x1p-24f));
}

// To the nearest, ties to even. A NaN stays one.
inline std::uint16_t brainBits(float value) {
  const std::uint32_t bits = bitsOf(value);
  if ((bits & 0x7FFFFFFFu) > 0x7F800000u) return static_cast<std::uint16_t>(bits >> 16 | 0x40u);
  return static_cast<std::uint16_t>((bits + 0x7FFFu + (bits >> 16 & 1u)) >> 16);
}

}  // namespace detail

// f16: IEEE binary16, 1 sign, 5 exponent and 10 fraction bits. may_alias: arrays of the compiler's own
// type are arrays of this one, too.
struct __attribute__((may_alias)) f16 {
  std::uint16_t bits = 0;

  f16() = default;
  // From and to numbers of all types, by way of float.
  template <typename Number, typename = detail::IfNumber<Number>>
  explicit f16(Number value) : bits(detail::halfBits(static_cast<float>(value))) {}
  template <typename Number, typename = detail::IfNumber<Number>>
  explicit operator Number() const {
    return static_cast<Number>(detail::halfValue(bits));
  }
#ifdef __FLT16_MANT_DIG__
  f16(_Float16 value) { std::memcpy(&bits, &value, sizeof bits); }
  operator _Float16() const {
    _Float16 value;
    std::memcpy(&value, &bits, sizeof value);
    return value;
  }
#endif
  static f16 fromBits(std::uint16_t bits) {
    f16 value;
    value.bits = bits;
    return value;
  }
};

// bf16: the upper half of a float, 1 sign, 8 exponent and 7 fraction bits.
struct __attribute__((may_alias)) bf16 {
  std::uint16_t bits = 0;

  bf16() = default;
  template <typename Number, typename = detail::IfNumber<Number>>
  explicit bf16(Number value) : bits(detail::brainBits(static_cast<float>(value))) {}
  template <typename Number, typename = detail::IfNumber<Number>>
  explicit operator Number() const {
    return static_cast<Number>(detail::floatOf(static_cast<std::uint32_t>(bits) << 16));
  }
  static bf16 fromBits(std::uint16_t bits) {
    bf16 value;
    value.bits = bits;
    return value;
  }
};

static_assert(sizeof(f16) == 2 && sizeof(bf16) == 2, "arrays of them are arrays of 16 bits");

}  // namespace ptowsp
