// SPDX-License-Identifier: MIT
// Emission of simulated kernels: plain C++ that runs on the host, one file for each kernel.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "generator/base/diagnostic.h"
#include "generator/verify/program.h"

namespace ptowsp {

// The support headers that kernels include, in the emitted tree's folder of that name.
inline constexpr std::string_view kSimSupportFolder = "kernels/sim_support";
struct SupportHeader {
  std::string_view name, text;
};
std::vector<SupportHeader> simSupportHeaders();

// C++17 source of `kernel` for a2a3sim. `source_name` is the workload file's base name. Nothing, and
// the reason in `error`, when the kernel's temporaries do not fit on a core's stack. With `lines` a
// debugger shows the workload's lines in place of the source's own.
std::optional<std::string> emitSimKernel(const Kernel& kernel, std::string_view source_name,
                                         std::string& error, const Locate& lines = {});

}  // namespace ptowsp
