#include "generator/ir/json.h"

#include <charconv>
#include <cmath>

namespace ptowsp::json {
namespace {

constexpr int kDeepest = 1000;  // far more than loops need, and safe for the stack

bool isDigit(char c) { return c >= '0' && c <= '9'; }

// The length of the UTF-8 character at the front of `text`, 0 when it is not one (overlong forms,
// surrogates and values beyond U+10FFFF are not).
size_t utf8Length(std::string_view text) {
  auto byte = [&](size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  auto follows = [&](size_t i) { return (byte(i) & 0xC0) == 0x80; };
  unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return follows(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    bool ok = follows(1) && follows(2) && !(first == 0xE0 && byte(1) < 0xA0) &&
              !(first == 0xED && byte(1) > 0x9F);
    return ok ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    bool ok = follows(1) && follows(2) && follows(3) && !(first == 0xF0 && byte(1) < 0x90) &&
              !(first == 0xF4 && byte(1) > 0x8F);
    return ok ? 4 : 0;
  }
  return 0;
}

void appendUtf8(std::string& out, uint32_t code) {
  auto put = [&](uint32_t byte) { out += static_cast<char>(byte); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0 | code >> 6), put(0x80 | (code & 63));
  } else if (code < 0x10000) {
    put(0xE0 | code >> 12), put(0x80 | (code >> 6 & 63)), put(0x80 | (code & 63));
  } else {
    put(0xF0 | code >> 18), put(0x80 | (code >> 12 & 63));
    put(0x80 | (code >> 6 & 63)), put(0x80 | (code & 63));
  }
}

class Parser {
 public:
  Parser(std::string_view text, Error& error) : text_(text), error_(error) {}

  std::optional<Value> document() {
    if (text_.substr(0, 3) == "\xEF\xBB\xBF") {
      fail("the file begins with a byte order mark; save it as plain UTF-8");
      return std::nullopt;
    }
    Value value;
    if (!readValue(value, 0)) return std::nullopt;
    skipSpace();
    if (at_ != text_.size()) {
      fail("expected the end of the file, found " + found());
      return std::nullopt;
    }
    return value;
  }

 private:
  bool fail(std::string message) {
    error_ = {at_, std::move(message)};
    return false;
  }

  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool atEnd() const { return at_ >= text_.size(); }

  void skipSpace() {
    while (!atEnd() && (peek() == ' ' || peek() == '\t' || peek() == '\n' || peek() == '\r')) ++at_;
  }

  // What stands here, for messages.
  std::string found() const {
    if (atEnd()) return "the end of the file";
    std::string_view rest = text_.substr(at_);
    if (rest.starts_with("//") || rest.starts_with("/*") || rest[0] == '#') {
      return "a comment, which JSON does not have";
    }
    if (std::isalpha(static_cast<unsigned char>(rest[0]))) {
      size_t n = 0;
      while (n < rest.size() && n < 20 && std::isalnum(static_cast<unsigned char>(rest[n]))) ++n;
      return "'" + std::string(rest.substr(0, n)) + "'";
    }
    size_t length = utf8Length(rest);
    unsigned char first = static_cast<unsigned char>(rest[0]);
    if (length == 0 || first < 0x20 || first == 0x7F) {
      constexpr char kHex[] = "0123456789abcdef";
      return std::string("the byte 0x") + kHex[first >> 4] + kHex[first & 15];
    }
    return "'" + std::string(rest.substr(0, length)) + "'";
  }

  bool readValue(Value& value, int depth) {
    skipSpace();
    value.offset = at_;
    if (depth > kDeepest) return fail("values nest deeper than 1000 levels");
    switch (peek()) {
      case '{':
        return readObject(value, depth);
      case '[':
        return readArray(value, depth);
      case '"':
        value.kind = Value::Kind::string;
        return readString(value.text);
      case 't':
        value.boolean = true;
        return readWord("true", value, Value::Kind::boolean);
      case 'f':
        return readWord("false", value, Value::Kind::boolean);
      case 'n':
        return readWord("null", value, Value::Kind::null);
      default:
        if (peek() == '-' || isDigit(peek())) return readNumber(value);
        return fail("expected a value, found " + found());
    }
  }

  bool readWord(std::string_view word, Value& value, Value::Kind kind) {
    if (text_.substr(at_, word.size()) != word) return fail("expected a value, found " + found());
    at_ += word.size();
    value.kind = kind;
    return true;
  }

  bool readObject(Value& value, int depth) {
    value.kind = Value::Kind::object;
    ++at_;
    skipSpace();
    if (peek() == '}') return ++at_, true;
    while (true) {
      skipSpace();
      if (peek() != '"') {
        bool comma = !value.members.empty() && peek() == '}';
        return fail(comma ? "expected a key in double quotes, found '}' after a comma"
                          : "expected a key in double quotes, found " + found());
      }
      Member& member = value.members.emplace_back();
      if (!readString(member.key)) return false;
      skipSpace();
      if (peek() != ':') return fail("expected ':' after a key, found " + found());
      ++at_;
      if (!readValue(member.value, depth + 1)) return false;
      skipSpace();
      if (peek() == '}') return ++at_, true;
      if (peek() != ',') return fail("expected ',' or '}' in an object, found " + found());
      ++at_;
    }
  }

