// Rules of one kernel: its ops, their operands and shapes, and what it stores.
#include <algorithm>
#include <map>

#include "generator/base/suggest.h"
#include "generator/ir/json.h"
#include "generator/verify/rules.h"

namespace ptowsp {
namespace {

constexpr int kUnknown = -1;  // a value whose op was wrong; what uses it is not reported again

class KernelBuilder {
 public:
  KernelBuilder(const ir::Kernel& source, Diagnostics& diagnostics)
      : source_(source), diagnostics_(diagnostics) {
    kernel_.name = source.name;
    kernel_.place = source.place;
  }

  Kernel build() {
    for (const ir::Parameter& parameter : source_.params) addParameter(parameter);
    for (const ir::Op& op : source_.body) addOp(op);
    checkStores();
    checkUses();
    return std::move(kernel_);
  }

 private:
  // What a name stands for at this point of the body.
  struct Meaning {
    int value = kUnknown;  // what it reads as
    int tile = -1;         // tile parameter: index into kernel_.tiles
    bool is_result = false;
    bool used = false;
    bool stored = false;  // tile parameter: was stored to
    std::string place;
  };

  Diagnostic& error(std::string_view rule, std::string_view place, std::string message,
                    std::string fix = {}) {
    return diagnostics_.error(rule, place, std::move(message), std::move(fix));
  }

  int addValue(Value value) {
    kernel_.values.push_back(std::move(value));
    return static_cast<int>(kernel_.values.size()) - 1;
  }

  void addParameter(const ir::Parameter& parameter) {
    Meaning meaning;
    meaning.place = parameter.place;
    Value value;
    value.name = parameter.name;
    value.dtype = parameter.dtype;
    if (parameter.is_scalar) {
      value.kind = Value::Kind::scalar;
      value.index = static_cast<int>(kernel_.scalars.size());
      meaning.value = addValue(std::move(value));
      kernel_.scalars.push_back({parameter.name, parameter.dtype, meaning.value});
    } else {
      value.kind = Value::Kind::tile;
      value.rows = parameter.rows;
      value.cols = parameter.cols;
      value.index = meaning.tile = static_cast<int>(kernel_.tiles.size());
      meaning.value = addValue(std::move(value));
      TileParameter tile;
      tile.name = parameter.name;
      tile.dtype = parameter.dtype;
      tile.rows = parameter.rows;
      tile.cols = parameter.cols;
      tile.access = parameter.access;
      tile.value = meaning.value;
      kernel_.tiles.push_back(std::move(tile));
    }
    meanings_.emplace(parameter.name, std::move(meaning));  // a double name keeps its first meaning
  }

  // "operand 2 of 'add'" has the pointer .../args/1.
  static std::string operandPlace(const ir::Op& op, size_t index) {
    return op.place + "/args/" + std::to_string(index);
  }

  // The name's meaning, or null after an error.
  Meaning* find(const std::string& name, const std::string& place) {
    auto found = meanings_.find(name);
    if (found != meanings_.end()) return &found->second;
    for (const ir::Op& op : source_.body) {
      if (op.result != name) continue;
      error("unknown-name", place, inQuotes(name) + " is used before the op that computes it",
            "move that op up")
          .related.push_back({op.place, inQuotes(name) + " is computed here"});
      return nullptr;
    }
    std::vector<std::string_view> known;
    for (const auto& [other, meaning] : meanings_) known.push_back(other);
    error(
        "unknown-name", place,
        inQuotes(name) + " is neither a parameter nor a result of kernel " + inQuotes(source_.name),
        suggestion(name, "names", known));
    return nullptr;
  }

  int operand(const ir::Op& op, size_t index) {
    std::string place = operandPlace(op, index);
    if (const double* number = std::get_if<double>(&op.args[index])) {
      Value value;
      value.kind = Value::Kind::literal;
      value.literal = roundedToF32(*number, place, diagnostics_);
      return addValue(std::move(value));
    }
    const std::string& name = std::get<std::string>(op.args[index]);
    Meaning* meaning = find(name, place);
    if (!meaning) return kUnknown;
    meaning->used = true;
    if (meaning->tile >= 0 && !meaning->stored &&
        kernel_.tiles[static_cast<size_t>(meaning->tile)].access == Access::out) {
      error("read-before-store", place,
            "parameter " + inQuotes(name) + " has access 'out' and is read before it is stored",
            "store to it first, or make its access 'inout'")
          .related.push_back({meaning->place, "the parameter is here"});
      return kUnknown;
    }
    return meaning->value;
  }

