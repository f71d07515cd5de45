// SPDX-License-Identifier: MIT
// A stand-in for PTO-ISA in PtoWsp's tests: as much of it as the kernels of tests/a2a3 use, for the host,
// in code that needs nothing outside its .text. It shows how kernels are built and launched. What
// instructions do on a device, and when, is not here; PTO-ISA's own simulator is for that (tests/pto_isa).
#pragma once

#include <stddef.h>
#include <stdint.h>

#define PTOWSP_STAND_IN 1
#define PTO_INTERNAL inline __attribute__((always_inline))
#define __aicore__
#define __gm__

typedef _Float16 half;
enum event_t { EVENT_ID0, EVENT_ID1, EVENT_ID2, EVENT_ID3, EVENT_ID4, EVENT_ID5, EVENT_ID6, EVENT_ID7 };
enum pipe_t { PIPE_S, PIPE_V, PIPE_M, PIPE_MTE1, PIPE_MTE2, PIPE_MTE3, PIPE_FIX, PIPE_ALL };
enum { SINGLE_CACHE_LINE, DSB_DDR };
PTO_INTERNAL void set_flag(pipe_t, pipe_t, event_t) {}
PTO_INTERNAL void wait_flag(pipe_t, pipe_t, event_t) {}
PTO_INTERNAL void pipe_barrier(pipe_t) {}
PTO_INTERNAL void dcci(const volatile void*, int) {}
PTO_INTERNAL void dsb(int) {}

namespace pto {

enum class TileType { Vec, Mat, Left, Right, Acc };
enum class BLayout { RowMajor, ColMajor };
enum class SLayout { NoneBox, RowMajor, ColMajor };
enum class AtomicType { AtomicNone, AtomicAdd };
constexpr int DYNAMIC = -1;

template <int, int, int, int Rows, int Cols>
struct Shape {
  static constexpr int rows = Rows, cols = Cols;
};
template <int, int, int, int Row, int>
struct Stride {
  PTO_INTERNAL Stride(int given = Row) : row(given) {}
  int64_t row;
};
template <typename T, typename S, typename D>
struct GlobalTensor {
  using Element = T;
  using Shape = S;
  using Stride = D;
  PTO_INTERNAL explicit GlobalTensor(T* at, S = S(), D stride = D()) : data(at), step(stride.row) {}
  T* data;
  int64_t step;
};

// Its elements lie on the stack, row by row, wherever it is ASSIGNed to.
template <TileType, typename T, int Rows, int Cols, BLayout = BLayout::RowMajor, int ValidRows = Rows,
          int ValidCols = Cols, SLayout = SLayout::NoneBox, int = 512>
struct Tile {
  static constexpr int rows = ValidRows, cols = ValidCols;
  PTO_INTERNAL T& at(int r, int c) { return elements[r * Cols + c]; }
  T elements[Rows * Cols];
};
template <typename T, int Rows, int Cols, int ValidRows, int ValidCols>
using TileLeft = Tile<TileType::Left, T, Rows, Cols, BLayout::RowMajor, ValidRows, ValidCols>;
template <typename T, int Rows, int Cols, int ValidRows, int ValidCols>
using TileRight = Tile<TileType::Right, T, Rows, Cols, BLayout::RowMajor, ValidRows, ValidCols>;
template <typename T, int Rows, int Cols, int ValidRows, int ValidCols>
using TileAcc = Tile<TileType::Acc, T, Rows, Cols, BLayout::RowMajor, ValidRows, ValidCols>;

template <typename T>
PTO_INTERNAL void TASSIGN(T&, int64_t) {}

template <typename To, typename From>
PTO_INTERNAL void TLOAD(To& to, From& from) {
  for (int r = 0; r < To::rows; ++r)
    for (int c = 0; c < To::cols; ++c) to.at(r, c) = from.data[r * from.step + c];
}
template <typename To, typename From>
PTO_INTERNAL void TSTORE(To& to, From& from) {
  for (int r = 0; r < From::rows; ++r)
    for (int c = 0; c < From::cols; ++c) to.data[r * to.step + c] = from.at(r, c);
}
template <typename From, typename To, AtomicType>
PTO_INTERNAL void TSTORE(To& to, From& from) {
  for (int r = 0; r < From::rows; ++r)
    for (int c = 0; c < From::cols; ++c) to.data[r * to.step + c] += from.at(r, c);
}

template <typename To, typename A, typename B>
PTO_INTERNAL void TADD(To& to, A& a, B& b) {
  for (int r = 0; r < To::rows; ++r)
    for (int c = 0; c < To::cols; ++c) to.at(r, c) = a.at(r, c) + b.at(r, c);
}
// The number goes through a register, so that it does not end in a data section.
PTO_INTERNAL float opaque(float number) {
  uint32_t bits = __builtin_bit_cast(uint32_t, number);
  asm volatile("" : "+r"(bits));
  return __builtin_bit_cast(float, bits);
}
template <typename To, typename A>
PTO_INTERNAL void TMULS(To& to, A& a, float number) {
  const float factor = opaque(number);
  for (int r = 0; r < To::rows; ++r)
    for (int c = 0; c < To::cols; ++c) to.at(r, c) = a.at(r, c) * factor;
}
template <typename To, typename A>
PTO_INTERNAL void TADDS(To& to, A& a, float number) {
  const float term = opaque(number);
  for (int r = 0; r < To::rows; ++r)
    for (int c = 0; c < To::cols; ++c) to.at(r, c) = a.at(r, c) + term;
}

template <typename To, typename From>
PTO_INTERNAL void TEXTRACT(To& to, From& from, int row, int col) {
  for (int r = 0; r < To::rows; ++r)
    for (int c = 0; c < To::cols; ++c) to.at(r, c) = from.at(row + r, col + c);
}
template <typename Sum, typename A, typename B>
PTO_INTERNAL void TMATMUL_ACC(Sum& sum, Sum&, A& a, B& b) {
  for (int r = 0; r < Sum::rows; ++r)
    for (int c = 0; c < Sum::cols; ++c)
      for (int k = 0; k < A::cols; ++k) sum.at(r, c) += a.at(r, k) * b.at(k, c);
}
template <typename Sum, typename A, typename B>
PTO_INTERNAL void TMATMUL(Sum& sum, A& a, B& b) {
  for (int r = 0; r < Sum::rows; ++r)
    for (int c = 0; c < Sum::cols; ++c) sum.at(r, c) = 0;
  TMATMUL_ACC(sum, sum, a, b);
}
template <typename To, typename From, typename Work>
PTO_INTERNAL void TCOLSUM(To& to, From& from, Work&, bool) {
  for (int c = 0; c < To::cols; ++c) {
    to.at(0, c) = from.at(0, c);
    for (int r = 1; r < From::rows; ++r) to.at(0, c) += from.at(r, c);
  }
}

}  // namespace pto