  bool readArray(Value& value, int depth) {
    value.kind = Value::Kind::array;
    ++at_;
    skipSpace();
    if (peek() == ']') return ++at_, true;
    while (true) {
      skipSpace();
      if (!value.items.empty() && peek() == ']') {
        return fail("expected a value, found ']' after a comma");
      }
      if (!readValue(value.items.emplace_back(), depth + 1)) return false;
      skipSpace();
      if (peek() == ']') return ++at_, true;
      if (peek() != ',') return fail("expected ',' or ']' in an array, found " + found());
      ++at_;
    }
  }

  bool readHex(uint32_t& code) {
    code = 0;
    for (int i = 0; i < 4; ++i, ++at_) {
      char c = peek();
      if (!std::isxdigit(static_cast<unsigned char>(c))) {
        return fail("expected four hex digits after '\\u', found " + found());
      }
      code = code * 16 + static_cast<uint32_t>(isDigit(c) ? c - '0' : (c | 32) - 'a' + 10);
    }
    return true;
  }

  bool readEscape(std::string& out) {
    ++at_;
    char c = peek();
    constexpr std::string_view kNames = "\"\\/bfnrt", kMeanings = "\"\\/\b\f\n\r\t";
    if (size_t i = kNames.find(c); !atEnd() && i != kNames.npos) {
      out += kMeanings[i];
      ++at_;
      return true;
    }
    if (c != 'u')
      return fail("expected an escape (one of \"\\/bfnrtu) after '\\', found " + found());
    ++at_;
    uint32_t code = 0;
    if (!readHex(code)) return false;
    if (code >= 0xD800 && code < 0xDC00 && text_.substr(at_, 2) == "\\u") {
      at_ += 2;
      uint32_t low = 0;
      if (!readHex(low)) return false;
      if (low < 0xDC00 || low > 0xDFFF) return fail("a '\\u' pair is not a character");
      code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    }
    if (code >= 0xD800 && code <= 0xDFFF) return fail("half of a '\\u' pair is not a character");
    appendUtf8(out, code);
    return true;
  }

  bool readString(std::string& out) {
    size_t begin = at_++;
    while (true) {
      if (atEnd()) {
        at_ = begin;
        return fail("this string has no closing '\"'");
      }
      char c = peek();
      if (c == '"') return ++at_, true;
      if (c == '\n' || c == '\r') {
        at_ = begin;
        return fail("this string has no closing '\"' on its line");
      }
      if (static_cast<unsigned char>(c) < 0x20) {
        return fail("a control character in a string must be escaped, found " + found());
      }
      if (c == '\\') {
        if (!readEscape(out)) return false;
        continue;
      }
      size_t length = utf8Length(text_.substr(at_));
      if (length == 0) return fail("expected UTF-8, found " + found());
      out.append(text_, at_, length);
      at_ += length;
    }
  }

  bool readNumber(Value& value) {
    size_t begin = at_;
    auto digits = [&] {
      if (!isDigit(peek())) return fail("expected a digit, found " + found());
      while (isDigit(peek())) ++at_;
      return true;
    };
    bool integral = true;
    if (peek() == '-') ++at_;
    if (peek() == '0') {
      ++at_;
      if (isDigit(peek())) return fail("a number must not begin with 0");
    } else if (!digits()) {
      return false;
    }
    if (peek() == '.') {
      integral = false;
      ++at_;
      if (!digits()) return false;
    }
    if (peek() == 'e' || peek() == 'E') {
      integral = false;
      ++at_;
      if (peek() == '+' || peek() == '-') ++at_;
      if (!digits()) return false;
    }
    value.text = text_.substr(begin, at_ - begin);
    const char* first = value.text.data();
    const char* last = first + value.text.size();
    std::from_chars_result result = std::from_chars(first, last, value.number);
    if (result.ec != std::errc()) {
      // A number too small for a double is 0 for every purpose here; one too large is a mistake.
      if (std::strtod(first, nullptr) != 0 && std::isinf(std::strtod(first, nullptr))) {
        at_ = begin;
        return fail("the number " + value.text + " is too large");
      }
      value.number = std::strtod(first, nullptr);
    }
    value.kind = Value::Kind::number;
    if (integral && std::from_chars(first, last, value.integer).ec == std::errc()) {
      value.kind = Value::Kind::integer;
    }
    return true;
  }

  std::string_view text_;
  size_t at_ = 0;
  Error& error_;
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
      out += quoted(value.text);
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
        out += quoted(value.members[i].key) + ": ";
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
  return Parser(text, error).document();
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
      return "the string " + quoted(value.text);
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
  std::string out = "\"";
  for (char c : text) {
    constexpr char kHex[] = "0123456789abcdef";
    if (c == '"' || c == '\\') {
      out += {'\\', c};
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += std::string("\\u00") + kHex[c >> 4] + kHex[c & 15];
    } else {
      out += c;
    }
  }
  return out + '"';
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
