#include "tests/kernels/cases.h"

#include <random>
#include <string>

#include "tests/kernels/kernel_builder.h"

namespace ptowsp::test {
namespace {

// Every operand shape of a binary op against every other that gives a tile of r x c.
Kernel binaryForms(const std::string& op, int64_t rows, int64_t cols, bool strided) {
  KernelBuilder k(op + "_forms");
  const int x = k.in("x", rows, cols, strided), y = k.in("y", rows, cols),
            w = k.in("w", 1, cols), v = k.in("v", rows, 1, strided), p = k.in("p", 1, 1);
  const int s = k.scalar("s");
  const int both = k.out("both", rows, cols), row = k.out("row", rows, cols, strided),
            col = k.out("col", rows, cols), point = k.out("point", rows, cols),
            outer = k.out("outer", rows, cols);
  k.store(both, k.op(op, {x, y}));
  k.store(row, k.op(op, {w, x}));
  k.store(col, k.op(op, {x, v}));
  k.store(point, k.op(op, {k.op(op, {x, p}), s}));
  k.store(outer, k.op(op, {k.op(op, {k.op(op, {v, s}), k.op(op, {p, w})}), k.literal(1.25)}));
  return k.kernel();
}

// A tile, a row vector, a column vector and a single element through a unary op.
Kernel unaryForms(const std::string& op, int64_t rows, int64_t cols, bool strided) {
  KernelBuilder k(op + "_forms");
  const int x = k.in("x", rows, cols, strided), w = k.in("w", 1, cols), v = k.in("v", rows, 1),
            p = k.in("p", 1, 1);
  const int tile = k.out("tile", rows, cols), row = k.out("row", 1, cols),
            col = k.out("col", rows, 1, strided), point = k.out("point", 1, 1);
  k.store(tile, k.op(op, {x}));
  k.store(row, k.op(op, {w}));
  k.store(col, k.op(op, {v}));
  k.store(point, k.op(op, {p}));
  return k.kernel();
}

Kernel reductions(int64_t rows, int64_t cols, bool strided) {
  KernelBuilder k("reduce_" + std::to_string(rows) + "_" + std::to_string(cols) +
                  (strided ? "_strided" : ""));
  const int x = k.in("x", rows, cols, strided);
  for (const char* op : {"rowsum", "rowmax", "rowmin", "rowmean"})
    k.store(k.out(std::string(op) + "_of_x", rows, 1, strided), k.op(op, {x}));
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

}  // namespace

std::vector<Kernel> fixedCases() {
  std::vector<Kernel> cases;
  const int64_t columns[] = {16, 1, 17, 3, 31, 36, 12, 64, 9};
  size_t next = 0;
  for (const ops::OpInfo& op : ops::allOps()) {
    if (op.form != ops::Form::elementwise || !op.sim_dtypes.f32) continue;
    const int64_t cols = columns[next % std::size(columns)];
    const bool strided = next++ % 2 != 0;
    cases.push_back(op.arity == 1 ? unaryForms(std::string(op.name), 3, cols, strided)
                                  : binaryForms(std::string(op.name), 3, cols, strided));
  }
  for (const int64_t cols : {1, 2, 4, 5, 11, 15, 16, 17, 20, 31, 32, 100})
    cases.push_back(reductions(3, cols, cols % 2 != 0));
  for (const int64_t cols : {4096, 8215, 300001}) cases.push_back(reductions(1, cols, false));
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

std::vector<Kernel> randomCases(uint64_t seed, int count) {
  std::vector<Kernel> cases;
  std::mt19937_64 random(seed);
  const auto below = [&random](uint64_t n) { return static_cast<int>(random() % n); };
  for (int i = 0; i < count; ++i) {
    KernelBuilder k("random_" + std::to_string(i));
    const int64_t rows = 1 + below(5), cols = 1 + below(50);
    std::vector<int> values, tiles;
    const int parameters = 2 + below(4);
    for (int p = 0; p < parameters; ++p) {
      const int tile = k.tile("t" + std::to_string(p), below(4) == 0 ? 1 : rows,
                              below(4) == 0 ? 1 : cols, below(2) ? Access::inout : Access::in,
                              below(3) == 0);
      values.push_back(tile);
      if (k.kernel().tiles.back().access == Access::inout) tiles.push_back(tile);
    }
    values.push_back(k.scalar("s"));
    values.push_back(k.literal(0.75));
    tiles.push_back(k.out("o", rows, cols, below(2) == 0));
    for (int n = 4 + below(10); n > 0; --n) {
      const ops::OpInfo& op = ops::allOps()[below(ops::allOps().size())];
      if (op.form != ops::Form::elementwise && op.form != ops::Form::row_reduction) continue;
      if (!op.sim_dtypes.f32) continue;
      std::vector<int> args;
      for (int a = 0; a < op.arity; ++a) {
        const size_t recent = std::min<size_t>(values.size(), 6);
        args.push_back(values[below(2) ? below(values.size())
                                       : values.size() - 1 - below(recent)]);
      }
      values.push_back(k.op(std::string(op.name), args));
    }
    for (const int tile : tiles) {
      const Value& to = k.value(tile);
      std::vector<int> fitting;
      for (const int value : values)
        if ((k.value(value).rows == to.rows || k.value(value).rows == 1) &&
            (k.value(value).cols == to.cols || k.value(value).cols == 1))
          fitting.push_back(value);
      // The later, the more of the kernel is live.
      const size_t recent = std::min<size_t>(fitting.size(), 3);
      k.store(tile, fitting[fitting.size() - 1 - below(recent)]);
    }
    cases.push_back(k.kernel());
  }
  return cases;
}

}  // namespace ptowsp::test
