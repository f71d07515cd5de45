// SPDX-License-Identifier: MIT
// In the place of PTO-ISA: instructions that do nothing but say so. Each prints a line on standard output, with
// the pipe that works on it and the tiles that it reads and writes, so that their order can be checked:
//   tile N BUFFER FIRST BYTES      a tile gets its memory
//   do PIPE NAME rN wN ...         an instruction; m is a tensor's memory, by its address
//   set|wait FROM TO EVENT         a flag
//   barrier PIPE
#pragma once

#include <cinttypes>
#include <cstdint>
#include <cstdio>

#define PTO_INTERNAL inline
#define __aicore__
#define __gm__

struct half {
  uint16_t bits;
};
struct bfloat16_t {
  uint16_t bits;
};
enum event_t { EVENT_ID0, EVENT_ID1, EVENT_ID2, EVENT_ID3, EVENT_ID4, EVENT_ID5, EVENT_ID6, EVENT_ID7 };
enum pipe_t { PIPE_S, PIPE_V, PIPE_M, PIPE_MTE1, PIPE_MTE2, PIPE_MTE3, PIPE_FIX, PIPE_ALL };
enum { SINGLE_CACHE_LINE, DSB_DDR };

inline const char* nameOf(pipe_t pipe) {
  static const char* const names[] = {"S", "V", "M", "MTE1", "MTE2", "MTE3", "FIX", "ALL"};
  return names[pipe];
}
inline void set_flag(pipe_t from, pipe_t to, event_t event) {
  std::printf("set %s %s %d\n", nameOf(from), nameOf(to), event);
}
inline void wait_flag(pipe_t from, pipe_t to, event_t event) {
  std::printf("wait %s %s %d\n", nameOf(from), nameOf(to), event);
}
inline void pipe_barrier(pipe_t pipe) { std::printf("barrier %s\n", nameOf(pipe)); }
inline void dcci(const volatile void*, int) {}
inline void dsb(int) {}

