// SPDX-License-Identifier: MIT
// What verify makes of good workloads. Its errors are in tests/error/rules, with their whole texts.
#include "generator/verify/verify.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <set>
#include <tuple>

#include "generator/verify/affine.h"
#include "generator/verify/load.h"
#include "tests/seed.h"

namespace ptowsp {
namespace {

using testing::ElementsAre;

Program programOf(const std::string& text) {
  Diagnostics diagnostics;
  Loaded loaded = loadText(text, "w.json", diagnostics);
  EXPECT_TRUE(loaded.program) << format(diagnostics, loaded.locate());
  return loaded.program.value_or(Program());
}

std::string rulesOf(const std::string& text) {
  Diagnostics diagnostics;
  Loaded loaded = loadText(text, "w.json", diagnostics);
  std::string rules;
  for (const Diagnostic& d : diagnostics.all()) rules += (rules.empty() ? "" : " ") + d.rule;
  EXPECT_EQ(loaded.program.has_value(), !diagnostics.hasErrors());
  return rules;
}

// A workload with one kernel; the parts are JSON.
std::string workload(const std::string& tensors, const std::string& params, const std::string& body,
                     const std::string& program) {
  return R"({"ptowsp": 1, "name": "w", "tensors": [)" + tensors +
         R"(], "kernels": [{"name": "k", "params": [)" + params + R"(], "body": [)" + body +
         R"(]}], "program": [)" + program + "]}";
}

std::string tensor(const std::string& name, const std::string& shape, const std::string& role) {
  return R"({"name": ")" + name + R"(", "dtype": "f32", "shape": [)" + shape + R"(], "role": ")" +
         role + "\"}";
}

std::string tile(const std::string& name, const std::string& shape, const std::string& access) {
  return R"({"name": ")" + name + R"(", "tile": [)" + shape + R"(], "dtype": "f32", "access": ")" +
         access + "\"}";
}

std::string op(const std::string& name, const std::string& args, const std::string& result = "") {
  return R"({"op": ")" + name + R"(", "args": [)" + args + "]" +
         (result.empty() ? "" : R"(, "result": ")" + result + "\"") + "}";
}

const std::string kCopy = op("store", R"("b", "a")");

TEST(Verify, ResolvesTensors) {
  Program program = programOf(
      workload(tensor("x", "2, 3, 4, 5", "input") + "," +
                   R"({"name": "y", "dtype": "f32", "shape": [5], "role": "output", "rtol": 0.5})",
               tile("a", "1, 5", "in") + "," + tile("b", "1, 5", "out"), kCopy,
               R"({"task": "k", "args": {"a": "x[1, 2, 3]", "b": "y"}})"));
  ASSERT_EQ(program.tensors.size(), 2u);
  const Tensor &x = program.tensors[0], &y = program.tensors[1];
  EXPECT_EQ(x.planes, 6);
  EXPECT_EQ(x.rows, 4);
  EXPECT_EQ(x.cols, 5);
  EXPECT_EQ(x.elements, 120);
  EXPECT_EQ(x.bytes, 480);
  EXPECT_EQ(x.rtol, 1e-4);
  EXPECT_EQ(x.atol, 1e-5);
  EXPECT_FALSE(x.written);
  EXPECT_EQ(y.planes, 1);
  EXPECT_EQ(y.rows, 1);
  EXPECT_EQ(y.cols, 5);
  EXPECT_EQ(y.rtol, 0.5);
  EXPECT_EQ(y.atol, 1e-5);
  EXPECT_TRUE(y.written);
  const TileView& view = program.root.body[0].views[0];
  EXPECT_EQ(view.plane.constant, 5);
  EXPECT_EQ(view.row.constant, 3);
  EXPECT_EQ(view.col.constant, 0);
}

