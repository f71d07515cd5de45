// SPDX-License-Identifier: MIT
#include "generator/ir/view.h"

#include <cctype>
#include <limits>

#include "generator/base/checked.h"

namespace ptowsp::ir {
namespace {

constexpr int kDeepest = 100;  // parentheses; safe for the stack

bool isNameStart(char c) { return std::isalpha(static_cast<unsigned char>(c)) || c == '_'; }
bool isNamePart(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }

// view      := name { "[" subscript { "," subscript } "]" }
// subscript := sum | [sum] ":" [sum]
// sum       := product { ("+" | "-") product }
// product   := factor { "*" factor }
// factor    := integer | name | "(" sum ")" | ("-" | "+") factor
class ViewParser {
 public:
  ViewParser(std::string_view text, std::string& error, const char* what = "view")
      : text_(text), error_(error), what_(what) {}

  std::optional<View> view() {
    View view;
    view.text = text_;
    skipSpace();
    if (!isNameStart(peek())) {
      fail("expected the name of a tensor, found " + found());
      return std::nullopt;
    }
    view.tensor = name();
    while (skipSpace(), peek() == '[') {
      do {
        ++at_;
        if (!subscript(view.subscripts.emplace_back())) return std::nullopt;
        skipSpace();
      } while (peek() == ',');
      if (peek() != ']') {
        fail(peek() == ':' ? "slices have no step; expected ',' or ']', found ':'"
                           : "expected ',' or ']', found " + found());
        return std::nullopt;
      }
      ++at_;
    }
    if (at_ != text_.size()) {
      fail("expected '[' or the end, found " + found());
      return std::nullopt;
    }
    return view;
  }

  // expression := sum | factor "%" integer
  std::optional<TaskFunction::Expression> expression() {
    TaskFunction::Expression expression;
    may_end_in_remainder_ = is_expression_ = true;
    if (!sum(expression.affine, 0)) return std::nullopt;
    skipSpace();
    if (peek() == '%') {
      ++at_;
      AffineText modulus;
      skipSpace();
      if (!std::isdigit(static_cast<unsigned char>(peek()))) {
        fail("expected an integer after '%', found " + found());
        return std::nullopt;
      }
      if (!integer(modulus)) return std::nullopt;
      expression.modulus = modulus.constant;
      if (expression.modulus < 1) {
        fail("a remainder by 0");
        return std::nullopt;
      }
      skipSpace();
    }
    if (at_ == text_.size()) return expression;
    fail("expected the end, found " + found());
    return std::nullopt;
  }

 private:
  bool fail(const std::string& message) {
    if (error_.empty()) {
      constexpr size_t kShown = 100;
      std::string shown(text_.substr(0, kShown));
      if (text_.size() > kShown) shown += "...";
      error_ = std::string(what_) + " '" + shown + "', character " + std::to_string(at_ + 1) + ": " + message;
    }
    return false;
  }

  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  void skipSpace() {
    while (peek() == ' ') ++at_;
  }
  std::string found() const {
    if (at_ >= text_.size()) return "the end";
    bool ascii = text_[at_] >= 0x20 && text_[at_] < 0x7F;
    return ascii ? "'" + std::string(text_.substr(at_, 1)) + "'" : "a character that is not ASCII";
  }
  std::string name() {
    size_t begin = at_;
    while (isNamePart(peek())) ++at_;
    return std::string(text_.substr(begin, at_ - begin));
  }

  bool subscript(Subscript& subscript) {
    skipSpace();
    std::optional<AffineText> first;
    if (peek() != ':') {
      first.emplace();
      if (!sum(*first, 0)) return false;
      skipSpace();
    }
    if (peek() != ':') {
      subscript.index = std::move(first);
      return true;
    }
    ++at_;
    subscript.start = std::move(first);
    skipSpace();
    if (peek() == ',' || peek() == ']' || peek() == ':') return true;
    return sum(subscript.stop.emplace(), 0);
  }

  bool overflow() { return fail("this number does not fit 64 bits"); }

  // a + sign * b
  bool accumulate(AffineText& a, const AffineText& b, int64_t sign) {
    auto add = [&](int64_t& to, int64_t value) {
      std::optional<int64_t> scaled = checkedMul(sign, value);
      std::optional<int64_t> total = scaled ? checkedAdd(to, *scaled) : std::nullopt;
      // INT64_MIN could not be written down again: its magnitude does not fit.
      if (!total || *total == std::numeric_limits<int64_t>::min()) return overflow();
      to = *total;
      return true;
    };
    if (!add(a.constant, b.constant)) return false;
    for (const auto& [variable, coefficient] : b.coefficients) {
      if (!add(a.coefficients[variable], coefficient)) return false;
    }
    dropZeros(a);
    return true;
  }

  static void dropZeros(AffineText& a) {
    std::erase_if(a.coefficients, [](const auto& entry) { return entry.second == 0; });
  }

