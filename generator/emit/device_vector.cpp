// SPDX-License-Identifier: MIT
#include "generator/emit/device_vector.h"

#include <fmt/format.h>

#include <cmath>
#include <map>
#include <numbers>
#include <set>
#include <vector>

#include "generator/emit/device_source.h"

namespace ptowsp {
namespace {

// Flags from MTE2 to V for loads that are ahead of their use; the last flag is of the others.
constexpr int kLastEvent = 7;

// Binary: the instructions of an op, of two tiles and of a tile and a number.
struct Binary {
  std::string_view tiles, number;
  bool commutes;
};
const Binary& binaryOf(std::string_view op) {
  static const std::map<std::string_view, Binary> kBinaries = {
      {"add", {"TADD", "TADDS", true}},  {"sub", {"TSUB", "TSUBS", false}},
      {"mul", {"TMUL", "TMULS", true}},  {"div", {"TDIV", "TDIVS", false}},
      {"max", {"TMAX", "TMAXS", true}},  {"min", {"TMIN", "TMINS", true}}};
  return kBinaries.at(op);
}

std::string_view instructionOf(std::string_view op) {
  static const std::map<std::string_view, std::string_view> kInstructions = {
      {"exp", "TEXP"},       {"log", "TLOG"},       {"sqrt", "TSQRT"},     {"neg", "TNEG"},
      {"abs", "TABS"},       {"relu", "TRELU"},     {"rowsum", "TROWSUM"}, {"rowmean", "TROWSUM"},
      {"rowmax", "TROWMAX"}, {"rowmin", "TROWMIN"}, {"colmax", "TCOLMAX"}, {"colmin", "TCOLMIN"}};
  return kInstructions.at(op);
}

class DeviceVector {
 public:
  explicit DeviceVector(const Kernel& kernel)
      : kernel_(kernel), plan_(planBuffers(kernel)), arguments_(kernel), names_(kernel),
        memory_(nameMemories(kernel, names_)) {
    for (const Value& value : kernel.values)
      values_.push_back(isNumber(value) ? numberText(value) : names_.add(value.name));
    stored_.assign(plan_.placements.size(), false);
    fed_.assign(kernel.values.size(), false);
  }

  std::string emit(std::string_view source_name) {
    std::string body;
    const std::string ahead = loadsAhead();
    for (size_t o = 0; o < kernel_.ops.size(); ++o) {
      at_ = static_cast<int>(o);
      taken_ = 0;
      body += "\n" + begin() + opText(kernel_.ops[o]);
    }
    std::string memories;
    for (size_t i = 0; i < kernel_.tiles.size(); ++i)
      if (used_.contains(static_cast<int>(i)))
        memories += memoryText(kernel_, arguments_, i, memory_[i]);
    return assembleDeviceKernel(kernel_, source_name, arguments_, memories + ahead + body);
  }

 private:
  static bool isNumber(const Value& value) {
    return value.kind == Value::Kind::literal || value.kind == Value::Kind::scalar;
  }
  const Value& at(int value) const { return kernel_.values[static_cast<size_t>(value)]; }
  bool isNumber(int value) const { return isNumber(at(value)); }
  const std::string& name(int value) const { return values_[static_cast<size_t>(value)]; }
  std::string numberText(const Value& value) const {
    return value.kind == Value::Kind::literal
               ? deviceLiteral(value.dtype, value.literal)
               : deviceNumber(value.dtype, arguments_.scalars[static_cast<size_t>(value.index)]);
  }

  // ---- Tiles in the unified buffer ----

  static std::string tileText(std::string_view name, int64_t rows, int64_t cols, DType dtype,
                              int64_t address) {
    return fmt::format("  ptowsp::VectorTile<{}, {}, {}> {};\n  pto::TASSIGN({}, {});\n",
                       deviceType(dtype), rows, cols, name, name, addressText(address));
  }

