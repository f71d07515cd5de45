// SPDX-License-Identifier: MIT
// The body of a kernel for the device's vector cores.
#pragma once

#include <string>
#include <string_view>

#include "generator/verify/program.h"

namespace ptowsp {

// Of a kernel that emitDeviceKernel() has checked.
std::string emitDeviceVector(const Kernel& kernel, std::string_view source_name);

}  // namespace ptowsp
