// SPDX-License-Identifier: MIT
// The reference against numbers worked out by hand, or by numpy where it says so.
#include "generator/reference/evaluate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ptowsp/npy.h"
#include "tests/unit/reference/folder.h"
#include "tests/unit/reference/program_builder.h"

namespace ptowsp::reference {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::IsNan;

std::string messages(const Diagnostics& diagnostics) {
  std::string text;
  for (const Diagnostic& d : diagnostics.all())
    text += d.place + ": " + d.message + " [" + d.rule + "]\n";
  return text;
}

Evaluation evaluated(const Program& program, const Options& options = {}) {
  Evaluation evaluation;
  Diagnostics diagnostics;
  EXPECT_TRUE(evaluate(program, options, evaluation, diagnostics)) << messages(diagnostics);
  EXPECT_THAT(diagnostics.all(), IsEmpty());
  return evaluation;
}

std::string failure(const Program& program, const Options& options, Evaluation& evaluation) {
  Diagnostics diagnostics;
  EXPECT_FALSE(evaluate(program, options, evaluation, diagnostics));
  EXPECT_TRUE(diagnostics.hasErrors());
  return messages(diagnostics);
}

// y = `op`(x, z) over one task of whole tensors, whose elements are given as .npy files.
struct Given {
  std::vector<int64_t> shape;
  std::vector<float> data;
};

std::vector<double> applied(const std::string& op, const std::vector<Given>& operands,
                 const std::vector<int64_t>& result) {
  Folder folder;
  KernelBuilder kernel("k");
  std::vector<Tensor> tensors;
  std::vector<TileView> views;
  std::vector<int> args;
  for (const Given& given : operands) {
    const std::string name(1, static_cast<char>('a' + tensors.size()));
    EXPECT_EQ(npy::write(folder / name, npy::Type::f32, given.shape, given.data.data()).message,
              "");
    views.push_back(viewAt(static_cast<int>(tensors.size()), 0, 0, given.shape[0], given.shape[1]));
    tensors.push_back(
        makeTensor(name, given.shape, Role::input, ir::Init{ir::Init::Kind::npy, 0, 0, name}));
    args.push_back(kernel.tile(name, given.shape[0], given.shape[1], Access::in));
  }
  const int y = kernel.tile("y", result[0], result[1], Access::out);
  kernel.store(y, kernel.op(op, args));
  views.push_back(viewAt(static_cast<int>(tensors.size()), 0, 0, result[0], result[1]));
  tensors.push_back(makeTensor("y", result, Role::output));
  Options options;
  options.directory = folder.text();
  return evaluated(makeProgram(tensors, {kernel.done()}, {makeTask(0, views)}), options)
      .expected.back()
      .values();
}

const Given kTile = {{2, 3}, {1, 2, 3, 4, 5, 6}};
const Given kRow = {{1, 3}, {10, 20, 30}};
const Given kColumn = {{2, 1}, {100, 200}};
const Given kScalar = {{1, 1}, {1000}};

TEST(Evaluate, ElementwiseOpsBroadcastEveryPairOfShapes) {
  EXPECT_THAT(applied("sub", {kTile, kTile}, {2, 3}), ElementsAre(0, 0, 0, 0, 0, 0));
  EXPECT_THAT(applied("sub", {kTile, kRow}, {2, 3}), ElementsAre(-9, -18, -27, -6, -15, -24));
  EXPECT_THAT(applied("sub", {kRow, kTile}, {2, 3}), ElementsAre(9, 18, 27, 6, 15, 24));
  EXPECT_THAT(applied("sub", {kTile, kColumn}, {2, 3}),
              ElementsAre(-99, -98, -97, -196, -195, -194));
  EXPECT_THAT(applied("sub", {kColumn, kTile}, {2, 3}), ElementsAre(99, 98, 97, 196, 195, 194));
  EXPECT_THAT(applied("sub", {kTile, kScalar}, {2, 3}),
              ElementsAre(-999, -998, -997, -996, -995, -994));
  EXPECT_THAT(applied("sub", {kScalar, kTile}, {2, 3}), ElementsAre(999, 998, 997, 996, 995, 994));
  EXPECT_THAT(applied("sub", {kRow, kColumn}, {2, 3}),
              ElementsAre(-90, -80, -70, -190, -180, -170));
  EXPECT_THAT(applied("sub", {kColumn, kRow}, {2, 3}), ElementsAre(90, 80, 70, 190, 180, 170));
  EXPECT_THAT(applied("sub", {kRow, kScalar}, {1, 3}), ElementsAre(-990, -980, -970));
  EXPECT_THAT(applied("sub", {kScalar, kColumn}, {2, 1}), ElementsAre(900, 800));
  EXPECT_THAT(applied("sub", {kScalar, kScalar}, {1, 1}), ElementsAre(0));
}

TEST(Evaluate, StoreBroadcastsToo) {
  EXPECT_THAT(applied("rowsum", {kTile}, {2, 3}), ElementsAre(6, 6, 6, 15, 15, 15));
}

TEST(Evaluate, ReductionsGoOverRows) {
  EXPECT_THAT(applied("rowsum", {kTile}, {2, 1}), ElementsAre(6, 15));
  EXPECT_THAT(applied("rowmean", {kTile}, {2, 1}), ElementsAre(2, 5));
  EXPECT_THAT(applied("rowmax", {{{2, 2}, {-3, -1, -2, -5}}}, {2, 1}), ElementsAre(-1, -2));
}

// In f32, 2^24 + 1 + 1 is 2^24 when every sum is rounded.
TEST(Evaluate, ReductionsAccumulateInDouble) {
  EXPECT_THAT(applied("rowsum", {{{1, 3}, {0x1p24f, 1, 1}}}, {1, 1}), ElementsAre(0x1p24f + 2));
  EXPECT_THAT(applied("rowmean", {{{1, 4}, {0x1p24f, 1, 1, 2}}}, {1, 1}), ElementsAre(0x1p22f + 1));
}

TEST(Evaluate, EachOpIsRoundedToItsDType) {
  KernelBuilder kernel("k");
  const int y = kernel.tile("y", 1, 1, Access::out);
  const int big = kernel.literal(0x1p24);
  kernel.store(y, kernel.op("sub", {kernel.op("add", {big, kernel.literal(1)}), big}));
  const Program program = makeProgram({makeTensor("y", {1}, Role::output)}, {kernel.done()},
                                      {makeTask(0, {viewAt(0, 0, 0, 1, 1)})});
  EXPECT_THAT(evaluated(program).expected[0].values(), ElementsAre(0));
}

// Rounded through f32 first, 1/3 would come out as 0.33333334 in both; exp(1) differs in the last
// bit when its argument or its result is rounded twice. The value is numpy's
// float32(exp(float64(0.1f))).
TEST(Evaluate, OpsAreComputedInDouble) {
  EXPECT_THAT(applied("exp", {{{1, 2}, {0.1f, -87.5f}}}, {1, 2}),
              ElementsAre(0x1.1aec7cp+0f, 0x1.b2cafp-127f));
}

TEST(Evaluate, ScalarsAndLiteralsAreF32) {
  KernelBuilder kernel("k");
  const int y = kernel.tile("y", 1, 1, Access::out);
  const int s = kernel.scalar("s");
  kernel.store(y, kernel.op("sub", {s, kernel.literal(0.1)}));
  const Program program = makeProgram({makeTensor("y", {2}, Role::output)}, {kernel.done()},
                                      {makeTask(0, {viewAt(0, 0, 0, 1, 1)}, {0.1}),
                                       makeTask(0, {viewAt(0, 0, 1, 1, 1)}, {double{0.1f}})});
  EXPECT_THAT(evaluated(program).expected[0].values(), ElementsAre(0, 0));
}

// Row softmax; the numbers are numpy's, each step in float64 and rounded to float32.
TEST(Evaluate, SoftmaxOfTwoRowsIsNumpys) {
  Folder folder;
  const float numbers[] = {0.5f, -1.25f, 3, 2, 2, -4};
  ASSERT_TRUE(npy::write(folder / "x.npy", npy::Type::f32, {2, 3}, numbers).ok());
  KernelBuilder kernel("softmax");
  const int x = kernel.tile("x", 1, 3, Access::in);
  const int y = kernel.tile("y", 1, 3, Access::out);
  const int e = kernel.op("exp", {kernel.op("sub", {x, kernel.op("rowmax", {x})})});
  kernel.store(y, kernel.op("div", {e, kernel.op("rowsum", {e})}));
  const Affine row = {0, {1}}, zero = {0, {0}};
  const Program program = makeProgram(
      {makeTensor("x", {2, 3}, Role::input, ir::Init{ir::Init::Kind::npy, 0, 0, "x.npy"}),
       makeTensor("y", {2, 3}, Role::output)},
      {kernel.done()},
      {makeLoop(
          2, {makeTask(0, {viewOf(0, zero, row, zero, 1, 3), viewOf(1, zero, row, zero, 1, 3)})})});
  Options options;
  options.directory = folder.text();
  const Evaluation evaluation = evaluated(program, options);
  EXPECT_THAT(evaluation.inputs[0].values(), ElementsAreArray(numbers));
  EXPECT_THAT(evaluation.expected[1].values(), ElementsAre(0x1.32ac28p-4f, 0x1.aa5562p-7f, 0x1.d30126p-1f,
                                                  0x1.ff5dcp-2f, 0x1.ff5dcp-2f, 0x1.447e2ap-10f));
  EXPECT_THAT(evaluation.inputs[1].values(), IsEmpty());
  EXPECT_THAT(evaluation.expected[0].values(), IsEmpty());
}

Kernel copyKernel(int64_t rows, int64_t cols) {
  KernelBuilder kernel("copy");
  const int x = kernel.tile("x", rows, cols, Access::in);
  const int y = kernel.tile("y", rows, cols, Access::out);
  kernel.store(y, kernel.op("add", {x, kernel.literal(0)}));
  return kernel.done();
}

// x[p, 2*r:2*r+2, c] goes to y[c, 1-r:.., 2-... ]: planes, strided rows and falling indices at
// once.
TEST(Evaluate, ViewsTakePlanesStridesAndAffineIndices) {
  // 2 planes of 4 x 3; the 2 x 1 block at (p, 2r, c) goes to plane 1-p, row 2-2r, column 2-c.
  const Program program = makeProgram(
      {makeTensor("x", {2, 4, 3}, Role::input, arange(0, 1)),
       makeTensor("y", {2, 4, 3}, Role::output)},
      {copyKernel(2, 1)},
      {makeLoop(2,
                {makeLoop(2, {makeLoop(3, {makeTask(0, {viewOf(0, {0, {1, 0, 0}}, {0, {0, 2, 0}},
                                                               {0, {0, 0, 1}}, 2, 1),
                                                        viewOf(1, {1, {-1, 0, 0}}, {2, {0, -2, 0}},
                                                               {2, {0, 0, -1}}, 2, 1)})})})})});
  EXPECT_THAT(evaluated(program).expected[1].values(),
              ElementsAre(20, 19, 18, 23, 22, 21, 14, 13, 12, 17, 16, 15,  //
                          8, 7, 6, 11, 10, 9, 2, 1, 0, 5, 4, 3));
}

TEST(Evaluate, TasksRunInProgramOrder) {
  KernelBuilder twice("twice"), next("next");
  const int a = twice.tile("y", 1, 1, Access::inout);
  twice.store(a, twice.op("mul", {a, twice.literal(2)}));
  const int b = next.tile("y", 1, 1, Access::inout);
  next.store(b, next.op("add", {b, next.literal(1)}));
  const TileView y = viewAt(0, 0, 0, 1, 1);
  TileView inside = y;
  for (Affine* affine : {&inside.plane, &inside.row, &inside.col}) affine->coefficients = {0};
  // ((3 * 2 + 1) * 2 + 1) + 1, times 2
  const Program program =
      makeProgram({makeTensor("y", {1}, Role::inout, ir::Init{ir::Init::Kind::constant, 3, 0, ""})},
                  {twice.done(), next.done()},
                  {makeLoop(2, {makeTask(0, {inside}), makeTask(1, {inside})}),
                   makeList(Node::Kind::combine, {makeTask(1, {y})}),
                   makeList(Node::Kind::sequential, {makeTask(0, {y})})});
  const Evaluation evaluation = evaluated(program);
  EXPECT_THAT(evaluation.expected[0].values(), ElementsAre(32));
  EXPECT_THAT(evaluation.inputs[0].values(), ElementsAre(3)) << "the input is kept as it was";
}

TEST(Evaluate, ATileValueIsAsItWasOnEntry) {
  KernelBuilder kernel("k");
  const int y = kernel.tile("y", 1, 2, Access::inout);
  const int z = kernel.tile("z", 1, 2, Access::out);
  kernel.store(y, kernel.op("add", {y, kernel.literal(1)}));
  kernel.store(z, kernel.op("mul", {y, kernel.literal(10)}));
  const Program program = makeProgram(
      {makeTensor("y", {2}, Role::inout, arange(5, 1)), makeTensor("z", {2}, Role::output)},
      {kernel.done()}, {makeTask(0, {viewAt(0, 0, 0, 1, 2), viewAt(1, 0, 0, 1, 2)})});
  const Evaluation evaluation = evaluated(program);
  EXPECT_THAT(evaluation.expected[0].values(), ElementsAre(6, 7));
  EXPECT_THAT(evaluation.expected[1].values(), ElementsAre(50, 60));
}

TEST(Evaluate, WhatNoTaskWroteIsNaN) {
  const Program program = makeProgram(
      {makeTensor("t", {1, 2}, Role::temporary), makeTensor("y", {1, 4}, Role::output)},
      {copyKernel(1, 2)}, {makeTask(0, {viewAt(0, 0, 0, 1, 2), viewAt(1, 0, 0, 1, 2)})});
  EXPECT_THAT(evaluated(program).expected[1].values(), ElementsAre(IsNan(), IsNan(), IsNan(), IsNan()));
}

Program copyProgram(std::optional<ir::Init> init, Role role = Role::input) {
  return makeProgram(
      {makeTensor("x", {2, 2}, role, std::move(init)), makeTensor("y", {2, 2}, Role::output)},
      {copyKernel(2, 2)}, {makeTask(0, {viewAt(0, 0, 0, 2, 2), viewAt(1, 0, 0, 2, 2)})});
}

// Uniform and normal numbers by an independent program, rounded to f32 (see random_test.cpp).
TEST(Evaluate, InitMakesTheInputs) {
  EXPECT_THAT(evaluated(copyProgram(arange(0.5, -2))).expected[1].values(),
              ElementsAre(0.5, -1.5, -3.5, -5.5));
  EXPECT_THAT(evaluated(copyProgram(ir::Init{ir::Init::Kind::constant, 0.1, 0, ""})).inputs[0].values(),
              ElementsAre(0.1f, 0.1f, 0.1f, 0.1f));
  EXPECT_THAT(evaluated(copyProgram({})).inputs[0].values(),
              ElementsAre(-0x1.31f674p-1f, 0x1.3bee7p-1f, 0x1.2586dcp-2f, 0x1.4ffbeap-1f))
      << "without init: uniform over [-1, 1]";
  Options options;
  options.seed = 1;
  EXPECT_THAT(
      evaluated(copyProgram(ir::Init{ir::Init::Kind::normal, 1, 2, ""}), options).inputs[0].values(),
      ElementsAre(4.311676689460737f, 4.824613417056358f, 1.7371673115830797f, ::testing::_));
}

class EvaluateFiles : public ::testing::Test {
 protected:
  void save(const std::string& name, const npy::Shape& shape, std::vector<float> numbers) {
    ASSERT_TRUE(npy::write(folder_ / name, npy::Type::f32, shape, numbers.data()).ok());
  }