  // What had the memory of a placement before, as a flag for each way that it was used.
  struct Former {
    bool any = false, stored = false;
  };
  Former formerOf(const Placement& placement) const {
    Former former;
    for (size_t i = 0; i < plan_.placements.size(); ++i) {
      const Placement& other = plan_.placements[i];
      if (other.last >= placement.first || other.buffer != placement.buffer ||
          other.address >= placement.address + placement.bytes ||
          placement.address >= other.address + other.bytes)
        continue;
      former.any = true;
      former.stored = former.stored || stored_[i];
    }
    return former;
  }

  std::string loadText(int tile) {
    const Value& value = at(tile);
    used_.insert(value.index);
    return fmt::format("  pto::TLOAD({}, {});\n", name(tile),
                       memory_[static_cast<size_t>(value.index)]);
  }

  // Loads into memory that nothing had before are ahead of all ops, each with a flag of its own.
  std::string loadsAhead() {
    std::string text;
    for (const Placement& placement : plan_.placements) {
      if (placement.value < 0 || at(placement.value).kind != Value::Kind::tile) continue;
      const int event = static_cast<int>(events_.size());
      if (event == kLastEvent || formerOf(placement).any) continue;
      const Value& value = at(placement.value);
      text += "\n" + tileText(name(placement.value), value.rows, value.cols, value.dtype,
                              placement.address) +
              loadText(placement.value) +
              fmt::format("  set_flag(PIPE_MTE2, PIPE_V, EVENT_ID{});\n", event);
      events_[placement.value] = event;
    }
    return text;
  }

  // Declares what the op at hand is the first to use, and waits for what had that memory before.
  std::string begin() {
    std::string text;
    bool waits = false;
    for (const Placement& placement : plan_.placements) {
      if (placement.first != at_ || events_.contains(placement.value)) continue;
      const Former former = formerOf(placement);
      if (placement.value < 0 || at(placement.value).kind != Value::Kind::tile) {
        waits = waits || former.stored;
        if (placement.value >= 0) {
          const Value& value = at(placement.value);
          text += tileText(name(placement.value), value.rows, value.cols, value.dtype,
                           placement.address);
        }
        continue;
      }
      const Value& value = at(placement.value);
      text += tileText(name(placement.value), value.rows, value.cols, value.dtype,
                       placement.address);
      if (former.any) text += pipeWaits("MTE2", "V");
      if (former.stored) text += pipeWaits("MTE2", "MTE3");
      text += loadText(placement.value) + pipeWaits("V", "MTE2", kLastEvent);
    }
    if (waits) text += pipeWaits("V", "MTE3");
    return text;
  }

  // An operand's tile, when it is there.
  std::string fedText(int value) {
    const auto event = events_.find(value);
    if (event == events_.end() || fed_[static_cast<size_t>(value)]) return "";
    fed_[static_cast<size_t>(value)] = true;
    return fmt::format("  wait_flag(PIPE_MTE2, PIPE_V, EVENT_ID{});\n", event->second);
  }

  // A tile in the scratch space of the op at hand; `behind`: at the place of the last one.
  std::string scratch(std::string& text, int64_t rows, int64_t cols, DType dtype,
                      bool behind = false) {
    int64_t address = 0;
    for (const Placement& p : plan_.placements)
      if (p.value < 0 && p.first == at_) address = p.address;
    const int64_t bytes = vectorTileBytes(rows, cols, dtype);
    if (!behind) last_ = taken_;
    std::string name = names_.add(fmt::format("scratch_{}", scratches_++));
    text += tileText(name, rows, cols, dtype, address + last_);
    if (!behind) taken_ += bytes;
    return name;
  }

  // ---- Instructions ----

