// SPDX-License-Identifier: MIT
#include "generator/ir/json.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace ptowsp::json {
namespace {

std::string errorOf(std::string_view text) {
  Error error;
  EXPECT_FALSE(parse(text, error)) << text;
  return std::to_string(error.offset) + ": " + error.message;
}

Value valueOf(std::string_view text) {
  Error error;
  std::optional<Value> value = parse(text, error);
  EXPECT_TRUE(value) << text << " " << error.offset << ": " << error.message;
  return value.value_or(Value());
}

TEST(Json, ValuesKnowWhereTheyStand) {
  Value root = valueOf(" {\"a\": [1, true,\n null], \"b\":\"x\"}");
  EXPECT_EQ(root.offset, 1u);
  ASSERT_EQ(root.members.size(), 2u);
  const Value& a = root.members[0].value;
  EXPECT_EQ(a.offset, 7u);
  ASSERT_EQ(a.items.size(), 3u);
  EXPECT_EQ(a.items[0].offset, 8u);
  EXPECT_EQ(a.items[1].offset, 11u);
  EXPECT_EQ(a.items[2].offset, 18u);
  EXPECT_EQ(root.find("b")->text, "x");
  EXPECT_EQ(root.find("c"), nullptr);
}

TEST(Json, DoubleKeysAreKept) {
  Value root = valueOf(R"({"a": 1, "a": 2})");
  EXPECT_EQ(root.members.size(), 2u);
  EXPECT_EQ(root.find("a")->integer, 2);
}

TEST(Json, Numbers) {
  EXPECT_EQ(valueOf("9223372036854775807").integer, std::numeric_limits<int64_t>::max());
  EXPECT_EQ(valueOf("-9223372036854775808").integer, std::numeric_limits<int64_t>::min());
  EXPECT_EQ(valueOf("9223372036854775808").kind, Value::Kind::number);
  EXPECT_EQ(valueOf("[-0, 1.50e+2,7 ]").items[1].text, "1.50e+2");
  EXPECT_EQ(valueOf("[-0, 1.50e+2,7 ]").items[2].offset, 13u);
  EXPECT_EQ(valueOf("-0").text, "-0");
  EXPECT_EQ(valueOf("1.0").kind, Value::Kind::number);
  EXPECT_EQ(valueOf("1e3").number, 1000);
  EXPECT_EQ(valueOf("-0.5e-1").number, -0.05);
  EXPECT_TRUE(std::signbit(valueOf("-0").number));
  EXPECT_EQ(valueOf("1e-999").number, 0);
  EXPECT_EQ(valueOf("4.9406564584124654e-324").number, 5e-324);
  EXPECT_EQ(valueOf("1.7976931348623157e308").number, std::numeric_limits<double>::max());
}

TEST(Json, Strings) {
  EXPECT_EQ(valueOf(R"("\"\\\/\b\f\n\r\t")").text, "\"\\/\b\f\n\r\t");
  EXPECT_EQ(valueOf(R"("\u00e9\u20AC\ud83d\ude00")").text, "é€😀");
  EXPECT_EQ(valueOf("\"é€😀\"").text, "é€😀");
  EXPECT_EQ(valueOf(R"("\u0000")").text, std::string(1, '\0'));
}

TEST(Json, SaysWhatIsWrongAndWhere) {
  EXPECT_EQ(errorOf(""), "0: expected a value, found the end of the file");
  EXPECT_EQ(errorOf("{"), "1: expected a key in double quotes, found the end of the file");
  EXPECT_EQ(errorOf("{'a': 1}"), "1: expected a key in double quotes, found '''");
  EXPECT_EQ(errorOf("{\"a\" 1}"), "5: expected ':' after a key, found '1'");
  EXPECT_EQ(errorOf("{\"a\": 1,}"), "8: expected a key in double quotes after ',', found '}'");
  EXPECT_EQ(errorOf("[1 2]"), "3: expected ',' or ']' in an array, found '2'");
  EXPECT_EQ(errorOf("[1,]"), "3: expected a value after ',', found ']'");
  EXPECT_EQ(errorOf("[{\"a\":}]"), "6: expected a value after ':', found '}'");
  EXPECT_EQ(errorOf("[007]"), "2: expected ',' or ']' in an array, found '0'");
  EXPECT_EQ(errorOf("[,1]"), "1: expected a value, found ','");
  EXPECT_EQ(errorOf("[1"), "2: expected ',' or ']' in an array, found the end of the file");
  EXPECT_EQ(errorOf("nul"), "0: expected a value, found 'nul'");
  EXPECT_EQ(errorOf("True"), "0: expected a value, found 'True'");
  EXPECT_EQ(errorOf("1 // one"),
            "2: expected the end of the file, found a comment, which JSON does not have");
  EXPECT_EQ(errorOf("01"), "1: expected the end of the file, found '1'");
  EXPECT_EQ(errorOf("-"), "1: invalid number; expected digit after '-', found the end of the file");
  EXPECT_EQ(errorOf("1."),
            "2: invalid number; expected digit after '.', found the end of the file");
  EXPECT_EQ(errorOf("1e+"),
            "3: invalid number; expected digit after exponent sign, found the end of the file");
  EXPECT_EQ(errorOf("+1"), "0: expected a value, found '+'");
  EXPECT_EQ(errorOf(".5"), "0: expected a value, found '.'");
  EXPECT_EQ(errorOf("-1e400"), "0: the number -1e400 is too large");
  EXPECT_EQ(errorOf("[\"a"), "1: this string has no closing '\"' on its line");
  EXPECT_EQ(errorOf("\"a\nb\""), "0: this string has no closing '\"' on its line");
  EXPECT_EQ(errorOf("\"a\tb\""),
            "2: invalid string: control character U+0009 (HT) must be escaped to \\u0009 or \\t, "
            "found the byte 0x09");
  EXPECT_EQ(errorOf(R"("\x")"),
            "2: invalid string: forbidden character after backslash, found 'x'");
  EXPECT_EQ(errorOf(R"("\u12g4")"),
            "5: invalid string: '\\u' must be followed by 4 hex digits, found 'g4'");
  EXPECT_EQ(
      errorOf(R"("\ud800")"),
      "7: invalid string: surrogate U+D800..U+DBFF must be followed by U+DC00..U+DFFF, found '\"'");
  EXPECT_EQ(
      errorOf(R"("\ud800\u0041")"),
      "12: invalid string: surrogate U+D800..U+DBFF must be followed by U+DC00..U+DFFF, found '1'");
  EXPECT_EQ(errorOf(std::string_view("1\0", 2)),
            "1: expected the end of the file, found the byte 0x00");
  EXPECT_EQ(errorOf(std::string_view("[1,\0", 4)),
            "3: expected a value after ',', found the byte 0x00");
}

TEST(Json, RefusesWhatIsNotUtf8) {
  for (const char* bytes : {"\xff", "\xc3", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80", "\x80",
                            "\xf4\x90\x80\x80", "\xf0\x80\x80\x80", "\xe2\x82"}) {
    EXPECT_EQ(errorOf("\"" + std::string(bytes) + "\"").substr(0, 59),
              "1: invalid string: ill-formed UTF-8 byte, found the byte 0x");
  }
}

TEST(Json, PointsAtTheBeginningOfACharacterCutShort) {
  EXPECT_EQ(errorOf("\"caf\xe9\""),
            "4: invalid string: ill-formed UTF-8 byte, found the byte 0xe9");
  EXPECT_EQ(errorOf("\"\xc3\xa9\x80\""),
            "3: invalid string: ill-formed UTF-8 byte, found the byte 0x80");
  EXPECT_EQ(errorOf("[“a”]"), "1: expected a value, found '“'");
}

TEST(Json, DepthIsLimited) {
  EXPECT_EQ(valueOf(std::string(900, '[') + std::string(900, ']')).items.size(), 1u);
  EXPECT_EQ(errorOf(std::string(100000, '[')), "1001: values nest deeper than 1000 levels");
}

// No prefix and no single changed byte of a good text may do worse than give an error.
TEST(Json, DamagedTextsAreErrorsOrValues) {
  const std::string text =
      R"({"a": [1.5e3, -2, "é\n\u20ac"], "b": {"c": null, "d": [true, false]}})";
  for (size_t i = 0; i < text.size(); ++i) errorOf(text.substr(0, i));
  for (size_t i = 0; i < text.size(); ++i) {
    for (int byte = 0; byte < 256; ++byte) {
      std::string damaged = text;
      damaged[i] = static_cast<char>(byte);
      Error error;
      if (!parse(damaged, error)) {
        EXPECT_LE(error.offset, damaged.size());
      }
    }
  }
}

TEST(Json, CompactReadsBack) {
  const std::string text =
      R"({"a": [1, 2.5, -1e-07, "q\"\\\n\u0001é"], "b": {}, "c": [], "d": null, "e": true})";
  EXPECT_EQ(compact(valueOf(text)), text);
}

TEST(Json, NumbersReadBackAsTheSameDouble) {
  for (double number : {0.1, 1.0 / 3, 1e22, 5e-324, 1.7976931348623157e308, -0.0, 8192.0}) {
    double back = valueOf(numberText(number)).number;
    EXPECT_EQ(back, number);
    EXPECT_EQ(std::signbit(back), std::signbit(number));
  }
}

TEST(Json, PointersEscape) {
  EXPECT_EQ(pointer("/a", "b/c~d"), "/a/b~1c~0d");
  EXPECT_EQ(pointer("", size_t{3}), "/3");
}

}  // namespace
}  // namespace ptowsp::json
