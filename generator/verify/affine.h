// SPDX-License-Identifier: MIT
// Affine expressions over the enclosing loops: exact answers about all iterations at once.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "generator/verify/program.h"

namespace ptowsp {

// Loop: what an expression needs to know of one enclosing loop. 1 <= extent < 2^31.
struct Loop {
  std::string variable;
  int64_t extent = 1;
};

// Wide enough for any sum of int64 coefficients times loop values.
__extension__ typedef __int128 Wide;

// Constraint: low <= expression <= high.
struct Constraint {
  Affine expression;
  Wide low = 0, high = 0;
};

// The first iteration, in the order the loops run, in which all constraints hold; one value for
// each loop. Nothing when there is none. Searches outermost first and skips all values from which
// the inner loops cannot reach the constraints; with one constraint it never turns back.
std::optional<std::vector<int64_t>> firstIteration(const std::vector<Constraint>& constraints,
                                                   const std::vector<Loop>& loops);

// "r=7, c=0" for the loops that one of the expressions depends on; empty for none.
std::string iterationText(const std::vector<Constraint>& constraints,
                          const std::vector<Loop>& loops, const std::vector<int64_t>& iteration);

// a - b, or nothing on overflow. Both have a coefficient for each loop.
std::optional<Affine> difference(const Affine& a, const Affine& b);

// The expression's value in one iteration.
Wide valueAt(const Affine& expression, const std::vector<int64_t>& iteration);

}  // namespace ptowsp
