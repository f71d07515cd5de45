// SPDX-License-Identifier: MIT
#include "generator/emit/vector_kernel.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cctype>
#include <map>
#include <set>
#include <vector>

#include "generator/emit/debug_lines.h"
#include "generator/emit/element.h"
#include "generator/emit/kernel_source.h"

namespace ptowsp {
namespace {

constexpr std::string_view kElementwiseHeader = "ptowsp_elementwise.h",
                           kFloat16Header = "ptowsp_float16.h";

// Ops that are objects in the support headers, because they need constants that are made before the
// loops: the header that has them, or nothing.
std::string_view preparedIn(std::string_view sim) {
  static const std::map<std::string_view, std::string_view> headers = {
      {"abs", kElementwiseHeader},      {"neg", kElementwiseHeader},   {"exp", "ptowsp_math.h"},
      {"log", "ptowsp_math.h"},         {"rsqrt", "ptowsp_math.h"},    {"gelu", "ptowsp_double.h"},
      {"sigmoid", "ptowsp_double.h"},   {"silu", "ptowsp_double.h"},   {"tanh", "ptowsp_double.h"}};
  const auto found = headers.find(sim);
  return found == headers.end() ? std::string_view() : found->second;
}

std::string typeName(std::string_view sim) {
  std::string type(sim);
  type[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(type[0])));
  return "ptowsp::" + type;
}

bool isNarrow(DType dtype) { return dtype == DType::f16 || dtype == DType::bf16; }

class VectorEmitter {
 public:
  VectorEmitter(const Kernel& kernel, const SimPlan& plan)
      : kernel_(kernel), plan_(plan), names_(kernel) {
    int literals = 0;
    for (const Value& value : plan.values)
      values_.push_back(names_.add(value.kind == Value::Kind::literal
                                       ? fmt::format("literal_{}", literals++)
                                       : value.name));
    for (const TileParameter& tile : kernel.tiles) {
      tiles_.push_back({names_.add(tile.name + "_tile"), ""});
      rows_.push_back(plan.values[tile.value].rows == 1 ? tiles_.back().pointer
                                                        : names_.add(tile.name + "_row"));
      if (tile.strided) tiles_.back().stride = names_.add(tile.name + "_stride");
    }
    for (size_t i = 0; i < values_.size(); ++i) {
      const int value = static_cast<int>(i);
      const bool folds = plan.live[i] && (plan.reducesRow(value) || plan.reducesColumns(value));
      folds_.push_back(folds ? names_.add(plan.values[i].name + "_fold") : "");
      kept_.push_back(plan.kept_whole[i] ? names_.add(plan.values[i].name + "_kept") : "");
    }
    for (const SimRowLoop& loop : plan.loops)
      for (const int value : loop.kept) kept_[value] = names_.add(plan.values[value].name + "_kept");
    prepareOps();
  }

  std::string emit(std::string_view source_name) const {
    Prologue prologue =
        emitPrologue(kernel_, tiles_, usedTiles(kernel_, plan_.live, plan_.stored),
                     writtenTiles(plan_.stored), scalarTexts());
    // 16-bit scalars are converted by these.
    prologue.text.insert(0, preparedText(true));
    std::string body = literalTexts() + preparedText(false) + functionTemporaries() + "\n";
    std::vector<std::string> loops;
    for (const SimRowLoop& loop : plan_.loops) {
      std::string text = columnFolds(loop) +
                         (loop.rows == 1 ? rowText(loop, "  ") : loopText(loop));
      if (!text.empty()) loops.push_back(std::move(text));
    }
    return assembleKernel(kernel_, source_name, headers(), prologue,
                          body + fmt::format("{}", fmt::join(loops, "\n")));
  }

 private:
  const KernelOp* definitionOf(int value) const { return plan_.definitionOf(value); }
  const Value& at(int value) const { return plan_.values[value]; }
  DType dtypeOf(int value) const { return at(value).dtype; }
  static std::string_view registersOf(DType dtype) { return elementOf(dtype).registers; }

  // ---- Objects made before the loops ----

  void prepare(std::string type, const std::string& name, std::string_view header) {
    prepared_in_.insert(header);
    if (!prepared_.contains(type)) prepared_.emplace(type, names_.add(name));
  }

