// SPDX-License-Identifier: MIT
// The cycle model: how long a kernel keeps its core busy. Assumptions, sources and an example:
// docs/cycles.md. An estimate for comparing programs, not a measurement.
#pragma once

#include <cstdint>

#include "generator/verify/program.h"

namespace ptowsp {

// Figures of every core, in core cycles; what an op costs is in the op table. Bandwidths are bytes in
// 100 cycles.
struct CycleCosts {
  static constexpr int64_t task = 500;      // from the scheduler's choice to the first instruction
  static constexpr int64_t transfer = 100;  // a load or store, before its first byte
  static constexpr int64_t transfer_row = 4;  // each row of a tile whose rows are not adjacent
  static constexpr int64_t load_ub = 5856, store_ub = 10938;  // global memory and unified buffer
  static constexpr int64_t load_l1 = 7835, store_l0c = 4063;  // global memory to L1, L0C to it
  static constexpr int64_t feed_l0a = 25596, feed_l0b = 12798;  // L1 to L0A and L0B
  static constexpr int64_t repeat_bytes = 256;  // a repeat of a vector instruction
  static constexpr int64_t part = 17;           // an instruction whose last repeat is not full
  // Spreading a column over the rows of a tile, or copies of a row: start, each repeat, each row.
  static constexpr ops::Cost spread_column = {37, 1, 13}, spread_row = {24, 1, 0};
};

// Cycles of one task of `kernel`, which is for one type of core: what its pipes (loads, computation,
// stores) take when each does its work in the order of the kernel's ops and waits for the operands.
int64_t kernelCycles(const Kernel& kernel);

}  // namespace ptowsp
