// SPDX-License-Identifier: MIT
// Accumulators of matmuls, made such as a cube core can have them.
#pragma once

#include <vector>

#include "generator/verify/program.h"

namespace ptowsp {

// A matmul's sum stays in L0C, which no load fills. So an accumulator is a number; or the sum of an
// earlier matmul, which no other one continues, in the same stage; or an inout tile whose only use
// it is and to which the sum goes and nowhere else, because a store can add to memory. Any other
// accumulator is taken out: its matmul starts from nothing, and an `add` follows it.
//
// Returns for each op of the changed kernel the first matmul of its chain of accumulation, -1 for
// ops of the vector core.
std::vector<int> groupAccumulators(Kernel& kernel);

}  // namespace ptowsp
