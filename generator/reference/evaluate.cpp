// SPDX-License-Identifier: MIT
#include "generator/reference/evaluate.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <new>

#include "generator/ir/dtype.h"
#include "generator/reference/inputs.h"
#include "generator/reference/kept_results.h"

namespace ptowsp::reference {
namespace {

// What unwritten memory holds: as f32 a NaN, so that a result made from it shows.
constexpr uint32_t kPoison = 0xFFC0DEADu;

// Element operations between two calls of progress, some 0.1 s.
constexpr int64_t kProgressStep = int64_t{1} << 25;

[[noreturn]] void internalError(const std::string& place, const char* what) {
  std::fprintf(stderr, "internal error in the reference at %s: %s; please report it\n",
               place.c_str(), what);
  std::abort();
}

// Steps: how far to go in an operand for the next column and the next row; zero where it
// broadcasts.
struct Steps {
  int64_t row, col;
};

Steps stepsOf(const Value& value) {
  return {value.rows == 1 ? 0 : value.cols, value.cols == 1 ? 0 : 1};
}

// Where i32 ends, it wraps.
double wrapped(int64_t x) {
  return static_cast<double>(static_cast<int32_t>(static_cast<uint32_t>(static_cast<uint64_t>(x))));
}

// The two loops of an elementwise op; `function` takes and gives doubles.
template <typename Function>
void applyUnary(Function function, const double* x, Steps dx, double* out, int64_t rows,
                int64_t cols) {
  for (int64_t r = 0; r < rows; ++r, x += dx.row, out += cols) {
    for (int64_t c = 0; c < cols; ++c) out[c] = function(x[c * dx.col]);
  }
}

template <typename Function>
void applyBinary(Function function, const double* x, Steps dx, const double* y, Steps dy,
                 double* out, int64_t rows, int64_t cols) {
  for (int64_t r = 0; r < rows; ++r, x += dx.row, y += dy.row, out += cols) {
    for (int64_t c = 0; c < cols; ++c) out[c] = function(x[c * dx.col], y[c * dy.col]);
  }
}

// `count` elements that are `step` apart.
double reduce(const ops::OpInfo& op, DType dtype, const double* x, int64_t count, int64_t step) {
  if (dtype == DType::i32) {
    int64_t total = op.identity_i32;
    for (int64_t i = 0; i < count; ++i)
      total = op.fold_i32(total, static_cast<int64_t>(x[i * step]));
    return wrapped(total);
  }
  double total = op.identity;
  for (int64_t i = 0; i < count; ++i) total = op.fold(total, x[i * step]);
  return op.finish ? op.finish(total, static_cast<double>(count)) : total;
}

// out = a b, or a b + c; m x k times k x n.
void multiply(const double* a, const double* b, const double* c, double* out, int64_t m, int64_t k,
              int64_t n) {
  for (int64_t row = 0; row < m; ++row, a += k, out += n) {
    for (int64_t col = 0; col < n; ++col) out[col] = c ? c[row * n + col] : 0;
    for (int64_t i = 0; i < k; ++i) {
      for (int64_t col = 0; col < n; ++col) out[col] += a[i] * b[i * n + col];
    }
  }
}

void roundAll(DType dtype, double* x, int64_t count) {
  if (dtype == DType::f32) {
    for (int64_t i = 0; i < count; ++i) x[i] = static_cast<double>(static_cast<float>(x[i]));
  } else {
    for (int64_t i = 0; i < count; ++i) x[i] = ir::roundTo(dtype, x[i]);
  }
}

// Elements in memory to numbers, and back.
void decode(DType dtype, const std::byte* from, int64_t count, double* to) {
  const size_t size = static_cast<size_t>(ir::elementSize(dtype));
  for (int64_t i = 0; i < count; ++i, from += size) {
    uint32_t bits = 0;
    std::memcpy(&bits, from, size);
    to[i] = ir::valueOf(dtype, bits);
  }
}

void encode(DType dtype, const double* from, int64_t step, int64_t count, std::byte* to) {
  const size_t size = static_cast<size_t>(ir::elementSize(dtype));
  for (int64_t i = 0; i < count; ++i, to += size) {
    const uint32_t bits = ir::bitsOf(dtype, from[i * step]);
    std::memcpy(to, &bits, size);
  }
}

// Block: where a view lies in memory; the stride is in bytes.
struct Block {
  std::byte* data;
  int64_t row_stride;
};

// KernelRun: one kernel with room for its values, run again and again.
class KernelRun {
 public:
  explicit KernelRun(const Kernel& kernel) : kernel_(kernel), blocks_(kernel.tiles.size()) {
    int64_t size = 0;
    for (const Value& value : kernel.values) {
      offsets_.push_back(size);
      size += value.rows * value.cols;
    }
    arena_.assign(static_cast<size_t>(size), std::numeric_limits<double>::quiet_NaN());
    for (size_t v = 0; v < kernel.values.size(); ++v) {
      if (kernel.values[v].kind == Value::Kind::literal)
        *at(static_cast<int>(v)) = ir::roundTo(kernel.values[v].dtype, kernel.values[v].literal);
    }
    work_ = size;
  }

