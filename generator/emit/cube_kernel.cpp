// SPDX-License-Identifier: MIT
#include "generator/emit/cube_kernel.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "generator/emit/debug_lines.h"
#include "generator/emit/element.h"
#include "generator/emit/kernel_source.h"

namespace ptowsp {
namespace {

class CubePlanner {
 public:
  explicit CubePlanner(const Kernel& kernel) : kernel_(kernel) {
    plan_.stored.assign(kernel.tiles.size(), -1);
    plan_.saved.assign(kernel.tiles.size(), false);
    plan_.live.assign(kernel.values.size(), false);
    plan_.target.assign(kernel.values.size(), -1);
    uses_.assign(kernel.values.size(), 0);
    for (size_t value = 0; value < kernel.values.size(); ++value)
      plan_.shares.push_back(static_cast<int>(value));
  }

  CubePlan plan() {
    for (const KernelOp& op : kernel_.ops)
      if (op.op->form == ops::Form::store) plan_.stored[at(op.args[0]).index] = op.args[1];
    for (const int value : plan_.stored)
      if (value >= 0) use(value);
    for (auto op = kernel_.ops.rbegin(); op != kernel_.ops.rend(); ++op)
      if (op->result >= 0 && plan_.live[op->result])
        for (const int arg : op->args) use(arg);
    shareSums();
    findTargets();
    saveTiles();
    countBytes();
    return std::move(plan_);
  }

 private:
  const Value& at(int value) const { return kernel_.values[value]; }
  void use(int value) {
    plan_.live[value] = true;
    ++uses_[value];
  }
  static bool isSum(const KernelOp& op) { return op.op->form == ops::Form::matmul; }

  // A product that only another one adds to is computed in the other's memory.
  void shareSums() {
    for (auto op = kernel_.ops.rbegin(); op != kernel_.ops.rend(); ++op) {
      if (op->result < 0 || !isSum(*op) || !plan_.live[op->result] || op->args.size() < 3) continue;
      const int sum = op->args[2];
      if (at(sum).kind == Value::Kind::result && uses_[sum] == 1 && isProduct(sum))
        plan_.shares[sum] = plan_.shares[op->result];
    }
  }
  bool isProduct(int value) const {
    for (const KernelOp& op : kernel_.ops)
      if (op.result == value) return isSum(op);
    return false;
  }

  // The value that a tile's entry value is added to, when that is its only use and shares memory
  // with what is stored to the tile.
  bool isOnlyAddedTo(int tile) const {
    const int entry = kernel_.tiles[tile].value;
    if (uses_[entry] == 0) return true;
    if (uses_[entry] > 1) return false;
    for (const KernelOp& op : kernel_.ops)
      if (op.result >= 0 && isSum(op) && plan_.live[op.result] && op.args.size() == 3 &&
          op.args[2] == entry)
        return plan_.shares[op.result] == plan_.stored[tile];
    return false;
  }

  void findTargets() {
    for (size_t i = 0; i < plan_.stored.size(); ++i) {
      const int tile = static_cast<int>(i), value = plan_.stored[i];
      if (value >= 0 && isProduct(value) && plan_.target[value] < 0 && isOnlyAddedTo(tile))
        plan_.target[value] = tile;
    }
  }

  // Copies are made at the end, when their source may have been stored to.
  void saveTiles() {
    for (size_t i = 0; i < plan_.stored.size(); ++i) {
      const int value = plan_.stored[i];
      if (value < 0 || at(value).kind != Value::Kind::tile) continue;
      const int from = at(value).index;
      if (from != static_cast<int>(i) && plan_.stored[from] >= 0) plan_.saved[from] = true;
    }
  }

  void countBytes() {
    for (size_t value = 0; value < kernel_.values.size(); ++value)
      if (plan_.live[value] && isProduct(static_cast<int>(value)) && plan_.target[value] < 0 &&
          plan_.shares[value] == static_cast<int>(value))
        plan_.temporary_bytes += 4 * kernel_.values[value].rows * kernel_.values[value].cols;
    for (size_t i = 0; i < kernel_.tiles.size(); ++i)
      if (plan_.saved[i])
        plan_.temporary_bytes += kernel_.tiles[i].rows * kernel_.tiles[i].cols *
                                 elementOf(kernel_.tiles[i].dtype).bytes;
  }

