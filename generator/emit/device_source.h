// SPDX-License-Identifier: MIT
// What the sources of all kernels for the device (platform a2a3) have in common: the arguments, the
// memory of tiles, and the frame around the body. Memory and tiles are those of ptowsp_pto.h.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "generator/analyze/buffers.h"
#include "generator/emit/kernel_source.h"
#include "generator/verify/program.h"

namespace ptowsp {

// DeviceArguments: the texts of a kernel's arguments.
struct DeviceArguments {
  explicit DeviceArguments(const Kernel& kernel);

  std::vector<std::string> names;     // all, in order: for the comment
  std::vector<std::string> tiles;     // the address of each tile
  std::vector<std::string> strides;   // the row stride of each tile, or nothing
  std::vector<std::string> scalars;   // the bits of each scalar
  std::string slot, stamp;
  size_t in_block = 0;  // how many lie in the argument block
};

// A name for the memory of each tile. What a device compiler gives a meaning is taken from then on.
std::vector<std::string> nameMemories(const Kernel& kernel, KernelNames& names);

// "float", "half", "bfloat16_t", "int32_t".
std::string_view deviceType(DType dtype);

// A number of that dtype, of its bits: "ptowsp::f32(args[2])".
std::string deviceNumber(DType dtype, std::string_view bits);
std::string deviceLiteral(DType dtype, double value);

// The placement of a value in a buffer, or null.
const Placement* placementOf(const BufferPlan& plan, Buffer buffer, int value);

// An address as it is written: 0x1a0.
std::string addressText(int64_t address);

// One pipe waits for what another one was given so far.
std::string pipeWaits(std::string_view waiting, std::string_view until, int event = 0);

// "  auto x_memory = ptowsp::memory<float, 8, 256>(args[0]);\n"
std::string memoryText(const Kernel& kernel, const DeviceArguments& arguments, size_t tile,
                       std::string_view name);

std::string assembleDeviceKernel(const Kernel& kernel, std::string_view source_name,
                                 const DeviceArguments& arguments, const std::string& body);

}  // namespace ptowsp
