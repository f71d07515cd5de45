#include "generator/analyze/cycles.h"

#include <algorithm>
#include <bit>
#include <vector>

namespace ptowsp {
namespace {

constexpr int64_t kBlockBytes = 32;  // rows of a tile begin at multiples of it, in every buffer
constexpr int64_t kFractal = 16;     // rows and columns of the products that a cube core makes at once

int64_t divideUp(int64_t a, int64_t b) { return (a + b - 1) / b; }

int64_t rowBytes(const Value& value) {
  return divideUp(value.cols * ir::elementSize(value.dtype), kBlockBytes) * kBlockBytes;
}

// Repeats of an instruction that goes through the whole tile.
int64_t repeatsOf(const Value& value) {
  return divideUp(value.rows * rowBytes(value), CycleCosts::repeat_bytes);
}

bool isNumber(const Value& value) {
  return value.kind == Value::Kind::literal || value.kind == Value::Kind::scalar;
}

class Pipes {
 public:
  explicit Pipes(const Kernel& kernel)
      : kernel_(kernel), ready_(kernel.values.size(), -1), fed_(kernel.values.size(), -1) {}

  int64_t run() {
    for (const KernelOp& op : kernel_.ops) {
      if (op.op->form == ops::Form::store)
        store(op);
      else if (op.op->cube)
        multiply(op);
      else
        compute(op);
    }
    return CycleCosts::task + std::max({load_, feed_, compute_, store_});
  }

 private:
  const Value& at(int value) const { return kernel_.values[static_cast<size_t>(value)]; }

  // A pipe does one thing after the other.
  static int64_t occupy(int64_t& pipe, int64_t from, int64_t cycles) {
    return pipe = std::max(pipe, from) + cycles;
  }

  int64_t transfer(const TileParameter& tile) const {
    const int64_t bytes = tile.rows * tile.cols * ir::elementSize(tile.dtype);
    return CycleCosts::transfer + divideUp(bytes, CycleCosts::transfer_bytes) +
           (tile.strided ? tile.rows * CycleCosts::transfer_row : 0);
  }

  // When the operand is there; tiles are loaded at their first use, numbers are arguments.
  int64_t operand(int value) {
    int64_t& ready = ready_[static_cast<size_t>(value)];
    if (ready >= 0) return ready;
    if (at(value).kind != Value::Kind::tile) return ready = 0;
    return ready =
               occupy(load_, 0, transfer(kernel_.tiles[static_cast<size_t>(at(value).index)]));
  }

  void store(const KernelOp& op) {
    const TileParameter& tile = kernel_.tiles[static_cast<size_t>(at(op.args[0]).index)];
    occupy(store_, operand(op.args[1]), transfer(tile));
  }

  void compute(const KernelOp& op) {
    const Value& result = at(op.result);
    const ops::Cost cost = op.op->cost;
    int64_t issues = cost.issues, repeats = repeatsOf(result), spread = 0, start = 0;
    for (const int arg : op.args) {
      start = std::max(start, operand(arg));
      const Value& value = at(arg);
      // A row or column is spread over a tile of its own first.
      if (op.op->form == ops::Form::elementwise && !isNumber(value) &&
          value.rows * value.cols < result.rows * result.cols) {
        ++issues;
        spread += repeatsOf(result);
      }
    }
    if (op.op->form == ops::Form::row_reduction) {
      // Each row is folded into one repeat, and that into one element.
      const Value& x = at(op.args[0]);
      repeats = x.rows * (divideUp(rowBytes(x), CycleCosts::repeat_bytes) + 1);
    } else if (op.op->form == ops::Form::col_reduction) {
      // Rows are folded in halves.
      const Value& x = at(op.args[0]);
      issues *= std::max<int64_t>(1, std::bit_width(static_cast<uint64_t>(x.rows - 1)));
      repeats = std::max<int64_t>(1, (x.rows - 1) * divideUp(rowBytes(x), CycleCosts::repeat_bytes));
    } else if (op.op->form == ops::Form::cast) {
      repeats = std::max(repeats, repeatsOf(at(op.args[0])));
    }
    ready_[static_cast<size_t>(op.result)] =
        occupy(compute_, start, issues * CycleCosts::issue + repeats * cost.per_repeat + spread);
  }

  void multiply(const KernelOp& op) {
    const Value& a = at(op.args[0]);
    const Value& b = at(op.args[1]);
    int64_t start = 0;
    for (const int factor : {op.args[0], op.args[1]}) {
      int64_t& fed = fed_[static_cast<size_t>(factor)];
      if (fed < 0)
        fed = occupy(feed_, operand(factor),
                     divideUp(at(factor).rows * rowBytes(at(factor)), CycleCosts::feed_bytes));
      start = std::max(start, fed);
    }
    // A tile as accumulator is not loaded: the store adds to it.
    if (op.args.size() > 2 && at(op.args[2]).kind != Value::Kind::tile)
      start = std::max(start, operand(op.args[2]));
    // A fractal is 16 x 16 products of 32 bytes each; f32 takes two cycles for it.
    const int64_t size = ir::elementSize(a.dtype);
    const int64_t fractals = divideUp(a.rows, kFractal) * divideUp(b.cols, kFractal) *
                             divideUp(a.cols * size, kBlockBytes) * (size == 4 ? 2 : 1);
    ready_[static_cast<size_t>(op.result)] =
        occupy(compute_, start, CycleCosts::matmul + fractals * op.op->cost.per_repeat);
  }

  const Kernel& kernel_;
  std::vector<int64_t> ready_;  // by value: when it can be used, -1 not yet known
  std::vector<int64_t> fed_;    // by value: when it lies in L0
  int64_t load_ = 0, feed_ = 0, compute_ = 0, store_ = 0;  // when each pipe is free
};

}  // namespace

int64_t kernelCycles(const Kernel& kernel) { return Pipes(kernel).run(); }

}  // namespace ptowsp
