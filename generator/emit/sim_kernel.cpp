#include "generator/emit/sim_kernel.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <cctype>
#include <map>
#include <set>
#include <vector>

#include "generator/emit/names.h"
#include "generator/emit/sim_plan.h"
#include "ptowsp/limits.h"

namespace ptowsp {
namespace {

// Of the header this emitter writes for: PTOWSP_TILE_VERSION there.
constexpr int kTileVersion = 1;

// Every thread of a runtime has at least 1 MiB of stack.
constexpr int64_t kMostTemporaryBytes = 256 * 1024;

// Ops that are objects in the header, because they need constants that are made before the loops.
bool isPrepared(std::string_view sim) {
  static const std::set<std::string_view> prepared = {"abs", "exp", "log", "neg", "rsqrt"};
  return prepared.contains(sim);
}

std::string typeName(std::string_view sim) {
  std::string type(sim);
  type[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(type[0])));
  return "ptowsp::" + type;
}

// Names of one emitted function: whoever comes first has the name, others get underscores appended.
class Names {
 public:
  std::string add(std::string name) {
    while (isOfHeader(name) || !used_.insert(name).second) name += '_';
    return name;
  }

 private:
  // May be a macro or a type of <stdint.h> or of the tile header. None of those ends in an underscore.
  static bool isOfHeader(std::string_view name) {
    if (name.ends_with("_t")) return true;
    return !name.ends_with('_') && name.find('_') != name.npos &&
           std::none_of(name.begin(), name.end(), [](unsigned char c) { return std::islower(c); });
  }

  std::set<std::string> used_;
};

// The i-th argument of a task: `args` has the first ones, the block at args[15] the others.
std::string argumentText(size_t i, size_t count) {
  return count <= limits::kArguments || i < limits::kDirectArguments
             ? fmt::format("args[{}]", i)
             : fmt::format("block[{}]", i - limits::kDirectArguments);
}

// Fragments: the parts of a kernel's source, put together at the end.
struct Fragments {
  std::vector<std::string> arguments;  // for the comment, in order
  std::string pointers;
  std::string scalars;
  std::string prepared_ops;
  std::string temporaries;
  std::vector<std::string> loops;
};

class KernelEmitter {
 public:
  KernelEmitter(const Kernel& kernel, const SimPlan& plan) : kernel_(kernel), plan_(plan) {
    for (const char* name : {"args", "block", "row", "at", "kernel_entry"}) names_.add(name);
    names_.add("kernel_" + kernel.name);
    int literals = 0;
    for (const Value& value : plan.values)
      values_.push_back(names_.add(value.kind == Value::Kind::literal
                                       ? fmt::format("literal_{}", literals++)
                                       : value.name));
    for (const TileParameter& tile : kernel.tiles) {
      pointers_.push_back(names_.add(tile.name + "_tile"));
      rows_.push_back(plan.values[tile.value].rows == 1 ? pointers_.back()
                                                        : names_.add(tile.name + "_row"));
      strides_.push_back(tile.strided ? names_.add(tile.name + "_stride") : "");
    }
    for (size_t value = 0; value < values_.size(); ++value) {
      const KernelOp* op = definitionOf(static_cast<int>(value));
      const bool folds = op && op->op->form == ops::Form::row_reduction;
      folds_.push_back(folds ? names_.add(kernel.values[value].name + "_fold") : "");
      kept_.emplace_back();
    }
    for (const SimRowLoop& loop : plan.loops)
      for (const int value : loop.kept)
        kept_[value] = names_.add(kernel.values[value].name + "_kept");
    for (const KernelOp& op : kernel.ops)
      if (isPrepared(op.op->sim) && plan.live[op.result] && !prepared_.contains(op.op->sim))
        prepared_[op.op->sim] = names_.add(std::string(op.op->sim));
  }

  Fragments emit() const {
    Fragments fragments;
    emitArguments(fragments);
    for (const auto& [sim, name] : prepared_)
      fragments.prepared_ops += fmt::format("  const {} {};\n", typeName(sim), name);
    for (const SimRowLoop& loop : plan_.loops) {
      if (loop.rows == 1) fragments.temporaries += temporaries(loop, "  ");
      std::string text = loop.rows == 1 ? rowText(loop, "  ") : loopText(loop);
      if (!text.empty()) fragments.loops.push_back(std::move(text));
    }
    return fragments;
  }

