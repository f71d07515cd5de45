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
  EXPECT_THAT(names, testing::ElementsAre("add", "sub", "mul", "div", "max", "min", "exp", "log",
                                          "sqrt", "rsqrt", "neg", "abs", "rowsum", "rowmax",
                                          "rowmin", "rowmean", "store"));
}

TEST(OpTable, RowsAreWhole) {
  for (const OpInfo& op : allOps()) {
    SCOPED_TRACE(op.name);
    EXPECT_EQ(findOp(op.name), &op);
    EXPECT_EQ(op.unary != nullptr, op.form == Form::elementwise && op.arity == 1);
    EXPECT_EQ(op.binary != nullptr, op.form == Form::elementwise && op.arity == 2);
    EXPECT_EQ(op.fold != nullptr, op.form == Form::row_reduction);
    EXPECT_EQ(op.finish != nullptr, op.form == Form::row_reduction);
    EXPECT_TRUE(op.form != Form::row_reduction || op.arity == 1);
    EXPECT_TRUE(op.form != Form::store || op.arity == 2);
    EXPECT_FALSE(op.isa.empty() || op.documentation.empty() || op.sim.empty());
    EXPECT_GE(op.max_ulp, 0);
  }
}

TEST(OpTable, UnknownAndPlannedNamesHaveNoRow) {
  EXPECT_EQ(findOp("frobnicate"), nullptr);
  EXPECT_EQ(findOp(""), nullptr);
  EXPECT_EQ(findOp("Add"), nullptr);
  EXPECT_THAT(plannedOps(), testing::Contains("matmul"));
  for (std::string_view name : plannedOps()) EXPECT_EQ(findOp(name), nullptr) << name;
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
