#include "tests/kernels/expected.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>

namespace ptowsp::test {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// Distance of neighbouring floats near x.
double spacing(double x) {
  if (!std::isfinite(x)) return 0;
  int exponent = 0;
  std::frexp(x, &exponent);
  return std::ldexp(1, std::max(exponent - 24, -149));
}

// `error` is what the operands' errors can make of the result; the op adds its own `ulps`.
Expected rounded(double exact, double error, double ulps) {
  const float value = static_cast<float>(exact);
  // Where an infinity or NaN meets uncertain operands, a neighbour may be finite.
  if (!std::isfinite(value)) return {value, error == 0 ? 0 : kNaN};
  return {value, error + (ulps + 0.5) * spacing(exact)};
}

Expected unary(std::string_view op, Expected a) {
  const double x = a.value, e = a.error;
  if (op == "neg") return {-x, e};
  if (op == "abs") return {std::fabs(x), e};
  if (op == "exp") return rounded(std::exp(x), std::exp(x) * std::expm1(e), 2);
  const bool certain = e == 0 || (x > 0 && e < x / 4);
  const double relative = e == 0 ? 0 : certain ? 2 * e / x : kNaN;
  if (op == "log") return rounded(std::log(x), relative, 2);
  if (op == "sqrt") return rounded(std::sqrt(x), e == 0 ? 0 : relative * std::sqrt(x), 0.5);
  if (op == "rsqrt") return rounded(1 / std::sqrt(x), e == 0 ? 0 : relative / std::sqrt(x), 2);
  std::abort();
}

Expected binary(std::string_view op, Expected a, Expected b) {
  const double x = a.value, y = b.value, e = a.error + b.error;
  if (op == "add") return rounded(x + y, e, 0.5);
  if (op == "sub") return rounded(x - y, e, 0.5);
  if (op == "mul")
    return rounded(x * y,
                   e == 0 ? 0 : std::fabs(x) * b.error + std::fabs(y) * a.error + a.error * b.error,
                   0.5);
  if (op == "div") {
    if (e == 0) return rounded(x / y, 0, 0.5);
    const bool certain = b.error < std::fabs(y) / 4;
    return rounded(x / y,
                   certain ? 2 * (a.error + std::fabs(x / y) * b.error) / std::fabs(y) : kNaN, 0.5);
  }
  if (op == "max" || op == "min") {
    if (std::isnan(x) || std::isnan(y)) return {kNaN, e};
    return {op == "max" ? std::max(x, y) : std::min(x, y), std::max(a.error, b.error)};
  }
  std::abort();
}

Expected reduce(std::string_view op, const Expected* row, int64_t count) {
  double sum = 0, magnitude = 0, error = 0, worst = 0;
  double most = -std::numeric_limits<double>::infinity(), least = -most;
  bool nan = false;
  for (int64_t i = 0; i < count; ++i) {
    sum += row[i].value;
    magnitude += std::fabs(row[i].value);
    error += row[i].error;
    worst = std::isnan(row[i].error) ? kNaN : std::max(worst, row[i].error);
    nan = nan || std::isnan(row[i].value);
    most = std::max(most, row[i].value);
    least = std::min(least, row[i].value);
  }
  if (op == "rowmax") return {nan ? kNaN : most, worst};
  if (op == "rowmin") return {nan ? kNaN : least, worst};
  // 16 lanes, blocks of 4096 elements: how many additions an element takes part in, at most.
  const double additions = static_cast<double>(std::min<int64_t>(count, 4096) / 16 + count / 4096 + 6);
  if (std::isfinite(magnitude)) error += magnitude * additions * std::ldexp(1, -24);
  if (op == "rowsum") return rounded(sum, error, 0.5);
  if (op == "rowmean")
    return rounded(sum / static_cast<double>(count), error / static_cast<double>(count), 0.5);
  std::abort();
}

}  // namespace

std::vector<std::vector<Expected>> expectedTiles(const Kernel& kernel,
                                                 const std::vector<std::vector<float>>& tiles,
                                                 const std::vector<float>& scalars) {
  std::vector<std::vector<Expected>> values(kernel.values.size());
  std::vector<std::vector<Expected>> result(kernel.tiles.size());
  for (size_t v = 0; v < kernel.values.size(); ++v) {
    const Value& value = kernel.values[v];
    if (value.kind == Value::Kind::literal)
      values[v] = {{static_cast<float>(value.literal), 0}};
    else if (value.kind == Value::Kind::scalar)
      values[v] = {{scalars[value.index], 0}};
    else if (value.kind == Value::Kind::tile)
      for (const float element : tiles[value.index]) values[v].push_back({element, 0});
  }
  for (size_t t = 0; t < kernel.tiles.size(); ++t) result[t] = values[kernel.tiles[t].value];
  for (const KernelOp& op : kernel.ops) {
    const bool stores = op.op->name == "store";
    const Value& shape = kernel.values[stores ? op.args[0] : op.result];
    const auto element = [&](int v, int64_t row, int64_t col) {
      const Value& from = kernel.values[v];
      return values[v][(from.rows == 1 ? 0 : row) * from.cols + (from.cols == 1 ? 0 : col)];
    };
    std::vector<Expected> made;
    for (int64_t row = 0; row < shape.rows; ++row) {
      for (int64_t col = 0; col < shape.cols; ++col) {
        if (stores) {
          made.push_back(element(op.args[1], row, col));
        } else if (op.op->name.starts_with("row")) {
          const int64_t count = kernel.values[op.args[0]].cols;
          made.push_back(reduce(op.op->name, &values[op.args[0]][row * count], count));
        } else if (op.args.size() == 1) {
          made.push_back(unary(op.op->name, element(op.args[0], row, col)));
        } else {
          made.push_back(binary(op.op->name, element(op.args[0], row, col),
                                element(op.args[1], row, col)));
        }
      }
    }
    if (stores)
      result[kernel.values[op.args[0]].index] = std::move(made);
    else
      values[op.result] = std::move(made);
  }
  return result;
}

}  // namespace ptowsp::test
