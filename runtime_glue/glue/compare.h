// SPDX-License-Identifier: MIT
// Compare: a result against what is expected of it.
//
// An element is right when |got - expected| <= atol or <= rtol * |expected|. NaN equals NaN, an
// infinity only the same infinity; i32 is exact whatever the tolerances.
#pragma once

#include <cstdint>
#include <string>

#include "ptowsp/manifest.h"

namespace ptowsp::glue {

struct Tolerance {
  double rtol = 0, atol = 0;
};

// Comparison: what was found so far. The largest errors are over all elements, right ones too; the
// relative one leaves out elements of which 0 is expected. A NaN where none is expected, or the
// reverse, counts as an infinite error.
struct Comparison {
  uint64_t compared = 0;
  uint64_t differing = 0;
  uint64_t first = 0;  // flat index of the first differing element, when there is one
  double max_abs = 0, max_rel = 0;
};

// Compares elements [begin, begin + count) of two arrays and adds to `comparison`.
void compareRange(ElementType type, const void* got, const void* expected, uint64_t begin,
                  uint64_t count, Tolerance tolerance, Comparison* comparison);

// One element as a number.
double valueAt(ElementType type, const void* data, uint64_t index);

// "y[3, 17]".
std::string elementName(const TensorInfo& tensor, uint64_t index);

}  // namespace ptowsp::glue
