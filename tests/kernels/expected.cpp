// SPDX-License-Identifier: MIT
#include "tests/kernels/expected.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>

#include "tests/kernels/numbers.h"

namespace ptowsp::test {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
const double kLeastNormal = std::ldexp(1, -126);  // of f32, in which kernels compute

// A result that may be a zero of either sign, by which nobody can divide and know the infinity.
Expected signOpen(Expected result) {
  if (result.value == 0 && result.error == 0) result.error = std::ldexp(1, -149);
  return result;
}

// How far the dtype's value of a subnormal result may be from `value`: `exact` is a double, perhaps
// rounded itself, and a kernel rounds to f32 before it rounds to the dtype.
double roundedTwice(DType dtype, double exact, double value) {
  if (std::fabs(exact) >= kLeastNormal || exact == roundTo(DType::f32, exact)) return 0;
  double error = 0;
  for (const double factor : {1 - std::ldexp(1, -52), 1 + std::ldexp(1, -52)}) {
    const double other = roundTo(dtype, roundTo(DType::f32, exact * factor));
    error = std::max(error, std::fabs(other - value));
  }
  return error;
}

// `error` is what the operands' errors can make of the result; the op, computed in float, adds its own
// `ulps` and is rounded to the dtype.
Expected rounded(DType dtype, double exact, double error, double ulps) {
  const double value = roundTo(dtype, exact);
  if (error == 0 && ulps <= 0.5) return {value, roundedTwice(dtype, exact, value)};
  const double reach = error + ulps * spacing(DType::f32, exact) + spacing(dtype, exact);
  // Near the largest value, and where an infinity or NaN meets uncertain operands, a neighbour may
  // be of another kind.
  const bool certain = std::isfinite(value) ? std::fabs(exact) + reach <= floatType(dtype).largest
                                            : error == 0 && !std::isfinite(exact);
  return {value, certain ? (std::isfinite(value) ? reach : 0) : kNaN};
}

double wrapped(std::string_view op, double x, double y) {
  const auto a = static_cast<int64_t>(x), b = static_cast<int64_t>(y);
  if (op == "add") return wrap(a + b);
  if (op == "sub") return wrap(a - b);
  if (op == "mul") return wrap(a * b);
  if (op == "max") return std::max(x, y);
  if (op == "min") return std::min(x, y);
  if (op == "neg") return wrap(-a);
  if (op == "abs") return wrap(a < 0 ? -a : a);
  if (op == "relu") return std::max(x, 0.0);
  std::abort();
}

Expected unary(std::string_view op, DType dtype, Expected a) {
  const double x = a.value, e = a.error;
  if (dtype == DType::i32)
    return {wrapped(op, x, 0), e == 0 || std::fabs(x) + e < std::ldexp(1, 31) ? e : kNaN};
  const double exact = exactUnary(op, x);
  if (op == "relu" && x == 0 && std::signbit(x)) return signOpen({0, e});
  if (op == "neg" || op == "abs" || op == "relu") return {exact, e};
  if (op == "exp") return rounded(dtype, exact, e == 0 ? 0 : exact * std::expm1(e), 2);
  if (op == "tanh" || op == "sigmoid" || op == "silu" || op == "gelu")
    return rounded(dtype, exact, 1.2 * e, 2);  // their slopes are below 1.2
  const bool certain = e == 0 || (x > 0 && e < x / 4);
  const double relative = e == 0 ? 0 : certain ? 2 * e / x : kNaN;
  if (op == "log") return rounded(dtype, exact, relative, 2);
  if (op == "sqrt") return rounded(dtype, exact, e == 0 ? 0 : relative * exact, 0.5);
  if (op == "rsqrt") return rounded(dtype, exact, e == 0 ? 0 : relative * exact, 2);
  std::abort();
}

Expected binary(std::string_view op, DType dtype, Expected a, Expected b) {
  const double x = a.value, y = b.value, e = a.error + b.error;
  if (dtype == DType::i32) return {wrapped(op, x, y), e == 0 ? 0 : kNaN};
  const double exact = exactBinary(op, x, y);
  if (op == "max" || op == "min") {
    const Expected result = {exact, std::isnan(e) ? kNaN : std::max(a.error, b.error)};
    return x == y && std::signbit(x) != std::signbit(y) ? signOpen(result) : result;
  }
  if (e == 0 || op == "add" || op == "sub") return rounded(dtype, exact, e, 0.5);
  if (op == "mul")
    return rounded(dtype, exact,
                   std::fabs(x) * b.error + std::fabs(y) * a.error + a.error * b.error, 0.5);
  const bool certain = b.error < std::fabs(y) / 4;
  return rounded(dtype, exact,
                 certain ? 2 * (a.error + std::fabs(exact) * b.error) / std::fabs(y) : kNaN, 0.5);
}

Expected castTo(DType dtype, Expected a) {
  if (dtype != DType::i32) return rounded(dtype, a.value, a.error, 0.5);
  const double value = truncated(a.value);
  if (std::isnan(a.error)) return {value, kNaN};
  return {value, std::max(truncated(a.value + a.error) - value, value - truncated(a.value - a.error))};
}

// A reduction of `count` elements, of which an element takes part in at most `additions`.
Expected reduce(std::string_view op, DType dtype, const std::vector<Expected>& elements,
                double additions) {
  const std::string_view kind = op.substr(3);
  double sum = 0, magnitude = 0, finite = 0, error = 0, worst = 0;
  int64_t integer = 0;
  double most = -kInfinity, least = kInfinity;
  bool nan = false, plus_zero = false, minus_zero = false;
  for (const Expected& element : elements) {
    sum += element.value;
    magnitude += std::fabs(element.value);
    finite += std::isfinite(element.value) ? std::fabs(element.value) : 0;
    (std::signbit(element.value) ? minus_zero : plus_zero) |= element.value == 0;
    error += element.error;
    worst = std::isnan(element.error) ? kNaN : std::max(worst, element.error);
    nan = nan || std::isnan(element.value);
    most = std::max(most, element.value);
    least = std::min(least, element.value);
    if (dtype == DType::i32) integer += static_cast<int64_t>(element.value);
  }
  if (kind == "max" || kind == "min") {
    const Expected result = {nan ? kNaN : kind == "max" ? most : least, worst};
    return plus_zero && minus_zero && dtype != DType::i32 ? signOpen(result) : result;
  }
  if (dtype == DType::i32) return {wrap(integer), error == 0 ? 0 : kNaN};
  if (std::isfinite(magnitude)) error += magnitude * additions * std::ldexp(1, -24);
  // A sum of some of them may overflow, although that of all does not.
  if (finite + error > floatType(DType::f32).largest / 2 && !nan) return {sum, kNaN};
  const auto count = static_cast<double>(elements.size());
  // Which zero a sum is depends on the order.
  if (kind == "sum") return signOpen(rounded(dtype, sum, error, 0.5));
  if (kind == "mean") return signOpen(rounded(dtype, sum / count, error / count, 0.5));
  std::abort();
}

class Evaluation {
 public:
  Evaluation(const Kernel& kernel, const std::vector<std::vector<double>>& tiles,
             const std::vector<double>& scalars)
      : kernel_(kernel), values_(kernel.values.size()) {
    for (size_t v = 0; v < kernel.values.size(); ++v) {
      const Value& value = kernel.values[v];
      if (value.kind == Value::Kind::literal)
        values_[v] = {{value.dtype == DType::i32 ? value.literal : roundTo(value.dtype, value.literal), 0}};
      else if (value.kind == Value::Kind::scalar)
        values_[v] = {{scalars[value.index], 0}};
      else if (value.kind == Value::Kind::tile)
        for (const double element : tiles[value.index]) values_[v].push_back({element, 0});
    }
  }

