// SPDX-License-Identifier: MIT
#include "generator/ir/view.h"

#include <gtest/gtest.h>

#include <functional>
#include <random>

#include "tests/seed.h"

namespace ptowsp::ir {
namespace {

std::string canonical(std::string_view text) {
  std::string error;
  std::optional<View> view = parseView(text, error);
  return view ? print(*view) : "error: " + error;
}

TEST(View, HasOneSpelling) {
  EXPECT_EQ(canonical("x"), "x");
  EXPECT_EQ(canonical(" x [ 8 * r : 8*r+8 , : ]"), "x[8*r:8*r+8, :]");
  EXPECT_EQ(canonical("x[b][t]"), "x[b, t]");
  EXPECT_EQ(canonical("x[b,t][0:4]"), "x[b, t, 0:4]");
  EXPECT_EQ(canonical("x[:, 3:]"), "x[:, 3:]");
  EXPECT_EQ(canonical("x[8*(r+1)-8:(r+1)*8]"), "x[8*r:8*r+8]");
  EXPECT_EQ(canonical("x[b+a-b]"), "x[a]");
  EXPECT_EQ(canonical("x[r-r]"), "x[0]");
  EXPECT_EQ(canonical("x[-r+4]"), "x[-r+4]");
  EXPECT_EQ(canonical("x[4 - 2*i*3]"), "x[-6*i+4]");
  EXPECT_EQ(canonical("x[2*3*4]"), "x[24]");
  EXPECT_EQ(canonical("x[(2+1)*(i - j)]"), "x[3*i-3*j]");
  EXPECT_EQ(canonical("x[--r]"), "x[r]");
  EXPECT_EQ(canonical("_x1[r_2]"), "_x1[r_2]");
}

TEST(View, Overflow) {
  EXPECT_EQ(canonical("x[9223372036854775807]"), "x[9223372036854775807]");
  EXPECT_EQ(canonical("x[-9223372036854775807]"), "x[-9223372036854775807]");
  for (const char* text :
       {"x[9223372036854775808]", "x[9223372036854775807+1]", "x[-9223372036854775807-1]",
        "x[4294967296*4294967296*r]", "x[9223372036854775807*r+r]"}) {
    EXPECT_NE(canonical(text).find("does not fit 64 bits"), std::string::npos) << text;
  }
}

TEST(View, Errors) {
  EXPECT_EQ(canonical(""),
            "error: view '', character 1: expected the name of a tensor, found the end");
  EXPECT_EQ(canonical("x]"), "error: view 'x]', character 2: expected '[' or the end, found ']'");
  EXPECT_EQ(canonical("x[1"), "error: view 'x[1', character 4: expected ',' or ']', found the end");
  EXPECT_EQ(canonical("x[1 2]"),
            "error: view 'x[1 2]', character 5: expected ',' or ']', found '2'");
  EXPECT_EQ(
      canonical("x[1,]"),
      "error: view 'x[1,]', character 5: expected an integer, a loop variable or '(', found ']'");
  EXPECT_EQ(canonical("x[a*b*2]"),
            "error: view 'x[a*b*2]', character 6: an index is affine: 'a' times 'b' multiplies two "
            "loop variables");
  EXPECT_EQ(
      canonical("x[a%2]"),
      "error: view 'x[a%2]', character 4: an index has + - * and parentheses only, found '%'");
  EXPECT_EQ(
      canonical("x[1.5]"),
      "error: view 'x[1.5]', character 4: expected an integer (write 8*r, not 8r), found '.'");
  EXPECT_EQ(
      canonical("x[::2]"),
      "error: view 'x[::2]', character 4: slices have no step; expected ',' or ']', found ':'");
  EXPECT_EQ(canonical("x[\n0]").substr(0, 30), "error: view 'x[\n0]', character");
  EXPECT_EQ(canonical("x[" + std::string(100000, '(')).find("deeper than 100"),
            canonical("x[" + std::string(100000, '(')).size() - 22);
}

// Random expressions mean the same after printing, and what is printed is printed again as it is.
TEST(View, PrintingKeepsTheMeaning) {
  std::mt19937 random(static_cast<uint32_t>(test::testSeed()));
  auto pick = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
  const std::string variables[] = {"i", "j", "k"};
  const int64_t values[] = {3, 7, -5};
  struct Text {
    std::string text;
    int64_t value;
    bool constant;
  };
  std::function<Text(int)> sum = [&](int depth) -> Text {
    int kind = depth > 4 ? pick(2) : pick(6);
    if (kind == 0) {
      int n = pick(20);
      return {std::to_string(n), n, true};
    }
    if (kind == 1) {
      int v = pick(3);
      return {variables[v], values[v], false};
    }
    Text a = sum(depth + 1), b = sum(depth + 1);
    if (kind == 2)
      return {"(" + a.text + "+" + b.text + ")", a.value + b.value, a.constant && b.constant};
    if (kind == 3)
      return {"(" + a.text + " - " + b.text + ")", a.value - b.value, a.constant && b.constant};
    if (kind == 4) return {"-" + a.text, -a.value, a.constant};
    int n = pick(9);
    return {std::to_string(n) + "*" + a.text, n * a.value, a.constant};
  };
  for (int round = 0; round < 2000; ++round) {
    Text text = sum(0);
    std::string error;
    std::optional<View> view = parseView("x[" + text.text + "]", error);
    ASSERT_TRUE(view) << error;
    int64_t value = view->subscripts[0].index->constant;
    for (const auto& [variable, k] : view->subscripts[0].index->coefficients) {
      value += k * values[variable[0] - 'i'];
      EXPECT_NE(k, 0);
    }
    ASSERT_EQ(value, text.value) << text.text;
    ASSERT_EQ(canonical(print(*view)), print(*view));
    EXPECT_EQ(parseView(print(*view), error)->subscripts[0].index, view->subscripts[0].index);
  }
}

}  // namespace
}  // namespace ptowsp::ir
