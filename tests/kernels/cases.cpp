// SPDX-License-Identifier: MIT
#include "tests/kernels/cases.h"

#include <random>
#include <string>

#include "tests/kernels/kernel_builder.h"

namespace ptowsp::test {
namespace {

constexpr DType kDTypes[] = {DType::f32, DType::f16, DType::bf16, DType::i32};

bool has(const ops::OpInfo& op, DType dtype) { return hasDType(op.sim_dtypes, dtype); }

std::string nameOf(const std::string& op, DType dtype) {
  return op + '_' + std::string(ir::nameOf(dtype));
}

// Every operand shape of a binary op against every other that gives a tile of r x c.
Kernel binaryForms(const std::string& op, int64_t rows, int64_t cols, bool strided, DType t) {
  KernelBuilder k(nameOf(op + "_forms", t));
  const int x = k.in("x", rows, cols, strided, t), y = k.in("y", rows, cols, false, t),
            w = k.in("w", 1, cols, false, t), v = k.in("v", rows, 1, strided, t),
            p = k.in("p", 1, 1, false, t);
  const int s = k.scalar("s", t);
  const int both = k.out("both", rows, cols, false, t), row = k.out("row", rows, cols, strided, t),
            col = k.out("col", rows, cols, false, t), point = k.out("point", rows, cols, false, t),
            outer = k.out("outer", rows, cols, false, t);
  k.store(both, k.op(op, {x, y}));
  k.store(row, k.op(op, {w, x}));
  k.store(col, k.op(op, {x, v}));
  k.store(point, k.op(op, {k.op(op, {x, p}), s}));
  k.store(outer, k.op(op, {k.op(op, {k.op(op, {v, s}), k.op(op, {p, w})}),
                           k.literal(t == DType::i32 ? -7 : 1.25, t)}));
  return k.kernel();
}

// A tile, a row vector, a column vector and a single element through a unary op.
Kernel unaryForms(const std::string& op, int64_t rows, int64_t cols, bool strided, DType t) {
  KernelBuilder k(nameOf(op + "_forms", t));
  const int x = k.in("x", rows, cols, strided, t), w = k.in("w", 1, cols, false, t),
            v = k.in("v", rows, 1, false, t), p = k.in("p", 1, 1, false, t);
  const int tile = k.out("tile", rows, cols, false, t), row = k.out("row", 1, cols, false, t),
            col = k.out("col", rows, 1, strided, t), point = k.out("point", 1, 1, false, t);
  k.store(tile, k.op(op, {x}));
  k.store(row, k.op(op, {w}));
  k.store(col, k.op(op, {v}));
  k.store(point, k.op(op, {p}));
  return k.kernel();
}

// Everything that a dtype can be reduced by, in one pass over its rows.
Kernel reductions(int64_t rows, int64_t cols, bool strided, DType t) {
  KernelBuilder k(nameOf("reduce_" + std::to_string(rows) + "_" + std::to_string(cols), t));
  const int x = k.in("x", rows, cols, strided, t);
  for (const ops::OpInfo& op : ops::allOps()) {
    if (!has(op, t)) continue;
    const std::string name(op.name);
    if (op.form == ops::Form::row_reduction)
      k.store(k.out(name + "_of_x", rows, 1, strided, t), k.op(name, {x}));
    if (op.form == ops::Form::col_reduction)
      k.store(k.out(name + "_of_x", 1, cols, false, t), k.op(name, {x}));
  }
  return k.kernel();
}

// Every dtype from every other.
Kernel casts(int64_t rows, int64_t cols, bool strided) {
  KernelBuilder k("casts_" + std::to_string(cols));
  for (const DType from : kDTypes) {
    const int x = k.in(nameOf("x", from), rows, cols, strided, from);
    for (const DType to : kDTypes)
      k.store(k.out(nameOf("of_" + nameOf("x", from), to), rows, cols, !strided, to), k.cast(x, to));
  }
  return k.kernel();
}

// What is divided by a zero shows its sign: that of i32 has none, that of an underflow has one.
Kernel signsOfZero() {
  KernelBuilder k("signs_of_zero");
  const int x = k.in("x", 3, 37, true), i = k.in("i", 3, 37, false, DType::i32);
  k.store(k.out("of_cast", 3, 37), k.op("div", {x, k.cast(k.cast(x, DType::i32), DType::f32)}));
  k.store(k.out("of_i32", 3, 37), k.op("div", {x, k.cast(i, DType::f32)}));
  k.store(k.out("of_max", 3, 37), k.op("div", {x, k.op("max", {x, k.cast(i, DType::f32)})}));
  const int small = k.op("mul", {k.op("mul", {x, k.literal(1e-38)}), k.literal(1e-38)});
  k.store(k.out("of_underflow", 3, 37), k.op("div", {k.literal(1), small}));
  return k.kernel();
}

// Reductions of columns of which later loops over the same rows need the results: two of them after
// one another, a value too dear to compute again, and one cheap enough.
Kernel columnSoftmax(int64_t rows, int64_t cols, bool strided, DType t) {
  KernelBuilder k(nameOf("column_softmax_" + std::to_string(rows) + "_" + std::to_string(cols), t));
  const int x = k.inout("x", rows, cols, strided, t);
  const int e = k.op("exp", {k.op("sub", {x, k.op("colmax", {x}, "m")}, "s")}, "e");
  k.store(x, k.op("div", {e, k.op("colsum", {e}, "d")}, "p"));
  return k.kernel();
}

// Values of r x 1 and of a single element between loops, and a parameter of r x 1 that is stored late.
Kernel columnScalars() {
  KernelBuilder k("column_scalars");
  const int x = k.in("x", 9, 35), v = k.inout("v", 9, 1, true), y = k.out("y", 9, 35),
            total = k.out("total", 1, 1), w = k.out("w", 9, 1), u = k.inout("u", 1, 35);
  const int n = k.op("sqrt", {k.op("rowsum", {k.op("mul", {x, x})})}, "n");
  const int most = k.op("colmax", {n}, "most");
  const int share = k.op("div", {n, most}, "share");
  k.store(total, k.op("colsum", {share}, "sum"));
  k.store(v, k.op("mul", {n, k.literal(2)}));
  k.store(w, k.op("add", {v, share}));
  k.store(y, k.op("mul", {k.op("sub", {x, k.op("colmin", {x})}), k.op("add", {n, u})}));
  k.store(u, k.op("exp", {k.op("colsum", {k.op("mul", {x, k.literal(0.1)})})}));
  return k.kernel();
}

// Constants as operands, as what is reduced, and as what is stored.
Kernel constants() {
  KernelBuilder k("constants");
  const int x = k.in("x", 4, 19, false, DType::bf16);
  const int one = k.constant(1, 4, 19, DType::bf16), row = k.constant(-2.5, 1, 19, DType::bf16);
  k.store(k.out("sum", 4, 19, true, DType::bf16), k.op("add", {k.op("add", {x, one}), row}));
  k.store(k.out("counts", 4, 1, false, DType::bf16), k.op("rowsum", {one}));
  k.store(k.out("heights", 1, 19, false, DType::bf16), k.op("colsum", {one}));
  k.store(k.out("sevens", 3, 5, false, DType::i32), k.constant(7, 3, 5, DType::i32));
  k.store(k.out("rows", 1, 19, false, DType::bf16), k.op("exp", {row}));
  return k.kernel();
}

// Ops of one chain round to the dtype between them.
Kernel chain(DType t) {
  KernelBuilder k(nameOf("chain", t));
  const int x = k.in("x", 5, 33, true, t), s = k.scalar("s", t), y = k.out("y", 5, 33, false, t);
  const int a = k.op("mul", {k.op("add", {x, s}), x}), b = k.op("sub", {a, k.literal(0.5, t)});
  k.store(y, k.op("div", {k.op("sqrt", {k.op("abs", {b})}), k.op("max", {s, x})}));
  return k.kernel();
}

Kernel softmax(int64_t rows, int64_t cols, bool strided, const std::string& name) {
  KernelBuilder k(name);
  const int x = k.in("x", rows, cols, strided), y = k.out("y", rows, cols, strided);
  const int e = k.op("exp", {k.op("sub", {x, k.op("rowmax", {x}, "m")}, "s")}, "e");
  k.store(y, k.op("div", {e, k.op("rowsum", {e}, "d")}, "p"));
  return k.kernel();
}

Kernel rmsnorm(int64_t rows, int64_t cols) {
  KernelBuilder k("rmsnorm");
  const int x = k.in("x", rows, cols), w = k.in("w", 1, cols), y = k.out("y", rows, cols);
  const int eps = k.scalar("eps");
  const int mean = k.op("rowmean", {k.op("mul", {x, x}, "squares")}, "mean");
  const int r = k.op("rsqrt", {k.op("add", {mean, eps})}, "r");
  k.store(y, k.op("mul", {k.op("mul", {x, r}), w}));
  return k.kernel();
}

Kernel standardize(int64_t rows, int64_t cols) {
  KernelBuilder k("standardize");
  const int x = k.inout("x", rows, cols);
  const int d = k.op("sub", {x, k.op("rowmean", {x}, "mean")}, "d");
  const int var = k.op("rowmean", {k.op("mul", {d, d})}, "var");
  k.store(x, k.op("div", {d, k.op("sqrt", {k.op("add", {var, k.literal(1e-3)})})}));
  return k.kernel();
}

// Two parameters of one row, exchanged while a loop of several rows still reads both.
Kernel exchange() {
  KernelBuilder k("exchange");
  const int a = k.inout("a", 1, 21), b = k.inout("b", 1, 21), x = k.in("x", 5, 21),
            y = k.out("y", 5, 21);
  k.store(a, k.op("neg", {b}));
  k.store(b, k.op("exp", {a}));
  k.store(y, k.op("sub", {k.op("mul", {x, a}), b}));
  return k.kernel();
}

// A tile is stored from the first pass, and read as it was by the third.
Kernel lateReader() {
  KernelBuilder k("late_reader");
  const int x = k.inout("x", 6, 37), y = k.inout("y", 6, 37), z = k.out("z", 6, 37);
  const int sum = k.op("rowsum", {x}), most = k.op("rowmax", {k.op("mul", {y, sum})});
  k.store(x, k.op("exp", {y}));
  k.store(y, k.op("add", {x, sum}));
  k.store(z, k.op("div", {k.op("sub", {x, y}), most}));
  return k.kernel();
}

// Loops of several heights, a row vector that is computed, and one that is reduced.
Kernel heights() {
  KernelBuilder k("heights");
  const int w = k.in("w", 1, 40), x = k.in("x", 3, 40), y = k.in("y", 7, 40),
            u = k.in("u", 7, 19, true);
  const int ox = k.out("ox", 3, 40), oy = k.out("oy", 7, 40), ou = k.out("ou", 7, 19),
            ow = k.out("ow", 1, 40), op = k.out("op", 1, 1);
  const int ew = k.op("exp", {w}, "ew"), total = k.op("rowsum", {ew}, "total");
  const int share = k.op("div", {ew, total}, "share");
  const int dy = k.op("rowmean", {y}, "dy");
  k.store(ox, k.op("mul", {x, share}));
  k.store(oy, k.op("sub", {k.op("mul", {y, ew}), dy}));
  k.store(ou, k.op("add", {k.op("mul", {u, dy}), k.op("rowmin", {u})}));
  k.store(ow, share);
  k.store(op, total);
  return k.kernel();
}

// Stores of values with fewer rows or columns than the tile, and of a parameter as it is.
Kernel broadcastStores() {
  KernelBuilder k("broadcast_stores");
  const int x = k.in("x", 4, 23), w = k.in("w", 1, 23), s = k.scalar("s");
  k.store(k.out("copy", 4, 23), x);
  k.store(k.out("from_row", 4, 23, true), w);
  k.store(k.out("from_column", 4, 23), k.op("rowmax", {x}));
  k.store(k.out("from_scalar", 4, 23), s);
  k.store(k.out("from_literal", 4, 1), k.literal(-3.5));
  k.store(k.out("flat", 9, 9), k.op("mul", {s, k.literal(0.1)}));
  return k.kernel();
}

// Stored twice: the last one counts. `unused` is passed and never read.
Kernel storedTwice() {
  KernelBuilder k("stored_twice");
  const int x = k.in("x", 2, 50);
  k.in("unused", 3, 3, true);
  const int y = k.out("y", 2, 50);
  k.store(y, k.op("exp", {x}));
  k.store(y, k.op("log", {x}));
  return k.kernel();
}

// Names that the emitted code or its header might use itself.
Kernel awkwardNames() {
  KernelBuilder k("entry");
  const int args = k.in("args", 4, 18), row = k.inout("row", 4, 18, true), at = k.in("at", 1, 18),
            tile = k.out("row_row", 4, 18);
  const int macro = k.scalar("PTOWSP_LANES"), max = k.scalar("INT8_MAX"),
            linux_name = k.scalar("linux");
  const int e = k.op("exp", {k.op("sub", {args, k.op("rowmax", {row}, "row_tile")})}, "ptowsp");
  const int f = k.op("div", {e, k.op("rowsum", {e}, "Lanes")}, "int64_t");
  k.store(row, k.op("abs", {k.op("mul", {f, at}, "load")}, "exp_"));
  k.store(tile, k.op("add", {k.op("add", {f, macro}, "args_"),
                             k.op("mul", {max, linux_name}, "uint32_t")},
                     "row_fold"));
  return k.kernel();
}

Kernel wide() {
  KernelBuilder k("wide");
  const int x = k.in("x", 1, 65536), y = k.out("y", 1, 65536);
  const int e = k.op("exp", {x}, "e");
  k.store(y, k.op("div", {e, k.op("rowsum", {e})}));
  return k.kernel();
}

Kernel flat(const std::string& op, int64_t rows, int64_t cols) {
  KernelBuilder k("flat_" + op + "_" + std::to_string(rows) + "_" + std::to_string(cols));
  const int x = k.in("x", rows, cols), y = k.out("y", rows, cols);
  k.store(y, ops::findOp(op)->arity == 1 ? k.op(op, {x}) : k.op(op, {x, k.literal(2)}));
  return k.kernel();
}

// m x k times k x n, with what is added to it, if anything: "", "tile", "inout" or "number".
Kernel product(int64_t m, int64_t n, int64_t k_, DType t, bool strided, const std::string& start) {
  KernelBuilder k("product_" + std::to_string(m) + "_" + std::to_string(n) + "_" +
                  std::to_string(k_) + "_" + nameOf(start, t));
  k.kernel().core = CoreType::aic;
  const int a = k.in("a", m, k_, strided, t), b = k.in("b", k_, n, strided, t);
  std::vector<int> args = {a, b};
  if (start == "tile") args.push_back(k.in("c", m, n, strided));
  if (start == "number") args.push_back(k.constant(-0.75, m, n));
  const int y = start == "inout" ? k.inout("y", m, n, strided) : k.out("y", m, n, strided);
  if (start == "inout") args.push_back(y);
  k.store(y, k.op("matmul", args));
  return k.kernel();
}

// Products that are added to one another, multiplied again, stored twice; tiles exchanged; numbers as
// factors and as what is stored.
Kernel products() {
  KernelBuilder k("products");
  k.kernel().core = CoreType::aic;
  const int a = k.in("a", 9, 33, true, DType::bf16), b = k.in("b", 33, 20, false, DType::bf16),
            c = k.inout("c", 20, 20), d = k.inout("d", 20, 20, true), s = k.scalar("s");
  const int ab = k.op("matmul", {a, b}, "ab"), more = k.op("matmul", {a, b, ab}, "more");
  const int cd = k.op("matmul", {c, d}, "cd"), chain = k.op("matmul", {more, cd}, "chain");
  k.store(k.out("sum", 9, 20), more);
  k.store(k.out("again", 9, 20, true), more);
  k.store(k.out("chained", 9, 20, true), k.op("matmul", {ab, c, chain}));
  k.store(k.out("scaled", 1, 1), k.op("matmul", {s, k.literal(3), s}));
  k.store(k.out("ones", 9, 4), k.op("matmul", {more, k.constant(1, 20, 4)}));
  k.store(c, d);
  k.store(d, c);
  const int h = k.in("h", 3, 21, false, DType::f16);
  k.store(k.out("copy", 3, 21, true, DType::f16), h);
  k.store(k.out("number", 2, 5), k.literal(2.5));
  return k.kernel();
}

// Of each op one or two dtypes in all shapes; elementwiseKernel() has each op with each dtype.
void addForms(std::vector<Kernel>& cases) {
  const int64_t columns[] = {16, 1, 17, 3, 31, 36, 12, 64, 9};
  size_t next = 0;
  for (const ops::OpInfo& op : ops::allOps()) {
    if (op.form != ops::Form::elementwise) continue;
    for (const DType dtype : kDTypes) {
      const bool narrow = dtype == DType::f16 || dtype == DType::bf16;
      if (!has(op, dtype) || (narrow && (next + (dtype == DType::f16)) % 2 == 0)) continue;
      const int64_t cols = columns[next % std::size(columns)];
      const bool strided = next++ % 2 != 0;
      cases.push_back(op.arity == 1 ? unaryForms(std::string(op.name), 3, cols, strided, dtype)
                                    : binaryForms(std::string(op.name), 3, cols, strided, dtype));
    }
  }
}

void addProducts(std::vector<Kernel>& cases) {
  cases.push_back(product(64, 64, 64, DType::f32, false, ""));
  cases.push_back(product(1, 1, 1, DType::f32, false, ""));
  cases.push_back(product(1, 70, 9, DType::f32, true, "tile"));
  cases.push_back(product(50, 1, 40, DType::f32, false, "inout"));
  cases.push_back(product(13, 37, 300, DType::f32, false, "number"));
  cases.push_back(product(26, 128, 33, DType::f32, false, "inout"));
  cases.push_back(product(55, 47, 21, DType::f32, true, "inout"));
  cases.push_back(product(17, 40, 270, DType::f16, false, "tile"));
  cases.push_back(product(49, 16, 19, DType::f16, true, ""));
  cases.push_back(product(7, 33, 5, DType::bf16, true, "inout"));
  cases.push_back(product(100, 32, 64, DType::bf16, false, "number"));
  cases.push_back(products());
}

}  // namespace

Kernel elementwiseKernel(const std::string& name, int arity, DType dtype, int64_t count) {
  KernelBuilder k(nameOf(name, dtype));
  const int x = k.in("x", 1, count, false, dtype);
  const int y = arity == 2 ? k.in("y", 1, count, false, dtype) : -1;
  for (const ops::OpInfo& op : ops::allOps()) {
    if (op.form != ops::Form::elementwise || op.arity != arity || !has(op, dtype)) continue;
    const std::string op_name(op.name);
    k.store(k.out(op_name + "_of_x", 1, count, false, dtype),
            arity == 1 ? k.op(op_name, {x}) : k.op(op_name, {x, y}));
  }
  if (arity == 1)
    for (const DType to : kDTypes)
      k.store(k.out(nameOf("x_as", to), 1, count, false, to), k.cast(x, to));
  return k.kernel();
}

std::vector<Kernel> fixedCases() {
  std::vector<Kernel> cases;
  addForms(cases);
  for (const int64_t cols : {1, 2, 4, 5, 11, 15, 16, 17, 20, 31, 32, 100})
    cases.push_back(reductions(3, cols, cols % 2 != 0, DType::f32));
  for (const DType dtype : {DType::f16, DType::bf16, DType::i32})
    for (const int64_t cols : {1, 16, 23}) cases.push_back(reductions(5, cols, cols == 23, dtype));
  for (const int64_t cols : {4096, 8215, 300001})
    cases.push_back(reductions(1, cols, false, DType::f32));
  cases.push_back(reductions(1, 300001, false, DType::i32));
  cases.push_back(reductions(300, 7, false, DType::f32));
  cases.push_back(casts(3, 37, true));
  cases.push_back(casts(4, 16, false));
  for (const DType dtype : {DType::f32, DType::f16, DType::bf16}) cases.push_back(chain(dtype));
  cases.push_back(columnSoftmax(7, 40, true, DType::f32));
  cases.push_back(columnSoftmax(12, 5, false, DType::f16));
  cases.push_back(columnSoftmax(6, 1, false, DType::f32));
  cases.push_back(columnScalars());
  addProducts(cases);
  cases.push_back(constants());
  cases.push_back(signsOfZero());
  cases.push_back(softmax(8, 256, false, "softmax"));
  cases.push_back(softmax(5, 83, true, "softmax_tail"));
  cases.push_back(softmax(1, 1, false, "softmax_point"));
  cases.push_back(rmsnorm(4, 100));
  cases.push_back(standardize(3, 784));
  cases.push_back(exchange());
  cases.push_back(lateReader());
  cases.push_back(heights());
  cases.push_back(broadcastStores());
  cases.push_back(storedTwice());
  cases.push_back(awkwardNames());
  cases.push_back(wide());
  cases.push_back(flat("mul", 7, 3));
  cases.push_back(flat("exp", 9, 1));
  return cases;
}

namespace {

// RandomKernel: ops on values of any dtype; what they need of another dtype is cast.
class RandomKernel {
 public:
  RandomKernel(const std::string& name, std::mt19937_64& random) : k_(name), random_(random) {}