namespace pto {

enum class TileType { Vec, Mat, Left, Right, Acc };
enum class BLayout { RowMajor, ColMajor };
enum class SLayout { NoneBox, RowMajor, ColMajor };
enum class AtomicType { AtomicNone, AtomicAdd };
enum class RoundMode { CAST_RINT, CAST_TRUNC };
constexpr int DYNAMIC = -1;

template <int, int, int, int, int>
struct Shape {};
template <int, int, int, int, int>
struct Stride {
  explicit Stride(int = 0) {}
};
template <typename T, typename S, typename D>
struct GlobalTensor {
  using Shape = S;
  using Stride = D;
  explicit GlobalTensor(T* at, S = S(), D = D()) : address(reinterpret_cast<uintptr_t>(at)) {}
  uintptr_t address;
};

template <TileType Kind, typename T, int Rows, int Cols, BLayout = BLayout::RowMajor, int = Rows, int = Cols,
          SLayout = SLayout::NoneBox, int = 512>
struct Tile {
  static constexpr TileType kind = Kind;
  static constexpr int bytes = Rows * Cols * static_cast<int>(sizeof(T));
  int number = 0;  // 0: has no memory
};
template <typename T, int Rows, int Cols, int ValidRows, int ValidCols>
using TileLeft = Tile<TileType::Left, T, Rows, Cols, BLayout::RowMajor, ValidRows, ValidCols>;
template <typename T, int Rows, int Cols, int ValidRows, int ValidCols>
using TileRight = Tile<TileType::Right, T, Rows, Cols, BLayout::RowMajor, ValidRows, ValidCols>;
template <typename T, int Rows, int Cols, int ValidRows, int ValidCols>
using TileAcc = Tile<TileType::Acc, T, Rows, Cols, BLayout::RowMajor, ValidRows, ValidCols>;

inline int given = 0;  // tiles so far
template <typename T>
void TASSIGN(T& tile, int64_t address) {
  static const char* const buffers[] = {"UB", "L1", "L0A", "L0B", "L0C"};
  tile.number = ++given;
  std::printf("tile %d %s %" PRId64 " %d\n", tile.number, buffers[static_cast<int>(T::kind)], address, T::bytes);
}

inline void begin(pipe_t pipe, const char* name) { std::printf("do %s %s", nameOf(pipe), name); }
inline void end() { std::printf("\n"); }
template <typename T>
void operand(char access, const T& value) {
  if constexpr (requires { value.number; })
    std::printf(" %c%d", access, value.number);
  else if constexpr (requires { value.address; })
    std::printf(" %cm%" PRIuPTR, access, value.address);
}
template <typename To, typename... From>
void record(pipe_t pipe, const char* name, const To& to, const From&... from) {
  begin(pipe, name);
  operand('w', to);
  (operand('r', from), ...);
  end();
}

template <typename To, typename From>
void TLOAD(To& to, From& from) {
  record(PIPE_MTE2, "TLOAD", to, from);
}
template <typename To, typename From>
void TSTORE(To& to, From& from) {
  record(From::kind == TileType::Acc ? PIPE_FIX : PIPE_MTE3, "TSTORE", to, from);
}
template <typename From, typename To, AtomicType>
void TSTORE(To& to, From& from) {
  TSTORE(to, from);
}
template <typename To, typename From>
void TEXTRACT(To& to, From& from, int, int) {
  record(PIPE_MTE1, "TEXTRACT", to, from);
}
template <typename Sum, typename A, typename B>
void TMATMUL(Sum& sum, A& a, B& b) {
  record(PIPE_M, "TMATMUL", sum, a, b);
}
template <typename Sum, typename A, typename B>
void TMATMUL_ACC(Sum& sum, Sum& before, A& a, B& b) {
  record(PIPE_M, "TMATMUL_ACC", sum, before, a, b);
}

// The last operand is a tile to work in.
template <typename To, typename From, typename Work>
void reduce(const char* name, To& to, From& from, Work& work) {
  begin(PIPE_V, name);
  operand('w', to);
  operand('w', work);
  operand('r', from);
  end();
}
template <typename To, typename From, typename Work>
void TCOLSUM(To& to, From& from, Work& work, bool) {
  reduce("TCOLSUM", to, from, work);
}
#define PTO_REDUCTION(NAME)                          \
  template <typename To, typename From, typename Work> \
  void NAME(To& to, From& from, Work& work) {          \
    reduce(#NAME, to, from, work);                     \
  }
PTO_REDUCTION(TROWSUM)
PTO_REDUCTION(TROWMAX)
PTO_REDUCTION(TROWMIN)

#define PTO_VECTOR(NAME)                        \
  template <typename To, typename... From>      \
  void NAME(To& to, const From&... from) {      \
    record(PIPE_V, #NAME, to, from...);         \
  }
PTO_VECTOR(TABS)
PTO_VECTOR(TADD)
PTO_VECTOR(TADDS)
PTO_VECTOR(TCOLEXPAND)
PTO_VECTOR(TCOLMAX)
PTO_VECTOR(TCOLMIN)
PTO_VECTOR(TCVT)
PTO_VECTOR(TDIV)
PTO_VECTOR(TDIVS)
PTO_VECTOR(TEXP)
PTO_VECTOR(TEXPANDS)
PTO_VECTOR(TLOG)
PTO_VECTOR(TMAX)
PTO_VECTOR(TMAXS)
PTO_VECTOR(TMIN)
PTO_VECTOR(TMINS)
PTO_VECTOR(TMOV)
PTO_VECTOR(TMUL)
PTO_VECTOR(TMULS)
PTO_VECTOR(TNEG)
PTO_VECTOR(TRELU)
PTO_VECTOR(TROWEXPAND)
PTO_VECTOR(TSQRT)
PTO_VECTOR(TSUB)
PTO_VECTOR(TSUBS)

}  // namespace pto
