// SPDX-License-Identifier: MIT
// Where the tiles of a kernel lie on its core: addresses in the core's buffers, reused as soon as a
// tile is no longer needed.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "generator/verify/program.h"

namespace ptowsp {

// A vector core has a unified buffer; a cube core holds what it loads in L1, factors in L0A and L0B,
// and sums in L0C.
enum class Buffer { unified, l1, l0a, l0b, l0c };
inline constexpr std::array kBuffers = {Buffer::unified, Buffer::l1, Buffer::l0a, Buffer::l0b,
                                        Buffer::l0c};

std::string_view nameOf(Buffer buffer);  // "unified buffer", "L1", ...
std::string_view keyOf(Buffer buffer);   // "unified", "l1", ...: in the manifest

// Bytes that tiles can have on A2 and A3. The unified buffer has 192 KiB, of which PTO-ISA's
// instructions use the last 8 KiB for themselves.
int64_t sizeOf(Buffer buffer);

// Placement: `bytes` from `address` on hold a value, or scratch space of an op (value -1), from the
// first to the last op that touches it.
struct Placement {
  Buffer buffer = Buffer::unified;
  int value = -1;
  int64_t address = 0, bytes = 0;
  int first = 0, last = 0;  // indices into Kernel::ops
};

struct BufferUse {
  int64_t bytes = 0;  // from address 0 to the end of the highest placement
  int64_t live = 0;   // the most that is needed at one time: no allocation takes less
  int op = -1;        // the first op at which that is so
};

struct BufferPlan {
  std::vector<Placement> placements;
  std::array<BufferUse, kBuffers.size()> uses;  // by Buffer

  const BufferUse& use(Buffer buffer) const { return uses[static_cast<size_t>(buffer)]; }
  bool fits() const;
};

// Bytes of a rows x cols tile of the unified buffer, each row padded to blocks of 32 bytes.
int64_t vectorTileBytes(int64_t rows, int64_t cols, DType dtype);

// Ops of several instructions on the device, which need a tile of the result's size in between.
bool keepsBetween(const ops::OpInfo& op);

// Casts that PTO-ISA's TCVT does not do in one step; f32 is between.
bool convertsTwice(DType from, DType to);

// Columns of a (and rows of b) that a matmul takes at a time: all k, or, where that does not fit L0A
// and L0B, as many as leave room for the next ones beside them. At least 16.
int64_t matmulDepth(int64_t m, int64_t k, int64_t n, DType dtype);

// Addresses for all tiles of a kernel that is for one type of core. A tile is loaded by the first op
// that uses it. Operands and result of an op do not share memory.
BufferPlan planBuffers(const Kernel& kernel);

}  // namespace ptowsp
