// SPDX-License-Identifier: MIT
#include "generator/emit/device_cube.h"

#include <fmt/format.h>

#include <map>
#include <set>
#include <vector>

#include "generator/emit/device_source.h"

namespace ptowsp {
namespace {

// Factors are loaded into L1, fed to L0A and L0B in slices, and their sum in L0C is stored.
class DeviceCube {
 public:
  explicit DeviceCube(const Kernel& kernel)
      : kernel_(kernel), plan_(planBuffers(kernel)), arguments_(kernel), names_(kernel),
        memory_(nameMemories(kernel, names_)) {
    for (const Value& value : kernel.values)
      values_.push_back(value.kind == Value::Kind::literal ? std::string() : names_.add(value.name));
  }

  std::string emit(std::string_view source_name) {
    std::string body;
    for (size_t o = 0; o < kernel_.ops.size(); ++o) {
      at_ = static_cast<int>(o);
      const KernelOp& op = kernel_.ops[o];
      if (op.op->cube)
        body += multiplyText(op);
      else if (op.op->form == ops::Form::store)
        body += storeText(op);
    }
    std::string memories;
    for (size_t i = 0; i < kernel_.tiles.size(); ++i)
      if (used_.contains(static_cast<int>(i)))
        memories += memoryText(kernel_, arguments_, i, memory_[i]);
    return assembleDeviceKernel(kernel_, source_name, arguments_, memories + body);
  }

 private:
  const Value& at(int value) const { return kernel_.values[static_cast<size_t>(value)]; }
  const std::string& name(int value) const { return values_[static_cast<size_t>(value)]; }

  // Whether other values had that memory before.
  bool isReused(const Placement& placement) const {
    for (const Placement& other : plan_.placements)
      if (other.buffer == placement.buffer && other.last < placement.first &&
          other.address < placement.address + placement.bytes &&
          placement.address < other.address + other.bytes)
        return true;
    return false;
  }

  // The factor in L1, which the next products may use again.
  std::string loadText(int factor) {
    if (!loaded_.insert(factor).second) return "";
    const Value& value = at(factor);
    const Placement& placement = *placementOf(plan_, Buffer::l1, factor);
    used_.insert(value.index);
    return fmt::format("\n  ptowsp::FactorTile<{}, {}, {}> {};\n  pto::TASSIGN({}, {});\n{}"
                       "  pto::TLOAD({}, {});\n{}",
                       deviceType(value.dtype), value.rows, value.cols, name(factor), name(factor),
                       addressText(placement.address),
                       isReused(placement) ? pipeWaits("MTE2", "MTE1") : "", name(factor),
                       memory_[static_cast<size_t>(value.index)], pipeWaits("MTE1", "MTE2"));
  }

  std::string multiplyText(const KernelOp& op) {
    const Value& a = at(op.args[0]);
    const Value& b = at(op.args[1]);
    std::string text = loadText(op.args[0]) + loadText(op.args[1]);
    const bool continues = op.args.size() > 2 && sums_.contains(op.args[2]);
    const int sum = continues ? sums_.at(op.args[2]) : op.result;
    sums_[op.result] = sum;
    if (!continues) {
      const Placement& placement = *placementOf(plan_, Buffer::l0c, sum);
      text += fmt::format("\n  ptowsp::SumTile<{}, {}> {};\n  pto::TASSIGN({}, {});\n", a.rows, b.cols,
                          name(sum), name(sum), addressText(placement.address));
      if (isReused(placement)) text += pipeWaits("M", "FIX");
    }
    if (op.args.size() > 2 && at(op.args[2]).kind == Value::Kind::tile) added_.insert(sum);
    return text + fmt::format(
                      "  ptowsp::multiply<{}, {}, {}, {}, {}>({}, {}, {}, {}, {}, {});\n",
                      deviceType(a.dtype), a.rows, a.cols, b.cols,
                      matmulDepth(a.rows, a.cols, b.cols, a.dtype), name(sum), name(op.args[0]),
                      name(op.args[1]), scratchText(Buffer::l0a), scratchText(Buffer::l0b), continues);
  }

  // Where the op at hand has its slices.
  std::string scratchText(Buffer buffer) const {
    for (const Placement& p : plan_.placements)
      if (p.buffer == buffer && p.value < 0 && p.first == at_) return addressText(p.address);
    return addressText(0);
  }

  std::string storeText(const KernelOp& op) {
    const int sum = sums_.at(op.args[1]);
    const Value& tile = at(op.args[0]);
    used_.insert(tile.index);
    return "\n" + pipeWaits("FIX", "M") +
           fmt::format("  {}({}, {});\n", added_.contains(sum) ? "ptowsp::storeAdding" : "pto::TSTORE",
                       memory_[static_cast<size_t>(tile.index)], name(sum));
  }

  const Kernel& kernel_;
  BufferPlan plan_;
  DeviceArguments arguments_;
  KernelNames names_;
  std::vector<std::string> memory_, values_;
  std::set<int> loaded_, used_;  // values; tiles
  std::map<int, int> sums_;      // by product, the one in whose place its sum lies
  std::set<int> added_;          // sums that are added to memory
  int at_ = 0;
};

}  // namespace

std::string emitDeviceCube(const Kernel& kernel, std::string_view source_name) {
  return DeviceCube(kernel).emit(source_name);
}

}  // namespace ptowsp