TEST(Verify, ViewsAreAffineInTheEnclosingLoops) {
  Program program = programOf(
      workload(tensor("x", "4, 8, 16, 32", "input") + "," + tensor("y", "4, 8, 16, 32", "output"),
               tile("a", "2, 8", "in") + "," + tile("b", "2, 8", "out"), kCopy,
               R"({"for": "p", "extent": 3, "mode": "parallel", "body": [
           {"for": "q", "extent": 4, "mode": "sequential", "body": [
             {"task": "k", "args": {"a": "x[p+1, 7-2*q, 2*p:2*p+2, 8*q:8*(q+1)]", "b": "y[p][q][:2, 8*q:8*q+8]"}}]},
           {"task": "k", "args": {"a": "x[p, 0, 3:5, 0:8]", "b": "y[0, p, 14:, 24:]"}}]})"));
  EXPECT_EQ(program.root.kind, Node::Kind::sequential);
  EXPECT_EQ(program.root.place, "/program");
  EXPECT_EQ(program.taskCount(), 15);
  const Node& outer = program.root.body.at(0);
  EXPECT_EQ(outer.tasks, 15);
  EXPECT_TRUE(outer.parallel);
  EXPECT_EQ(outer.variable, "p");
  const Node& inner = outer.body.at(0);
  EXPECT_EQ(inner.tasks, 4);
  EXPECT_FALSE(inner.parallel);
  const TileView& a = inner.body.at(0).views.at(0);
  EXPECT_EQ(a.tensor, 0);
  EXPECT_EQ(a.rows, 2);
  EXPECT_EQ(a.cols, 8);
  EXPECT_EQ(a.plane.constant, 15);
  EXPECT_THAT(a.plane.coefficients, ElementsAre(8, -2));
  EXPECT_EQ(a.row.constant, 0);
  EXPECT_THAT(a.row.coefficients, ElementsAre(2, 0));
  EXPECT_THAT(a.col.coefficients, ElementsAre(0, 8));
  EXPECT_EQ(a.text, "x[p+1, 7-2*q, 2*p:2*p+2, 8*q:8*(q+1)]");
  EXPECT_EQ(a.place, "/program/0/body/0/body/0/args/a");
  const Node& task = outer.body.at(1);
  EXPECT_THAT(task.views.at(0).plane.coefficients, ElementsAre(8));
  EXPECT_EQ(task.views[1].row.constant, 14);
  EXPECT_EQ(task.views[1].col.constant, 24);
  EXPECT_THAT(task.views[1].plane.coefficients, ElementsAre(1));
}

TEST(Verify, StridedTilesHaveRowsApart) {
  auto kernel = [](const std::string& x, const std::string& view) {
    return programOf(workload(tensor("x", x, "input") + "," + tensor("y", "2, 8", "output"),
                              tile("a", "2, 8", "in") + "," + tile("b", "2, 8", "out"), kCopy,
                              R"({"task": "k", "args": {"a": ")" + view + R"(", "b": "y"}})"))
        .kernels.at(0);
  };
  EXPECT_FALSE(kernel("4, 8", "x[1:3]").tiles[0].strided);
  EXPECT_EQ(kernel("4, 8", "x[1:3]").argumentCount(), 5);
  EXPECT_TRUE(kernel("4, 9", "x[1:3, 1:]").tiles[0].strided);
  EXPECT_FALSE(kernel("4, 9", "x[1:3, 1:]").tiles[1].strided);
  EXPECT_EQ(kernel("4, 9", "x[1:3, 1:]").argumentCount(), 6);
  Program row = programOf(workload(tensor("x", "4, 9", "input") + "," + tensor("y", "8", "output"),
                                   tile("a", "1, 8", "in") + "," + tile("b", "1, 8", "out"), kCopy,
                                   R"({"task": "k", "args": {"a": "x[1, :8]", "b": "y"}})"));
  EXPECT_FALSE(row.kernels[0].tiles[0].strided) << "one row has no stride";
}

