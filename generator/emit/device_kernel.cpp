// SPDX-License-Identifier: MIT
#include "generator/emit/device_kernel.h"

#include <fmt/format.h>

#include <algorithm>
#include <ranges>
#include <set>

#include "generator/emit/device_cube.h"
#include "generator/emit/device_vector.h"
#include "generator/emit/kernel_source.h"
#include "generator/emit/names.h"
#include "generator/emit/pto_support.h"
#include "generator/ir/workload.h"

namespace ptowsp {
namespace {

// Rows of one TLOAD, and lengths of a side of a matmul, on A2 and A3.
constexpr int64_t kMostRows = 4095;

class Checks {
 public:
  Checks(const Kernel& kernel, Diagnostics& diagnostics)
      : kernel_(kernel), diagnostics_(diagnostics) {}

  bool good() {
    for (const TileParameter& tile : kernel_.tiles)
      if (tile.rows > kMostRows)
        refuse(kernel_.place, fmt::format("tile '{}' of {} rows, of which PTO-ISA loads {} at most,",
                                          tile.name, tile.rows, kMostRows));
    for (const KernelOp& op : kernel_.ops) {
      checkDTypes(op);
      if (kernel_.core == CoreType::aic) checkCube(op);
    }
    return good_;
  }

 private:
  const Value& value(int index) const { return kernel_.values[static_cast<size_t>(index)]; }

  void refuse(const std::string& place, const std::string& what) {
    diagnostics_.error("unsupported-feature", place, what + " is not supported on a2a3",
                       "see docs/future/pto_runtime_gaps.md");
    good_ = false;
  }

  void checkDTypes(const KernelOp& op) {
    const int operand = op.op->form == ops::Form::constant ? op.result
                        : op.op->form == ops::Form::store  ? op.args[1]
                                                           : op.args[0];
    const DType dtype = value(operand).dtype;
    if (!hasDType(op.op->isa_dtypes, dtype))
      refuse(op.place, fmt::format("op '{}' on {}, for which PTO-ISA has no instruction,",
                                   op.op->name, ir::nameOf(dtype)));
  }

  void checkCube(const KernelOp& op) {
    if (op.op->form == ops::Form::store) {
      if (value(op.args[1]).kind != Value::Kind::result || !isProduct(op.args[1]))
        refuse(op.place, "a store of anything but a product in a kernel that only multiplies");
      return;
    }
    if (!op.op->cube) return;
    const Value& a = value(op.args[0]);
    for (const int64_t side : {a.rows, a.cols, value(op.args[1]).cols})
      if (side > kMostRows)
        refuse(op.place, fmt::format("a matmul with a side of {}, of which PTO-ISA has {} at most,",
                                     side, kMostRows));
    for (int f = 0; f < 2; ++f)
      if (value(op.args[static_cast<size_t>(f)]).kind != Value::Kind::tile)
        refuse(op.place, "a matmul of anything but tiles");
    if (op.args.size() > 2 && !isZeroOrSum(op.args[2]))
      refuse(op.place, "a matmul that adds to numbers other than 0");
  }

  const KernelOp* definitionOf(int index) const {
    for (const KernelOp& op : kernel_.ops)
      if (op.result == index) return &op;
    return nullptr;
  }
  bool isProduct(int index) const {
    const KernelOp* op = definitionOf(index);
    return op && op->op->cube;
  }
  bool isZeroOrSum(int index) const {
    const Value& x = value(index);
    if (x.kind == Value::Kind::literal) return x.literal == 0;
    if (x.kind == Value::Kind::tile) return true;  // the sum is added to memory
    const KernelOp* op = definitionOf(index);
    if (op && op->op->form == ops::Form::constant) return isZeroOrSum(op->args[0]);
    return op && op->op->cube;
  }

  const Kernel& kernel_;
  Diagnostics& diagnostics_;
  bool good_ = true;
};

// The kernel without what no result needs: here nothing behind the emitter leaves it out, and of two stores to
// one tile the first could be the later one to reach memory.
Kernel withoutDeadOps(const Kernel& kernel) {
  Kernel lean = kernel;
  lean.ops.clear();
  std::set<int> needed, stored;  // values; tiles
  for (const KernelOp& op : std::views::reverse(kernel.ops)) {
    const bool store = op.op->form == ops::Form::store;
    if (store ? !stored.insert(op.args[0]).second : !needed.contains(op.result)) continue;
    needed.insert(op.args.begin() + (store ? 1 : 0), op.args.end());
    lean.ops.push_back(op);
  }
  std::ranges::reverse(lean.ops);
  return lean;
}

}  // namespace

std::string_view deviceSupportText() { return support::ptoHeader(); }

bool checkDeviceKernel(const Kernel& kernel, Diagnostics& diagnostics) {
  return Checks(kernel, diagnostics).good();
}

std::optional<std::string> emitDeviceKernel(const Kernel& kernel, std::string_view source_name,
                                            Diagnostics& diagnostics) {
  if (!checkDeviceKernel(kernel, diagnostics)) return std::nullopt;
  const Kernel lean = withoutDeadOps(kernel);
  return lean.core == CoreType::aic ? emitDeviceCube(lean, source_name)
                                    : emitDeviceVector(lean, source_name);
}

std::string emitDeviceRelay(std::string_view source_name) {
  return fmt::format(
      "{}#include \"../pto_support/ptowsp_pto.h\"\n\n"
      "PTOWSP_DEVICE_KERNEL void kernel_{}(__gm__ int64_t*) {{}}\n",
      relayHeading(source_name), kRelayKernel);
}

}  // namespace ptowsp
