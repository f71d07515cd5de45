// SPDX-License-Identifier: MIT
// Levels of kernel code: which this CPU can run, and which of those built to take.
#pragma once

#include <string>
#include <vector>

namespace ptowsp::glue {

// Levels that this CPU and operating system support, best first, e.g. x86-64-v3, x86-64-v2.
const std::vector<std::string>& supportedLevels();

// The first of `supported` that was built, empty when there is none.
std::string bestLevel(const std::vector<std::string>& supported,
                      const std::vector<std::string>& built);

}  // namespace ptowsp::glue