  // Each instruction of the vector pipe may need the result of the one before.
  template <typename... Operands>
  std::string vector(std::string_view instruction, const Operands&... operands) {
    std::string text = begun_ ? "  pipe_barrier(PIPE_V);\n" : "";
    begun_ = true;
    text += fmt::format("  {}(", instruction);
    bool first = true;
    ((text += fmt::format("{}{}", first ? "" : ", ", operands), first = false), ...);
    return text + ");\n";
  }
  template <typename... Operands>
  std::string pto(std::string_view instruction, const Operands&... operands) {
    return vector(fmt::format("pto::{}", instruction), operands...);
  }

  // The operand as a tile of rows x cols: itself, or spread over scratch space.
  std::string operand(std::string& text, int value, int64_t rows, int64_t cols) {
    const Value& x = at(value);
    if (!isNumber(x) && x.rows == rows && x.cols == cols) return name(value);
    const std::string spread = scratch(text, rows, cols, x.dtype);
    if (isNumber(x)) {
      text += pto("TEXPANDS", spread, name(value));
    } else if (x.cols == cols) {
      text += pto("TCOLEXPAND", spread, name(value));
    } else if (x.rows == rows) {
      text += pto("TROWEXPAND", spread, name(value));
    } else {
      const std::string row = scratch(text, 1, cols, x.dtype, /*behind=*/true);
      text += pto("TROWEXPAND", row, name(value));
      text += pto("TCOLEXPAND", spread, row);
    }
    return spread;
  }

  std::string opText(const KernelOp& op) {
    std::string text;
    const bool stores = op.op->form == ops::Form::store;
    for (size_t a = stores ? 1 : 0; a < op.args.size(); ++a) text += fedText(op.args[a]);
    switch (op.op->form) {
      case ops::Form::store: return text + storeText(op);
      case ops::Form::cast: return text + castText(op);
      case ops::Form::constant: return text + pto("TEXPANDS", name(op.result), name(op.args[0]));
      case ops::Form::row_reduction:
      case ops::Form::col_reduction: return text + reductionText(op);
      default: return text + (op.args.size() == 2 ? binaryText(op) : unaryText(op));
    }
  }

  std::string binaryText(const KernelOp& op) {
    const Value& result = at(op.result);
    const Binary& binary = binaryOf(op.op->name);
    int a = op.args[0], b = op.args[1];
    std::string text;
    if (isNumber(a) && !isNumber(b) && binary.commutes) std::swap(a, b);
    if (isNumber(a) && !isNumber(b) && op.op->name == "div") {
      const std::string divisor = operand(text, b, result.rows, result.cols);
      return text + pto(binary.number, name(op.result), name(a), divisor);
    }
    const std::string left = operand(text, a, result.rows, result.cols);
    if (isNumber(b)) return text + pto(binary.number, name(op.result), left, name(b));
    const std::string right = a == b ? left : operand(text, b, result.rows, result.cols);
    return text + pto(binary.tiles, name(op.result), left, right);
  }

  std::string unaryText(const KernelOp& op) {
    const Value& result = at(op.result);
    std::string text;
    const std::string x = operand(text, op.args[0], result.rows, result.cols);
    if (!keepsBetween(*op.op)) return text + pto(instructionOf(op.op->name), name(op.result), x);
    return text + severalText(op, x);
  }