  std::vector<std::vector<Expected>> run() {
    std::vector<std::vector<Expected>> result;
    for (const TileParameter& tile : kernel_.tiles) result.push_back(values_[tile.value]);
    for (const KernelOp& op : kernel_.ops) {
      const bool stores = op.op->form == ops::Form::store;
      const Value& shape = kernel_.values[stores ? op.args[0] : op.result];
      std::vector<Expected> made;
      for (int64_t row = 0; row < shape.rows; ++row)
        for (int64_t col = 0; col < shape.cols; ++col) made.push_back(element(op, row, col));
      if (stores)
        result[shape.index] = std::move(made);
      else
        values_[op.result] = std::move(made);
    }
    return result;
  }

 private:
  // Broadcast.
  Expected read(int v, int64_t row, int64_t col) const {
    const Value& from = kernel_.values[v];
    return values_[v][(from.rows == 1 ? 0 : row) * from.cols + (from.cols == 1 ? 0 : col)];
  }

  Expected element(const KernelOp& op, int64_t row, int64_t col) const {
    const DType dtype = op.result < 0 ? DType::f32 : kernel_.values[op.result].dtype;
    const Value& first = kernel_.values[op.args[0]];
    std::vector<Expected> line;
    switch (op.op->form) {
      case ops::Form::store: return read(op.args[1], row, col);
      case ops::Form::constant: return read(op.args[0], 0, 0);
      case ops::Form::cast: return castTo(dtype, read(op.args[0], row, col));
      case ops::Form::row_reduction:
        for (int64_t i = 0; i < first.cols; ++i) line.push_back(read(op.args[0], row, i));
        // 16 lanes, blocks of 4096 elements.
        return reduce(op.op->name, dtype, line,
                      static_cast<double>(std::min<int64_t>(first.cols, 4096) / 16 +
                                          first.cols / 4096 + 6));
      case ops::Form::col_reduction:
        for (int64_t i = 0; i < first.rows; ++i) line.push_back(read(op.args[0], i, col));
        return reduce(op.op->name, dtype, line, static_cast<double>(first.rows));
      case ops::Form::matmul: return product(op, row, col);
      case ops::Form::elementwise: break;
    }
    if (op.args.size() == 1) return unary(op.op->name, dtype, read(op.args[0], row, col));
    return binary(op.op->name, dtype, read(op.args[0], row, col), read(op.args[1], row, col));
  }

