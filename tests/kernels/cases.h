// SPDX-License-Identifier: MIT
// The kernels that are tried in every compiled form.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "generator/verify/program.h"

namespace ptowsp::test {

// Every op in every combination of shapes, every tail, strides, and the shapes of passes that the
// emitter can make of a kernel; casts and reductions of every dtype.
std::vector<Kernel> fixedCases();

// One row of `count` elements through every unary op and cast, or every binary op, of the dtype.
Kernel elementwiseKernel(const std::string& name, int arity, DType dtype, int64_t count);

// Kernels of random ops on random shapes.
std::vector<Kernel> randomCases(uint64_t seed, int count);

}  // namespace ptowsp::test