TEST(Verify, KernelsAreTyped) {
  Program program = programOf(workload(
      tensor("x", "4, 8", "input") + "," + tensor("y", "4, 8", "output"),
      tile("a", "4, 8", "in") + R"(, {"name": "s", "scalar": "f32"}, )" + tile("b", "4, 8", "out"),
      op("rowmax", R"("a")", "m") + "," + op("mul", R"("s", 0.1)", "t") + "," +
          op("sub", R"("a", "m")", "d") + "," + op("mul", R"("d", "t")", "p") + "," +
          op("store", R"("b", "p")"),
      R"({"task": "k", "args": {"b": "y", "s": 0.1, "a": "x"}})"));
  const Kernel& k = program.kernels.at(0);
  EXPECT_EQ(k.core, CoreType::aiv);
  EXPECT_EQ(k.argumentCount(), 6);
  ASSERT_EQ(k.tiles.size(), 2u);
  EXPECT_EQ(k.tiles[1].name, "b");
  EXPECT_EQ(k.values[static_cast<size_t>(k.tiles[1].value)].kind, Value::Kind::tile);
  EXPECT_EQ(k.values[static_cast<size_t>(k.tiles[1].value)].index, 1);
  ASSERT_EQ(k.scalars.size(), 1u);
  EXPECT_EQ(k.values[static_cast<size_t>(k.scalars[0].value)].kind, Value::Kind::scalar);
  ASSERT_EQ(k.ops.size(), 5u);
  auto result = [&](size_t i) { return k.values[static_cast<size_t>(k.ops[i].result)]; };
  EXPECT_EQ(result(0).name, "m");
  EXPECT_EQ(result(0).rows, 4);
  EXPECT_EQ(result(0).cols, 1);
  EXPECT_EQ(result(1).rows, 1);
  EXPECT_EQ(result(1).cols, 1);
  EXPECT_EQ(result(3).cols, 8);
  const Value& literal = k.values[static_cast<size_t>(k.ops[1].args[1])];
  EXPECT_EQ(literal.kind, Value::Kind::literal);
  EXPECT_EQ(literal.literal, static_cast<double>(0.1f)) << "numbers are rounded to f32";
  EXPECT_EQ(k.ops[4].op->name, "store");
  EXPECT_THAT(k.ops[4].args, ElementsAre(k.tiles[1].value, k.ops[3].result));
  EXPECT_EQ(k.ops[4].result, -1);
  EXPECT_EQ(k.ops[4].place, "/kernels/0/body/4");
  const Node& task = program.root.body.at(0);
  EXPECT_EQ(task.kernel, 0);
  EXPECT_THAT(task.scalars, ElementsAre(static_cast<double>(0.1f)));
  EXPECT_EQ(task.views.at(0).tensor, 0) << "views are in parameter order";
  EXPECT_EQ(task.views.at(1).tensor, 1);
}

TEST(Verify, ReadsAfterAStoreAreForwarded) {
  Program program =
      programOf(workload(tensor("x", "1, 8", "inout") + "," + tensor("y", "1, 8", "output"),
                         tile("a", "1, 8", "inout") + "," + tile("b", "1, 8", "out"),
                         op("exp", R"("a")", "e") + "," + op("store", R"("b", "e")") + "," +
                             op("add", R"("b", "a")", "s") + "," + op("store", R"("a", "s")") +
                             "," + op("store", R"("b", "a")"),
                         R"({"task": "k", "args": {"a": "x", "b": "y"}})"));
  const Kernel& k = program.kernels.at(0);
  ASSERT_EQ(k.ops.size(), 5u);
  EXPECT_THAT(k.ops[2].args, ElementsAre(k.ops[0].result, k.tiles[0].value))
      << "b is what was stored, a is as it was on entry";
  EXPECT_THAT(k.ops[4].args, ElementsAre(k.tiles[1].value, k.ops[2].result));
}