  const Kernel& kernel_;
  CubePlan plan_;
  std::vector<int> uses_;
};

// Where a matrix lies.
struct Matrix {
  std::string pointer, stride;
};

class CubeEmitter {
 public:
  CubeEmitter(const Kernel& kernel, const CubePlan& plan)
      : kernel_(kernel), plan_(plan), names_(kernel) {
    for (const TileParameter& tile : kernel.tiles) {
      tiles_.push_back({names_.add(tile.name + "_tile"), ""});
      if (tile.strided) tiles_.back().stride = names_.add(tile.name + "_stride");
      saved_.push_back(names_.add(tile.name + "_saved"));
    }
    int literals = 0;
    for (const Value& value : kernel.values) {
      const bool literal = value.kind == Value::Kind::literal;
      values_.push_back(names_.add(literal ? fmt::format("literal_{}", literals++) : value.name));
      rows_.push_back(isNumber(value) ? names_.add(values_.back() + "_row") : "");
    }
    zero_ = names_.add("zero");
    buffers_ = names_.add("buffers");
    for (const char* format : {"f32", "f16", "bf16", "i32"}) formats_.push_back(names_.add(format));
  }

  std::string emit(std::string_view source_name) {
    std::string before, products, after;
    for (size_t i = 0; i < kernel_.tiles.size(); ++i)
      if (plan_.saved[i]) before += saveText(static_cast<int>(i));
    for (const KernelOp& op : kernel_.ops)
      if (op.result >= 0 && plan_.live[op.result])
        if (op.op->form == ops::Form::matmul) products += productText(op) + placeMark(op.place);
    for (size_t i = 0; i < kernel_.tiles.size(); ++i)
      if (plan_.stored[i] >= 0)
        after += storeText(static_cast<int>(i), plan_.stored[i]) + storeMark(kernel_, static_cast<int>(i));
    const std::string numbers = numberTexts();
    const Prologue prologue =
        emitPrologue(kernel_, tiles_, usedTiles(kernel_, plan_.live, plan_.stored),
                     writtenTiles(plan_.stored), scalars_);
    return assembleKernel(kernel_, source_name, {"ptowsp_matmul.h"},
                          {prologue.arguments, formatTexts() + prologue.text},
                          numbers + "\n" + before + products + after);
  }

 private:
  const Value& at(int value) const { return kernel_.values[value]; }
  static bool isNumber(const Value& value) {
    return value.kind == Value::Kind::literal || value.kind == Value::Kind::scalar;
  }

  // ---- Numbers ----

  const std::string& formatOf(DType dtype) {
    used_formats_ |= 1u << static_cast<int>(dtype);
    return formats_[static_cast<size_t>(dtype)];
  }
  std::string formatTexts() const {
    static constexpr std::string_view types[] = {"F32", "F16", "Bf16", "I32"};
    std::string text;
    for (size_t i = 0; i < formats_.size(); ++i)
      if (used_formats_ >> i & 1) text += fmt::format("  const ptowsp::{} {};\n", types[i], formats_[i]);
    return text;
  }

  // The definitions of numbers; of scalars, whose argument the prologue knows, in scalars_.
  std::string numberTexts() {
    std::string text;
    scalars_.assign(kernel_.scalars.size(), "");
    for (size_t i = 0; i < kernel_.values.size(); ++i) {
      const Value& value = kernel_.values[i];
      if (!isNumber(value) || !plan_.live[i]) continue;
      if (value.kind == Value::Kind::scalar) {
        scalars_[static_cast<size_t>(value.index)] = fmt::format(
            "  const {} {} = {}.scalar({{}});\n", elementOf(value.dtype).registers, values_[i],
            formatOf(value.dtype));
      } else {
        text += literalText(value, values_[i]);
      }
    }
    text += fmt::format("  ptowsp::MatmulBuffers {};\n", buffers_);
    if (uses_zero_)
      text += fmt::format("  const ptowsp::NumberRow {}(ptowsp::Lanes{{}});\n", zero_);
    for (const int value : number_rows_)
      text += fmt::format("  const ptowsp::NumberRow {}({});\n", rows_[value], values_[value]);
    return text;
  }

  // What a constant is made of, or the value itself.
  int numberOf(int value) const {
    for (const KernelOp& op : kernel_.ops)
      if (op.result == value && op.op->form == ops::Form::constant) return op.args[0];
    return value;
  }

  // ---- Matrices ----

  std::string array(const std::string& name, DType dtype, int64_t elements) const {
    return fmt::format("  alignas(64) {} {}[{}];\n", elementOf(dtype).memory, name, elements);
  }

  Matrix tileMatrix(int tile) const {
    const TileParameter& parameter = kernel_.tiles[tile];
    return {tiles_[tile].pointer, parameter.strided && parameter.rows > 1
                                      ? tiles_[tile].stride
                                      : std::to_string(parameter.cols)};
  }
  Matrix matrixOf(int value) const {
    if (at(value).kind == Value::Kind::tile) return tileMatrix(at(value).index);
    const int memory = plan_.shares[value];
    if (plan_.target[memory] >= 0) return tileMatrix(plan_.target[memory]);
    return {values_[memory], std::to_string(at(memory).cols)};
  }

