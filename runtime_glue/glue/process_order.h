// SPDX-License-Identifier: MIT
// The order of the tasks of processes, as the generator found it and the orchestration follows it.
#pragma once

#include "ptowsp/manifest.h"

namespace ptowsp::glue {

// Fills in `order` of every connect node of the program. False when some processes can never end.
bool orderProcesses(Manifest& manifest);

}  // namespace ptowsp::glue
