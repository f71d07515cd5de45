#include "generator/reference/evaluate.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cstdio>
#include <cstdlib>
#include <new>

#include "generator/reference/inputs.h"

namespace ptowsp::reference {
namespace {

// What unwritten memory holds: a NaN, so that a result made from it shows.
const float kPoison = std::bit_cast<float>(0xFFC0DEADu);

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

// The two loops of an elementwise op; `function` is an OpInfo's pointer.
void applyUnary(double (*function)(double), const float* x, Steps dx, float* out, int64_t rows,
                int64_t cols) {
  for (int64_t r = 0; r < rows; ++r, x += dx.row, out += cols) {
    for (int64_t c = 0; c < cols; ++c) {
      out[c] = static_cast<float>(function(static_cast<double>(x[c * dx.col])));
    }
  }
}

void applyBinary(double (*function)(double, double), const float* x, Steps dx, const float* y,
                 Steps dy, float* out, int64_t rows, int64_t cols) {
  for (int64_t r = 0; r < rows; ++r, x += dx.row, y += dy.row, out += cols) {
    for (int64_t c = 0; c < cols; ++c) {
      out[c] = static_cast<float>(
          function(static_cast<double>(x[c * dx.col]), static_cast<double>(y[c * dy.col])));
    }
  }
}

void reduceRows(const ops::OpInfo& op, const float* x, float* out, int64_t rows, int64_t cols) {
  for (int64_t r = 0; r < rows; ++r, x += cols) {
    double total = op.identity;
    for (int64_t c = 0; c < cols; ++c) total = op.fold(total, static_cast<double>(x[c]));
    if (op.finish) total = op.finish(total, static_cast<double>(cols));
    out[r] = static_cast<float>(total);
  }
}

// Block: where a view lies in memory.
struct Block {
  float* data;
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
    arena_.assign(static_cast<size_t>(size), kPoison);
    for (size_t v = 0; v < kernel.values.size(); ++v) {
      if (kernel.values[v].kind == Value::Kind::literal)
        *at(static_cast<int>(v)) = static_cast<float>(kernel.values[v].literal);
    }
    work_ = size;
  }

  static double bytesFor(const Kernel& kernel) {
    double bytes = 0;
    for (const Value& value : kernel.values)
      bytes += sizeof(float) * static_cast<double>(value.rows) * static_cast<double>(value.cols);
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
      *at(kernel_.scalars[s].value) = static_cast<float>(scalars[s]);
    }
    for (const KernelOp& op : kernel_.ops) apply(op);
  }

  std::vector<Block>& blocks() { return blocks_; }

 private:
  float* at(int value) { return arena_.data() + offsets_[static_cast<size_t>(value)]; }
  const Value& valueAt(int value) const { return kernel_.values[static_cast<size_t>(value)]; }

  void load(const TileParameter& tile) {
    const Block block = blocks_[static_cast<size_t>(valueAt(tile.value).index)];
    float* out = at(tile.value);
    for (int64_t r = 0; r < tile.rows; ++r) {
      std::copy_n(block.data + r * block.row_stride, tile.cols, out + r * tile.cols);
    }
  }

  void apply(const KernelOp& op) {
    switch (op.op->form) {
      case ops::Form::elementwise: {
        const Value& result = valueAt(op.result);
        const int x = op.args[0];
        if (op.op->unary) {
          applyUnary(op.op->unary, at(x), stepsOf(valueAt(x)), at(op.result), result.rows,
                     result.cols);
        } else if (op.op->binary) {
          const int y = op.args[1];
          applyBinary(op.op->binary, at(x), stepsOf(valueAt(x)), at(y), stepsOf(valueAt(y)),
                      at(op.result), result.rows, result.cols);
        } else {
          internalError(op.place, "elementwise op without a function");
        }
        return;
      }
      case ops::Form::row_reduction: {
        const Value& x = valueAt(op.args[0]);
        reduceRows(*op.op, at(op.args[0]), at(op.result), x.rows, x.cols);
        return;
      }
      case ops::Form::store: {
        const Value& tile = valueAt(op.args[0]);
        const Block block = blocks_[static_cast<size_t>(tile.index)];
        const float* x = at(op.args[1]);
        const Steps dx = stepsOf(valueAt(op.args[1]));
        for (int64_t r = 0; r < tile.rows; ++r) {
          float* out = block.data + r * block.row_stride;
          for (int64_t c = 0; c < tile.cols; ++c) out[c] = x[r * dx.row + c * dx.col];
        }
        return;
      }
    }
    internalError(op.place, "op of unknown form");
  }

  const Kernel& kernel_;
  std::vector<int64_t> offsets_;  // of each value in arena_
  std::vector<float> arena_;
  std::vector<Block> blocks_;  // one for each tile parameter
  int64_t work_ = 0;
};

// Walk: goes through the program tree in program order.
class Walk {
 public:
  Walk(const Program& program, const Options& options, std::vector<float*> data)
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
      case Node::Kind::sequential:
      case Node::Kind::combine:
        for (const Node& child : node.body) visit(child);
        return;
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
    return {
        data_[static_cast<size_t>(view.tensor)] + (plane * tensor.rows + row) * tensor.cols + col,
        tensor.cols};
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
  std::vector<float*> data_;  // by tensor
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

bool checkDTypes(const Program& program, Diagnostics& diagnostics) {
  bool good = true;
  for (const Tensor& tensor : program.tensors) {
    if (tensor.declaration.dtype == DType::f32) continue;
    diagnostics.error("unsupported-feature", tensor.declaration.place,
                      fmt::format("tensor '{}': the reference evaluates f32 only, found {}",
                                  tensor.declaration.name, ir::nameOf(tensor.declaration.dtype)),
                      "use f32; see docs/future/pto_runtime_gaps.md");
    good = false;
  }
  return good;
}

void evaluateTasks(const Program& program, const Options& options, Evaluation& evaluation) {
  std::vector<Elements> state(program.tensors.size());
  std::vector<float*> data;
  for (size_t t = 0; t < program.tensors.size(); ++t) {
    const Tensor& tensor = program.tensors[t];
    if (tensor.declaration.role == Role::input) {
      data.push_back(evaluation.inputs[t].data());
      continue;
    }
    if (isRead(tensor)) {
      state[t] = evaluation.inputs[t];
    } else {
      state[t].assign(static_cast<size_t>(tensor.elements), kPoison);
    }
    data.push_back(state[t].data());
  }
  Walk(program, options, std::move(data)).run();
  for (size_t t = 0; t < state.size(); ++t) {
    if (isResult(program.tensors[t]) && evaluation.expected[t].empty())
      evaluation.expected[t] = std::move(state[t]);
  }
}

}  // namespace

bool evaluate(const Program& program, const Options& options, Evaluation& evaluation,
              Diagnostics& diagnostics) {
  evaluation = {};
  evaluation.inputs.resize(program.tensors.size());
  evaluation.expected.resize(program.tensors.size());
  if (!checkDTypes(program, diagnostics) || !checkMemory(program, options, diagnostics))
    return false;
  try {
    if (!readData(program, options, evaluation, diagnostics)) return false;
    bool all_given = true;
    for (size_t t = 0; t < program.tensors.size(); ++t) {
      all_given &= !isResult(program.tensors[t]) || !evaluation.expected[t].empty();
    }
    if (!all_given) evaluateTasks(program, options, evaluation);
  } catch (const std::bad_alloc&) {
    diagnostics.error("out-of-memory", "/tensors", "not enough memory to evaluate the workload",
                      "make the tensors smaller");
    return false;
  }
  return true;
}

}  // namespace ptowsp::reference
