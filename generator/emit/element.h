// SPDX-License-Identifier: MIT
// Element: how emitted kernels hold a dtype, in memory and in registers.
#pragma once

#include <string_view>

#include "generator/verify/program.h"

namespace ptowsp {

struct Element {
  std::string_view memory;     // type of an element of a tile
  std::string_view registers;  // vector type; the 16-bit floats are floats there
  std::string_view format;     // object of the support headers that converts, or empty
  int bytes;
};

inline const Element& elementOf(DType dtype) {
  static constexpr Element f32{"float", "ptowsp::Lanes", "", 4};
  static constexpr Element f16{"uint16_t", "ptowsp::Lanes", "F16", 2};
  static constexpr Element bf16{"uint16_t", "ptowsp::Lanes", "Bf16", 2};
  static constexpr Element i32{"int32_t", "ptowsp::Integers", "", 4};
  switch (dtype) {
    case DType::f16: return f16;
    case DType::bf16: return bf16;
    case DType::i32: return i32;
    case DType::f32: break;
  }
  return f32;
}

}  // namespace ptowsp
