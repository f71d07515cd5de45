// SPDX-License-Identifier: MIT
#include "generator/analyze/cycles.h"

#include <algorithm>
#include <array>
#include <vector>

namespace ptowsp {
namespace {

constexpr int64_t kBlockBytes = 32;  // rows of a tile begin at multiples of it, in every buffer
constexpr int64_t kFractal = 16;     // rows and columns of the products that a cube core makes at once

int64_t divideUp(int64_t a, int64_t b) { return (a + b - 1) / b; }

int64_t rowBytes(const Value& value) {
  return divideUp(value.cols * ir::elementSize(value.dtype), kBlockBytes) * kBlockBytes;
}

int64_t tileBytes(const Value& value) { return value.rows * rowBytes(value); }

// Repeats of an instruction that goes through the whole tile.
int64_t repeatsOf(const Value& value) {
  return divideUp(tileBytes(value), CycleCosts::repeat_bytes);
}

// Repeats of an instruction that goes through it row by row.
int64_t repeatsByRow(const Value& value) {
  return value.rows * divideUp(rowBytes(value), CycleCosts::repeat_bytes);
}

int64_t cyclesOf(const ops::Cost& cost, int64_t repeats, int64_t rows = 0) {
  return cost.start + repeats * cost.per_repeat + rows * cost.per_row;
}

int64_t spreading(const Value& value, const Value& result) {
  return value.cols == 1
             ? cyclesOf(CycleCosts::spread_column, repeatsByRow(result), result.rows)
             : cyclesOf(CycleCosts::spread_row, repeatsOf(result));
}

bool isNumber(const Value& value) {
  return value.kind == Value::Kind::literal || value.kind == Value::Kind::scalar;
}

class Pipes {
 public:
  explicit Pipes(const Kernel& kernel)
      : kernel_(kernel), ready_(kernel.values.size(), -1), fed_{ready_, ready_} {}

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

  bool cube() const { return kernel_.core == CoreType::aic; }

  // A pipe does one thing after the other.
  static int64_t occupy(int64_t& pipe, int64_t from, int64_t cycles) {
    return pipe = std::max(pipe, from) + cycles;
  }

  int64_t transfer(const TileParameter& tile, int64_t bandwidth) const {
    const int64_t bytes = tile.rows * tile.cols * ir::elementSize(tile.dtype);
    return CycleCosts::transfer + bytes * 100 / bandwidth +
           (tile.strided ? tile.rows * CycleCosts::transfer_row : 0);
  }

  // When the operand is there; tiles are loaded at their first use, numbers are arguments.
  int64_t operand(int value) {
    int64_t& ready = ready_[static_cast<size_t>(value)];
    if (ready >= 0) return ready;
    if (at(value).kind != Value::Kind::tile) return ready = 0;
    return ready = occupy(load_, 0,
                          transfer(kernel_.tiles[static_cast<size_t>(at(value).index)],
                                   cube() ? CycleCosts::load_l1 : CycleCosts::load_ub));
  }

  void store(const KernelOp& op) {
    const TileParameter& tile = kernel_.tiles[static_cast<size_t>(at(op.args[0]).index)];
    occupy(store_, operand(op.args[1]),
           transfer(tile, cube() ? CycleCosts::store_l0c : CycleCosts::store_ub));
  }

  void compute(const KernelOp& op) {
    const Value& result = at(op.result);
    bool number = false;
    int64_t start = 0, cycles = 0;
    for (const int arg : op.args) {
      start = std::max(start, operand(arg));
      const Value& value = at(arg);
      if (isNumber(value))
        number = true;
      else if (op.op->form == ops::Form::elementwise &&
               value.rows * value.cols < result.rows * result.cols)
        cycles += spreading(value, result);  // into a tile of its own, first
    }
    const ops::Cost& cost = number ? op.op->cost_number : op.op->cost;
    if (op.op->form == ops::Form::row_reduction || op.op->form == ops::Form::col_reduction) {
      const Value& x = at(op.args[0]);
      cycles += cyclesOf(cost, repeatsByRow(x), x.rows);
    } else {
      // A cast goes through the larger of its tiles.
      const Value& tile = op.op->form == ops::Form::cast && tileBytes(at(op.args[0])) > tileBytes(result)
                              ? at(op.args[0])
                              : result;
      cycles += cyclesOf(cost, repeatsOf(tile));
      if (tileBytes(tile) % CycleCosts::repeat_bytes != 0) cycles += CycleCosts::part;
    }
    ready_[static_cast<size_t>(op.result)] = occupy(compute_, start, cycles);
  }

  void multiply(const KernelOp& op) {
    const Value& a = at(op.args[0]);
    const Value& b = at(op.args[1]);
    int64_t start = 0;
    for (size_t side = 0; side < 2; ++side) {
      const int factor = op.args[side];
      int64_t& fed = fed_[side][static_cast<size_t>(factor)];
      if (fed < 0)
        fed = occupy(feed_, operand(factor),
                     tileBytes(at(factor)) * 100 / (side == 0 ? CycleCosts::feed_l0a : CycleCosts::feed_l0b));
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
        occupy(compute_, start, cyclesOf(op.op->cost, fractals));
  }

  const Kernel& kernel_;
  std::vector<int64_t> ready_;  // by value: when it can be used, -1 not yet known
  std::array<std::vector<int64_t>, 2> fed_;  // by value: when it lies in L0A, in L0B
  int64_t load_ = 0, feed_ = 0, compute_ = 0, store_ = 0;  // when each pipe is free
};

}  // namespace

int64_t kernelCycles(const Kernel& kernel) { return Pipes(kernel).run(); }

}  // namespace ptowsp
