// SPDX-License-Identifier: MIT
#include "generator/analyze/coverage.h"

#include <algorithm>

namespace ptowsp {

using graph::Rect;

// Halves the region at an edge of a rectangle, the median one, until a half is covered by one
// rectangle or touched by none.
std::optional<Rect> uncoveredPart(const Rect& region, std::vector<Rect> rects) {
  std::vector<int32_t> row_cuts, col_cuts;
  std::erase_if(rects, [&](const Rect& r) {
    return r.row1 <= region.row0 || r.row0 >= region.row1 || r.col1 <= region.col0 ||
           r.col0 >= region.col1;
  });
  if (rects.empty()) return region;
  for (const Rect& r : rects) {
    const size_t cuts = row_cuts.size() + col_cuts.size();
    if (r.row0 > region.row0) row_cuts.push_back(r.row0);
    if (r.row1 < region.row1) row_cuts.push_back(r.row1);
    if (r.col0 > region.col0) col_cuts.push_back(r.col0);
    if (r.col1 < region.col1) col_cuts.push_back(r.col1);
    if (row_cuts.size() + col_cuts.size() == cuts) return std::nullopt;
  }
  const bool by_rows = row_cuts.size() >= col_cuts.size();
  std::vector<int32_t>& cuts = by_rows ? row_cuts : col_cuts;
  const auto middle = cuts.begin() + static_cast<std::ptrdiff_t>(cuts.size() / 2);
  std::nth_element(cuts.begin(), middle, cuts.end());
  Rect first = region, second = region;
  if (by_rows) {
    first.row1 = second.row0 = *middle;
  } else {
    first.col1 = second.col0 = *middle;
  }
  if (const auto part = uncoveredPart(first, rects)) return part;
  return uncoveredPart(second, std::move(rects));
}

}  // namespace ptowsp
