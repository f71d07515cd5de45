// SPDX-License-Identifier: MIT
// Emission of kernels/kernel_config.py, by which pto-runtime's own tools find the sources.
#pragma once

#include <string>
#include <string_view>

#include "generator/analyze/analyze.h"
#include "generator/verify/program.h"

namespace ptowsp {

// Python source that defines ORCHESTRATION and KERNELS with paths computed from its own place.
std::string emitKernelConfig(const Program& program, const Analysis& analysis,
                             std::string_view source_name, bool for_device);

}  // namespace ptowsp