  void addOp(const ir::Op& op) {
    const ops::OpInfo* info = ops::findOp(op.name);
    if (!info) unknownOp(op);
    bool good = info != nullptr;
    if (good && op.args.size() != static_cast<size_t>(info->arity)) {
      error("wrong-arity", op.place,
            "op " + inQuotes(op.name) + " takes " + std::to_string(info->arity) +
                (info->arity == 1 ? " operand" : " operands") + ", found " +
                std::to_string(op.args.size()));
      good = false;
    }
    if (good && info->form == ops::Form::store) return addStore(op, info);
    if (info && info->form == ops::Form::store) return;
    if (good && op.result.empty()) {
      error("missing-result", op.place, "op " + inQuotes(op.name) + " needs a result",
            "name what it computes: \"result\": \"...\"");
    }
    KernelOp built;
    built.op = info;
    built.place = op.place;
    for (size_t i = 0; i < op.args.size(); ++i) {
      built.args.push_back(operand(op, i));
      good = good && built.args.back() != kUnknown;
    }
    Value value;
    value.kind = Value::Kind::result;
    value.name = op.result;
    Meaning meaning;
    meaning.is_result = true;
    meaning.place = op.place;
    if (good && resultShape(op, built, value)) {
      meaning.value = built.result = addValue(std::move(value));
      kernel_.ops.push_back(std::move(built));
    }
    if (!op.result.empty()) meanings_.emplace(op.result, std::move(meaning));
  }

  void unknownOp(const ir::Op& op) {
    std::span<const std::string_view> planned = ops::plannedOps();
    if (std::find(planned.begin(), planned.end(), op.name) != planned.end()) {
      error("unsupported-feature", op.place + "/op",
            "op " + inQuotes(op.name) + " is not supported yet", kGapsPage);
      return;
    }
    std::vector<std::string_view> known;
    for (const ops::OpInfo& info : ops::allOps()) known.push_back(info.name);
    error("unknown-name", op.place + "/op", "unknown op " + inQuotes(op.name),
          suggestion(op.name, "ops", known));
  }

  const Value& valueOf(int index) const { return kernel_.values[static_cast<size_t>(index)]; }

  // "'x' is 8 x 256" for an operand.
  std::string shapeOf(const ir::Op& op, size_t index, const Value& value) const {
    const double* number = std::get_if<double>(&op.args[index]);
    return (number ? json::numberText(*number) : inQuotes(std::get<std::string>(op.args[index]))) +
           " is " + shapeText(value.rows, value.cols);
  }

  bool resultShape(const ir::Op& op, const KernelOp& built, Value& result) {
    const Value& first = valueOf(built.args[0]);
    if (built.op->form == ops::Form::row_reduction) {
      if (first.kind == Value::Kind::literal || first.kind == Value::Kind::scalar) {
        error("shape-mismatch", operandPlace(op, 0),
              "op " + inQuotes(op.name) + " reduces the rows of a tile, found a scalar");
        return false;
      }
      result.rows = first.rows;
      return true;
    }
    for (size_t i = 0; i < built.args.size(); ++i) {
      const Value& value = valueOf(built.args[i]);
      result.rows = std::max(result.rows, value.rows);
      result.cols = std::max(result.cols, value.cols);
    }
    for (size_t i = 0; i < built.args.size(); ++i) {
      const Value& value = valueOf(built.args[i]);
      bool fits = (value.rows == 1 || value.rows == result.rows) &&
                  (value.cols == 1 || value.cols == result.cols);
      if (fits) continue;
      error("shape-mismatch", op.place,
            "the operands of " + inQuotes(op.name) +
                " do not broadcast: " + shapeOf(op, 0, valueOf(built.args[0])) + ", " +
                shapeOf(op, 1, valueOf(built.args[1])),
            "each extent must be the same, or 1 in one of them");
      return false;
    }
    return true;
  }

