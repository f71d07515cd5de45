// SPDX-License-Identifier: MIT
#include "generator/analyze/buffers.h"

#include <algorithm>
#include <map>
#include <numeric>

namespace ptowsp {
namespace {

constexpr int64_t kKiB = 1024;
constexpr int64_t kBlock = 32;     // bytes; rows of tiles, and addresses
constexpr int64_t kFractal = 16;   // rows and columns that a cube core multiplies at once
constexpr int64_t kAddress = 512;  // a fractal's bytes: addresses of the cube core's buffers

int64_t roundUp(int64_t value, int64_t unit) { return (value + unit - 1) / unit * unit; }

bool isNumber(const Value& value) {
  return value.kind == Value::Kind::literal || value.kind == Value::Kind::scalar;
}

// Bytes of a factor in fractals of 16 rows and 32 bytes. Of b, k are rows and of a, columns; both are
// padded to what 32 bytes hold, and to 16.
int64_t factorBytes(int64_t rows, int64_t cols, DType dtype) {
  return roundUp(rows, kFractal) * roundUp(cols, kFractal) * ir::elementSize(dtype);
}

// Demands: what a kernel needs of each buffer, and when; no addresses yet.
class Demands {
 public:
  explicit Demands(const Kernel& kernel) : kernel_(kernel) {
    for (size_t o = 0; o < kernel.ops.size(); ++o) {
      const KernelOp& op = kernel.ops[o];
      at_ = static_cast<int>(o);
      if (kernel.core == CoreType::aic)
        cubeOp(op);
      else
        vectorOp(op);
    }
  }
  std::vector<Placement> take() { return std::move(placements_); }

 private:
  const Value& value(int index) const { return kernel_.values[static_cast<size_t>(index)]; }

  // The value lies there from its first use to its last.
  void touch(Buffer buffer, int index, int64_t bytes) {
    const auto [found, added] =
        known_.emplace(std::pair(buffer, index), static_cast<int>(placements_.size()));
    if (added) placements_.push_back({buffer, index, 0, bytes, at_, at_});
    placements_[static_cast<size_t>(found->second)].last = at_;
  }
  void scratch(Buffer buffer, int64_t bytes) {
    if (bytes > 0) placements_.push_back({buffer, -1, 0, bytes, at_, at_});
  }

  static int64_t bytesOf(const Value& tile) {
    return vectorTileBytes(tile.rows, tile.cols, tile.dtype);
  }

  void vectorOp(const KernelOp& op) {
    const bool store = op.op->form == ops::Form::store;
    for (size_t a = store ? 1 : 0; a < op.args.size(); ++a)
      if (!isNumber(value(op.args[a])))
        touch(Buffer::unified, op.args[a], bytesOf(value(op.args[a])));
    if (op.result >= 0) touch(Buffer::unified, op.result, bytesOf(value(op.result)));
    scratch(Buffer::unified, scratchOf(op));
  }

  // What an op's instructions need besides its operands: rows and columns are spread over a tile, and
  // so is a number in front; a number that is stored or converted needs a tile; reductions halve a
  // copy; ops of several instructions keep what is in between.
  int64_t scratchOf(const KernelOp& op) const {
    const Value& first = value(op.args[op.op->form == ops::Form::store ? 1 : 0]);
    switch (op.op->form) {
      case ops::Form::elementwise: {
        const Value& result = value(op.result);
        int64_t bytes = 0;
        for (size_t a = 0; a < op.args.size(); ++a) {
          const Value& x = value(op.args[a]);
          const bool spread = isNumber(x) ? a == 0 : x.rows < result.rows || x.cols < result.cols;
          if (spread) bytes += vectorTileBytes(result.rows, result.cols, x.dtype);
        }
        return bytes + (keepsBetween(*op.op) ? bytesOf(result) : 0);
      }
      case ops::Form::row_reduction:
      case ops::Form::col_reduction:
        return bytesOf(first);
      case ops::Form::store:
        return isNumber(first) ? kBlock : 0;
      case ops::Form::cast:
        return (isNumber(first) ? kBlock : 0) +
               (convertsTwice(first.dtype, value(op.result).dtype)
                    ? vectorTileBytes(first.rows, first.cols, DType::f32)
                    : 0);
      default:
        return 0;
    }
  }

  void cubeOp(const KernelOp& op) {
    if (op.op->form == ops::Form::store) {
      touch(Buffer::l0c, sumOf(op.args[1]), 0);
      return;
    }
    if (!op.op->cube) return;  // a constant: an accumulator is cleared, not loaded
    const Value& a = value(op.args[0]);
    const Value& b = value(op.args[1]);
    const int64_t depth = matmulDepth(a.rows, a.cols, b.cols, a.dtype);
    const int64_t times = depth < a.cols ? 2 : 1;  // the next factors are fed while these multiply
    touch(Buffer::l1, op.args[0], factorBytes(a.rows, a.cols, a.dtype));
    touch(Buffer::l1, op.args[1], factorBytes(b.rows, b.cols, b.dtype));
    scratch(Buffer::l0a, times * factorBytes(a.rows, depth, a.dtype));
    scratch(Buffer::l0b, times * factorBytes(depth, b.cols, b.dtype));
    const Value& result = value(op.result);
    // A matmul continues its accumulator's sum in place.
    const bool continues = op.args.size() > 2 && value(op.args[2]).kind == Value::Kind::result &&
                           sums_.contains(op.args[2]);
    sums_[op.result] = continues ? sumOf(op.args[2]) : op.result;
    touch(Buffer::l0c, sumOf(op.result), factorBytes(result.rows, result.cols, DType::f32));
  }

