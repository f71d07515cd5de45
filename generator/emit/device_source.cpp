// SPDX-License-Identifier: MIT
#include "generator/emit/device_source.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "generator/emit/names.h"
#include "generator/ir/dtype.h"
#include "ptowsp/limits.h"

namespace ptowsp {
namespace {

// Of ptowsp_pto.h: PTOWSP_PTO_VERSION there.
constexpr int kPtoVersion = 1;

}  // namespace

DeviceArguments::DeviceArguments(const Kernel& kernel) {
  const auto count = static_cast<size_t>(kernel.argumentCount());
  if (count > limits::kArguments) in_block = count - limits::kDirectArguments;
  const auto next = [&](std::string name) {
    const size_t i = names.size();
    names.push_back(std::move(name));
    return count <= limits::kArguments || i < limits::kDirectArguments
               ? fmt::format("args[{}]", i)
               : fmt::format("block[{}]", i - limits::kDirectArguments);
  };
  for (const TileParameter& tile : kernel.tiles) tiles.push_back(next(tile.name));
  for (const ScalarParameter& scalar : kernel.scalars) scalars.push_back(next(scalar.name));
  const auto first = std::ranges::find_if(
      kernel.tiles, [](const TileParameter& tile) { return tile.access != Access::in; });
  next(first == kernel.tiles.end() ? "0" : "elements of " + first->name);
  for (const TileParameter& tile : kernel.tiles)
    strides.push_back(tile.strided ? next("row stride of " + tile.name) : std::string());
  slot = next("ledger slot");
  stamp = next("stamp");
}

std::string_view deviceType(DType dtype) {
  static constexpr std::string_view kTypes[] = {"float", "half", "bfloat16_t", "int32_t"};
  return kTypes[static_cast<size_t>(dtype)];
}

std::string deviceNumber(DType dtype, std::string_view bits) {
  return fmt::format("ptowsp::{}({})", ir::nameOf(dtype), bits);
}

std::string deviceLiteral(DType dtype, double value) {
  return deviceNumber(dtype, fmt::format("0x{:0{}x} /* {} */", ir::bitsOf(dtype, value),
                                         2 * ir::elementSize(dtype), value));
}

std::vector<std::string> nameMemories(const Kernel& kernel, KernelNames& names) {
  for (const char* name : {"half", "set_flag", "wait_flag", "pipe_barrier"}) names.add(name);
  std::vector<std::string> memories;
  for (const TileParameter& tile : kernel.tiles) memories.push_back(names.add(tile.name + "_memory"));
  return memories;
}

const Placement* placementOf(const BufferPlan& plan, Buffer buffer, int value) {
  const auto found = std::ranges::find_if(plan.placements, [&](const Placement& p) {
    return p.buffer == buffer && p.value == value;
  });
  return found == plan.placements.end() ? nullptr : &*found;
}

std::string addressText(int64_t address) { return fmt::format("0x{:x}", address); }

std::string pipeWaits(std::string_view waiting, std::string_view until, int event) {
  return fmt::format(
      "  set_flag(PIPE_{0}, PIPE_{1}, EVENT_ID{2});\n  wait_flag(PIPE_{0}, PIPE_{1}, EVENT_ID{2});\n",
      until, waiting, event);
}

std::string memoryText(const Kernel& kernel, const DeviceArguments& arguments, size_t tile,
                       std::string_view name) {
  const TileParameter& parameter = kernel.tiles[tile];
  const std::string& stride = arguments.strides[tile];
  return fmt::format("  auto {} = ptowsp::memory<{}, {}, {}>({}{}{});\n", name,
                     deviceType(parameter.dtype), parameter.rows, parameter.cols,
                     arguments.tiles[tile], stride.empty() ? "" : ", ", stride);
}

std::string assembleDeviceKernel(const Kernel& kernel, std::string_view source_name,
                                 const DeviceArguments& arguments, const std::string& body) {
  const std::string block =
      arguments.in_block == 0
          ? std::string()
          : fmt::format("  __gm__ int64_t* const block = ptowsp::block<{}>(args[{}]);\n",
                        arguments.in_block, limits::kDirectArguments);
  return fmt::format(R"({generated}// args: {arguments}
#include "../pto_support/ptowsp_pto.h"

#if PTOWSP_PTO_VERSION != {version}
#error "ptowsp_pto.h is of another version than this kernel: emit both again"
#endif

PTOWSP_DEVICE_KERNEL void kernel_{name}(__gm__ int64_t* args) {{
{block}{body}
  ptowsp::complete({slot}, {stamp});
}}
)",
                     fmt::arg("generated", generatedBy("//", source_name)),
                     fmt::arg("arguments", fmt::join(arguments.names, ", ")),
                     fmt::arg("version", kPtoVersion), fmt::arg("name", kernel.name),
                     fmt::arg("block", block), fmt::arg("body", body),
                     fmt::arg("slot", arguments.slot), fmt::arg("stamp", arguments.stamp));
}

}  // namespace ptowsp
