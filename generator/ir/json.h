// SPDX-License-Identifier: MIT
// JSON (RFC 8259) values that remember where they stood. nlohmann_json reads the text; its own
// values have no position, which the IR's errors need for every one, and cannot hold a key twice.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ptowsp::json {

struct Member;

// Value: `offset` is the byte where its text begins. An integer (no fraction, no exponent, fits
// int64) has `number` set as well.
struct Value {
  enum class Kind { null, boolean, integer, number, string, array, object } kind = Kind::null;
  size_t offset = 0;
  bool boolean = false;
  int64_t integer = 0;
  double number = 0;
  std::string text;             // string: its characters; integer and number: as written
  std::vector<Value> items;     // array
  std::vector<Member> members;  // object, in the order of the file, double keys included

  bool isNumber() const { return kind == Kind::integer || kind == Kind::number; }
  // The member of that name, or null; of two the later one.
  const Value* find(std::string_view key) const;
};

struct Member {
  std::string key;
  Value value;
};

// Error: what is wrong with a text that is not JSON, and at which byte.
struct Error {
  size_t offset = 0;
  std::string message;
};

// The value that `text` holds, or nothing and `error`. Text must be UTF-8. Values may nest 1000
// deep.
std::optional<Value> parse(std::string_view text, Error& error);

// "an object", "a string", "the number 3", for messages.
std::string describe(const Value& value);

// The shortest JSON text of a finite number that reads back as the same double.
std::string numberText(double number);
// A string in quotes, escaped.
std::string quoted(std::string_view text);
// The value as JSON on one line: "{"a": [1, 2]}".
std::string compact(const Value& value);

// A JSON pointer one step longer.
std::string pointer(std::string_view place, std::string_view key);
std::string pointer(std::string_view place, size_t index);

}  // namespace ptowsp::json