  void prepareFormat(DType dtype) {
    if (isNarrow(dtype))
      prepare("ptowsp::" + std::string(elementOf(dtype).format),
              dtype == DType::f16 ? "f16" : "bf16", kFloat16Header);
  }

  void prepareOps() {
    const std::vector<bool> used = usedTiles(kernel_, plan_.live, plan_.stored);
    for (size_t i = 0; i < kernel_.tiles.size(); ++i)
      if (used[i]) prepareFormat(kernel_.tiles[i].dtype);
    for (size_t i = 0; i < plan_.values.size(); ++i)
      if (plan_.live[i]) prepareFormat(plan_.values[i].dtype);
    for (const KernelOp& op : plan_.ops) {
      if (op.result < 0 || !plan_.live[op.result]) continue;
      if (const std::string_view header = preparedIn(op.op->sim); !header.empty())
        prepare(typeName(op.op->sim), std::string(op.op->sim), header);
      if (op.op->form != ops::Form::cast) continue;
      const DType from = dtypeOf(op.args[0]), to = dtypeOf(op.result);
      if (to == DType::i32 && from != to)
        prepare("ptowsp::ToIntegers", "to_integers", kFloat16Header);
      if (to == DType::bf16 && from == DType::i32)
        prepare("ptowsp::ToTracedFloats", "to_traced_floats", kFloat16Header);
    }
  }

  // What the body needs of the support headers; each includes those that it needs itself.
  std::vector<std::string_view> headers() const {
    std::set<std::string_view> used = prepared_in_;
    used.insert(kElementwiseHeader);
    for (const KernelOp& op : plan_.ops)
      if (op.op->form == ops::Form::cast) used.insert(kFloat16Header);
    for (const std::string& fold : folds_)
      if (!fold.empty()) used.insert("ptowsp_reduce.h");
    return {used.begin(), used.end()};
  }

  // Formats come first: arguments are read by them.
  std::string preparedText(bool formats) const {
    std::string text;
    for (const auto& [type, name] : prepared_)
      if (formats == (type == "ptowsp::F16" || type == "ptowsp::Bf16"))
        text += fmt::format("  const {} {};\n", type, name);
    return text;
  }

  std::string formatOf(DType dtype) const {
    return isNarrow(dtype) ? prepared_.at("ptowsp::" + std::string(elementOf(dtype).format)) + "."
                           : "ptowsp::";
  }

  // ---- Arguments and literals ----

  std::vector<std::string> scalarTexts() const {
    std::vector<std::string> texts;
    for (const ScalarParameter& scalar : kernel_.scalars) {
      texts.emplace_back();
      if (!plan_.live[scalar.value]) continue;
      const std::string read = scalar.dtype == DType::i32 ? "ptowsp::integerScalar"
                                                          : formatOf(scalar.dtype) + "scalar";
      texts.back() = fmt::format("  const {} {} = {}({{}});\n", registersOf(scalar.dtype),
                                 values_[scalar.value], read);
    }
    return texts;
  }

  std::string literalTexts() const {
    std::string text;
    for (size_t i = 0; i < plan_.values.size(); ++i) {
      const Value& value = plan_.values[i];
      if (value.kind == Value::Kind::literal && plan_.live[i])
        text += literalText(value, values_[i]);
    }
    return text;
  }

  // ---- Temporaries ----

  std::string array(int value, int64_t count, const std::string& indent) const {
    return fmt::format("{}alignas(64) {} {}[{}];\n", indent, elementOf(dtypeOf(value)).memory,
                       kept_[value], count);
  }

  std::string rowTemporaries(const SimRowLoop& loop, const std::string& indent) const {
    std::string text;
    for (const int value : loop.kept) text += array(value, at(value).cols, indent);
    return text;
  }

  std::string functionTemporaries() const {
    std::string text;
    for (size_t i = 0; i < plan_.values.size(); ++i)
      if (plan_.kept_whole[i])
        text += array(static_cast<int>(i), plan_.values[i].rows * plan_.values[i].cols, "  ");
    for (const SimRowLoop& loop : plan_.loops)
      if (loop.rows == 1) text += rowTemporaries(loop, "  ");
    return text;
  }

  // The class template of a reduction of `columns` columns: sums of 16-bit floats are floats.
  std::string foldType(int fold, int64_t columns) const {
    return fmt::format("{}<{}{}>", typeName(definitionOf(fold)->op->sim), columns,
                       dtypeOf(fold) == DType::i32 ? ", ptowsp::Integers" : "");
  }