TEST(Verify, Broadcasting) {
  auto rules = [](const std::string& a, const std::string& b, const std::string& result) {
    return rulesOf(workload(
        tensor("x", "8, 8", "input") + "," + tensor("y", "8, 8", "output"),
        tile("a", a, "in") + "," + tile("c", b, "in") + "," + tile("b", result, "out"),
        op("add", R"("a", "c")", "p") + "," + op("store", R"("b", "p")"),
        R"({"task": "k", "args": {"a": "x[0:)" + a.substr(0, 1) + ", 0:" + a.substr(3) + R"(]",
            "c": "x[0:)" +
            b.substr(0, 1) + ", 0:" + b.substr(3) + R"(]",
            "b": "y[0:)" +
            result.substr(0, 1) + ", 0:" + result.substr(3) + "]\"}}"));
  };
  for (const char* other : {"4, 8", "1, 8", "4, 1", "1, 1"}) {
    EXPECT_EQ(rules("4, 8", other, "4, 8"), "") << other;
    EXPECT_EQ(rules(other, "4, 8", "4, 8"), "") << other;
  }
  EXPECT_EQ(rules("4, 1", "1, 8", "4, 8"), "");
  for (const char* other : {"2, 8", "4, 2", "8, 4", "2, 1"}) {
    EXPECT_EQ(rules("4, 8", other, "4, 8"), "shape-mismatch") << other;
  }
  EXPECT_EQ(rules("4, 1", "4, 1", "4, 8"), "shape-mismatch") << "store does not broadcast";
}

// y[...] = x[...] in one loop.
std::string copyLoop(const std::string& extent, const std::string& index) {
  return workload(tensor("x", "8, 8", "input") + "," + tensor("y", "8, 8", "output"),
                  tile("a", "1, 8", "in") + "," + tile("b", "1, 8", "out"), kCopy,
                  R"({"for": "i", "extent": )" + extent +
                      R"(, "mode": "sequential", "body": [
                         {"task": "k", "args": {"a": "x[0]", "b": "y[)" +
                      index + R"(]"}}]})");
}

TEST(Verify, LoopsOfOneIterationMayHaveAnyCoefficient) {
  Program program = programOf(copyLoop("1", "9000000000000000000*i"));
  EXPECT_THAT(program.root.body[0].body[0].views[1].row.coefficients, ElementsAre(0))
      << "what adds nothing cannot overflow later";
  EXPECT_THAT(programOf(copyLoop("1", "8*i")).root.body[0].body[0].views[1].row.coefficients,
              ElementsAre(8));
}

TEST(Verify, TaskCountsUpToTheLimit) {
  EXPECT_EQ(programOf(copyLoop("2147483647", "0")).taskCount(), 2147483647);
  EXPECT_EQ(rulesOf(copyLoop("2147483648", "0")), "too-many-tasks");
  EXPECT_EQ(rulesOf(copyLoop("9223372036854775807", "i")), "too-many-tasks");
}

TEST(Verify, BoundsAreExact) {
  EXPECT_EQ(rulesOf(copyLoop("8", "i")), "");
  EXPECT_EQ(rulesOf(copyLoop("9", "i")), "out-of-bounds");
  EXPECT_EQ(rulesOf(copyLoop("8", "7-i")), "");
  EXPECT_EQ(rulesOf(copyLoop("8", "6-i")), "out-of-bounds");
  EXPECT_EQ(rulesOf(copyLoop("4", "2*i+1")), "");
  EXPECT_EQ(rulesOf(copyLoop("4", "2*i+2")), "out-of-bounds");
  EXPECT_EQ(rulesOf(copyLoop("2147483647", "i-i")), "");
}

