// SPDX-License-Identifier: MIT
#include "generator/ir/json.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstddef>
#include <iterator>
#include <nlohmann/json.hpp>

namespace ptowsp::json {
namespace {

using Json = nlohmann::json;

constexpr size_t kDeepest = 1000;  // far more than loops need, and safe for the stack

// How many bytes a UTF-8 character has that begins with this byte.
size_t utf8Length(char c) {
  unsigned char first = static_cast<unsigned char>(c);
  return first < 0xC0 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
}

// Cursor: an input iterator whose copies share one position, so that the handler below knows how
// far nlohmann_json has read.
class Cursor {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = char;

  explicit Cursor(const char*& at) : at_(&at) {}
  char operator*() const { return **at_; }
  Cursor& operator++() {
    ++*at_;
    return *this;
  }
  bool operator==(const Cursor& other) const { return *at_ == *other.at_; }

 private:
  const char** at_;
};

// Builder: makes the tree of values from nlohmann_json's events. Every token but ',' and ':' is an
// event, so a token begins behind the event before, white space and one separator at most.
class Builder : public nlohmann::json_sax<Json> {
 public:
  Builder(std::string_view text, Error& error) : text_(text), error_(error) {}

  std::optional<Value> document() {
    if (text_.starts_with("\xEF\xBB\xBF")) {
      fail(0, "the file begins with a byte order mark; save it as plain UTF-8");
      return std::nullopt;
    }
    const char* end = text_.data() + text_.size();
    if (!Json::sax_parse(Cursor(at_), Cursor(end), this)) return std::nullopt;
    // nlohmann_json takes a zero byte for the end.
    if (token().begin != text_.size()) {
      unexpected();
      return std::nullopt;
    }
    return std::move(root_);
  }

  bool null() override { return begin(Value::Kind::null) != nullptr; }

  bool boolean(bool boolean) override {
    Value* value = begin(Value::Kind::boolean);
    if (value) value->boolean = boolean;
    return value;
  }

  // Only what begins with '-' comes here.
  bool number_integer(int64_t integer) override {
    if (integer == 0) return number(Value::Kind::integer, 0, -0.0, "-0");
    return number(Value::Kind::integer, integer, static_cast<double>(integer),
                  std::to_string(integer));
  }

  bool number_unsigned(uint64_t integer) override {
    bool fits = integer <= INT64_MAX;
    return number(fits ? Value::Kind::integer : Value::Kind::number,
                  fits ? static_cast<int64_t>(integer) : 0, static_cast<double>(integer),
                  std::to_string(integer));
  }

  bool number_float(double number, const std::string& text) override {
    return this->number(Value::Kind::number, 0, number, text);
  }

  bool string(std::string& text) override {
    Value* value = begin(Value::Kind::string);
    if (value) value->text = std::move(text);
    return value;
  }

  bool binary(Json::binary_t&) override { return false; }  // not in JSON text

  bool start_object(size_t) override { return open(Value::Kind::object); }
  bool end_object() override { return close(); }
  bool start_array(size_t) override { return open(Value::Kind::array); }
  bool end_array() override { return close(); }

  bool key(std::string& key) override {
    open_.back()->members.emplace_back().key = std::move(key);
    behindToken(':');
    return true;
  }

  bool parse_error(size_t bytes_read, const std::string& last_token,
                   const nlohmann::detail::exception& exception) override {
    size_t begin = token().begin;
    if (exception.id == 406) return fail(begin, "the number " + last_token + " is too large");
    // "[json.exception...] parse error at ...: syntax error while parsing value - invalid string:
    // missing closing quote; last read: '...'"
    std::string_view reason = exception.what();
    reason.remove_prefix(std::min(reason.find(" - "), reason.size() - 3) + 3);
    if (!reason.starts_with("invalid string") && !reason.starts_with("invalid number")) {
      return unexpected();
    }
    reason = reason.substr(0, reason.find("; last read: "));
    size_t at = bytes_read - 1;
    bool at_line_end = at == text_.size() || text_[at] == '\n' || text_[at] == '\r';
    if (text_[begin] == '"' && at_line_end) {
      return fail(begin, "this string has no closing '\"' on its line");
    }
    if (reason.find("UTF-8") != reason.npos) {
      size_t i = 1;  // how far before this byte a character begins that it cuts short
      while (i <= 3 && i <= at && utf8Length(text_[at - i]) <= i) ++i;
      if (i <= 3 && i <= at) at -= i;
    }
    return fail(at, std::string(reason) + ", found " + found(at));
  }

 private:
  struct Token {
    size_t begin = 0;
    bool separated = false;  // whether it stands behind the separator
  };

  Token token() const {
    auto behindSpace = [this](size_t at) {
      return std::min(text_.find_first_not_of(" \t\n\r", at), text_.size());
    };
    size_t at = behindSpace(behind_);
    if (!separator_ || at == text_.size() || text_[at] != separator_) return {at, false};
    return {behindSpace(at + 1), true};
  }

  bool fail(size_t offset, std::string message) {
    error_ = {offset, std::move(message)};
    return false;
  }

  bool unexpected() {
    auto [begin, separated] = token();
    return fail(begin, "expected " + expected(separated) + ", found " + found(begin));
  }

  std::string expected(bool separated) const {
    if (open_.empty()) return behind_ ? "the end of the file" : "a value";
    bool object = open_.back()->kind == Value::Kind::object;
    if (separator_ == ':') return separated ? "a value after ':'" : "':' after a key";
    if (separator_ && !separated)
      return object ? "',' or '}' in an object" : "',' or ']' in an array";
    std::string first = object ? "a key in double quotes" : "a value";
    return separated ? first + " after ','" : first;
  }