  std::string startText(const KernelOp& op) {
    if (op.args.size() < 3) {
      uses_zero_ = true;
      return fmt::format("ptowsp::Start({}.row)", zero_);
    }
    const int number = numberOf(op.args[2]);
    if (isNumber(at(number))) {
      if (std::find(number_rows_.begin(), number_rows_.end(), number) == number_rows_.end())
        number_rows_.push_back(number);
      return fmt::format("ptowsp::Start({}.row)", rows_[number]);
    }
    const Matrix sum = matrixOf(op.args[2]);
    return fmt::format("ptowsp::Start({}, {})", sum.pointer, sum.stride);
  }

  // A factor that is a number, or made of one, is written down first.
  std::string factorText(int value, Matrix& matrix) {
    const int number = numberOf(value);
    if (!isNumber(at(number))) {
      matrix = matrixOf(value);
      return "";
    }
    const DType dtype = at(value).dtype;
    matrix = {number == value ? names_.add(values_[value] + "_one") : values_[value],
              std::to_string(at(value).cols)};
    if (!written_.insert(value).second) {
      matrix.pointer = number_arrays_[value];
      return "";
    }
    number_arrays_[value] = matrix.pointer;
    return array(matrix.pointer, dtype, at(value).rows * at(value).cols) +
           fillText(matrix, value, number);
  }

  std::string fillText(const Matrix& to, int shape, int number) {
    return fmt::format("  ptowsp::fillTile<{}>({}, {}, {}, {}, {});\n", at(shape).cols, to.pointer,
                       to.stride, values_[number], at(shape).rows, formatOf(at(shape).dtype));
  }

  std::string productText(const KernelOp& op) {
    std::string text;
    Matrix a, b;
    text += factorText(op.args[0], a);
    text += factorText(op.args[1], b);
    const int memory = plan_.shares[op.result];
    if (plan_.target[memory] < 0 && defined_.insert(memory).second)
      text += array(values_[memory], DType::f32, at(memory).rows * at(memory).cols);
    const Matrix c = matrixOf(op.result);
    const Value& left = at(op.args[0]);
    const bool copy_rows = left.dtype != DType::f32 || a.stride != std::to_string(left.cols);
    const std::string start = startText(op);
    return text + fmt::format("  ptowsp::matmul<{}, {}, {}, {}>({}, {}, {},\n      {}, {}, {}, {}, {}, {});\n",
                              left.rows, at(op.result).cols, left.cols, copy_rows, c.pointer,
                              c.stride, start, a.pointer, a.stride, b.pointer, b.stride,
                              formatOf(left.dtype), buffers_);
  }

  // ---- Stores ----

  std::string copyText(const Matrix& to, const Matrix& from, const Value& shape) const {
    return fmt::format("  ptowsp::copyTile<{}>({}, {}, {}, {}, {});\n", shape.cols, to.pointer,
                       to.stride, from.pointer, from.stride, shape.rows);
  }
  Matrix savedMatrix(int tile) const {
    return {saved_[tile], std::to_string(kernel_.tiles[tile].cols)};
  }
  std::string saveText(int tile) const {
    const Value& value = at(kernel_.tiles[tile].value);
    return array(saved_[tile], value.dtype, value.rows * value.cols) +
           copyText(savedMatrix(tile), tileMatrix(tile), value);
  }
  std::string storeText(int tile, int value) {
    const Value& shape = at(kernel_.tiles[tile].value);
    const int number = numberOf(value);
    if (isNumber(at(number))) return fillText(tileMatrix(tile), kernel_.tiles[tile].value, number);
    const bool is_tile = at(value).kind == Value::Kind::tile;
    if (is_tile ? at(value).index == tile : plan_.target[plan_.shares[value]] == tile) return "";
    return copyText(tileMatrix(tile),
                    is_tile && plan_.saved[at(value).index] ? savedMatrix(at(value).index)
                                                            : matrixOf(value),
                    shape);
  }

  const Kernel& kernel_;
  const CubePlan& plan_;
  KernelNames names_;
  std::vector<std::string> values_, rows_, saved_, scalars_, formats_;
  std::vector<TileNames> tiles_;
  std::string zero_, buffers_;
  unsigned used_formats_ = 0;
  bool uses_zero_ = false;
  std::vector<int> number_rows_;
  std::set<int> written_, defined_;
  std::map<int, std::string> number_arrays_;
};

}  // namespace

CubePlan planCubeKernel(const Kernel& kernel) { return CubePlanner(kernel).plan(); }

std::string emitCubeKernel(const Kernel& kernel, const CubePlan& plan,
                           std::string_view source_name) {
  return CubeEmitter(kernel, plan).emit(source_name);
}

}  // namespace ptowsp
