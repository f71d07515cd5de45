// SPDX-License-Identifier: MIT
// Whether rectangles cover a region, exact to the element.
#pragma once

#include <optional>
#include <vector>

#include "ptowsp/task_graph.h"

namespace ptowsp {

inline int64_t areaOf(const graph::Rect& rect) {
  return static_cast<int64_t>(rect.row1 - rect.row0) * (rect.col1 - rect.col0);
}

// A part of `region` that none of `rects` touches, towards its top left; nothing when the rects,
// which may overlap one another, cover it all.
std::optional<graph::Rect> uncoveredPart(const graph::Rect& region, std::vector<graph::Rect> rects);

}  // namespace ptowsp