TEST(Verify, NumbersOfF32Only) {
  auto scalar = [](const std::string& number) {
    return rulesOf(workload(tensor("y", "1, 1", "output"),
                            R"({"name": "s", "scalar": "f32"}, )" + tile("b", "1, 1", "out"),
                            op("store", R"("b", "s")"),
                            R"({"task": "k", "args": {"b": "y", "s": )" + number + "}}"));
  };
  EXPECT_EQ(scalar("3.4028234663852886e38"), "");
  EXPECT_EQ(scalar("3.5e38"), "number-range");
  EXPECT_EQ(scalar("1e-300"), "");
}

// Random pairs of views of one task against trying every iteration element by element.
TEST(Verify, AliasesAgreeWithBruteForce) {
  std::mt19937 random(static_cast<uint32_t>(test::testSeed()));
  auto pick = [&](int low, int high) {
    return low + static_cast<int>(random() % static_cast<unsigned>(high - low + 1));
  };
  int aliased = 0, clean = 0;
  for (int round = 0; round < 3000; ++round) {
    int extents[2] = {pick(1, 4), pick(1, 3)};
    struct Block {
      int rows, cols, plane[3], row[3], col[3];
    } blocks[2];
    auto index = [&](int(&k)[3]) {
      k[0] = pick(16, 18), k[1] = pick(-3, 3), k[2] = pick(-3, 3);
      return std::to_string(k[0]) + "+" + std::to_string(k[1]) + "*i+" + std::to_string(k[2]) +
             "*j";
    };
    std::string views[2];
    for (int b = 0; b < 2; ++b) {
      Block& block = blocks[b];
      block.rows = blocks[0].rows = b ? blocks[0].rows : pick(1, 3);
      block.cols = blocks[0].cols = b ? blocks[0].cols : pick(1, 3);
      std::string plane = index(block.plane), row = index(block.row), col = index(block.col);
      views[b] = "x[" + plane + ", " + row + ":" + row + "+" + std::to_string(block.rows) + ", " +
                 col + ":" + col + "+" + std::to_string(block.cols) + "]";
    }
    bool expected = false;
    for (int i = 0; i < extents[0]; ++i) {
      for (int j = 0; j < extents[1]; ++j) {
        auto at = [&](const int(&k)[3]) { return k[0] + k[1] * i + k[2] * j; };
        std::set<std::tuple<int, int, int>> elements;
        for (const Block& block : blocks) {
          for (int r = 0; r < block.rows; ++r) {
            for (int c = 0; c < block.cols; ++c) {
              expected =
                  !elements.emplace(at(block.plane), at(block.row) + r, at(block.col) + c).second ||
                  expected;
            }
          }
        }
      }
    }
    std::string shape = std::to_string(blocks[0].rows) + ", " + std::to_string(blocks[0].cols);
    std::string text =
        workload(tensor("x", "40, 40, 40", "inout"),
                 tile("a", shape, "in") + "," + tile("b", shape, "out"), kCopy,
                 R"({"for": "i", "extent": )" + std::to_string(extents[0]) +
                     R"(, "mode": "sequential", "body": [{"for": "j", "extent": )" +
                     std::to_string(extents[1]) +
                     R"(, "mode": "sequential", "body": [{"task": "k", "args": {"a": ")" +
                     views[0] + R"(", "b": ")" + views[1] + "\"}}]}]}");
    ASSERT_EQ(rulesOf(text), expected ? "aliased-arguments" : "") << text;
    (expected ? aliased : clean) += 1;
  }
  EXPECT_GT(aliased, 20);
  EXPECT_GT(clean, 20);
}

TEST(Verify, EveryExampleOfTheRepositoryIsGood) {
  for (const char* name : {"diamond", "scale", "softmax", "wavefront", "program_order"}) {
    Diagnostics diagnostics;
    Loaded loaded =
        load(std::string(PTOWSP_SOURCE_DIR "/tests/golden/cases/") + name + ".json", diagnostics);
    EXPECT_TRUE(loaded.program) << format(diagnostics, loaded.locate());
  }
}

}  // namespace
}  // namespace ptowsp
