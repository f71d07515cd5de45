// SPDX-License-Identifier: MIT
#include "runtime_glue/glue/compare.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

namespace ptowsp::glue {
namespace {

double halfValue(uint16_t bits) {
  const int exponent = bits >> 10 & 31;
  const int fraction = bits & 1023;
  const double sign = bits & 0x8000 ? -1 : 1;
  if (exponent == 31)
    return fraction ? std::numeric_limits<double>::quiet_NaN()
                    : sign * std::numeric_limits<double>::infinity();
  return exponent ? sign * std::ldexp(1024 + fraction, exponent - 25)
                  : sign * std::ldexp(fraction, -24);
}

template <typename T>
T load(const void* data, uint64_t index) {
  T value;
  std::memcpy(&value, static_cast<const char*>(data) + index * sizeof(T), sizeof(T));
  return value;
}

template <ElementType type>
double decode(const void* data, uint64_t index) {
  if constexpr (type == ElementType::f32) {
    return load<float>(data, index);
  } else if constexpr (type == ElementType::i32) {
    return load<int32_t>(data, index);
  } else if constexpr (type == ElementType::f16) {
    return halfValue(load<uint16_t>(data, index));
  } else {
    const uint32_t bits = uint32_t{load<uint16_t>(data, index)} << 16;
    return load<float>(&bits, 0);
  }
}

template <ElementType type>
void compareElements(const void* got, const void* expected, uint64_t begin, uint64_t end,
                     Tolerance tolerance, Comparison* result) {
  if (type == ElementType::i32) tolerance = {};
  for (uint64_t i = begin; i < end; ++i) {
    const double g = decode<type>(got, i), e = decode<type>(expected, i);
    if (g == e || (std::isnan(g) && std::isnan(e))) continue;
    double error = std::fabs(g - e);
    if (std::isnan(error)) error = std::numeric_limits<double>::infinity();
    const double size = std::fabs(e);
    result->max_abs = std::max(result->max_abs, error);
    if (size > 0) {
      const double relative = std::isinf(error) ? error : error / size;
      result->max_rel = std::max(result->max_rel, relative);
    }
    const bool right =
        !std::isinf(error) && (error <= tolerance.atol || error <= tolerance.rtol * size);
    if (!right && result->differing++ == 0) result->first = i;
  }
}

}  // namespace

void compareRange(ElementType type, const void* got, const void* expected, uint64_t begin,
                  uint64_t count, Tolerance tolerance, Comparison* comparison) {
  const size_t size = elementSize(type);
  const char* g = static_cast<const char*>(got);
  const char* e = static_cast<const char*>(expected);
  // Most of a right result is right to the bit, so blocks of equal bytes are passed over.
  constexpr uint64_t kBlock = 1024;
  for (uint64_t at = begin; at < begin + count; at += kBlock) {
    const uint64_t end = std::min(at + kBlock, begin + count);
    if (std::memcmp(g + at * size, e + at * size, (end - at) * size) == 0) continue;
    switch (type) {
      case ElementType::f32:
        compareElements<ElementType::f32>(got, expected, at, end, tolerance, comparison);
        break;
      case ElementType::f16:
        compareElements<ElementType::f16>(got, expected, at, end, tolerance, comparison);
        break;
      case ElementType::bf16:
        compareElements<ElementType::bf16>(got, expected, at, end, tolerance, comparison);
        break;
      case ElementType::i32:
        compareElements<ElementType::i32>(got, expected, at, end, tolerance, comparison);
        break;
    }
  }
  comparison->compared += count;
}

double valueAt(ElementType type, const void* data, uint64_t index) {
  switch (type) {
    case ElementType::f32:
      return decode<ElementType::f32>(data, index);
    case ElementType::f16:
      return decode<ElementType::f16>(data, index);
    case ElementType::bf16:
      return decode<ElementType::bf16>(data, index);
    case ElementType::i32:
      break;
  }
  return decode<ElementType::i32>(data, index);
}

std::string elementName(const TensorInfo& tensor, uint64_t index) {
  std::string text;
  for (size_t d = tensor.shape.size(); d-- > 0;) {
    const uint64_t extent = static_cast<uint64_t>(tensor.shape[d]);
    text = std::to_string(index % extent) + (text.empty() ? "" : ", ") + text;
    index /= extent;
  }
  return tensor.name + "[" + text + "]";
}

}  // namespace ptowsp::glue
