// SPDX-License-Identifier: MIT
// The op table's C++ face; the rows come from ops.json, rendered when PtoWsp is built.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace ptowsp::ops {

// Form: what an op does with shapes and dtypes.
enum class Form {
  elementwise,    // broadcasts tile, row vector (1 x cols), column vector (rows x 1) and scalar
  row_reduction,  // rows x cols to rows x 1
  col_reduction,  // rows x cols to 1 x cols
  matmul,         // m x k and k x n, perhaps an accumulator m x n, to m x n of f32
  cast,           // the operand in the dtype of the attribute
  constant,       // no operand; a number, rows x cols times
  store,          // writes
};

// DTypes: a set of them.
struct DTypes {
  bool f32 = false, f16 = false, bf16 = false, i32 = false;
};

// Cost: cycles of one op on a tile, of all its instructions together; see docs/cycles.md.
struct Cost {
  int64_t start;
  int64_t per_repeat;  // of 256 bytes; matmul: for each fractal
  int64_t per_row;     // reductions
};

struct OpInfo {
  std::string_view name;
  Form form;
  int arity;             // operands it takes at least
  int optional;          // operands it may take besides
  bool cube;             // runs on a cube core (AIC), else on a vector core (AIV)
  DTypes dtypes;         // of its operands, all of one dtype; of the result for `constant`
  DTypes sim_dtypes;     // those for which simulated kernels are emitted
  std::string_view isa;  // PTO-ISA instructions, the first for tiles
  DTypes isa_dtypes;     // those that they take on A2 and A3
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
  // The same for i32, of which 64 bits hold every result before it wraps to 32; null where the op
  // has no i32.
  int64_t (*unary_i32)(int64_t);
  int64_t (*binary_i32)(int64_t, int64_t);
  int64_t (*fold_i32)(int64_t, int64_t);
  int64_t identity_i32;
  std::string_view sim;  // name of the op's function in the sim kernels' support header
  Cost cost;
  Cost cost_number;  // with a number as an operand
};

// All ops, in the table's order.
std::span<const OpInfo> allOps();
// The op of that name, or null.
const OpInfo* findOp(std::string_view name);

}  // namespace ptowsp::ops
