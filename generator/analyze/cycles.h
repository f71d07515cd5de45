// The cycle model: how long a kernel keeps its core busy. Assumptions, sources and an example:
// docs/cycles.md. An estimate for comparing programs, not a measurement.
#pragma once

#include <cstdint>

#include "generator/verify/program.h"

namespace ptowsp {

// What the model assumes of every core, in core cycles; what an op costs is in the op table.
struct CycleCosts {
  static constexpr int64_t task = 500;             // from the scheduler's choice to the first instruction
  static constexpr int64_t transfer = 100;         // a load or store, before its first byte
  static constexpr int64_t transfer_bytes = 64;    // global memory and L1 or unified buffer, per cycle
  static constexpr int64_t transfer_row = 4;       // each row of a tile whose rows are not adjacent
  static constexpr int64_t issue = 20;             // one vector instruction, before its first repeat
  static constexpr int64_t repeat_bytes = 256;     // a repeat of a vector instruction
  static constexpr int64_t feed_bytes = 256;       // L1 to L0A and L0B, per cycle
  static constexpr int64_t matmul = 40;            // before the first fractal
};

// Cycles of one task of `kernel`, which is for one type of core: what its pipes (loads, computation,
// stores) take when each does its work in the order of the kernel's ops and waits for the operands.
int64_t kernelCycles(const Kernel& kernel);

}  // namespace ptowsp