  static double bytesFor(const Kernel& kernel) {
    double bytes = 0;
    for (const Value& value : kernel.values)
      bytes += sizeof(double) * static_cast<double>(value.rows) * static_cast<double>(value.cols);
    return bytes;
  }

  // Elements computed by one run.
  int64_t work() const { return work_; }

  // Runs one task; blocks() were set before. All tiles are read before the first is written.
  void run(const std::vector<double>& scalars) {
    for (const TileParameter& tile : kernel_.tiles) {
      if (tile.access != Access::out) load(tile);
    }
    for (size_t s = 0; s < kernel_.scalars.size(); ++s) {
      *at(kernel_.scalars[s].value) = ir::roundTo(kernel_.scalars[s].dtype, scalars[s]);
    }
    for (const KernelOp& op : kernel_.ops) apply(op);
  }

  std::vector<Block>& blocks() { return blocks_; }

 private:
  double* at(int value) { return arena_.data() + offsets_[static_cast<size_t>(value)]; }
  const Value& valueAt(int value) const { return kernel_.values[static_cast<size_t>(value)]; }

  void load(const TileParameter& tile) {
    const Block block = blocks_[static_cast<size_t>(valueAt(tile.value).index)];
    double* out = at(tile.value);
    for (int64_t r = 0; r < tile.rows; ++r)
      decode(tile.dtype, block.data + r * block.row_stride, tile.cols, out + r * tile.cols);
  }

  void apply(const KernelOp& op) {
    if (op.op->form == ops::Form::store) return store(op);
    compute(op);
    const Value& result = valueAt(op.result);
    roundAll(result.dtype, at(op.result), result.rows * result.cols);
  }

  void compute(const KernelOp& op) {
    const Value& result = valueAt(op.result);
    const Value& x = valueAt(op.args[0]);
    const double* in = at(op.args[0]);
    double* out = at(op.result);
    switch (op.op->form) {
      case ops::Form::elementwise:
        return elementwise(op);
      case ops::Form::row_reduction:
        for (int64_t r = 0; r < x.rows; ++r) out[r] = reduce(*op.op, x.dtype, in + r * x.cols, x.cols, 1);
        return;
      case ops::Form::col_reduction:
        for (int64_t c = 0; c < x.cols; ++c) out[c] = reduce(*op.op, x.dtype, in + c, x.rows, x.cols);
        return;
      case ops::Form::matmul:
        return multiply(in, at(op.args[1]), op.args.size() > 2 ? at(op.args[2]) : nullptr, out,
                        x.rows, x.cols, result.cols);
      case ops::Form::cast:
        // To i32 towards zero; what is then rounded, or beyond the ends, is roundAll's.
        for (int64_t i = 0; i < x.rows * x.cols; ++i)
          // An integer has no -0, which adding 0 turns into 0.
          out[i] = result.dtype == DType::i32 ? std::trunc(in[i]) + 0.0 : in[i];
        return;
      case ops::Form::constant:
        std::fill_n(out, result.rows * result.cols, *in);
        return;
      case ops::Form::store:
        break;
    }
    internalError(op.place, "op of unknown form");
  }

  void elementwise(const KernelOp& op) {
    const ops::OpInfo& info = *op.op;
    const Value& result = valueAt(op.result);
    const bool integers = result.dtype == DType::i32;
    const auto unary = [&](auto function) {
      applyUnary(function, at(op.args[0]), stepsOf(valueAt(op.args[0])), at(op.result), result.rows,
                 result.cols);
    };
    const auto binary = [&](auto function) {
      applyBinary(function, at(op.args[0]), stepsOf(valueAt(op.args[0])), at(op.args[1]),
                  stepsOf(valueAt(op.args[1])), at(op.result), result.rows, result.cols);
    };
    if (integers && info.unary_i32) {
      unary([&](double a) { return wrapped(info.unary_i32(static_cast<int64_t>(a))); });
    } else if (integers && info.binary_i32) {
      binary([&](double a, double b) {
        return wrapped(info.binary_i32(static_cast<int64_t>(a), static_cast<int64_t>(b)));
      });
    } else if (!integers && info.unary) {
      unary(info.unary);
    } else if (!integers && info.binary) {
      binary(info.binary);
    } else {
      internalError(op.place, "elementwise op without a function");
    }
  }

