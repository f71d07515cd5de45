// SPDX-License-Identifier: MIT
#include "generator/analyze/naming.h"

#include <gtest/gtest.h>

#include "program_builder.h"

namespace ptowsp {
namespace {

using namespace test;

TEST(Naming, tasksAreNamedByKernelAndLoopIndices) {
  const std::vector<Kernel> kernels = {kernel("top", {}), kernel("rows", {}), kernel("cell", {})};
  const Program p =
      program({}, kernels,
              {task(0, {}), loop("r", 3, true, {task(1, {}), loop("c", 2, false, {task(2, {})})}),
               sequential({task(0, {})})});
  std::vector<std::string> names;
  for (int64_t t = 0; t < p.taskCount(); ++t) names.push_back(taskName(p, t));
  EXPECT_EQ(names,
            (std::vector<std::string>{"top", "rows[r=0]", "cell[r=0, c=0]", "cell[r=0, c=1]",
                                      "rows[r=1]", "cell[r=1, c=0]", "cell[r=1, c=1]", "rows[r=2]",
                                      "cell[r=2, c=0]", "cell[r=2, c=1]", "top"}));
}

TEST(Naming, regionsAreSubscriptsOfTheTensorAsDeclared) {
  EXPECT_EQ(regionText(tensor("x", Role::input, {100}), {0, 10, 1, 20}), "x[10:20]");
  EXPECT_EQ(regionText(tensor("x", Role::input, {8, 16}), {2, 0, 4, 16}), "x[2:4, 0:16]");
  EXPECT_EQ(regionText(tensor("x", Role::input, {2, 3, 4, 5}), {17, 1, 19, 5}),
            "x[1, 1, 1:3, 1:5]");
  // Of a region over several planes, the part in the first.
  EXPECT_EQ(regionText(tensor("x", Role::input, {3, 4, 5}), {2, 0, 12, 5}), "x[0, 2:4, 0:5]");
}

}  // namespace
}  // namespace ptowsp
