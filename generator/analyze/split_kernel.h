// SPDX-License-Identifier: MIT
// Splitting one kernel by core: what a cube core and what a vector core computes.
//
// A kernel that needs both becomes stages, each a kernel for one core, run one after the other. A
// value that one stage computes and another one uses crosses in a temporary tensor, or in the
// user's own tile where it is stored there anyway.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "generator/verify/program.h"

namespace ptowsp {

// Crossing: a value that needs a temporary tensor of its own.
struct Crossing {
  std::string name;
  DType dtype = DType::f32;
  int64_t rows = 1, cols = 1;
  std::string place;  // of the op that computes it
};

// Stage: a kernel of one core, and where its parameters come from.
struct Stage {
  Kernel kernel;
  std::vector<int> tiles;    // for each tile the user's tile, or the number of user's tiles + crossing
  std::vector<int> scalars;  // for each scalar the user's scalar
};

struct KernelSplit {
  std::vector<Stage> stages;  // in the order in which they run
  std::vector<Crossing> crossings;
};

// The stages of `kernel`; one, the kernel itself with its core, where it needs no other.
//
// A cube stage holds loads, matmuls and stores. An accumulator stays in the cube core's L0C, so it
// can be a number, an earlier matmul of the same stage, or an inout tile that only takes the sum
// (the store adds to memory); any other accumulator is added by the vector core.
//
// Stages are as few as the longest chain of values from core to core needs. An op runs in the first
// stage it can run in, or in a later one where that moves fewer bytes; constants, and what is only
// a broadcast of smaller values, are computed again instead of being stored.
KernelSplit splitKernel(const Kernel& kernel);

}  // namespace ptowsp