  Kernel make() {
    const int64_t rows = 1 + below(5), cols = 1 + below(50);
    addParameters(rows, cols);
    for (int n = 4 + below(10); n > 0; --n) addOp();
    for (const int tile : tiles_) store(tile);
    return k_.kernel();
  }

 private:
  int below(uint64_t n) { return static_cast<int>(random_() % n); }
  DType dtype() { return below(2) ? DType::f32 : kDTypes[below(4)]; }
  DType dtypeOf(int value) const { return k_.value(value).dtype; }

  void addParameters(int64_t rows, int64_t cols) {
    const int parameters = 2 + below(4);
    for (int p = 0; p < parameters; ++p) {
      const int tile = k_.tile("t" + std::to_string(p), below(4) == 0 ? 1 : rows,
                               below(4) == 0 ? 1 : cols, below(2) ? Access::inout : Access::in,
                               below(3) == 0, dtype());
      values_.push_back(tile);
      if (k_.kernel().tiles.back().access == Access::inout) tiles_.push_back(tile);
    }
    values_.push_back(k_.scalar("s", dtype()));
    values_.push_back(k_.literal(0.75));
    values_.push_back(k_.constant(3, rows, cols, dtype()));
    tiles_.push_back(k_.out("o", rows, cols, below(2) == 0, dtype()));
  }

