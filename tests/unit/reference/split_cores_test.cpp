// SPDX-License-Identifier: MIT
// What a split program computes: on random kernels the same as the program it was made from.
#include "generator/analyze/split_cores.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "generator/analyze/analyze.h"
#include "generator/reference/evaluate.h"
#include "tests/seed.h"
#include "tests/unit/analyze/kernel_text.h"

namespace ptowsp {
namespace {

// Kernel text on tiles of n x n, rows and columns of it, with matmuls, accumulators, constants,
// reductions, and tiles that are read and stored to.
std::string randomKernel(std::mt19937& random) {
  const auto below = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
  const int n = 2 + below(4);
  const std::string extent = std::to_string(n), tile = extent + " " + extent + "\n";
  std::string params, body;
  struct Named {
    std::string name;
    int rows, cols;
  };
  std::vector<Named> values;
  const int inputs = 1 + below(3), inouts = below(3), outputs = 1 + below(2);
  for (int i = 0; i < inputs; ++i) {
    const int shape = below(4);
    const int rows = shape == 1 ? 1 : n, cols = shape == 2 ? 1 : n;
    params += "in x" + std::to_string(i) + " " + std::to_string(rows) + " " + std::to_string(cols) + "\n";
    values.push_back({"x" + std::to_string(i), rows, cols});
  }
  values.push_back({"a", n, n});
  params += "in a " + tile;
  for (int i = 0; i < inouts; ++i) {
    params += "inout c" + std::to_string(i) + " " + tile;
    values.push_back({"c" + std::to_string(i), n, n});
  }
  for (int i = 0; i < outputs; ++i) params += "out out" + std::to_string(i) + " " + tile;
  const auto pick = [&](bool square) {
    std::vector<std::string> names;
    for (const Named& value : values)
      if (!square || (value.rows == n && value.cols == n)) names.push_back(value.name);
    // Late values more often: long chains.
    const int from = below(2) ? 0 : static_cast<int>(names.size()) / 2;
    return names[static_cast<size_t>(from + below(static_cast<int>(names.size()) - from))];
  };
  const auto shape = [&](const std::string& name) {
    return *std::ranges::find_if(values, [&](const Named& v) { return v.name == name; });
  };
  std::vector<std::string> open;
  for (int i = 0; i < inouts; ++i) open.push_back("c" + std::to_string(i));
  for (int i = 0; i < outputs; ++i) open.push_back("out" + std::to_string(i));
  const int ops = 3 + below(12);
  for (int i = 0; i < ops; ++i) {
    const std::string name = "v" + std::to_string(i);
    Named result = {name, n, n};
    switch (below(8)) {
      case 0:
        body += name + " = constant 0.25 " + tile;
        break;
      case 1:
      case 2: {
        body += name + " = matmul " + pick(true) + " " + pick(true);
        if (below(2)) body += " " + pick(true);
        body += "\n";
        break;
      }
      case 3: {
        const std::string x = pick(true);
        body += name + " = rowsum " + x + "\n";
        result.cols = 1;
        break;
      }
      case 4: {
        const std::string x = pick(false);
        result = {name, shape(x).rows, shape(x).cols};
        body += name + " = mul " + x + " 0.5\n";
        break;
      }
      default: {
        const std::string x = pick(false), y = pick(false);
        result = {name, std::max(shape(x).rows, shape(y).rows), std::max(shape(x).cols, shape(y).cols)};
        body += name + (below(2) ? " = add " : " = sub ") + x + " " + y + "\n";
      }
    }
    values.push_back(result);
    if (below(4) == 0) {
      const std::string& to = open[static_cast<size_t>(below(static_cast<int>(open.size())))];
      body += "store " + to + " " + pick(true) + "\n";
    }
  }
  for (const std::string& to : open) body += "store " + to + " " + pick(true) + "\n";
  return params + body;
}

void expectOneCoreEach(const Program& program) {
  for (const Kernel& kernel : program.kernels) {
    for (const KernelOp& op : kernel.ops) {
      const bool store = op.op->form == ops::Form::store;
      if (kernel.core == CoreType::aiv)
        EXPECT_FALSE(op.op->cube) << test::textOf(kernel);
      else
        EXPECT_TRUE(op.op->cube || store || op.op->form == ops::Form::constant)
            << test::textOf(kernel);
    }
  }
}

TEST(SplitCores, RandomKernelsComputeTheSame) {
  int mixed = 0;
  const auto seed = static_cast<uint32_t>(test::testSeed());
  for (uint32_t n = 0; n < 3000; ++n) {
    std::mt19937 random(seed + n);
    const std::string text = randomKernel(random);
    SCOPED_TRACE("case " + std::to_string(n) + "\n" + text);
    const Program program = test::programOf(text, {{"i", 2}});
    Diagnostics diagnostics;
    const std::optional<Program> split = splitCores(program, diagnostics);
    ASSERT_TRUE(split);
    expectOneCoreEach(*split);
    mixed += split->kernels.size() > 1;
    ASSERT_TRUE(analyze(*split, {}, diagnostics));

    reference::Evaluation whole, stages;
    ASSERT_TRUE(reference::evaluate(program, {}, whole, diagnostics));
    ASSERT_TRUE(reference::evaluate(*split, {}, stages, diagnostics));
    for (size_t t = 0; t < program.tensors.size(); ++t) {
      const std::vector<double> expected = whole.expected[t].values(), found = stages.expected[t].values();
      ASSERT_EQ(expected.size(), found.size());
      for (size_t i = 0; i < expected.size(); ++i) {
        // An accumulator that is added afterwards rounds once more.
        ASSERT_NEAR(expected[i], found[i], 1e-4 * std::max(1.0, std::fabs(expected[i])))
            << program.tensors[t].declaration.name << " element " << i;
      }
    }
    if (HasFailure()) return;
  }
  EXPECT_GT(mixed, 1500);
}

}  // namespace
}  // namespace ptowsp
