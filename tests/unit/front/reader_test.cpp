// SPDX-License-Identifier: MIT
// What the reader makes of a good file. Its errors are in tests/error/form, with their whole texts.
#include "generator/ir/reader.h"

#include <gtest/gtest.h>

namespace ptowsp::ir {
namespace {

constexpr std::string_view kText = R"({
  "ptowsp": 1, "name": "é",
  "tensors": [
    {"name": "x", "dtype": "f32", "shape": [2, 64, 256], "role": "input", "init": {"normal": [1, 2]}, "rtol": 0.5, "atol": 0},
    {"name": "y", "dtype": "i32", "shape": [8], "role": "temporary", "init": {"npy": "a b.npy"}}],
  "kernels": [{"name": "k",
    "params": [{"name": "a", "tile": [8, 256], "dtype": "bf16", "access": "inout"}, {"name": "s", "scalar": "f32"}],
    "body": [{"op": "mul", "args": ["a", -2.5], "result": "p"}, {"op": "store", "args": ["a", "p"]}]}],
  "program": [{"for": "r", "extent": 8, "mode": "sequential", "body": [
      {"task": "k", "args": {"a": "x[0, 8*r:8*r+8, :]", "s": 3}}]},
    {"combine": [{"sequential": [{"task": "k", "args": {}}]}]}],
  "schedule": {"dispatch": {"round_robin": 4}}
})";

TEST(Reader, KeepsEverything) {
  Locations locations;
  Diagnostics diagnostics;
  std::optional<Workload> w = readWorkload(kText, "w.json", locations, diagnostics);
  ASSERT_TRUE(w) << format(diagnostics, locations.locate());
  EXPECT_TRUE(diagnostics.all().empty());
  EXPECT_EQ(w->name, "é");

  ASSERT_EQ(w->tensors.size(), 2u);
  EXPECT_EQ(w->tensors[0].name, "x");
  EXPECT_EQ(w->tensors[0].shape, (std::vector<int64_t>{2, 64, 256}));
  EXPECT_EQ(w->tensors[0].role, Role::input);
  EXPECT_EQ(w->tensors[0].init->kind, Init::Kind::normal);
  EXPECT_EQ(w->tensors[0].init->a, 1);
  EXPECT_EQ(w->tensors[0].init->b, 2);
  EXPECT_EQ(w->tensors[0].rtol, 0.5);
  EXPECT_EQ(w->tensors[0].atol, 0);
  EXPECT_EQ(w->tensors[1].dtype, DType::i32);
  EXPECT_EQ(w->tensors[1].role, Role::temporary);
  EXPECT_EQ(w->tensors[1].init->file, "a b.npy");
  EXPECT_FALSE(w->tensors[1].rtol);
  EXPECT_EQ(w->tensors[1].place, "/tensors/1");

  ASSERT_EQ(w->kernels.size(), 1u);
  const Kernel& k = w->kernels[0];
  EXPECT_EQ(k.place, "/kernels/0");
  ASSERT_EQ(k.params.size(), 2u);
  EXPECT_EQ(k.params[0].rows, 8);
  EXPECT_EQ(k.params[0].cols, 256);
  EXPECT_EQ(k.params[0].dtype, DType::bf16);
  EXPECT_EQ(k.params[0].access, Access::inout);
  EXPECT_FALSE(k.params[0].is_scalar);
  EXPECT_TRUE(k.params[1].is_scalar);
  EXPECT_EQ(k.params[1].place, "/kernels/0/params/1");
  ASSERT_EQ(k.body.size(), 2u);
  EXPECT_EQ(k.body[0].name, "mul");
  EXPECT_EQ(k.body[0].args, (std::vector<Operand>{"a", -2.5}));
  EXPECT_EQ(k.body[0].result, "p");
  EXPECT_EQ(k.body[1].result, "");

  ASSERT_EQ(w->program.size(), 2u);
  const Node& loop = w->program[0];
  EXPECT_EQ(loop.kind, Node::Kind::loop);
  EXPECT_EQ(loop.variable, "r");
  EXPECT_EQ(loop.extent, 8);
  EXPECT_FALSE(loop.parallel);
  const Node& task = loop.body.at(0);
  EXPECT_EQ(task.kind, Node::Kind::task);
  EXPECT_EQ(task.place, "/program/0/body/0");
  ASSERT_EQ(task.args.size(), 2u);
  const View& view = std::get<View>(task.args[0].value);
  EXPECT_EQ(view.tensor, "x");
  EXPECT_EQ(view.text, "x[0, 8*r:8*r+8, :]");
  EXPECT_EQ(view.subscripts.size(), 3u);
  EXPECT_EQ(view.subscripts[1].stop->coefficients.at("r"), 8);
  EXPECT_EQ(std::get<double>(task.args[1].value), 3);
  EXPECT_EQ(task.args[1].place, "/program/0/body/0/args/s");
  EXPECT_EQ(w->program[1].kind, Node::Kind::combine);
  EXPECT_EQ(w->program[1].body.at(0).kind, Node::Kind::sequential);
  EXPECT_EQ(w->program[1].body[0].body.at(0).place, "/program/1/combine/0/sequential/0");

  ASSERT_TRUE(w->schedule.dispatch);
  EXPECT_EQ(w->schedule.dispatch->policy, Dispatch::Policy::round_robin);
  EXPECT_EQ(w->schedule.dispatch->aicpus, 4);
  EXPECT_EQ(w->schedule.dispatch->place, "/schedule/dispatch/round_robin");
  EXPECT_FALSE(w->schedule.task_window);
}

