// SPDX-License-Identifier: MIT
// Statistics: what an array holds, in a few numbers. The range and the mean are those of its finite
// elements.
#pragma once

#include <cstdint>
#include <string>

#include "ptowsp/manifest.h"

namespace ptowsp::run {

struct Statistics {
  double least = 0, most = 0, sum = 0;
  int64_t finite = 0, nans = 0, infinities = 0;

  void add(double value);
  void add(glue::ElementType type, const void* array, uint64_t count);
  double mean() const { return sum / static_cast<double>(finite); }
  // "least -1, mean 2, most 5, 3 NaN, 1 infinite".
  std::string text() const;
};

}  // namespace ptowsp::run
