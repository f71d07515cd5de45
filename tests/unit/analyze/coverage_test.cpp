// SPDX-License-Identifier: MIT
#include "generator/analyze/coverage.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/seed.h"

namespace ptowsp {
namespace {

using graph::Rect;

TEST(Coverage, agreesWithCountingElements) {
  const uint64_t seed = test::testSeed();
  for (int i = 0; i < 3000; ++i) {
    SCOPED_TRACE("case " + std::to_string(i));
    std::mt19937_64 random(seed + static_cast<uint64_t>(i));
    const auto pick = [&](int low, int high) {
      return std::uniform_int_distribution<int>(low, high)(random);
    };
    const auto rect = [&] {
      const int row = pick(0, 7), col = pick(0, 7);
      return Rect{row, col, row + pick(1, 8), col + pick(1, 8)};
    };
    const Rect region = rect();
    std::vector<Rect> rects;
    for (int n = pick(0, 12); n > 0; --n) rects.push_back(rect());
    const auto touched = [&](int row, int col) {
      for (const Rect& r : rects) {
        if (row >= r.row0 && row < r.row1 && col >= r.col0 && col < r.col1) return true;
      }
      return false;
    };
    bool covered = true;
    for (int row = region.row0; row < region.row1; ++row) {
      for (int col = region.col0; col < region.col1; ++col) covered = covered && touched(row, col);
    }
    const auto part = uncoveredPart(region, rects);
    ASSERT_EQ(!part.has_value(), covered);
    if (!part) continue;
    ASSERT_GE(part->row0, region.row0);
    ASSERT_LE(part->row1, region.row1);
    ASSERT_GT(areaOf(*part), 0);
    for (int row = part->row0; row < part->row1; ++row) {
      for (int col = part->col0; col < part->col1; ++col) ASSERT_FALSE(touched(row, col));
    }
  }
}

}  // namespace
}  // namespace ptowsp
