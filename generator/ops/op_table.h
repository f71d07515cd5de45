// The op table's C++ face; the rows come from ops.json, rendered when PtoWsp is built.
#pragma once

#include <span>
#include <string_view>

namespace ptowsp::ops {

// Form: what an op does with shapes. elementwise broadcasts its operands as tile, row vector
// (1 x cols), column vector (rows x 1) and scalar; row_reduction gives rows x 1; store writes.
enum class Form { elementwise, row_reduction, store };

struct OpInfo {
  std::string_view name;
  Form form;
  int arity;
  std::string_view isa;            // PTO-ISA instruction
  std::string_view documentation;  // one sentence
  double max_ulp;                  // stated accuracy in f32, units in the last place;
                                   // infinity: no such bound (sums), see docs/ops.md
  // The reference: elementwise ops of one or two operands, evaluated in double. For reductions
  // `fold` joins the running value (which begins at `identity`) and one element; `finish` is
  // applied to the total and the number of elements. Null where the form does not have it.
  double (*unary)(double);
  double (*binary)(double, double);
  double (*fold)(double, double);
  double identity;
  double (*finish)(double total, double count);
  std::string_view sim;  // name of the op's function in the sim kernels' support header
};

// All ops, in the table's order.
std::span<const OpInfo> allOps();
// Names of ops that a later version will have: refused by name, not as misspelt.
std::span<const std::string_view> plannedOps();
// The op of that name, or null.
const OpInfo* findOp(std::string_view name);

}  // namespace ptowsp::ops
