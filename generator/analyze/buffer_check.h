// SPDX-License-Identifier: MIT
// The rule that a kernel's tiles fit the buffers of its core, and what `check` says of them.
#pragma once

#include <string>

#include "generator/base/diagnostic.h"
#include "generator/verify/program.h"

namespace ptowsp {

// Rule tile-too-large: an error where the program is built for a device; a warning where it is only
// simulated, for a simulated core has memory enough. Each kernel is `for one type of core`.
void checkBuffers(const Program& program, bool for_device, Diagnostics& diagnostics);

// "unified buffer 24576 of 188416 bytes", or the cube core's buffers, separated by commas.
std::string bufferText(const Kernel& kernel);

}  // namespace ptowsp
