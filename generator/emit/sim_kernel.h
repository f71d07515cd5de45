// Emission of simulated kernels: plain C++ that runs on the host, one file for each kernel.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "generator/verify/program.h"

namespace ptowsp {

// Name of the support header beside the kernels, and its text.
inline constexpr std::string_view kSimTileHeader = "ptowsp_tile.h";
std::string_view simTileHeader();

// C++17 source of `kernel` for a2a3sim. `source_name` is the workload file's base name. Nothing, and
// the reason in `error`, when the kernel's temporaries do not fit on a core's stack.
std::optional<std::string> emitSimKernel(const Kernel& kernel, std::string_view source_name,
                                         std::string& error);

}  // namespace ptowsp