  std::string found(size_t at) const {
    if (at >= text_.size()) return "the end of the file";
    std::string_view rest = text_.substr(at);
    if (rest.starts_with("//") || rest.starts_with("/*") || rest[0] == '#') {
      return "a comment, which JSON does not have";
    }
    auto isWord = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; };
    if (std::isalpha(static_cast<unsigned char>(rest[0]))) {
      auto end =
          std::find_if_not(rest.begin(), rest.begin() + std::min<size_t>(rest.size(), 20), isWord);
      return "'" + std::string(rest.begin(), end) + "'";
    }
    unsigned char first = static_cast<unsigned char>(rest[0]);
    std::string character(rest.substr(0, utf8Length(rest[0])));
    bool ascii = first >= 0x20 && first < 0x7F;
    if (ascii || (first >= 0x80 && Json::accept('"' + character + '"')))
      return "'" + character + "'";
    constexpr char kHex[] = "0123456789abcdef";
    return std::string("the byte 0x") + kHex[first >> 4] + kHex[first & 15];
  }

  // Where the value just read belongs, or null when that is too deep.
  Value* begin(Value::Kind kind) {
    size_t offset = token().begin;
    if (open_.size() > kDeepest) {
      fail(offset, "values nest deeper than 1000 levels");
      return nullptr;
    }
    Value* value = &root_;
    if (!open_.empty()) {
      Value& parent = *open_.back();
      value = parent.kind == Value::Kind::array ? &parent.items.emplace_back()
                                                : &parent.members.back().value;
    }
    value->kind = kind;
    value->offset = offset;
    behindToken(open_.empty() ? '\0' : ',');
    return value;
  }

  bool number(Value::Kind kind, int64_t integer, double number, const std::string& text) {
    Value* value = begin(kind);
    if (!value) return false;
    value->integer = integer;
    value->number = number;
    value->text = text_.substr(value->offset, text.size());  // a locale may change the point
    behind_ = value->offset + text.size();                   // nlohmann_json reads one byte further
    return true;
  }

  bool open(Value::Kind kind) {
    Value* value = begin(kind);
    if (!value) return false;
    open_.push_back(value);
    separator_ = '\0';
    return true;
  }

  bool close() {
    open_.pop_back();
    behindToken(open_.empty() ? '\0' : ',');
    return true;
  }

  void behindToken(char separator) {
    behind_ = static_cast<size_t>(at_ - text_.data());
    separator_ = separator;
  }

  std::string_view text_;
  Error& error_;
  const char* at_ = text_.data();  // how far nlohmann_json has read
  size_t behind_ = 0;              // the end of the last event's token
  char separator_ = '\0';          // what may stand between that and the next
  Value root_;
  std::vector<Value*> open_;
};

void appendCompact(const Value& value, std::string& out) {
  switch (value.kind) {
    case Value::Kind::null:
      out += "null";
      break;
    case Value::Kind::boolean:
      out += value.boolean ? "true" : "false";
      break;
    case Value::Kind::integer:
      out += std::to_string(value.integer);
      break;
    case Value::Kind::number:
      out += numberText(value.number);
      break;
    case Value::Kind::string:
      out += json::quoted(value.text);
      break;
    case Value::Kind::array:
      out += '[';
      for (size_t i = 0; i < value.items.size(); ++i) {
        if (i) out += ", ";
        appendCompact(value.items[i], out);
      }
      out += ']';
      break;
    case Value::Kind::object:
      out += '{';
      for (size_t i = 0; i < value.members.size(); ++i) {
        if (i) out += ", ";
        out += json::quoted(value.members[i].key) + ": ";
        appendCompact(value.members[i].value, out);
      }
      out += '}';
      break;
  }
}

}  // namespace

const Value* Value::find(std::string_view key) const {
  for (auto member = members.rbegin(); member != members.rend(); ++member) {
    if (member->key == key) return &member->value;
  }
  return nullptr;
}

std::optional<Value> parse(std::string_view text, Error& error) {
  return Builder(text, error).document();
}

std::string describe(const Value& value) {
  switch (value.kind) {
    case Value::Kind::null:
      return "null";
    case Value::Kind::boolean:
      return value.boolean ? "true" : "false";
    case Value::Kind::integer:
    case Value::Kind::number:
      return "the number " + value.text;
    case Value::Kind::string:
      return "the string " + json::quoted(value.text);
    case Value::Kind::array:
      return value.items.empty() ? "an empty array" : "an array";
    case Value::Kind::object:
      return "an object";
  }
  return {};
}

std::string numberText(double number) {
  char buffer[32];
  std::to_chars_result result = std::to_chars(buffer, buffer + sizeof buffer, number);
  return std::string(buffer, result.ptr);
}

std::string quoted(std::string_view text) {
  return Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string compact(const Value& value) {
  std::string out;
  appendCompact(value, out);
  return out;
}

std::string pointer(std::string_view place, std::string_view key) {
  std::string out(place);
  out += '/';
  for (char c : key) {
    if (c == '~') {
      out += "~0";
    } else if (c == '/') {
      out += "~1";
    } else {
      out += c;
    }
  }
  return out;
}

std::string pointer(std::string_view place, size_t index) {
  return std::string(place) + "/" + std::to_string(index);
}

}  // namespace ptowsp::json
