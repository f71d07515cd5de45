// SPDX-License-Identifier: MIT
#include "ptowsp/hash.h"

#include <gtest/gtest.h>

#include <limits>

#include "generator/base/checked.h"

namespace ptowsp {
namespace {

// Values from the test vectors of FNV's authors.
static_assert(fnv1a64("") == 0xcbf29ce484222325u);
static_assert(fnv1a64("a") == 0xaf63dc4c8601ec8cu);
static_assert(fnv1a64("foobar") == 0x85944171f73967e8u);
static_assert(fnv1a64("bar", fnv1a64("foo")) == fnv1a64("foobar"));

TEST(Hash, HighBytesCountAsUnsigned) {
  EXPECT_EQ(fnv1a64("\xff"), (kFnvOffset ^ 0xff) * 0x100000001b3u);
}

TEST(Hash, HexHasSixteenDigits) {
  EXPECT_EQ(hex16(0), "0000000000000000");
  EXPECT_EQ(hex16(0xcbf29ce484222325u), "cbf29ce484222325");
  EXPECT_EQ(hex16(~uint64_t{0}), "ffffffffffffffff");
}

TEST(Checked, GivesNothingWhereTheResultDoesNotFit) {
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  constexpr int64_t kLeast = std::numeric_limits<int64_t>::min();
  EXPECT_EQ(checkedAdd(kMost, 0), kMost);
  EXPECT_EQ(checkedAdd(kMost, 1), std::nullopt);
  EXPECT_EQ(checkedSub(kLeast, 1), std::nullopt);
  EXPECT_EQ(checkedSub(0, kLeast), std::nullopt);
  EXPECT_EQ(checkedMul(int64_t{1} << 31, int64_t{1} << 31), int64_t{1} << 62);
  EXPECT_EQ(checkedMul(int64_t{1} << 32, int64_t{1} << 31), std::nullopt);
  EXPECT_EQ(checkedMul(kLeast, -1), std::nullopt);
}

}  // namespace
}  // namespace ptowsp
