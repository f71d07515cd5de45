// SPDX-License-Identifier: MIT
// SimPlan: the order in which a simulated vector core computes a kernel's values. Pure data;
// sim_kernel turns it into text.
//
// A kernel is a sequence of row loops, and a row a sequence of passes over its columns. A reduction
// of rows ends a pass: what uses its result belongs to a later one, of a higher level. A reduction
// of columns ends a row loop: what uses its result belongs to a later phase. In each phase values of
// one row come first, for all loops of it. Values of r x 1 are scalars of a row.
#pragma once

#include <cstdint>
#include <vector>

#include "generator/verify/program.h"

namespace ptowsp {

// SimStep: a value of the pass's columns, read from memory (a tile parameter, a row vector, a
// reduction of columns, or a value that an earlier pass kept) or computed.
struct SimStep {
  int value = -1;
  bool load = false;
};

// SimPass: one walk over `columns` columns: the steps, then what becomes of their values.
struct SimPass {
  int64_t columns = 0;
  std::vector<SimStep> steps;     // ordered by value, operands first
  std::vector<int> folds;         // results of reductions of the row
  std::vector<int> column_folds;  // results of reductions of columns, which take this row in
  std::vector<int> keeps;         // values that a later pass reads again
  std::vector<int> stores;        // tiles
};

// SimStage: the row's scalars that can be known by now, then passes that may use them.
struct SimStage {
  std::vector<int> scalars;
  std::vector<SimPass> passes;
};

struct SimRowLoop {
  int64_t rows = 1;
  std::vector<int> columns;        // reductions of columns that this loop completes
  std::vector<int> scalar_loads;   // r x 1: tile parameters, and values kept by an earlier phase
  std::vector<int> kept;           // values with a temporary of one row
  std::vector<SimStage> stages;
  std::vector<int> scalar_folds;   // reductions of columns whose operand is r x 1
  std::vector<int> scalar_keeps;   // r x 1 values that a later phase reads
  std::vector<int> scalar_stores;  // tiles with one column
};

struct SimPlan {
  // The kernel's values, in the shape in which they are walked: a loop without reductions and
  // broadcasts over adjacent rows is one long row.
  std::vector<Value> values;
  std::vector<KernelOp> ops;     // the kernel's; constants stand in the operands they have
  std::vector<int> definition;   // for each value the op that makes it, or -1
  std::vector<int> stored;       // for each tile the value stored to it, or -1
  std::vector<bool> live;        // for each value whether a stored value needs it
  std::vector<bool> kept_whole;  // for each value whether a later phase reads it: all rows are kept
  // In the order in which they run. A loop of one row at the end stores to parameters whose values
  // on entry the loops before still read.
  std::vector<SimRowLoop> loops;
  int64_t temporary_bytes = 0;  // of whatever is kept, and of reductions of columns

  const KernelOp* definitionOf(int value) const {
    return definition[value] < 0 ? nullptr : &ops[definition[value]];
  }
  // Whether the value comes from more than one element of a row, or of a column.
  bool reducesRow(int value) const;
  bool reducesColumns(int value) const;
};

SimPlan planSimKernel(const Kernel& kernel);

}  // namespace ptowsp