  std::string columnFolds(const SimRowLoop& loop) const {
    std::string text;
    for (const int fold : loop.columns)
      text += fmt::format("  {} {};\n", foldType(fold, at(fold).cols), folds_[fold]);
    return text;
  }

  // ---- Values ----

  // `expression` has the precision of registers; the op's result has its dtype's.
  std::string rounded(int value, const std::string& expression) const {
    const KernelOp& op = *definitionOf(value);
    if (!isNarrow(dtypeOf(value)) || op.op->max_ulp == 0) return expression;
    return fmt::format("{}round({})", formatOf(dtypeOf(value)), expression);
  }

  std::string castText(DType from, DType to, const std::string& operand) const {
    if (from == to) return operand;
    if (to == DType::i32) return prepared_.at("ptowsp::ToIntegers") + "(" + operand + ")";
    if (from != DType::i32) return operand;
    return (to == DType::bf16 ? prepared_.at("ptowsp::ToTracedFloats") : "ptowsp::toFloats") + "(" +
           operand + ")";
  }

  std::string compute(int value) const {
    const KernelOp& op = *definitionOf(value);
    std::vector<std::string> args;
    for (const int arg : op.args) args.push_back(values_[arg]);
    switch (op.op->form) {
      case ops::Form::row_reduction:  // of a single column
      case ops::Form::constant: return args[0];
      case ops::Form::col_reduction:
        if (!plan_.reducesColumns(value)) return args[0];
        return rounded(value, fmt::format("ptowsp::loadOne({}.running)", folds_[value]));
      case ops::Form::cast:
        return dtypeOf(op.args[0]) == dtypeOf(value)
                   ? args[0]
                   : rounded(value, castText(dtypeOf(op.args[0]), dtypeOf(value), args[0]));
      default: break;
    }
    const auto prepared = prepared_.find(typeName(op.op->sim));
    return rounded(value, fmt::format("{}({})",
                                      prepared != prepared_.end()
                                          ? prepared->second
                                          : "ptowsp::" + std::string(op.op->sim),
                                      fmt::join(args, ", ")));
  }

  std::string define(int value, const std::string& indent, const std::string& expression) const {
    return fmt::format("{}const {} {} = {};\n", indent, registersOf(dtypeOf(value)), values_[value],
                       expression) + markOf(value);
  }

  // Tiles are loaded by whatever op comes next.
  std::string markOf(int value) const {
    const KernelOp* const op = definitionOf(value);
    return op ? placeMark(op->place) : std::string();
  }

  // Where the row of a kept value begins.
  std::string keptRow(int value) const {
    if (!plan_.kept_whole[value]) return kept_[value];
    return kept_[value] + " + row" +
           (at(value).cols == 1 ? std::string() : fmt::format(" * {}", at(value).cols));
  }

  std::string loadText(int value) const {
    if (plan_.reducesColumns(value))
      return rounded(value, fmt::format("{}.of(at)", folds_[value]));
    return fmt::format("{}load({}, at)", formatOf(dtypeOf(value)),
                       at(value).kind == Value::Kind::tile ? rows_[at(value).index]
                                                           : keptRow(value));
  }

  std::string storeText(DType dtype, const std::string& row, int value) const {
    return fmt::format("{}store({}, at, {});\n", formatOf(dtype), row, values_[value]);
  }
  std::string storeOneText(DType dtype, const std::string& to, int value) const {
    return fmt::format("{}storeOne({}, {});\n", formatOf(dtype), to, values_[value]);
  }

  // ---- Passes and loops ----

  std::string passText(const SimPass& pass, const std::string& indent) const {
    const std::string inner = indent + "  ";
    std::string before, body, after;
    for (const SimStep& step : pass.steps)
      body += define(step.value, inner, step.load ? loadText(step.value) : compute(step.value));
    for (const int fold : pass.folds) {
      before += fmt::format("{}{} {};\n", indent, foldType(fold, pass.columns), folds_[fold]);
      body += foldText(fold, inner);
      after += define(fold, indent, rounded(fold, folds_[fold] + ".result()"));
    }
    for (const int fold : pass.column_folds) body += foldText(fold, inner);
    for (const int value : pass.keeps)
      body += inner + storeText(dtypeOf(value), keptRow(value), value);
    for (const int tile : pass.stores)
      body += inner + storeText(kernel_.tiles[tile].dtype, rows_[tile], plan_.stored[tile]) +
              storeMark(kernel_, tile);
    return fmt::format("{0}{1}ptowsp::{2}<{3}>([&](auto at) PTOWSP_INLINE {{\n{4}{1}}});\n{5}",
                       before, indent, pass.folds.empty() ? "forColumns" : "foldColumns",
                       pass.columns, body, after);
  }