  // The value in whose place in L0C the sum lies.
  int sumOf(int index) const {
    const auto found = sums_.find(index);
    return found == sums_.end() ? index : found->second;
  }

  const Kernel& kernel_;
  std::vector<Placement> placements_;
  std::map<std::pair<Buffer, int>, int> known_;
  std::map<int, int> sums_;
  int at_ = 0;
};

bool overlap(const Placement& a, const Placement& b) {
  return a.buffer == b.buffer && a.first <= b.last && b.first <= a.last;
}

// The lowest address at which a tile fits between those that live at the same time.
int64_t lowestGap(const std::vector<Placement>& placed, const Placement& next) {
  std::vector<std::pair<int64_t, int64_t>> taken;
  for (const Placement& other : placed)
    if (overlap(other, next)) taken.emplace_back(other.address, other.address + other.bytes);
  std::ranges::sort(taken);
  int64_t address = 0;
  for (const auto& [from, to] : taken) {
    if (address + next.bytes <= from) break;
    address = std::max(address, to);
  }
  return address;
}

int64_t place(std::vector<Placement>& placements, const std::vector<size_t>& order) {
  std::vector<Placement> placed;
  int64_t end = 0;
  for (const size_t i : order) {
    placements[i].address = lowestGap(placed, placements[i]);
    end = std::max(end, placements[i].address + placements[i].bytes);
    placed.push_back(placements[i]);
  }
  return end;
}

// Large tiles first leaves small gaps for small tiles; in the order of the ops is better for chains.
// The better of the two.
int64_t placeBuffer(std::vector<Placement>& placements, Buffer buffer) {
  std::vector<size_t> order;
  for (size_t i = 0; i < placements.size(); ++i)
    if (placements[i].buffer == buffer) order.push_back(i);
  const int64_t in_order = place(placements, order);
  std::vector<size_t> by_size = order;
  std::ranges::stable_sort(by_size, [&](size_t a, size_t b) {
    const auto length = [&](size_t i) { return placements[i].last - placements[i].first; };
    return std::pair(placements[a].bytes, length(a)) > std::pair(placements[b].bytes, length(b));
  });
  const int64_t sorted = place(placements, by_size);
  return sorted <= in_order ? sorted : place(placements, order);
}

BufferUse mostLive(const std::vector<Placement>& placements, Buffer buffer, int ops) {
  std::vector<int64_t> change(static_cast<size_t>(ops) + 1);
  for (const Placement& p : placements) {
    if (p.buffer != buffer) continue;
    change[static_cast<size_t>(p.first)] += p.bytes;
    change[static_cast<size_t>(p.last) + 1] -= p.bytes;
  }
  BufferUse use;
  int64_t live = 0;
  for (int op = 0; op < ops; ++op) {
    live += change[static_cast<size_t>(op)];
    if (live > use.live) use = {0, live, op};
  }
  return use;
}

}  // namespace

std::string_view nameOf(Buffer buffer) {
  static constexpr std::string_view kNames[] = {"unified buffer", "L1", "L0A", "L0B", "L0C"};
  return kNames[static_cast<size_t>(buffer)];
}

std::string_view keyOf(Buffer buffer) {
  static constexpr std::string_view kKeys[] = {"unified", "l1", "l0a", "l0b", "l0c"};
  return kKeys[static_cast<size_t>(buffer)];
}

int64_t sizeOf(Buffer buffer) {
  static constexpr int64_t kSizes[] = {(192 - 8) * kKiB, 512 * kKiB, 64 * kKiB, 64 * kKiB,
                                       128 * kKiB};
  return kSizes[static_cast<size_t>(buffer)];
}

bool BufferPlan::fits() const {
  return std::ranges::all_of(kBuffers, [&](Buffer b) { return use(b).bytes <= sizeOf(b); });
}

int64_t vectorTileBytes(int64_t rows, int64_t cols, DType dtype) {
  return rows * roundUp(cols * ir::elementSize(dtype), kBlock);
}

bool keepsBetween(const ops::OpInfo& op) {
  static constexpr std::string_view kOps[] = {"rsqrt", "tanh", "sigmoid", "silu", "gelu"};
  return std::ranges::find(kOps, op.name) != std::end(kOps);
}

bool convertsTwice(DType from, DType to) {
  const auto isNarrow = [](DType dtype) { return dtype == DType::f16 || dtype == DType::bf16; };
  return isNarrow(to) && from != to && from != DType::f32;
}

int64_t matmulDepth(int64_t m, int64_t k, int64_t n, DType dtype) {
  const int64_t column = roundUp(std::max(m, n), kFractal) * ir::elementSize(dtype);
  if (roundUp(k, kFractal) * column <= sizeOf(Buffer::l0a)) return k;
  return std::max(kFractal, sizeOf(Buffer::l0a) / 2 / column / kFractal * kFractal);
}

BufferPlan planBuffers(const Kernel& kernel) {
  BufferPlan plan;
  plan.placements = Demands(kernel).take();
  for (Placement& p : plan.placements)
    if (p.buffer != Buffer::unified) p.bytes = roundUp(p.bytes, kAddress);
  for (const Buffer buffer : kBuffers) {
    BufferUse& use = plan.uses[static_cast<size_t>(buffer)];
    use = mostLive(plan.placements, buffer, static_cast<int>(kernel.ops.size()));
    use.bytes = placeBuffer(plan.placements, buffer);
  }
  return plan;
}

}  // namespace ptowsp