 private:
  const KernelOp* definitionOf(int value) const {
    return plan_.definition[value] < 0 ? nullptr : &kernel_.ops[plan_.definition[value]];
  }
  const Value& at(int value) const { return plan_.values[value]; }
  bool isUsed(size_t tile) const {
    return plan_.live[kernel_.tiles[tile].value] || plan_.stored[tile] >= 0;
  }

  // Tiles, scalars, element count, strides, ledger slot and stamp: the order of a task's arguments.
  void emitArguments(Fragments& fragments) const {
    std::vector<std::string>& arguments = fragments.arguments;
    std::string strides;
    const size_t count = static_cast<size_t>(kernel_.argumentCount());
    const auto next = [&] { return argumentText(arguments.size(), count); };
    if (count > limits::kArguments)
      fragments.pointers += fmt::format("  const int64_t* const block = ptowsp::block(args[{}]);\n",
                                        limits::kDirectArguments);
    for (size_t i = 0; i < kernel_.tiles.size(); ++i) {
      if (isUsed(i))
        fragments.pointers +=
            fmt::format("  {}float* const {} = ptowsp::tile({});\n",
                        plan_.stored[i] < 0 ? "const " : "", pointers_[i], next());
      arguments.push_back(kernel_.tiles[i].name);
    }
    for (const ScalarParameter& scalar : kernel_.scalars) {
      if (plan_.live[scalar.value])
        fragments.scalars += fmt::format("  const ptowsp::Lanes {} = ptowsp::scalar({});\n",
                                         values_[scalar.value], next());
      arguments.push_back(scalar.name);
    }
    const auto written =
        std::find_if(kernel_.tiles.begin(), kernel_.tiles.end(),
                     [](const TileParameter& tile) { return tile.access != Access::in; });
    arguments.push_back(
        written == kernel_.tiles.end() ? "0" : "elements of " + written->name);
    for (size_t i = 0; i < kernel_.tiles.size(); ++i) {
      if (!kernel_.tiles[i].strided) continue;
      if (isUsed(i) && kernel_.tiles[i].rows > 1)
        fragments.pointers += fmt::format("  const int64_t {} = {};\n", strides_[i], next());
      arguments.push_back("row stride of " + kernel_.tiles[i].name);
    }
    arguments.insert(arguments.end(), {"ledger slot", "stamp"});
    for (size_t i = 0; i < plan_.values.size(); ++i)
      if (at(i).kind == Value::Kind::literal && plan_.live[i])
        fragments.scalars += fmt::format(
            "  const ptowsp::Lanes {} = ptowsp::constant(0x{:08x});  // {}\n", values_[i],
            std::bit_cast<uint32_t>(static_cast<float>(at(i).literal)), at(i).literal);
  }

  std::string temporaries(const SimRowLoop& loop, const std::string& indent) const {
    std::string text;
    for (const int value : loop.kept)
      text += fmt::format("{}alignas(64) float {}[{}];\n", indent, kept_[value], at(value).cols);
    return text;
  }

  std::string compute(int value) const {
    const KernelOp& op = *definitionOf(value);
    std::vector<std::string> args;
    for (const int arg : op.args) args.push_back(values_[arg]);
    if (op.op->form == ops::Form::row_reduction) return args[0];  // of a single column
    if (op.op->form == ops::Form::constant) return args[0];
    const auto prepared = prepared_.find(op.op->sim);
    return fmt::format("{}({})",
                       prepared != prepared_.end() ? prepared->second
                                                   : "ptowsp::" + std::string(op.op->sim),
                       fmt::join(args, ", "));
  }

  std::string define(int value, const std::string& indent, const std::string& expression) const {
    return fmt::format("{}const ptowsp::Lanes {} = {};\n", indent, values_[value], expression);
  }

  std::string passText(const SimPass& pass, const std::string& indent) const {
    const std::string inner = indent + "  ";
    std::string before, body, after;
    for (const SimStep& step : pass.steps) {
      const Value& value = at(step.value);
      const std::string& from =
          value.kind == Value::Kind::tile ? rows_[value.index] : kept_[step.value];
      body += define(step.value, inner,
                     step.load ? fmt::format("ptowsp::load({}, at)", from) : compute(step.value));
    }
    for (const int fold : pass.folds) {
      const KernelOp& op = *definitionOf(fold);
      before += fmt::format("{}{}<{}> {};\n", indent, typeName(op.op->sim), pass.columns,
                            folds_[fold]);
      body += fmt::format("{}{}.add(at, {});\n", inner, folds_[fold], values_[op.args[0]]);
      after += define(fold, indent, folds_[fold] + ".result()");
    }
    for (const int value : pass.keeps)
      body += fmt::format("{}ptowsp::store({}, at, {});\n", inner, kept_[value], values_[value]);
    for (const int tile : pass.stores)
      body += fmt::format("{}ptowsp::store({}, at, {});\n", inner, rows_[tile],
                          values_[plan_.stored[tile]]);
    return fmt::format("{0}{1}ptowsp::{2}<{3}>([&](auto at) PTOWSP_INLINE {{\n{4}{1}}});\n{5}",
                       before, indent, pass.folds.empty() ? "forColumns" : "foldColumns",
                       pass.columns, body, after);
  }

