// SimPlan: the order in which a simulated core computes a kernel's values. Pure data; sim_kernel
// turns it into text.
//
// Every op so far works within a row, so a kernel is a sequence of row loops, and a row a sequence of
// passes over its columns. A reduction ends a pass: what uses its result belongs to a later one.
// Values of r x 1 are scalars of a row; values of one row are computed first, for all loops.
#pragma once

#include <cstdint>
#include <vector>

#include "generator/verify/program.h"

namespace ptowsp {

// SimStep: a value of the pass's columns, read from memory (a tile parameter, a row vector, or a
// value that an earlier pass kept) or computed.
struct SimStep {
  int value = -1;
  bool load = false;
};

// SimPass: one walk over `columns` columns: the steps, then what becomes of their values.
struct SimPass {
  int64_t columns = 0;
  std::vector<SimStep> steps;  // ordered by value, operands first
  std::vector<int> folds;      // results of reductions
  std::vector<int> keeps;      // values that a later pass reads again
  std::vector<int> stores;     // tiles
};

// SimStage: the row's scalars that can be known by now, then passes that may use them.
struct SimStage {
  std::vector<int> scalars;
  std::vector<SimPass> passes;
};

struct SimRowLoop {
  int64_t rows = 1;
  std::vector<int> scalar_loads;   // values of tile parameters with one column
  std::vector<int> kept;           // values with a temporary of one row
  std::vector<SimStage> stages;
  std::vector<int> scalar_stores;  // tiles with one column
};

struct SimPlan {
  // The kernel's values, in the shape in which they are walked: a loop without reductions and
  // broadcasts over adjacent rows is one long row.
  std::vector<Value> values;
  std::vector<int> definition;  // for each value the op that makes it, or -1
  std::vector<int> stored;      // for each tile the value stored to it, or -1
  std::vector<bool> live;       // for each value whether a stored value needs it
  // Values of one row come first. A loop of one row at the end stores to parameters whose values on
  // entry the loops between still read.
  std::vector<SimRowLoop> loops;
  int64_t temporary_bytes = 0;  // what all `kept` take
};

SimPlan planSimKernel(const Kernel& kernel);

}  // namespace ptowsp
