// SPDX-License-Identifier: MIT
// Matrix products of simulated kernels, and what else a cube core does: copies and fills of tiles.
//
// A block of rows x columns of the result stays in registers while k runs; each of its elements is
// accumulated in float, in the order of k, with fused multiply-adds where the machine has them.
#ifndef PTOWSP_MATMUL_H
#define PTOWSP_MATMUL_H

#pragma GCC system_header

#include "ptowsp_elementwise.h"
#include "ptowsp_float16.h"

namespace ptowsp {
namespace {

// kBlockRows x kBlockVectors registers of results fit beside what is multiplied. kDepth: how much of
// k is taken at once, so that a panel of b stays in the innermost cache. kPanelRows: rows of `a` that
// are copied at once, a multiple of every kBlockRows.
enum : int {
#if defined(__AVX512F__)
  kBlockRows = 12,
  kBlockVectors = 2,
#elif defined(__aarch64__)
  kBlockRows = 8,
  kBlockVectors = 2,
#elif PTOWSP_LANES == 8
  kBlockRows = 6,
  kBlockVectors = 2,
#else
  kBlockRows = 4,
  kBlockVectors = 2,
#endif
  kBlockColumns = kBlockVectors * kLanes,
  kDepth = 256,
  kPanelRows = 48
};

// sum + a * b
PTOWSP_FUNCTION Lanes accumulate(Lanes sum, Lanes a, Lanes b) {
#if defined(__FMA__) || defined(__AVX512F__)
  asm("vfmadd231ps %2, %1, %0" : "+" PTOWSP_REGISTER(sum) : PTOWSP_REGISTER(a), PTOWSP_REGISTER(b));
  return sum;
#elif defined(__aarch64__)
  asm("fmla %0.4s, %1.4s, %2.4s" : "+w"(sum) : "w"(a), "w"(b));
  return sum;
#else
  return sum + a * b;
#endif
}

// How elements are read and written, as F16 and Bf16 do.
struct F32 {
  PTOWSP_INLINE F32() {}
  template <typename Where>
  PTOWSP_INLINE Lanes load(const float* row, Where at) const {
    return ptowsp::load(row, at);
  }
  PTOWSP_INLINE Lanes loadOne(const float* from) const { return ptowsp::loadOne(from); }
  template <typename Where>
  PTOWSP_INLINE void store(float* row, Where at, Lanes x) const {
    ptowsp::store(row, at, x);
  }
  PTOWSP_INLINE Lanes scalar(int64_t argument) const { return ptowsp::scalar(argument); }
};
struct I32 {
  PTOWSP_INLINE I32() {}
  template <typename Where>
  PTOWSP_INLINE void store(int32_t* row, Where at, Integers x) const {
    ptowsp::store(row, at, x);
  }
  PTOWSP_INLINE Integers scalar(int64_t argument) const { return integerScalar(argument); }
};

// Width: a number of columns as a type.
template <int kWidth>
struct Width {
  enum : int { value = kWidth };
};

// Start: what is added to: a tile, or a row of one number in all of its columns.
struct Start {
  const float* at;
  int64_t row_stride, column_stride;
  PTOWSP_INLINE Start(const float* tile, int64_t stride)
      : at(tile), row_stride(stride), column_stride(1) {}
  PTOWSP_INLINE explicit Start(const float* row) : at(row), row_stride(0), column_stride(0) {}
  PTOWSP_INLINE const float* from(int64_t row, int64_t column) const {
    return at + row * row_stride + column * column_stride;
  }
};

// A row of one number for Start.
struct NumberRow {
  alignas(64) float row[kBlockColumns];
  PTOWSP_INLINE explicit NumberRow(Lanes number) {
    forColumns<kBlockColumns>([&](auto at) PTOWSP_INLINE { store(row, at, number); });
  }
};

// Calls body(at, j) for the j-th register of a row of kColumns, at most kBlockColumns.
template <int kColumns, typename Body>
PTOWSP_FUNCTION void forVectors(const Body& body) {
  if constexpr (kColumns > 0) body(At<0, (kColumns < kLanes ? kColumns : kLanes)>{0}, 0);
  if constexpr (kColumns > kLanes)
    body(At<1, (kColumns < 2 * kLanes ? kColumns - kLanes : kLanes)>{kLanes}, 1);
}

// One block: c = start + a b, where a is kRows x depth and b depth x kColumns.
template <int kRows, int kColumns>
PTOWSP_FUNCTION void multiplyBlock(float* c, int64_t c_stride, const float* start,
                                   int64_t start_stride, const float* a, int64_t a_stride,
                                   const float* b, int64_t b_stride, int64_t depth) {
  Lanes sums[kRows][kBlockVectors];
#pragma GCC unroll 16
  for (int i = 0; i < kRows; ++i)
    forVectors<kColumns>([&](auto at, int j) PTOWSP_INLINE {
      sums[i][j] = load(start + i * start_stride, at);
    });
  for (int64_t k = 0; k < depth; ++k) {
    Lanes row[kBlockVectors];
    forVectors<kColumns>([&](auto at, int j) PTOWSP_INLINE { row[j] = load(b + k * b_stride, at); });
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i) {
      const Lanes ai = broadcast(a[i * a_stride + k]);
      forVectors<kColumns>([&](auto, int j) PTOWSP_INLINE {
        sums[i][j] = accumulate(sums[i][j], ai, row[j]);
      });
    }
  }
#pragma GCC unroll 16
  for (int i = 0; i < kRows; ++i)
    forVectors<kColumns>([&](auto at, int j) PTOWSP_INLINE {
      store(c + i * c_stride, at, sums[i][j]);
    });
}

// The same for kRows rows, a block at a time.
template <int64_t kRows, int kColumns>
PTOWSP_FUNCTION void multiplyRows(float* c, int64_t c_stride, const float* start,
                                  int64_t start_stride, const float* a, int64_t a_stride,
                                  const float* b, int64_t b_stride, int64_t depth) {
  constexpr int kRest = int(kRows % kBlockRows);
  int64_t row = 0;
  for (; row <= kRows - kBlockRows; row += kBlockRows)
    multiplyBlock<kBlockRows, kColumns>(c + row * c_stride, c_stride, start + row * start_stride,
                                        start_stride, a + row * a_stride, a_stride, b, b_stride,
                                        depth);
  if constexpr (kRest != 0)
    multiplyBlock<kRest, kColumns>(c + row * c_stride, c_stride, start + row * start_stride,
                                   start_stride, a + row * a_stride, a_stride, b, b_stride, depth);
}

// `depth` rows of kColumns, as floats, one after the other.
template <int kColumns, typename Format, typename T>
PTOWSP_FUNCTION void pack(float* to, const T* from, int64_t stride, int64_t depth,
                          const Format& format) {
  for (int64_t k = 0; k < depth; ++k)
    forVectors<kColumns>([&](auto at, int) PTOWSP_INLINE {
      store(to + k * kBlockColumns, at, format.load(from + k * stride, at));
    });
}

// kRows rows of `depth` columns, as floats.
template <typename Format, typename T>
PTOWSP_FUNCTION void copyRows(float* to, const T* from, int64_t stride, int64_t rows, int64_t depth,
                              const Format& format) {
  for (int64_t row = 0; row < rows; ++row) {
    int64_t k = 0;
    for (; k <= depth - kLanes; k += kLanes)
      store(to + row * kDepth, At<0, kLanes>{k}, format.load(from + row * stride, At<0, kLanes>{k}));
    for (; k < depth; ++k) storeOne(to + row * kDepth + k, format.loadOne(from + row * stride + k));
  }
}

// What products are made in: copies of a panel of b and of rows of a. One for all of a kernel, as
// compilers may give each its own place on the stack.
struct MatmulBuffers {
  alignas(64) float panel[kDepth * kBlockColumns];
  alignas(64) float rows[kPanelRows * kDepth];
  PTOWSP_INLINE MatmulBuffers() {}
};

// c = start + a b for kRows rows, a panel of columns at a time. A panel of b is copied when it is not
// of floats, and when its rows would push each other out of the cache.
template <int64_t kRows, int64_t kColumns, typename T, typename Format>
PTOWSP_FUNCTION void multiplyColumns(float* c, int64_t c_stride, const Start& start, int64_t row,
                                     const float* a, int64_t a_stride, const T* b,
                                     int64_t b_stride, int64_t depth, float* panel,
                                     const Format& format) {
  constexpr int kTail = int(kColumns % kBlockColumns);
  const auto panelOf = [&](int64_t column, auto width) PTOWSP_INLINE {
    constexpr int kWidth = decltype(width)::value;
    const float* from = panel;
    int64_t stride = kBlockColumns;
    bool packs = true;
    if constexpr (sizeof(T) == sizeof(float)) {
      packs = kRows > kBlockRows && (b_stride % 128 == 0 || depth > 128);
      if (!packs) {
        from = b + column;
        stride = b_stride;
      }
    }
    if (packs) pack<kWidth>(panel, b + column, b_stride, depth, format);
    multiplyRows<kRows, kWidth>(c + row * c_stride + column, c_stride, start.from(row, column),
                                start.row_stride, a, a_stride, from, stride, depth);
  };
  int64_t column = 0;
  for (; column <= kColumns - kBlockColumns; column += kBlockColumns)
    panelOf(column, Width<kBlockColumns>());
  if constexpr (kTail != 0) panelOf(column, Width<kTail>());
}

// c = start + a b, where a is kRows x kDeep and b kDeep x kColumns. With kCopyRows rows of `a` are
// copied first: they are not of floats, or their stride is known at run time only.
template <int64_t kRows, int64_t kColumns, int64_t kDeep, bool kCopyRows, typename T,
          typename Format>
PTOWSP_FUNCTION void matmul(float* c, int64_t c_stride, const Start& start, const T* a,
                            int64_t a_stride, const T* b, int64_t b_stride, const Format& format,
                            MatmulBuffers& buffers) {
  for (int64_t k = 0; k < kDeep; k += kDepth) {
    const int64_t depth = kDeep - k < kDepth ? kDeep - k : kDepth;
    const Start from = k == 0 ? start : Start(c, c_stride);
    const T* const panel = b + k * b_stride;
    if constexpr (!kCopyRows) {
      multiplyColumns<kRows, kColumns>(c, c_stride, from, 0, a + k, a_stride, panel, b_stride,
                                       depth, buffers.panel, format);
    } else {
      constexpr int64_t kRest = kRows % kPanelRows;
      int64_t row = 0;
      for (; row <= kRows - kPanelRows; row += kPanelRows) {
        copyRows(buffers.rows, a + row * a_stride + k, a_stride, kPanelRows, depth, format);
        multiplyColumns<kPanelRows, kColumns>(c, c_stride, from, row, buffers.rows, kDepth, panel,
                                              b_stride, depth, buffers.panel, format);
      }
      if constexpr (kRest != 0) {
        copyRows(buffers.rows, a + row * a_stride + k, a_stride, kRest, depth, format);
        multiplyColumns<kRest, kColumns>(c, c_stride, from, row, buffers.rows, kDepth, panel,
                                         b_stride, depth, buffers.panel, format);
      }
    }
  }
}

// ---- Tiles as they are -------------------------------------------------------------------------

// Bits are copied, of whatever dtype. `to` and `from` are the same or do not overlap.
template <int64_t kColumns, typename T>
PTOWSP_FUNCTION void copyTile(T* to, int64_t to_stride, const T* from, int64_t from_stride,
                              int64_t rows) {
  for (int64_t row = 0; row < rows; ++row)
    forColumns<kColumns>([&](auto at) PTOWSP_INLINE {
      constexpr int kCount = decltype(at)::kColumns;
      T* const target = to + row * to_stride + at.column;
      const T* const source = from + row * from_stride + at.column;
      if constexpr (sizeof(T) == 4)
        storeWords<kCount>(target, loadWords<kCount>(source));
      else
        storeHalves<kCount>(target, loadHalves<kCount>(source));
    });
}

// One number everywhere.
template <int64_t kColumns, typename T, typename V, typename Format>
PTOWSP_FUNCTION void fillTile(T* to, int64_t stride, V value, int64_t rows, const Format& format) {
  for (int64_t row = 0; row < rows; ++row)
    forColumns<kColumns>(
        [&](auto at) PTOWSP_INLINE { format.store(to + row * stride, at, value); });
}

}  // namespace
}  // namespace ptowsp

#endif  // PTOWSP_MATMUL_H