  // All that is done for one row.
  std::string rowText(const SimRowLoop& loop, const std::string& indent) const {
    std::string text;
    for (const int value : loop.scalar_loads)
      text += define(value, indent, fmt::format("ptowsp::loadOne({})", rows_[at(value).index]));
    for (const SimStage& stage : loop.stages) {
      for (const int value : stage.scalars) text += define(value, indent, compute(value));
      for (const SimPass& pass : stage.passes) text += passText(pass, indent);
    }
    for (const int tile : loop.scalar_stores)
      text += fmt::format("{}ptowsp::storeOne({}, {});\n", indent, rows_[tile],
                          values_[plan_.stored[tile]]);
    return text;
  }

  std::string loopText(const SimRowLoop& loop) const {
    std::string pointers;
    for (size_t i = 0; i < kernel_.tiles.size(); ++i) {
      if (!isUsed(i) || at(kernel_.tiles[i].value).rows != loop.rows) continue;
      const TileParameter& tile = kernel_.tiles[i];
      const std::string stride = tile.strided      ? " * " + strides_[i]
                                 : tile.cols == 1 ? ""
                                                  : fmt::format(" * {}", tile.cols);
      pointers += fmt::format("    {}float* const {} = {} + row{};\n",
                              plan_.stored[i] < 0 ? "const " : "", rows_[i], pointers_[i], stride);
    }
    return fmt::format("  for (int64_t row = 0; row < {}; ++row) {{\n{}{}{}  }}\n", loop.rows,
                       pointers, temporaries(loop, "    "), rowText(loop, "    "));
  }

  const Kernel& kernel_;
  const SimPlan& plan_;
  Names names_;
  // By value, or by tile.
  std::vector<std::string> values_, folds_, kept_;
  std::vector<std::string> pointers_, rows_, strides_;
  std::map<std::string_view, std::string> prepared_;
};

std::string assemble(const Kernel& kernel, std::string_view source_name, const Fragments& parts) {
  const std::string function = "kernel_" + kernel.name;
  const size_t count = parts.arguments.size();
  return fmt::format(R"({generated}// args: {arguments}
#include "{header}"

#if PTOWSP_TILE_VERSION != {version}
#error "{header} is of another version than this kernel: emit both again"
#endif

PTOWSP_KERNEL void {function}(int64_t* args) {{
{pointers}{scalars}{prepared}{temporaries}
{loops}
  ptowsp::complete({slot}, {stamp});
}}
{entry})",
                     fmt::arg("generated", generatedBy("//", source_name)),
                     fmt::arg("arguments", fmt::join(parts.arguments, ", ")),
                     fmt::arg("header", kSimTileHeader), fmt::arg("version", kTileVersion),
                     fmt::arg("function", function), fmt::arg("pointers", parts.pointers),
                     fmt::arg("scalars", parts.scalars), fmt::arg("prepared", parts.prepared_ops),
                     fmt::arg("temporaries", parts.temporaries),
                     fmt::arg("loops", fmt::join(parts.loops, "\n")),
                     fmt::arg("slot", argumentText(count - 2, count)),
                     fmt::arg("stamp", argumentText(count - 1, count)),
                     // A kernel called "entry" has that name already.
                     fmt::arg("entry", function == "kernel_entry"
                                           ? std::string()
                                           : "PTOWSP_KERNEL_ENTRY(" + function + ");\n"));
}

}  // namespace

std::optional<std::string> emitSimKernel(const Kernel& kernel, std::string_view source_name,
                                         std::string& error) {
  const SimPlan plan = planSimKernel(kernel);
  if (plan.temporary_bytes > kMostTemporaryBytes) {
    error = fmt::format(
        "kernel '{}' keeps {} bytes of intermediate values for a row of its tiles, and at most {} fit "
        "on a core's stack",
        kernel.name, plan.temporary_bytes, kMostTemporaryBytes);
    return std::nullopt;
  }
  return assemble(kernel, source_name, KernelEmitter(kernel, plan).emit());
}

}  // namespace ptowsp