  void store(const KernelOp& op) {
    const Value& tile = valueAt(op.args[0]);
    const Block block = blocks_[static_cast<size_t>(tile.index)];
    const double* x = at(op.args[1]);
    const Steps dx = stepsOf(valueAt(op.args[1]));
    for (int64_t r = 0; r < tile.rows; ++r)
      encode(tile.dtype, x + r * dx.row, dx.col, tile.cols, block.data + r * block.row_stride);
  }

  const Kernel& kernel_;
  std::vector<int64_t> offsets_;  // of each value in arena_
  std::vector<double> arena_;
  std::vector<Block> blocks_;  // one for each tile parameter
  int64_t work_ = 0;
};

// TaskCursor: the tasks of one process, one after another.
class TaskCursor {
 public:
  explicit TaskCursor(const Node& process) { enter(process); }

  // The next task; there is one. variables(): of the loops of the process around it.
  const Node& next() {
    if (done_) advance();
    done_ = true;
    return *path_.back().node;
  }
  const std::vector<int64_t>& variables() const { return variables_; }

 private:
  struct Level {
    const Node* node;
    size_t child;
  };

  void enter(const Node& node) {
    path_.push_back({&node, 0});
    if (node.kind == Node::Kind::loop) variables_.push_back(0);
    if (node.kind != Node::Kind::task) enter(node.body[0]);
  }

  void advance() {
    path_.pop_back();  // the task
    while (true) {
      Level& level = path_.back();
      if (++level.child == level.node->body.size()) {
        level.child = 0;
        const bool loop = level.node->kind == Node::Kind::loop;
        if (!loop || ++variables_.back() == level.node->extent) {
          if (loop) variables_.pop_back();
          path_.pop_back();
          continue;
        }
      }
      return enter(level.node->body[level.child]);
    }
  }

  std::vector<Level> path_;
  std::vector<int64_t> variables_;
  bool done_ = false;
};

// Walk: goes through the program tree in program order.
class Walk {
 public:
  Walk(const Program& program, const Options& options, std::vector<std::byte*> data)
      : program_(program), options_(options), data_(std::move(data)) {
    for (const Kernel& kernel : program.kernels) kernels_.emplace_back(kernel);
  }

  void run() {
    visit(program_.root);
    if (told_ > 0 && told_ < done_) tellProgress();
  }

 private:
  void visit(const Node& node) {
    switch (node.kind) {
      case Node::Kind::task:
        task(node);
        return;
      case Node::Kind::loop:
        variables_.push_back(0);
        for (int64_t i = 0; i < node.extent; ++i) {
          variables_.back() = i;
          for (const Node& child : node.body) visit(child);
        }
        variables_.pop_back();
        return;
      case Node::Kind::connect:
        connect(node);
        return;
      case Node::Kind::sequential:
      case Node::Kind::combine:
      case Node::Kind::process:
      case Node::Kind::send:
        for (const Node& child : node.body) visit(child);
        return;
    }
  }

  // Processes in the order that verify found; what they share is right in any that channels allow.
  void connect(const Node& node) {
    std::vector<TaskCursor> cursors;
    for (const Node& process : node.body) cursors.emplace_back(process);
    const size_t around = variables_.size();
    for (const int32_t process : node.order) {
      TaskCursor& cursor = cursors[static_cast<size_t>(process)];
      const Node& next = cursor.next();
      variables_.insert(variables_.end(), cursor.variables().begin(), cursor.variables().end());
      task(next);
      variables_.resize(around);
    }
  }

  int64_t evaluate(const Affine& affine) const {
    int64_t sum = affine.constant;
    for (size_t d = 0; d < affine.coefficients.size(); ++d) {
      sum += affine.coefficients[d] * variables_[d];
    }
    return sum;
  }

  Block locate(const TileView& view) const {
    const Tensor& tensor = program_.tensors[static_cast<size_t>(view.tensor)];
    const int64_t plane = evaluate(view.plane), row = evaluate(view.row), col = evaluate(view.col);
    if (plane < 0 || plane >= tensor.planes || row < 0 || row > tensor.rows - view.rows ||
        col < 0 || col > tensor.cols - view.cols)
      internalError(view.place, "view outside its tensor");
    const int64_t size = ir::elementSize(tensor.declaration.dtype);
    const int64_t element = (plane * tensor.rows + row) * tensor.cols + col;
    return {data_[static_cast<size_t>(view.tensor)] + element * size, tensor.cols * size};
  }