  int pick() {
    const size_t recent = std::min<size_t>(values_.size(), 6);
    return values_[below(2) ? below(values_.size()) : values_.size() - 1 - below(recent)];
  }

  void addOp() {
    const ops::OpInfo& op = ops::allOps()[below(ops::allOps().size())];
    std::vector<int> args = {pick()};
    if (op.form == ops::Form::cast) {
      values_.push_back(k_.cast(args[0], dtype()));
      return;
    }
    if ((op.form != ops::Form::elementwise && op.form != ops::Form::row_reduction &&
         op.form != ops::Form::col_reduction) ||
        !has(op, dtypeOf(args[0])))
      return;
    while (args.size() < static_cast<size_t>(op.arity)) {
      const int arg = pick();
      args.push_back(dtypeOf(arg) == dtypeOf(args[0]) ? arg : k_.cast(arg, dtypeOf(args[0])));
    }
    values_.push_back(k_.op(std::string(op.name), args));
  }

  void store(int tile) {
    const Value& to = k_.value(tile);
    std::vector<int> fitting;
    for (const int value : values_)
      if ((k_.value(value).rows == to.rows || k_.value(value).rows == 1) &&
          (k_.value(value).cols == to.cols || k_.value(value).cols == 1))
        fitting.push_back(value);
    // The later, the more of the kernel is live.
    const size_t recent = std::min<size_t>(fitting.size(), 3);
    const int value = fitting[fitting.size() - 1 - below(recent)];
    k_.store(tile, dtypeOf(value) == dtypeOf(tile) ? value : k_.cast(value, dtypeOf(tile)));
  }

  KernelBuilder k_;
  std::mt19937_64& random_;
  std::vector<int> values_, tiles_;
};

}  // namespace

std::vector<Kernel> randomCases(uint64_t seed, int count) {
  std::vector<Kernel> cases;
  std::mt19937_64 random(seed);
  for (int i = 0; i < count; ++i)
    cases.push_back(RandomKernel("random_" + std::to_string(i), random).make());
  return cases;
}

}  // namespace ptowsp::test
