// SPDX-License-Identifier: MIT
// Simulated kernels for cube cores: matrix products, and loads and stores of whole tiles.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "generator/verify/program.h"

namespace ptowsp {

// CubePlan: where a kernel's products go. They are computed in the kernel's order; what no store
// needs is not.
struct CubePlan {
  std::vector<int> stored;     // for each tile the value stored to it, or -1
  std::vector<bool> live;      // for each value whether a stored value needs it
  std::vector<int> target;     // for each value the tile it is computed in, or -1: a temporary
  std::vector<int> shares;     // for each value the one whose memory it is computed in, or itself
  std::vector<bool> saved;     // for each tile whether its values on entry are saved from its own store
  int64_t temporary_bytes = 0;
};

CubePlan planCubeKernel(const Kernel& kernel);

std::string emitCubeKernel(const Kernel& kernel, const CubePlan& plan, std::string_view source_name);

}  // namespace ptowsp
