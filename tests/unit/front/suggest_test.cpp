// SPDX-License-Identifier: MIT
#include "generator/base/suggest.h"

#include <gtest/gtest.h>

namespace ptowsp {
namespace {

const std::vector<std::string_view> kOps = {"add", "sub", "mul", "rsqrt", "rowsum", "rowmax"};

TEST(NearestName, FindsSlips) {
  EXPECT_EQ(nearestName("mull", kOps), "mul");
  EXPECT_EQ(nearestName("ad", kOps), "add");
  EXPECT_EQ(nearestName("ADD", kOps), "add");
  EXPECT_EQ(nearestName("rwosum", kOps), "rowsum");
  EXPECT_EQ(nearestName("row_max", kOps), "rowmax");
  EXPECT_EQ(nearestName("output", {"in", "out"}), "out");
  EXPECT_EQ(nearestName("X", {"x", "y"}), "x");
}

TEST(NearestName, GivesNothingForOtherWords) {
  EXPECT_EQ(nearestName("frobnicate", kOps), "");
  EXPECT_EQ(nearestName("q", {"x", "y"}), "");
  EXPECT_EQ(nearestName("", kOps), "");
  EXPECT_EQ(nearestName("add", {}), "");
  EXPECT_EQ(nearestName(std::string(100000, 'a'), kOps), "");
}

TEST(NearestName, TakesTheNearestAndOfEqualsTheFirst) {
  EXPECT_EQ(nearestName("rowmas", {"rowsum", "rowmax"}), "rowmax");
  EXPECT_EQ(nearestName("abd", {"abc", "abe"}), "abc");
}

TEST(Suggestion, NamesTheNearestElseAllElseNothing) {
  EXPECT_EQ(suggestion("mull", "ops", kOps), "did you mean 'mul'?");
  EXPECT_EQ(suggestion("frob", "ops", {"add", "sub"}), "known ops: add, sub");
  EXPECT_EQ(suggestion("frob", "ops", {}), "");
  std::vector<std::string> names;
  for (int i = 0; i < 100; ++i) names.push_back("tensor_number_" + std::to_string(i));
  std::vector<std::string_view> many(names.begin(), names.end());
  EXPECT_TRUE(suggestion("q", "tensors", many).ends_with("tensor_number_23, ..."));
}

}  // namespace
}  // namespace ptowsp