  std::string foldText(int fold, const std::string& indent) const {
    return fmt::format("{}{}.add(at, {});\n", indent, folds_[fold],
                       values_[definitionOf(fold)->args[0]]) + markOf(fold);
  }

  // All that is done for one row.
  std::string rowText(const SimRowLoop& loop, const std::string& indent) const {
    std::string text;
    for (const int value : loop.scalar_loads)
      text += define(value, indent,
                     fmt::format("{}loadOne({})", formatOf(dtypeOf(value)),
                                 at(value).kind == Value::Kind::tile ? rows_[at(value).index]
                                                                     : keptRow(value)));
    for (const SimStage& stage : loop.stages) {
      for (const int value : stage.scalars) text += define(value, indent, compute(value));
      for (const SimPass& pass : stage.passes) text += passText(pass, indent);
    }
    for (const int fold : loop.scalar_folds)
      text += fmt::format("{}{}.add(ptowsp::At<0, 1>{{0}}, {});\n", indent, folds_[fold],
                          values_[definitionOf(fold)->args[0]]) + markOf(fold);
    for (const int value : loop.scalar_keeps)
      text += indent + storeOneText(dtypeOf(value), keptRow(value), value);
    for (const int tile : loop.scalar_stores)
      text += indent + storeOneText(kernel_.tiles[tile].dtype, rows_[tile], plan_.stored[tile]) +
              storeMark(kernel_, tile);
    return text;
  }

  // Tiles that the loop reads or writes.
  std::set<int> tilesOf(const SimRowLoop& loop) const {
    std::set<int> tiles(loop.scalar_stores.begin(), loop.scalar_stores.end());
    const auto read = [&](int value) {
      if (at(value).kind == Value::Kind::tile) tiles.insert(at(value).index);
    };
    for (const int value : loop.scalar_loads) read(value);
    for (const SimStage& stage : loop.stages) {
      for (const SimPass& pass : stage.passes) {
        for (const SimStep& step : pass.steps) read(step.value);
        tiles.insert(pass.stores.begin(), pass.stores.end());
      }
    }
    return tiles;
  }

  std::string loopText(const SimRowLoop& loop) const {
    std::string pointers;
    const std::set<int> used = tilesOf(loop);
    for (size_t i = 0; i < kernel_.tiles.size(); ++i) {
      if (!used.contains(static_cast<int>(i)) || at(kernel_.tiles[i].value).rows != loop.rows) continue;
      const TileParameter& tile = kernel_.tiles[i];
      const std::string stride = tile.strided    ? " * " + tiles_[i].stride
                                 : tile.cols == 1 ? ""
                                                  : fmt::format(" * {}", tile.cols);
      pointers += fmt::format("    {}{}* const {} = {} + row{};\n",
                              plan_.stored[i] < 0 ? "const " : "", elementOf(tile.dtype).memory,
                              rows_[i], tiles_[i].pointer, stride);
    }
    return fmt::format("  for (int64_t row = 0; row < {}; ++row) {{\n{}{}{}  }}\n", loop.rows,
                       pointers, rowTemporaries(loop, "    "), rowText(loop, "    "));
  }

  const Kernel& kernel_;
  const SimPlan& plan_;
  KernelNames names_;
  // By value, or by tile.
  std::vector<std::string> values_, folds_, kept_, rows_;
  std::vector<TileNames> tiles_;
  std::map<std::string, std::string> prepared_;  // names by type
  std::set<std::string_view> prepared_in_;       // their headers
};

}  // namespace

std::string emitVectorKernel(const Kernel& kernel, const SimPlan& plan,
                             std::string_view source_name) {
  return VectorEmitter(kernel, plan).emit(source_name);
}

}  // namespace ptowsp
