// SPDX-License-Identifier: MIT
#include "runtime_glue/run/statistics.h"

#include <algorithm>
#include <cmath>

#include "runtime_glue/glue/compare.h"
#include "runtime_glue/glue/text.h"

namespace ptowsp::run {

void Statistics::add(double value) {
  nans += std::isnan(value);
  infinities += std::isinf(value);
  if (!std::isfinite(value)) return;
  least = finite ? std::min(least, value) : value;
  most = finite ? std::max(most, value) : value;
  sum += value;
  ++finite;
}

void Statistics::add(glue::ElementType type, const void* array, uint64_t count) {
  for (uint64_t i = 0; i < count; ++i) add(glue::valueAt(type, array, i));
}

std::string Statistics::text() const {
  std::string text = finite ? glue::format("least %.6g, mean %.6g, most %.6g", least, mean(), most)
                            : std::string("no finite element");
  if (nans) text += glue::format(", %lld NaN", static_cast<long long>(nans));
  if (infinities) text += glue::format(", %lld infinite", static_cast<long long>(infinities));
  return text;
}

}  // namespace ptowsp::run