  void task(const Node& node) {
    KernelRun& kernel = kernels_[static_cast<size_t>(node.kernel)];
    for (size_t v = 0; v < node.views.size(); ++v) kernel.blocks()[v] = locate(node.views[v]);
    kernel.run(node.scalars);
    ++done_;
    since_progress_ += kernel.work();
    if (since_progress_ >= kProgressStep) tellProgress();
  }

  void tellProgress() {
    since_progress_ = 0;
    told_ = done_;
    if (options_.progress) options_.progress(done_, program_.taskCount());
  }

  const Program& program_;
  const Options& options_;
  std::vector<std::byte*> data_;  // by tensor
  std::vector<KernelRun> kernels_;
  std::vector<int64_t> variables_;  // of the loops around the current node, outermost first
  int64_t done_ = 0;
  int64_t since_progress_ = 0;
  int64_t told_ = 0;  // tasks done at the last call of progress
};

std::string sizeText(double bytes) {
  constexpr double kMiB = 1024 * 1024;
  return bytes < 1024 * kMiB ? fmt::format("{:.1f} MiB", bytes / kMiB)
                             : fmt::format("{:.1f} GiB", bytes / (1024 * kMiB));
}

// Asked beforehand: Linux grants more memory than there is, and kills the process later.
bool checkMemory(const Program& program, const Options& options, Diagnostics& diagnostics) {
  double need = 0;
  for (const Tensor& tensor : program.tensors) {
    need += static_cast<double>(tensor.bytes) * (tensor.declaration.role == Role::inout ? 2 : 1);
    if (options.expected.count(tensor.declaration.name)) need += static_cast<double>(tensor.bytes);
  }
  for (const Kernel& kernel : program.kernels) need += KernelRun::bytesFor(kernel);
  const double have = options.memory_limit ? static_cast<double>(options.memory_limit)
                                           : static_cast<double>(sysconf(_SC_PHYS_PAGES)) *
                                                 static_cast<double>(sysconf(_SC_PAGESIZE));
  if (need <= have) return true;
  diagnostics.error("out-of-memory", "/tensors",
                    fmt::format("evaluating the workload takes {} of memory, but there are {}",
                                sizeText(need), sizeText(have)),
                    "make the tensors smaller");
  return false;
}

Elements poisoned(const Tensor& tensor) {
  Elements elements(tensor.declaration.dtype, tensor.elements);
  for (size_t at = 0; at < elements.bytes.size(); at += sizeof kPoison)
    std::memcpy(&elements.bytes[at], &kPoison, std::min(sizeof kPoison, elements.bytes.size() - at));
  return elements;
}

void evaluateTasks(const Program& program, const Options& options, Evaluation& evaluation) {
  std::vector<Elements> state(program.tensors.size());
  std::vector<std::byte*> data;
  for (size_t t = 0; t < program.tensors.size(); ++t) {
    const Tensor& tensor = program.tensors[t];
    if (tensor.declaration.role == Role::input) {
      data.push_back(evaluation.inputs[t].bytes.data());
      continue;
    }
    state[t] = isRead(tensor) ? evaluation.inputs[t] : poisoned(tensor);
    data.push_back(state[t].bytes.data());
  }
  Walk(program, options, std::move(data)).run();
  for (size_t t = 0; t < state.size(); ++t) {
    if (isResult(program.tensors[t]) && evaluation.expected[t].empty())
      evaluation.expected[t] = std::move(state[t]);
  }
}

}  // namespace

std::vector<double> Elements::values() const {
  const int64_t count = static_cast<int64_t>(bytes.size()) / ir::elementSize(dtype);
  std::vector<double> values(static_cast<size_t>(count));
  decode(dtype, bytes.data(), count, values.data());
  return values;
}

bool evaluate(const Program& program, const Options& options, Evaluation& evaluation,
              Diagnostics& diagnostics) {
  evaluation = {};
  evaluation.inputs.resize(program.tensors.size());
  evaluation.expected.resize(program.tensors.size());
  if (!checkMemory(program, options, diagnostics)) return false;
  try {
    if (!readData(program, options, evaluation, diagnostics)) return false;
    bool all_given = true;
    for (size_t t = 0; t < program.tensors.size(); ++t) {
      all_given &= !isResult(program.tensors[t]) || !evaluation.expected[t].empty();
    }
    if (!all_given && !takeKeptResults(program, options, evaluation)) {
      const std::vector<bool> computed = lacking(program, evaluation);
      evaluateTasks(program, options, evaluation);
      keepResults(program, options, evaluation, computed);
    }
  } catch (const std::bad_alloc&) {
    diagnostics.error("out-of-memory", "/tensors", "not enough memory to evaluate the workload",
                      "make the tensors smaller");
    return false;
  }
  return true;
}

}  // namespace ptowsp::reference
