// SPDX-License-Identifier: MIT
#include "generator/ops/op_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>

namespace ptowsp::ops {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// One reduction as the reference does it.
double reduce(const char* name, const std::vector<double>& row) {
  const OpInfo* op = findOp(name);
  double total = op->identity;
  for (double a : row) total = op->fold(total, a);
  return op->finish(total, static_cast<double>(row.size()));
}

TEST(OpTable, HasTheOpsOfThisVersion) {
  std::vector<std::string> names;
  for (const OpInfo& op : allOps()) names.emplace_back(op.name);
  EXPECT_THAT(names,
              testing::ElementsAre("add", "sub", "mul", "div", "max", "min", "exp", "log", "sqrt",
                                   "rsqrt", "neg", "abs", "relu", "tanh", "sigmoid", "silu", "gelu",
                                   "rowsum", "rowmax", "rowmin", "rowmean", "colsum", "colmax",
                                   "colmin", "matmul", "cast", "constant", "store"));
}

TEST(OpTable, RowsAreWhole) {
  for (const OpInfo& op : allOps()) {
    SCOPED_TRACE(op.name);
    EXPECT_EQ(findOp(op.name), &op);
    EXPECT_EQ(op.unary != nullptr, op.form == Form::elementwise && op.arity == 1);
    EXPECT_EQ(op.binary != nullptr, op.form == Form::elementwise && op.arity == 2);
    const bool reduces = op.form == Form::row_reduction || op.form == Form::col_reduction;
    EXPECT_EQ(op.fold != nullptr, reduces);
    EXPECT_EQ(op.finish != nullptr, reduces);
    EXPECT_EQ(op.unary_i32 != nullptr, op.unary && op.dtypes.i32);
    EXPECT_EQ(op.binary_i32 != nullptr, op.binary && op.dtypes.i32);
    EXPECT_EQ(op.fold_i32 != nullptr, op.fold && op.dtypes.i32);
    EXPECT_TRUE(!reduces || op.arity == 1);
    EXPECT_TRUE(op.form != Form::store || op.arity == 2);
    EXPECT_TRUE(op.dtypes.f32 && op.dtypes.f16 && op.dtypes.bf16);
    EXPECT_EQ(op.cube, op.form == Form::matmul);
    EXPECT_FALSE(op.documentation.empty() || op.sim.empty());
    EXPECT_GE(op.max_ulp, 0);
  }
}

TEST(OpTable, UnknownNamesHaveNoRow) {
  EXPECT_EQ(findOp("frobnicate"), nullptr);
  EXPECT_EQ(findOp(""), nullptr);
  EXPECT_EQ(findOp("Add"), nullptr);
}

TEST(OpTable, ElementwiseMeanings) {
  EXPECT_EQ(findOp("add")->binary(2, 3), 5);
  EXPECT_EQ(findOp("sub")->binary(2, 3), -1);
  EXPECT_EQ(findOp("mul")->binary(2, 3), 6);
  EXPECT_EQ(findOp("div")->binary(3, 2), 1.5);
  EXPECT_EQ(findOp("div")->binary(-1, 0), -kInfinity);
  EXPECT_EQ(findOp("exp")->unary(0), 1);
  EXPECT_EQ(findOp("exp")->unary(-kInfinity), 0);
  EXPECT_EQ(findOp("log")->unary(0), -kInfinity);
  EXPECT_TRUE(std::isnan(findOp("log")->unary(-1)));
  EXPECT_EQ(findOp("sqrt")->unary(9), 3);
  EXPECT_EQ(findOp("rsqrt")->unary(4), 0.5);
  EXPECT_EQ(findOp("rsqrt")->unary(0), kInfinity);
  EXPECT_TRUE(std::signbit(findOp("neg")->unary(0)));
  EXPECT_FALSE(std::signbit(findOp("abs")->unary(-0.0)));
  EXPECT_EQ(findOp("rsqrt")->unary(-0.0), -kInfinity);
  EXPECT_EQ(findOp("relu")->unary(2), 2);
  EXPECT_EQ(findOp("relu")->unary(-2), 0);
  EXPECT_TRUE(std::isnan(findOp("relu")->unary(kNan)));
  EXPECT_EQ(findOp("tanh")->unary(kInfinity), 1);
  EXPECT_EQ(findOp("sigmoid")->unary(0), 0.5);
  EXPECT_EQ(findOp("sigmoid")->unary(-kInfinity), 0);
  EXPECT_EQ(findOp("silu")->unary(0), 0);
  EXPECT_EQ(findOp("silu")->unary(kInfinity), kInfinity);
  EXPECT_TRUE(std::isnan(findOp("silu")->unary(-kInfinity)));
  EXPECT_TRUE(std::isnan(findOp("gelu")->unary(-kInfinity)));
}

// Tails, with 50 digits by hand: sigmoid(x) is exp(x) there, gelu(x) is x exp(2u) / (1 + exp(2u)).
TEST(OpTable, NothingCancelsInTheTails) {
  EXPECT_NEAR(findOp("sigmoid")->unary(-50) / 1.9287498479639177830e-22, 1, 1e-14);
  EXPECT_NEAR(findOp("silu")->unary(-50) / -9.6437492398195889150e-21, 1, 1e-14);
  const double u = 0.79788456080286535588 * (-5 + 0.044715 * -125);
  EXPECT_NEAR(findOp("gelu")->unary(-5) / (-5 * std::exp(2 * u) / (1 + std::exp(2 * u))), 1, 1e-14);
  EXPECT_NEAR(findOp("gelu")->unary(1), 0.84119199060827676, 1e-15);
}

TEST(OpTable, IntegersAreExactBeforeTheyWrap) {
  EXPECT_EQ(findOp("mul")->binary_i32(INT32_MIN, INT32_MIN), int64_t{1} << 62);
  EXPECT_EQ(findOp("add")->binary_i32(INT32_MAX, 1), int64_t{1} << 31);
  EXPECT_EQ(findOp("abs")->unary_i32(INT32_MIN), int64_t{1} << 31);
  EXPECT_EQ(findOp("neg")->unary_i32(5), -5);
  EXPECT_EQ(findOp("relu")->unary_i32(-5), 0);
  EXPECT_EQ(findOp("max")->binary_i32(-3, 2), 2);
  EXPECT_EQ(findOp("min")->binary_i32(-3, 2), -3);
  EXPECT_EQ(findOp("colmax")->fold_i32(findOp("colmax")->identity_i32, INT32_MIN), INT32_MIN);
  EXPECT_EQ(findOp("rowmin")->fold_i32(findOp("rowmin")->identity_i32, INT32_MAX), INT32_MAX);
}

TEST(OpTable, MaxAndMinPropagateNan) {
  for (const char* name : {"max", "min"}) {
    const OpInfo* op = findOp(name);
    EXPECT_TRUE(std::isnan(op->binary(kNan, 1))) << name;
    EXPECT_TRUE(std::isnan(op->binary(1, kNan))) << name;
  }
  EXPECT_EQ(findOp("max")->binary(1, 2), 2);
  EXPECT_EQ(findOp("max")->binary(2, -kInfinity), 2);
  EXPECT_EQ(findOp("min")->binary(1, 2), 1);
  EXPECT_EQ(findOp("min")->binary(kInfinity, 2), 2);
}

TEST(OpTable, Reductions) {
  EXPECT_EQ(reduce("rowsum", {1, 2, 4}), 7);
  EXPECT_EQ(reduce("rowmean", {1, 2, 6}), 3);
  EXPECT_EQ(reduce("rowmax", {1, 5, 2}), 5);
  EXPECT_EQ(reduce("rowmax", {-5, -7}), -5);
  EXPECT_EQ(reduce("rowmin", {3, 1, 2}), 1);
  EXPECT_EQ(reduce("rowmin", {5, 7}), 5);
  for (const char* name : {"rowmax", "rowmin", "rowsum", "rowmean"}) {
    EXPECT_TRUE(std::isnan(reduce(name, {1, kNan, 2}))) << name;
    EXPECT_TRUE(std::isnan(reduce(name, {kNan}))) << name;
    EXPECT_TRUE(std::isnan(reduce(name, {1, kNan}))) << name;
  }
}

}  // namespace
}  // namespace ptowsp::ops
