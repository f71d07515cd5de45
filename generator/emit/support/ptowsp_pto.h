// SPDX-License-Identifier: MIT
// What kernels for the device share: PTO-ISA's tiles as PtoWsp lays them out, arguments, matmul in
// slices, and the ledger. With __CPU_SIM the same kernels run on PTO-ISA's CPU simulator; what that one
// lacks or does otherwise stands here, so that kernels are one text for both.
#pragma once

#include <stdint.h>

#include <pto/pto-inst.hpp>

#ifndef __gm__
#define __gm__
#endif
#ifndef __aicore__
#define __aicore__ [aicore]
#endif

#define PTOWSP_PTO_VERSION 1
#define PTOWSP_DEVICE_KERNEL extern "C" __aicore__ __attribute__((always_inline))

namespace ptowsp {

constexpr int roundUp(int value, int unit) { return (value + unit - 1) / unit * unit; }

// ---- Memory and tiles ----

// Rows one after the other.
template <typename T, int Rows, int Cols>
using Packed = pto::GlobalTensor<T, pto::Shape<1, 1, 1, Rows, Cols>,
                                 pto::Stride<Rows * Cols, Rows * Cols, Rows * Cols, Cols, 1>>;
template <typename T, int Rows, int Cols>
PTO_INTERNAL Packed<T, Rows, Cols> memory(int64_t address) {
  return Packed<T, Rows, Cols>((__gm__ T*)address);
}

// Rows `stride` elements apart.
template <typename T, int Rows, int Cols>
using Strided = pto::GlobalTensor<T, pto::Shape<1, 1, 1, Rows, Cols>,
                                  pto::Stride<1, 1, 1, pto::DYNAMIC, 1>>;
template <typename T, int Rows, int Cols>
PTO_INTERNAL Strided<T, Rows, Cols> memory(int64_t address, int64_t stride) {
  using Result = Strided<T, Rows, Cols>;
  return Result((__gm__ T*)address, typename Result::Shape(),
                typename Result::Stride(static_cast<int>(stride)));
}

// In the unified buffer: rows padded to 32 bytes.
template <typename T, int Rows, int Cols>
using VectorTile =
    pto::Tile<pto::TileType::Vec, T, Rows, roundUp(Cols, 32 / static_cast<int>(sizeof(T))),
              pto::BLayout::RowMajor, Rows, Cols>;

// In L1, in fractals.
template <typename T, int Rows, int Cols>
using FactorTile = pto::Tile<pto::TileType::Mat, T, roundUp(Rows, 16), roundUp(Cols, 16),
                             pto::BLayout::ColMajor, Rows, Cols, pto::SLayout::RowMajor, 512>;

// In L0C.
template <int Rows, int Cols>
using SumTile = pto::TileAcc<float, roundUp(Rows, 16), roundUp(Cols, 16), Rows, Cols>;

// ---- Numbers ----

// Numbers come as bits: they end up in instructions, and not in a data section, which nobody loads.
PTO_INTERNAL float f32(int64_t bits) {
  return __builtin_bit_cast(float, static_cast<uint32_t>(bits));
}
PTO_INTERNAL half f16(int64_t bits) {
  return __builtin_bit_cast(half, static_cast<uint16_t>(bits));
}
PTO_INTERNAL int32_t i32(int64_t bits) { return static_cast<int32_t>(bits); }

// ---- Arguments ----

// The arguments beyond the 15th. The host wrote them to memory that this core's cache may have held.
template <int Count>
PTO_INTERNAL __gm__ int64_t* block(int64_t address) {
  __gm__ int64_t* const arguments = (__gm__ int64_t*)address;
#ifndef __CPU_SIM
  for (int i = 0; i < Count; i += 8) dcci(arguments + i, SINGLE_CACHE_LINE);
  dcci(arguments + Count - 1, SINGLE_CACHE_LINE);
#endif
  return arguments;
}

// Adds the stamp to the task's ledger slot, if there is one, when all the kernel's stores are done.
PTO_INTERNAL void complete(int64_t slot, int64_t stamp) {
  pipe_barrier(PIPE_ALL);
  if (slot == 0) return;
  __gm__ volatile int64_t* const ledger = (__gm__ volatile int64_t*)slot;
#ifndef __CPU_SIM
  dcci(ledger, SINGLE_CACHE_LINE);
#endif
  *ledger = *ledger + stamp;
#ifndef __CPU_SIM
  dcci(ledger, SINGLE_CACHE_LINE);
  dsb(DSB_DDR);
#endif
}

// ---- Instructions that the simulator has in another form ----

// Sums of columns: on the device with a tile to work in, in the simulator without.
template <typename To, typename From, typename Work>
PTO_INTERNAL void columnSums(To& to, From& from, Work& work) {
#ifdef __CPU_SIM
  (void)work;
  pto::TCOLSUM(to, from);
#else
  pto::TCOLSUM(to, from, work, false);
#endif
}

// Stores a sum on top of what is in memory. The simulator's TSTORE does not add.
template <typename Memory, typename Sum>
PTO_INTERNAL void storeAdding(Memory& to, Sum& sum) {
#ifdef __CPU_SIM
  Sum before;
  pto::TLOAD(before, to);
  for (int row = 0; row < Sum::ValidRow; ++row)
    for (int col = 0; col < Sum::ValidCol; ++col) {
      const size_t at = pto::GetTileElementOffset<Sum>(row, col);
      before.data()[at] += sum.data()[at];
    }
  pto::TSTORE(to, before);
#else
  pto::TSTORE<Sum, Memory, pto::AtomicType::AtomicAdd>(to, sum);
#endif
}

// The part of `from` that begins at (row, col) and has the size of `to`. The simulator's TEXTRACT takes
// the last part only.
template <typename To, typename From>
PTO_INTERNAL void extract(To& to, From& from, int row, int col) {
#ifdef __CPU_SIM
  for (int r = 0; r < To::ValidRow; ++r)
    for (int c = 0; c < To::ValidCol; ++c)
      to.data()[pto::GetTileElementOffset<To>(r, c)] =
          from.data()[pto::GetTileElementOffset<From>(row + r, col + c)];
#else
  pto::TEXTRACT(to, from, row, col);
#endif
}

// ---- Products ----

// Sums with fewer elements, ten fractals, are not yet in L0C when the next product is added to them, unless a
// barrier is between: CANN's matrix templates have one there, with this number. TMATMUL_ACC has none.
constexpr int kUnordered = 10 * 16 * 16;

// Columns [k, k + Depth) of a times the same rows of b, to `sum` or added to it. Left and Right are two
// pairs of buffers by turns, so that the next factors are fed while these multiply: flag `turn` from M to
// MTE1 says that a pair is free, from MTE1 to M that it is filled.
template <typename T, int M, int Depth, int N, typename Sum, typename A, typename B>
PTO_INTERNAL void multiplySlice(Sum& sum, A& a, B& b, int64_t left_address, int64_t right_address,
                                int k, int turn, bool continues) {
  using Left = pto::TileLeft<T, roundUp(M, 16), roundUp(Depth, 16), M, Depth>;
  using Right = pto::TileRight<T, roundUp(Depth, 16), roundUp(N, 16), Depth, N>;
  const event_t event = static_cast<event_t>(turn);
  Left left;
  Right right;
  pto::TASSIGN(left, left_address);
  pto::TASSIGN(right, right_address);
  wait_flag(PIPE_M, PIPE_MTE1, event);
  extract(left, a, 0, k);
  extract(right, b, k, 0);
  set_flag(PIPE_MTE1, PIPE_M, event);
  wait_flag(PIPE_MTE1, PIPE_M, event);
  if (continues) {
    if constexpr (roundUp(M, 16) * roundUp(N, 16) < kUnordered) pipe_barrier(PIPE_M);
    pto::TMATMUL_ACC(sum, sum, left, right);
  } else {
    pto::TMATMUL(sum, left, right);
  }
  set_flag(PIPE_M, PIPE_MTE1, event);
  (void)event;  // flags are nothing in the simulator
}

// sum = a b, or sum += a b, with `Depth` of the K columns of a at a time.
template <typename T, int M, int K, int N, int Depth, typename Sum, typename A, typename B>
PTO_INTERNAL void multiply(Sum& sum, A& a, B& b, int64_t left, int64_t right, bool continues) {
  constexpr int64_t kLeftBytes = roundUp(M, 16) * roundUp(Depth, 16) * sizeof(T);
  constexpr int64_t kRightBytes = roundUp(Depth, 16) * roundUp(N, 16) * sizeof(T);
  set_flag(PIPE_M, PIPE_MTE1, EVENT_ID0);
  set_flag(PIPE_M, PIPE_MTE1, EVENT_ID1);
  int turn = 0;
  for (int k = 0; k + Depth <= K; k += Depth) {
    multiplySlice<T, M, Depth, N>(sum, a, b, left + turn * kLeftBytes, right + turn * kRightBytes, k,
                                  turn, continues || k > 0);
    turn = 1 - turn;
  }
  if constexpr (K % Depth != 0)
    multiplySlice<T, M, K % Depth, N>(sum, a, b, left + turn * kLeftBytes, right + turn * kRightBytes,
                                      K - K % Depth, turn, continues || K > Depth);
  wait_flag(PIPE_M, PIPE_MTE1, EVENT_ID0);
  wait_flag(PIPE_M, PIPE_MTE1, EVENT_ID1);
}

}  // namespace ptowsp