  Folder folder_;
  const ir::Init npy_init_ = {ir::Init::Kind::npy, 0, 0, "data/x.npy"};
};

TEST_F(EvaluateFiles, AFileGivenForAnInputReplacesItsInit) {
  save("other.npy", {2, 2}, {9, 8, 7, 6});
  Options options;
  options.directory = "/nowhere";
  options.inputs["x"] = folder_ / "other.npy";
  const Evaluation evaluation = evaluated(copyProgram(npy_init_), options);
  EXPECT_THAT(evaluation.expected[1].values(), ElementsAre(9, 8, 7, 6));
  EXPECT_THAT(evaluation.files, ElementsAre(folder_ / "other.npy"));
}

TEST_F(EvaluateFiles, AFileGivenForAnOutputReplacesItsEvaluation) {
  save("y.npy", {2, 2}, {9, 8, 7, 6});
  Options options;
  options.expected["y"] = folder_ / "y.npy";
  const Evaluation evaluation = evaluated(copyProgram(arange(0, 1)), options);
  EXPECT_THAT(evaluation.inputs[0].values(), ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(evaluation.expected[1].values(), ElementsAre(9, 8, 7, 6));
  // Of two outputs, the one without a file is evaluated.
  const Evaluation both = evaluated(copyProgram(arange(0, 1), Role::inout), options);
  EXPECT_THAT(both.expected[0].values(), ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(both.expected[1].values(), ElementsAre(9, 8, 7, 6));
}

TEST_F(EvaluateFiles, WhereAllResultsAreGivenNothingIsEvaluated) {
  static int calls;
  calls = 0;
  ops::OpInfo counted = makeOp("counted", ops::Form::elementwise, 1);
  counted.unary = [](double x) { return ++calls, x; };
  KernelBuilder kernel("k");
  const int x = kernel.tile("x", 2, 2, Access::in);
  const int y = kernel.tile("y", 2, 2, Access::out);
  kernel.store(y, kernel.op(counted, {x}));
  Program program = copyProgram(arange(0, 1));
  program.kernels[0] = kernel.done();
  evaluated(program);
  EXPECT_EQ(calls, 4);
  save("y.npy", {2, 2}, {9, 8, 7, 6});
  Options options;
  options.expected["y"] = folder_ / "y.npy";
  evaluated(program, options);
  EXPECT_EQ(calls, 4);
}

TEST_F(EvaluateFiles, AMissingFileOfInitIsNamedAndListed) {
  Options options;
  options.directory = folder_.text();
  Evaluation evaluation;
  EXPECT_EQ(failure(copyProgram(npy_init_), options, evaluation),
            "/tensors/x/init/npy: data of tensor 'x': " + folder_ / "data/x.npy" +
                ": cannot open: No such file or directory [npy-file]\n");
  EXPECT_THAT(evaluation.files, ElementsAre(folder_ / "data/x.npy"));
}

TEST_F(EvaluateFiles, WrongShapesAreReportedAllAtOnce) {
  save("f.npy", {4}, {9, 8, 7, 6});
  Options options;
  options.inputs["x"] = options.expected["y"] = folder_ / "f.npy";
  Evaluation evaluation;
  EXPECT_EQ(failure(copyProgram({}), options, evaluation),
            "/tensors/x: data of tensor 'x': " + folder_ / "f.npy" +
                ": found shape (4,), expected (2, 2) [npy-file]\n"
                "/tensors/y: data of tensor 'y': " +
                folder_ / "f.npy" + ": found shape (4,), expected (2, 2) [npy-file]\n");
  EXPECT_THAT(evaluation.files, ElementsAre(folder_ / "f.npy"));
}

TEST_F(EvaluateFiles, AFileForATensorThatTakesNoneIsAnError) {
  Options options;
  options.inputs["y"] = "f.npy";
  options.expected["q"] = "g.npy";
  Evaluation evaluation;
  EXPECT_EQ(failure(copyProgram({}), options, evaluation),
            "/tensors: input data 'y=f.npy': no tensor of that name has input data "
            "[unknown-tensor]\n"
            "/tensors: expected data 'q=g.npy': no tensor of that name has expected data "
            "[unknown-tensor]\n");
}

TEST(Evaluate, TooLittleMemoryIsAnErrorBeforeAnythingIsAllocated) {
  Program program = copyProgram({});
  for (Tensor& tensor : program.tensors) {
    tensor.elements = int64_t{1} << 50;
    tensor.bytes = tensor.elements * 4;
  }
  Evaluation evaluation;
  EXPECT_THAT(failure(program, {}, evaluation),
              HasSubstr("/tensors: evaluating the workload takes 8388608.0 GiB of memory"));
  Options options;
  // Two tensors of f32; in the kernel, as doubles, three values of their size and a literal.
  options.memory_limit = 2 * 16 + 3 * 32 + 8 - 1;
  EXPECT_THAT(failure(copyProgram({}), options, evaluation), HasSubstr("[out-of-memory]"));
  ++options.memory_limit;
  evaluated(copyProgram({}), options);
}

TEST(Evaluate, ProgressIsToldNowAndThenAndAtTheEnd) {
  const Program program = makeProgram(
      {makeTensor("x", {1024, 1024}, Role::input), makeTensor("y", {1024, 1024}, Role::output)},
      {copyKernel(1024, 1024)},
      {makeLoop(20, {makeTask(0, {viewOf(0, {0, {0}}, {0, {0}}, {0, {0}}, 1024, 1024),
                                  viewOf(1, {0, {0}}, {0, {0}}, {0, {0}}, 1024, 1024)})})});
  Options options;
  std::vector<int64_t> calls;
  options.progress = [&](int64_t done, int64_t total) {
    calls.push_back(done);
    EXPECT_EQ(total, 20);
  };
  evaluated(program, options);
  evaluated(copyProgram({}), options);      // too short to tell
  EXPECT_THAT(calls, ElementsAre(11, 20));  // 2^25 elements are told at 3 x 2^20 a task
}

TEST(EvaluateDeathTest, AViewOutsideItsTensorIsAnInternalError) {
  Program program = copyProgram({});
  program.root.body[0].views[0].row.constant = 1;
  Evaluation evaluation;
  Diagnostics diagnostics;
  EXPECT_DEATH(evaluate(program, {}, evaluation, diagnostics), "internal error.*/program/view");
}

}  // namespace
}  // namespace ptowsp::reference