  void addStore(const ir::Op& op, const ops::OpInfo* info) {
    if (!op.result.empty()) {
      error("bad-store", op.place + "/result",
            "op 'store' has no result, found " + inQuotes(op.result),
            "remove the result; what was stored is read by the parameter's name");
    }
    int stored = operand(op, 1);
    const std::string* name = std::get_if<std::string>(&op.args[0]);
    if (!name) {
      error("bad-store", operandPlace(op, 0),
            "op 'store' writes to a tile parameter, found the number " +
                json::numberText(std::get<double>(op.args[0])));
      return;
    }
    Meaning* meaning = find(*name, operandPlace(op, 0));
    if (!meaning) return;
    if (meaning->tile < 0) {
      error("bad-store", operandPlace(op, 0),
            "op 'store' writes to a tile parameter, " + inQuotes(*name) +
                (meaning->is_result ? " is a result" : " is a scalar parameter"),
            "store to a parameter with access 'out' or 'inout'");
      return;
    }
    const TileParameter& tile = kernel_.tiles[static_cast<size_t>(meaning->tile)];
    if (tile.access == Access::in) {
      error("bad-store", operandPlace(op, 0),
            "parameter " + inQuotes(*name) + " has access 'in' and is stored to",
            "make its access 'out', or 'inout' where its old elements are read")
          .related.push_back({meaning->place, "the parameter is here"});
      return;
    }
    bool again = meaning->stored;
    meaning->stored = true;
    int before = meaning->value;
    meaning->value = stored;
    if (stored == kUnknown) return;
    const Value& value = valueOf(stored);
    if (value.rows != tile.rows || value.cols != tile.cols) {
      error("shape-mismatch", op.place,
            "op 'store' writes the whole tile: " + shapeOf(op, 1, value) + ", parameter " +
                inQuotes(*name) + " is " + shapeText(tile.rows, tile.cols),
            "give the value the tile's shape");
      return;
    }
    if (again && before == stored) return;  // the same value once more changes nothing
    KernelOp built;
    built.op = info;
    built.args = {tile.value, stored};
    built.place = op.place;
    kernel_.ops.push_back(std::move(built));
  }

  // no-store: what a kernel may write it does write.
  void checkStores() {
    bool writes = false;
    for (const ir::Parameter& parameter : source_.params) {
      if (parameter.is_scalar || parameter.access == Access::in) continue;
      writes = true;
      if (meanings_.at(parameter.name).stored) continue;
      error("no-store", parameter.place,
            "parameter " + inQuotes(parameter.name) + " has access '" +
                ir::nameOf(parameter.access) + "' and is never stored to",
            "add {\"op\": \"store\", \"args\": [\"" + parameter.name + "\", ...]}" +
                (parameter.access == Access::inout ? ", or make its access 'in'" : ""));
    }
    if (!writes) {
      error("no-store", source_.place,
            "kernel " + inQuotes(source_.name) + " has no parameter to store to",
            "give it a tile parameter with access 'out' or 'inout'");
    }
  }

  // unused: computed or passed for nothing.
  void checkUses() {
    if (diagnostics_.hasErrors()) return;  // the missing use may be in what is wrong
    for (const ir::Parameter& parameter : source_.params) {
      if (parameter.access == Access::in && !meanings_.at(parameter.name).used) {
        diagnostics_.warning("unused", parameter.place,
                             "parameter " + inQuotes(parameter.name) + " is never used",
                             "remove it");
      }
    }
    for (const ir::Op& op : source_.body) {
      if (!op.result.empty() && !meanings_.at(op.result).used) {
        diagnostics_.warning("unused", op.place, "result " + inQuotes(op.result) + " is never used",
                             "remove the op");
      }
    }
  }

  const ir::Kernel& source_;
  Diagnostics& diagnostics_;
  Kernel kernel_;
  std::map<std::string, Meaning> meanings_;
};

}  // namespace

Kernel buildKernel(const ir::Kernel& kernel, Diagnostics& diagnostics) {
  return KernelBuilder(kernel, diagnostics).build();
}

int Kernel::argumentCount() const {
  auto strided = std::count_if(tiles.begin(), tiles.end(),
                               [](const TileParameter& tile) { return tile.strided; });
  // Besides tiles, scalars and strides: element count, ledger slot, stamp.
  return static_cast<int>(tiles.size() + scalars.size()) + static_cast<int>(strided) + 3;
}

}  // namespace ptowsp