TEST(Reader, MissingInitAndToleranceStayAbsent) {
  Locations locations;
  Diagnostics diagnostics;
  std::optional<Workload> w = readWorkload(
      R"({"ptowsp": 1, "name": "n", "tensors": [{"name": "x", "dtype": "f32", "shape": [1], "role": "inout"}], "kernels": [], "program": []})",
      "w.json", locations, diagnostics);
  ASSERT_TRUE(w);
  EXPECT_FALSE(w->tensors[0].init);
  EXPECT_FALSE(w->tensors[0].atol);
}

// Whatever one byte is changed to, the reader ends with a workload or with errors that can be
// shown.
TEST(Reader, AScriptsMistakeIsAllOfTheText) {
  auto said = [](std::string_view text) {
    Locations locations;
    Diagnostics diagnostics;
    EXPECT_FALSE(readWorkload(text, "w.json", locations, diagnostics));
    EXPECT_TRUE(diagnostics.hasErrors());
    return format(diagnostics, locations.locate());
  };
  EXPECT_EQ(said(R"({"ptowsp": 1, "error": "wl.py:3: error: no op 'ä' [unknown-name]\n  fix: x"})"),
            "wl.py:3: error: no op 'ä' [unknown-name]\n  fix: x\n");
  // Anything else with such a key is a workload file with a mistake.
  EXPECT_TRUE(said(R"({"ptowsp": 1, "error": 3})").starts_with("w.json:"));
  EXPECT_TRUE(said(R"({"ptowsp": 1, "error": "e", "tensors": []})").starts_with("w.json:"));
}

TEST(Reader, DamagedFilesAreErrorsOrWorkloads) {
  const std::string bytes = "\"{}[],:0-x\x01\xff";
  for (size_t i = 0; i < kText.size(); ++i) {
    for (char byte : bytes) {
      std::string text(kText);
      text[i] = byte;
      Locations locations;
      Diagnostics diagnostics;
      bool good = readWorkload(text, "w.json", locations, diagnostics).has_value();
      EXPECT_EQ(good, diagnostics.all().empty());
      if (!good) {
        EXPECT_NE(format(diagnostics, locations.locate()).find("w.json:"), std::string::npos);
      }
    }
  }
}

}  // namespace
}  // namespace ptowsp::ir