  bool multiply(AffineText& a, const AffineText& b) {
    if (!a.coefficients.empty() && !b.coefficients.empty()) {
      return fail("an index is affine: '" + a.coefficients.begin()->first + "' times '" +
                  b.coefficients.begin()->first + "' multiplies two loop variables");
    }
    int64_t factor = a.coefficients.empty() ? a.constant : b.constant;
    AffineText product;
    if (!accumulate(product, a.coefficients.empty() ? b : a, factor)) return false;
    a = std::move(product);
    return true;
  }

  bool sum(AffineText& result, int depth) {
    if (!product(result, depth)) return false;
    while (skipSpace(), peek() == '+' || peek() == '-') {
      if (depth == 0) may_end_in_remainder_ = false;
      int64_t sign = peek() == '+' ? 1 : -1;
      ++at_;
      AffineText right;
      if (!product(right, depth) || !accumulate(result, right, sign)) return false;
    }
    return true;
  }

  bool product(AffineText& result, int depth) {
    if (!factor(result, depth)) return false;
    while (skipSpace(), peek() == '*') {
      if (depth == 0) may_end_in_remainder_ = false;
      ++at_;
      AffineText right;
      if (!factor(right, depth) || !multiply(result, right)) return false;
    }
    if (peek() == '%' && depth == 0 && may_end_in_remainder_) return true;
    if (peek() == '%' && is_expression_) {
      return fail("a remainder is taken of all of the expression: write (b + 8*t) % 4");
    }
    if (peek() == '/' || peek() == '%') {
      return fail("an index has + - * and parentheses only, found " + found());
    }
    return true;
  }

  bool factor(AffineText& result, int depth) {
    skipSpace();
    if (depth > kDeepest) return fail("parentheses nest deeper than 100 levels");
    char c = peek();
    if (c == '-' || c == '+') {
      ++at_;
      AffineText inner;
      return factor(inner, depth + 1) && accumulate(result, inner, c == '-' ? -1 : 1);
    }
    if (c == '(') {
      ++at_;
      if (!sum(result, depth + 1)) return false;
      skipSpace();
      if (peek() != ')') return fail("expected ')', found " + found());
      ++at_;
      return true;
    }
    if (std::isdigit(static_cast<unsigned char>(c))) return integer(result);
    if (isNameStart(c)) {
      result.coefficients[name()] = 1;
      return true;
    }
    return fail("expected an integer, a loop variable or '(', found " + found());
  }

  bool integer(AffineText& result) {
    while (std::isdigit(static_cast<unsigned char>(peek()))) {
      std::optional<int64_t> ten = checkedMul(result.constant, 10);
      std::optional<int64_t> next = ten ? checkedAdd(*ten, peek() - '0') : std::nullopt;
      if (!next) return overflow();
      result.constant = *next;
      ++at_;
    }
    if (isNamePart(peek()) || peek() == '.') {
      return fail("expected an integer (write 8*r, not 8r), found " + found());
    }
    return true;
  }

  std::string_view text_;
  size_t at_ = 0;
  std::string& error_;
  const char* what_;
  bool is_expression_ = false;
  bool may_end_in_remainder_ = false;  // what was read so far is one factor
};

}  // namespace

std::optional<View> parseView(std::string_view text, std::string& error) {
  error.clear();
  return ViewParser(text, error).view();
}

std::optional<TaskFunction::Expression> parseExpression(std::string_view text,
                                                        std::string& error) {
  error.clear();
  return ViewParser(text, error, "expression").expression();
}

std::string print(const TaskFunction::Expression& expression) {
  const std::string affine = print(expression.affine);
  if (expression.modulus == 0) return affine;
  return "(" + affine + ") % " + std::to_string(expression.modulus);
}

std::string print(const AffineText& affine) {
  std::string text;
  auto add = [&](int64_t value, const std::string& variable) {
    // The magnitude as unsigned: that of INT64_MIN does not fit int64.
    uint64_t magnitude =
        value < 0 ? 0 - static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
    if (value < 0) {
      text += '-';
    } else if (!text.empty()) {
      text += '+';
    }
    if (variable.empty() || magnitude != 1) text += std::to_string(magnitude);
    if (!variable.empty()) text += (magnitude != 1 ? "*" : "") + variable;
  };
  for (const auto& [variable, coefficient] : affine.coefficients) add(coefficient, variable);
  if (affine.constant != 0 || text.empty()) add(affine.constant, {});
  return text;
}

std::string print(const View& view) {
  std::string text;
  for (const Subscript& subscript : view.subscripts) {
    text += text.empty() ? "[" : ", ";
    if (subscript.index) {
      text += print(*subscript.index);
    } else {
      if (subscript.start) text += print(*subscript.start);
      text += ':';
      if (subscript.stop) text += print(*subscript.stop);
    }
  }
  return view.tensor + text + (text.empty() ? "" : "]");
}

}  // namespace ptowsp::ir
