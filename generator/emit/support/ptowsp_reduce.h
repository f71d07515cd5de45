// SPDX-License-Identifier: MIT
// Reductions of simulated kernels: of a row in registers, of columns in a row of running values.
#ifndef PTOWSP_REDUCE_H
#define PTOWSP_REDUCE_H

#pragma GCC system_header

#include "ptowsp_elementwise.h"

namespace ptowsp {
namespace {

// How two values become one. Sums of integers are taken as unsigned, which may wrap.
struct Plus {
  template <typename T>
  static PTOWSP_INLINE T join(T a, T b) {
    return a + b;
  }
};
struct Larger {
  template <typename T>
  static PTOWSP_INLINE T join(T a, T b) {
    return larger(b, a);
  }
};
struct Smaller {
  template <typename T>
  static PTOWSP_INLINE T join(T a, T b) {
    return smaller(b, a);
  }
};

// Element: of a vector; Quad: four of them in memory.
template <typename V>
struct Of;
template <>
struct Of<Lanes> {
  typedef float Element;
  typedef float Quad __attribute__((vector_size(16)));
};
template <>
struct Of<Integers> {
  typedef int32_t Element;
  typedef int32_t Quad __attribute__((vector_size(16)));
};
template <>
struct Of<Bits> {
  typedef uint32_t Element;
  typedef uint32_t Quad __attribute__((vector_size(16)));
};

// Parts: 16 running values, joined at the end in one fixed order: i with i + 8, then 4, 2, 1.
template <typename V>
struct Parts {
  typedef typename Of<V>::Element Element;
  V part[kParts];

  PTOWSP_INLINE explicit Parts(uint32_t identity) {
#pragma GCC unroll 4
    for (int i = 0; i < kParts; ++i) part[i] = (V)sameBits(identity);
  }

  template <typename Join>
  PTOWSP_INLINE Element total() const {
    typedef typename Of<V>::Quad Quad;
    typedef Quad QuadInMemory __attribute__((may_alias));
    V copy[kParts];  // only the copy has its address taken; `part` can stay in registers
#pragma GCC unroll 4
    for (int i = 0; i < kParts; ++i) {
      V x = part[i];
#if defined(__AVX__)
      asm("" : "+v"(x));  // g++ 12 dies of an internal error when it can look through this
#endif
      copy[i] = x;
    }
    const QuadInMemory* const quads = reinterpret_cast<const QuadInMemory*>(copy);
    const Quad even = Join::join((Quad)quads[0], (Quad)quads[2]);
    const Quad odd = Join::join((Quad)quads[1], (Quad)quads[3]);
    const Quad four = Join::join(even, odd);
    return Join::join(Join::join((Element)four[0], (Element)four[2]),
                      Join::join((Element)four[1], (Element)four[3]));
  }
};

// Remembers whether any value was NaN, beside the chain of comparisons instead of in it.
struct NaNSeen {
#if defined(__AVX512F__)
  uint16_t seen = 0;
  PTOWSP_INLINE NaNSeen() {}
  PTOWSP_INLINE void note(Lanes x) {
    uint16_t is_nan;
    asm("vcmpunordps %1, %1, %0" : "=Yk"(is_nan) : "v"(x));
    seen |= is_nan;
  }
  PTOWSP_INLINE bool any() const { return seen != 0; }
#else
  Bits seen;
  PTOWSP_INLINE NaNSeen() : seen{} {}
  PTOWSP_INLINE void note(Lanes x) { seen |= (Bits)isNaN(x); }
  PTOWSP_INLINE bool any() const {
    uint32_t all = 0;
#pragma GCC unroll 8
    for (int i = 0; i < kLanes; ++i) all |= seen[i];
    return all != 0;
  }
#endif
};

// ---- Rows --------------------------------------------------------------------------------------

// Sum: of V, which is Lanes or Bits.
template <int64_t kColumns, typename V>
struct Sum {
  Parts<V> blocks;  // sums of whole blocks
  Parts<V> parts;
  PTOWSP_INLINE Sum() : blocks(0), parts(0) {}