  // Ops that PTO-ISA has no instruction for (or none that is exact enough).
  std::string severalText(const KernelOp& op, const std::string& x) {
    const Value& result = at(op.result);
    const std::string& to = name(op.result);
    const auto number = [&](double value) { return deviceLiteral(result.dtype, value); };
    std::string text;
    const std::string t = scratch(text, result.rows, result.cols, result.dtype);
    const std::string_view op_name = op.op->name;
    if (op_name == "rsqrt")
      return text + pto("TSQRT", t, x) + pto("TDIVS", to, number(1), t);
    if (op_name == "gelu") {  // x / (1 + exp(-2 sqrt(2/pi) (x + 0.044715 x^3)))
      const double c = -2 * std::sqrt(2 * std::numbers::inv_pi);
      text += pto("TMUL", t, x, x) + pto("TMULS", t, t, number(c * 0.044715)) +
              pto("TADDS", t, t, number(c)) + pto("TMUL", t, t, x);
    } else {  // 1 / (1 + exp(-x)), and of tanh 1 - 2 / (1 + exp(2 x))
      text += pto("TMULS", t, x, number(op_name == "tanh" ? 2 : -1));
    }
    text += pto("TEXP", t, t) + pto("TADDS", t, t, number(1));
    if (op_name == "silu" || op_name == "gelu") return text + pto("TDIV", to, x, t);
    if (op_name == "sigmoid") return text + pto("TDIVS", to, number(1), t);
    return text + pto("TDIVS", to, number(-2), t) + pto("TADDS", to, to, number(1));
  }

  std::string reductionText(const KernelOp& op) {
    const Value& x = at(op.args[0]);
    const Value& result = at(op.result);
    const std::string& to = name(op.result);
    if (isNumber(x)) return pto("TEXPANDS", to, name(op.args[0]));  // one element
    std::string text;
    if (op.op->name == "colmax" || op.op->name == "colmin")
      return pto(instructionOf(op.op->name), to, name(op.args[0]));
    const std::string work = scratch(text, x.rows, x.cols, x.dtype);
    if (op.op->name == "colsum")
      return text + vector("ptowsp::columnSums", to, name(op.args[0]), work);
    text += pto(instructionOf(op.op->name), to, name(op.args[0]), work);
    if (op.op->name == "rowmean")
      text += pto("TMULS", to, to, deviceLiteral(result.dtype, 1 / static_cast<double>(x.cols)));
    return text;
  }

  std::string castText(const KernelOp& op) {
    const Value& x = at(op.args[0]);
    const DType to = at(op.result).dtype;
    std::string text;
    std::string from = operand(text, op.args[0], x.rows, x.cols);
    if (x.dtype == to) return text + pto("TMOV", name(op.result), from);
    if (convertsTwice(x.dtype, to)) {
      const std::string between = scratch(text, x.rows, x.cols, DType::f32);
      text += pto("TCVT", between, from, "pto::RoundMode::CAST_RINT");
      from = between;
    }
    return text + pto("TCVT", name(op.result), from,
                      to == DType::i32 ? "pto::RoundMode::CAST_TRUNC" : "pto::RoundMode::CAST_RINT");
  }

  std::string storeText(const KernelOp& op) {
    const Value& tile = at(op.args[0]);
    std::string text;
    const std::string from = operand(text, op.args[1], tile.rows, tile.cols);
    used_.insert(tile.index);
    for (size_t i = 0; i < plan_.placements.size(); ++i) {
      const Placement& p = plan_.placements[i];
      if (p.value == op.args[1] || (p.value < 0 && p.first == at_)) stored_[i] = true;
    }
    return text + pipeWaits("MTE3", "V") +
           fmt::format("  pto::TSTORE({}, {});\n", memory_[static_cast<size_t>(tile.index)], from);
  }

  const Kernel& kernel_;
  BufferPlan plan_;
  DeviceArguments arguments_;
  KernelNames names_;
  std::vector<std::string> memory_, values_;  // of tiles; of values, or their text where a number
  std::map<int, int> events_;                 // by value that is loaded ahead, its flag
  std::vector<bool> fed_;                     // values whose flag was waited for
  std::vector<bool> stored_;                  // placements that a store reads
  std::set<int> used_;                        // tiles whose memory is read or written
  int at_ = 0;                                // the op at hand
  int64_t taken_ = 0, last_ = 0;              // of its scratch space
  int scratches_ = 0;
  bool begun_ = false;
};

}  // namespace

std::string emitDeviceVector(const Kernel& kernel, std::string_view source_name) {
  return DeviceVector(kernel).emit(source_name);
}

}  // namespace ptowsp
