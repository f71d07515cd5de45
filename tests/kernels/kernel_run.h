// SPDX-License-Identifier: MIT
// Runs a compiled kernel on given tiles, in memory that shows whatever it touches beside them.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "generator/verify/program.h"
#include "tests/kernels/emulated.h"

namespace ptowsp::test {

// A kernel that can be called: args, and all memory that it and they are in. False: it died.
using KernelFunction = std::function<bool(int64_t* args, const std::vector<Region>& regions)>;

struct KernelRun {
  std::vector<std::vector<double>> tiles;  // after the run, row by row
  std::vector<std::string> faults;        // what it wrote and should not have, or did not
};

// `padding`: elements between the end of each tile and memory that cannot be accessed, which moves
// the tiles' alignment too. With `heap` the tiles are separate allocations for a sanitizer to watch.
KernelRun runKernel(const Kernel& kernel, const KernelFunction& function,
                    const std::vector<std::vector<double>>& tiles,
                    const std::vector<double>& scalars,
                    int padding, bool heap);

}  // namespace ptowsp::test
