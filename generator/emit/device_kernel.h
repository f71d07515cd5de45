// SPDX-License-Identifier: MIT
// The source of one kernel for the device (platform a2a3), in PTO-ISA's tile instructions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "generator/base/diagnostic.h"
#include "generator/verify/program.h"

namespace ptowsp {

// Text of ptowsp_pto.h, which the kernels include.
inline constexpr std::string_view kDeviceSupport = "kernels/pto_support/ptowsp_pto.h";
std::string_view deviceSupportText();

// Errors (unsupported-feature) where PTO-ISA has no instructions for what the kernel does.
bool checkDeviceKernel(const Kernel& kernel, Diagnostics& diagnostics);

// Nothing, and those errors, where there is one. The kernel's tiles must fit the core's buffers:
// checkBuffers() says whether they do.
std::optional<std::string> emitDeviceKernel(const Kernel& kernel, std::string_view source_name,
                                            Diagnostics& diagnostics);

// The relay kernel for the device, which only comes back.
std::string emitDeviceRelay(std::string_view source_name);

}  // namespace ptowsp