  template <int kPart, int kCount, bool kEndsBlock>
  PTOWSP_INLINE void add(At<kPart, kCount, kEndsBlock>, V x) {
    parts.part[kPart] = firstOf<kCount>(parts.part[kPart] + x, parts.part[kPart]);
    if constexpr (kEndsBlock) flush<kPart>();
  }
  template <int kPart>
  PTOWSP_INLINE void flush() {
    blocks.part[kPart] += parts.part[kPart];
    parts.part[kPart] = V{};
  }
  PTOWSP_INLINE typename Of<V>::Element total() {
    if constexpr (kColumns <= kBlock) return parts.template total<Plus>();
#pragma GCC unroll 4
    for (int i = 0; i < kParts; ++i) blocks.part[i] += parts.part[i];
    return blocks.template total<Plus>();
  }
};

template <int64_t kColumns, typename V = Lanes>
struct Rowsum : Sum<kColumns, Lanes> {
  PTOWSP_INLINE Rowsum() {}
  PTOWSP_INLINE Lanes result() { return broadcast(this->total()); }
};
template <int64_t kColumns>
struct Rowsum<kColumns, Integers> {
  Sum<kColumns, Bits> sum;
  PTOWSP_INLINE Rowsum() {}
  template <typename Where>
  PTOWSP_INLINE void add(Where at, Integers x) {
    sum.add(at, (Bits)x);
  }
  PTOWSP_INLINE Integers result() { return (Integers)broadcast(sum.total()); }
};

template <int64_t kColumns>
struct Rowmean : Sum<kColumns, Lanes> {
  PTOWSP_INLINE Rowmean() {}
  PTOWSP_INLINE Lanes result() {
    int64_t columns = kColumns;
    asm("" : "+r"(columns));  // converted when it runs, so that the float is not in .rodata
    return broadcast(this->total() / (float)columns);
  }
};

// Largest or smallest, NaN when there is one.
template <typename Join, typename V>
struct Extreme {
  Parts<V> parts;
  NaNSeen nan;
  PTOWSP_INLINE explicit Extreme(uint32_t identity) : parts(identity) {}
  template <int kPart, int kCount, bool kEndsBlock>
  PTOWSP_INLINE void add(At<kPart, kCount, kEndsBlock>, Lanes x) {
    x = firstOf<kCount>(x, parts.part[kPart]);
    nan.note(x);
    parts.part[kPart] = Join::join(parts.part[kPart], x);
  }
  PTOWSP_INLINE Lanes result() const {
    return nan.any() ? constant(0x7fc00000) : broadcast(parts.template total<Join>());
  }
};
template <typename Join>
struct Extreme<Join, Integers> {
  Parts<Integers> parts;
  PTOWSP_INLINE explicit Extreme(uint32_t identity) : parts(identity) {}
  template <int kPart, int kCount, bool kEndsBlock>
  PTOWSP_INLINE void add(At<kPart, kCount, kEndsBlock>, Integers x) {
    parts.part[kPart] =
        Join::join(parts.part[kPart], firstOf<kCount>(x, parts.part[kPart]));
  }
  PTOWSP_INLINE Integers result() const { return broadcast(parts.template total<Join>()); }
};

// What joins with any value to that value: the bits of an infinity, or the integer at the other end.
template <typename V>
struct Identity {
  enum : uint32_t { lowest = 0xff800000, highest = 0x7f800000 };
};
template <>
struct Identity<Integers> {
  enum : uint32_t { lowest = 0x80000000, highest = 0x7fffffff };
};

template <int64_t kColumns, typename V = Lanes>
struct Rowmax : Extreme<Larger, V> {
  PTOWSP_INLINE Rowmax() : Extreme<Larger, V>(Identity<V>::lowest) {}
};
template <int64_t kColumns, typename V = Lanes>
struct Rowmin : Extreme<Smaller, V> {
  PTOWSP_INLINE Rowmin() : Extreme<Smaller, V>(Identity<V>::highest) {}
};

// ---- Columns -----------------------------------------------------------------------------------

struct Sums {
  template <typename V>
  static PTOWSP_INLINE V of(V a, V b) {
    return ptowsp::add(a, b);
  }
};
struct Maxima {
  template <typename V>
  static PTOWSP_INLINE V of(V a, V b) {
    return ptowsp::max(a, b);
  }
};
struct Minima {
  template <typename V>
  static PTOWSP_INLINE V of(V a, V b) {
    return ptowsp::min(a, b);
  }
};

// A running value for each column, joined with the tile's rows one after the other.
template <int64_t kColumns, typename V, typename Join>
struct Columns {
  typedef typename Of<V>::Element Element;
  alignas(64) Element running[kColumns];
  PTOWSP_INLINE explicit Columns(uint32_t identity) {
    const V value = (V)sameBits(identity);
    forColumns<kColumns>([&](auto at) PTOWSP_INLINE { store(running, at, value); });
  }
  template <int kPart, int kCount, bool kEndsBlock>
  PTOWSP_INLINE V of(At<kPart, kCount, kEndsBlock> at) const {
    return load(running, at);
  }
  template <typename Where>
  PTOWSP_INLINE void add(Where at, V x) {
    store(running, at, Join::of(of(at), x));
  }
};

template <int64_t kColumns, typename V = Lanes>
struct Colsum : Columns<kColumns, V, Sums> {
  PTOWSP_INLINE Colsum() : Columns<kColumns, V, Sums>(0) {}
};
template <int64_t kColumns, typename V = Lanes>
struct Colmax : Columns<kColumns, V, Maxima> {
  PTOWSP_INLINE Colmax() : Columns<kColumns, V, Maxima>(Identity<V>::lowest) {}
};
template <int64_t kColumns, typename V = Lanes>
struct Colmin : Columns<kColumns, V, Minima> {
  PTOWSP_INLINE Colmin() : Columns<kColumns, V, Minima>(Identity<V>::highest) {}
};

}  // namespace
}  // namespace ptowsp

#endif  // PTOWSP_REDUCE_H