  Expected product(const KernelOp& op, int64_t row, int64_t col) const {
    const int64_t k = kernel_.values[op.args[0]].cols;
    Expected sum;
    double magnitude = 0;
    if (op.args.size() == 3) {
      sum = read(op.args[2], row, col);
      magnitude = std::fabs(sum.value);
    }
    for (int64_t i = 0; i < k; ++i) {
      const Expected a = values_[op.args[0]][row * k + i], b = read(op.args[1], i, col);
      sum.value += a.value * b.value;
      sum.error += std::fabs(a.value) * b.error + std::fabs(b.value) * a.error;
      magnitude += std::fabs(a.value * b.value);
    }
    if (std::isfinite(magnitude))
      sum.error += magnitude * (static_cast<double>(k) + 1) * std::ldexp(1, -24);
    return signOpen(rounded(DType::f32, sum.value, sum.error, 0.5));
  }

  const Kernel& kernel_;
  std::vector<std::vector<Expected>> values_;
};

}  // namespace

double exactUnary(std::string_view op, double x) {
  if (op == "neg") return -x;
  if (op == "abs") return std::fabs(x);
  if (op == "relu") return std::isnan(x) || x > 0 ? x : 0;
  if (op == "exp") return std::exp(x);
  if (op == "log") return std::log(x);
  if (op == "sqrt") return std::sqrt(x);
  if (op == "rsqrt") return 1 / std::sqrt(x);
  if (op == "tanh") return std::tanh(x);
  if (op == "sigmoid") return 1 / (1 + std::exp(-x));
  if (op == "silu") return x / (1 + std::exp(-x));
  // (x / 2) (1 + tanh u) = x / (1 + e^-2u), without the cancellation.
  if (op == "gelu")
    return x / (1 + std::exp(-2 * std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
  std::abort();
}

double exactBinary(std::string_view op, double x, double y) {
  if (op == "add") return x + y;
  if (op == "sub") return x - y;
  if (op == "mul") return x * y;
  if (op == "div") return x / y;
  if (std::isnan(x) || std::isnan(y)) return kNaN;
  if (op == "max") return std::max(x, y);
  if (op == "min") return std::min(x, y);
  std::abort();
}

std::vector<std::vector<Expected>> expectedTiles(const Kernel& kernel,
                                                 const std::vector<std::vector<double>>& tiles,
                                                 const std::vector<double>& scalars) {
  return Evaluation(kernel, tiles, scalars).run();
}

}  // namespace ptowsp::test
