// SPDX-License-Identifier: MIT
// JsonWriter: JSON put together piece by piece, commas and escapes in one place.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace ptowsp::run {

class JsonWriter {
 public:
  // Inside an object every value is preceded by its key.
  JsonWriter& key(std::string_view name);
  JsonWriter& beginObject() { return open('{'); }
  JsonWriter& endObject() { return close('}'); }
  JsonWriter& beginArray() { return open('['); }
  JsonWriter& endArray() { return close(']'); }
  JsonWriter& value(std::string_view text);
  JsonWriter& value(const char* text) { return value(std::string_view(text)); }
  JsonWriter& value(const std::string& text) { return value(std::string_view(text)); }
  JsonWriter& value(int64_t number);
  JsonWriter& value(uint64_t number);
  JsonWriter& value(int number) { return value(int64_t{number}); }
  JsonWriter& value(bool truth);
  // What JSON has no number for becomes "inf", "-inf" or "nan".
  JsonWriter& value(double number);
  // Microseconds with three decimals, from nanoseconds.
  JsonWriter& microseconds(uint64_t nanoseconds);

  std::string& text() { return text_; }

 private:
  JsonWriter& open(char bracket);
  JsonWriter& close(char bracket);
  void separate();

  std::string text_;
  bool first_ = true;
};

}  // namespace ptowsp::run
