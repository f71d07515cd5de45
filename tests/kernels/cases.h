// The kernels that are tried in every compiled form.
#pragma once

#include <cstdint>
#include <vector>

#include "generator/verify/program.h"

namespace ptowsp::test {

// Every op in every combination of shapes, every tail, strides, and the shapes of passes that the
// emitter can make of a kernel.
std::vector<Kernel> fixedCases();

// Kernels of random ops on random shapes.
std::vector<Kernel> randomCases(uint64_t seed, int count);

}  // namespace ptowsp::test
