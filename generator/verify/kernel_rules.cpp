// SPDX-License-Identifier: MIT
// Rules of one kernel: what its names mean, and what it stores. What an op gives is in op_rules.cpp.
#include <algorithm>
#include <map>

#include "generator/base/suggest.h"
#include "generator/ir/json.h"
#include "generator/verify/op_rules.h"
#include "generator/verify/rules.h"

namespace ptowsp {
namespace {

// A kernel that only multiplies matrices and stores what that gives runs on a cube core.
CoreType coreOf(const Kernel& kernel) {
  bool cube = false, vector = false;
  for (const KernelOp& op : kernel.ops) {
    cube = cube || op.op->cube;
    vector = vector || (!op.op->cube && op.op->form != ops::Form::store);
  }
  return cube && !vector ? CoreType::aic : CoreType::aiv;
}

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
    kernel_.core = coreOf(kernel_);
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

  int literal(double number, DType dtype, const std::string& place) {
    Value value;
    value.kind = Value::Kind::literal;
    value.dtype = dtype;
    value.literal = roundedTo(dtype, number, place, diagnostics_);
    return addValue(std::move(value));
  }

  // `dtype`: what a number becomes.
  int operand(const ir::Op& op, size_t index, DType dtype) {
    std::string place = operandPlace(op, index);
    if (const double* number = std::get_if<double>(&op.args[index]))
      return literal(*number, dtype, place);
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
    bool good = info && checkForm(op, *info, diagnostics_);
    if (good && info->form == ops::Form::store) return addStore(op, info);
    if (info && info->form == ops::Form::store) return;
    if (good && op.result.empty()) {
      error("missing-result", op.place, "op " + inQuotes(op.name) + " needs a result",
            "name what it computes: \"result\": \"...\"");
    }
    KernelOp built;
    built.op = info;
    built.place = op.place;
    const DType dtype = dtypeOfNumbers(op);
    for (size_t i = 0; i < op.args.size(); ++i) {
      built.args.push_back(operand(op, i, dtype));
      good = good && built.args.back() != kUnknown;
    }
    Value value;
    value.kind = Value::Kind::result;
    value.name = op.result;
    Meaning meaning;
    meaning.is_result = true;
    meaning.place = op.place;
    if (good && resultOf(op, built, kernel_.values, value, diagnostics_)) {
      if (info->form == ops::Form::constant) {
        const int number = literal(*op.value, value.dtype, op.place + "/value");
        if (value.rows * value.cols == 1)
          meaning.value = number;  // nothing to compute: it stands wherever it is used
        else
          built.args = {number};
      }
      if (meaning.value == kUnknown) {
        meaning.value = built.result = addValue(std::move(value));
        kernel_.ops.push_back(std::move(built));
      }
    }
    if (!op.result.empty()) meanings_.emplace(op.result, std::move(meaning));
  }

  // What numbers among the operands become: the dtype of the first operand that has one.
  DType dtypeOfNumbers(const ir::Op& op) const {
    for (const ir::Operand& arg : op.args) {
      const std::string* name = std::get_if<std::string>(&arg);
      auto found = name ? meanings_.find(*name) : meanings_.end();
      if (found != meanings_.end() && found->second.value != kUnknown)
        return valueOf(found->second.value).dtype;
    }
    return DType::f32;
  }

  void unknownOp(const ir::Op& op) {
    std::vector<std::string_view> known;
    for (const ops::OpInfo& info : ops::allOps()) known.push_back(info.name);
    error("unknown-name", op.place + "/op", "unknown op " + inQuotes(op.name),
          suggestion(op.name, "ops", known));
  }

  const Value& valueOf(int index) const { return kernel_.values[static_cast<size_t>(index)]; }

  void addStore(const ir::Op& op, const ops::OpInfo* info) {
    if (!op.result.empty()) {
      error("bad-store", op.place + "/result",
            "op 'store' has no result, found " + inQuotes(op.result),
            "remove the result; what was stored is read by the parameter's name");
    }
    const std::string* name = std::get_if<std::string>(&op.args[0]);
    auto written = name ? meanings_.find(*name) : meanings_.end();
    const bool to_tile = written != meanings_.end() && written->second.tile >= 0;
    int stored = operand(
        op, 1,
        to_tile ? kernel_.tiles[static_cast<size_t>(written->second.tile)].dtype : DType::f32);
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
    if (value.dtype != tile.dtype) {
      error("dtype-mismatch", op.place,
            "op 'store' converts nothing: " + dtypeText(op, 1, value) + ", parameter " +
                inQuotes(*name) + " is " + ir::nameOf(tile.dtype),
            "cast the value first: {\"op\": \"cast\", \"args\": [...], \"dtype\": \"" +
                std::string(ir::nameOf(tile.dtype)) + "\", \"result\": \"...\"}")
          .related.push_back({meaning->place, "the parameter is here"});
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
