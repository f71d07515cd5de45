// SPDX-License-Identifier: MIT
// What a kernel should compute: each op in double, rounded to its dtype, with a bound on how far a
// computation within the ops' stated accuracy can be from it. Shares no code with the generator.
#pragma once

#include <string_view>
#include <vector>

#include "generator/verify/program.h"

namespace ptowsp::test {

// Expected: `error` is absolute; NaN where nothing can be said, as after a cancellation to zero
// that is then divided by.
struct Expected {
  double value = 0;
  double error = 0;
};

// An elementwise op on exact operands, before it is rounded.
double exactUnary(std::string_view op, double x);
double exactBinary(std::string_view op, double x, double y);

// Elements of each tile after the kernel, row by row; tiles[i] and scalars hold what it is given.
std::vector<std::vector<Expected>> expectedTiles(const Kernel& kernel,
                                                 const std::vector<std::vector<double>>& tiles,
                                                 const std::vector<double>& scalars);

}  // namespace ptowsp::test
