// SPDX-License-Identifier: MIT
// The 16-bit floats of simulated kernels, and casts. In registers f16 and bf16 are floats that hold a
// value of the narrow type: ops compute in float, then round, so that storing loses nothing. Objects, as their constants are made
// before the loops. No compiler's own conversion is used: some are calls of a library.
#ifndef PTOWSP_FLOAT16_H
#define PTOWSP_FLOAT16_H

#pragma GCC system_header

#include "ptowsp_elementwise.h"

namespace ptowsp {
namespace {

typedef uint16_t HalfInMemory __attribute__((may_alias));
typedef uint16_t Halves __attribute__((vector_size(2 * PTOWSP_LANES)));
typedef Halves HalvesInMemory __attribute__((aligned(2), may_alias));
typedef uint64_t FourHalvesInMemory __attribute__((aligned(2), may_alias));

// kCount 16-bit elements, each in the low half of its lane.
template <int kCount>
PTOWSP_FUNCTION Bits loadHalves(const uint16_t* from) {
  Bits x{};
  if constexpr (kCount == kLanes) {
#if PTOWSP_LANES >= 8
    asm("vpmovzxwd %1, %0" : "=v"(x) : "m"(*reinterpret_cast<const HalvesInMemory*>(from)));
#elif defined(__SSE2__)
    const uint64_t four = *reinterpret_cast<const FourHalvesInMemory*>(from);
    const Bits zero{};
    asm("movq %1, %0\n\tpunpcklwd %2, %0" : "=&x"(x) : "r"(four), "x"(zero));
#else
    const uint64_t four = *reinterpret_cast<const FourHalvesInMemory*>(from);
    asm("fmov %d0, %1\n\tushll %0.4s, %0.4h, #0" : "=w"(x) : "r"(four));
#endif
    return x;
  }
#if defined(PTOWSP_MASKED)
  asm("vpmovzxwd %1, %0%{%2%}%{z%}"
      : "=v"(x)
      : "m"(*reinterpret_cast<const HalfInMemory(*)[kCount]>(from)), "Yk"(firstLanes(kCount)));
#else
  const HalfInMemory* const halves = reinterpret_cast<const HalfInMemory*>(from);
#pragma GCC unroll 16
  for (int i = 0; i < kCount; ++i) x[i] = halves[i];
#endif
  return x;
}

// The low halves of the first kCount lanes; the high halves are 0.
template <int kCount>
PTOWSP_FUNCTION void storeHalves(uint16_t* to, Bits x) {
  if constexpr (kCount == kLanes) {
#if defined(__AVX512F__)
    asm("vpmovdw %1, %0" : "=m"(*reinterpret_cast<HalvesInMemory*>(to)) : "v"(x));
#elif PTOWSP_LANES == 8
    asm("vpackusdw %0, %0, %0\n\tvpermq $0xd8, %0, %0" : "+x"(x));
    asm("vmovdqu %x1, %0" : "=m"(*reinterpret_cast<HalvesInMemory*>(to)) : "x"(x));
#elif defined(__SSE2__)
    uint64_t four;
    asm("pslld $16, %1\n\tpsrad $16, %1\n\tpackssdw %1, %1\n\tmovq %1, %0" : "=r"(four), "+x"(x));
    *reinterpret_cast<FourHalvesInMemory*>(to) = four;
#else
    uint64_t four;
    asm("xtn %1.4h, %1.4s\n\tfmov %0, %d1" : "=r"(four), "+w"(x));
    *reinterpret_cast<FourHalvesInMemory*>(to) = four;
#endif
    return;
  }
#if defined(PTOWSP_MASKED)
  asm("vpmovdw %1, %0%{%2%}"
      : "=m"(*reinterpret_cast<HalfInMemory(*)[kCount]>(to))
      : "v"(x), "Yk"(firstLanes(kCount)));
#else
  HalfInMemory* const halves = reinterpret_cast<HalfInMemory*>(to);
#pragma GCC unroll 16
  for (int i = 0; i < kCount; ++i) halves[i] = (uint16_t)x[i];
#endif
}

// What F16 and Bf16 have in common; `Format` converts between floats and bits.
template <typename Format>
struct Float16 : Format {
  PTOWSP_INLINE Float16() {}
  template <int kPart, int kCount, bool kEndsBlock>
  PTOWSP_INLINE Lanes load(const uint16_t* row, At<kPart, kCount, kEndsBlock> at) const {
    return this->toFloats(loadHalves<kCount>(row + at.column));
  }
  template <int kPart, int kCount, bool kEndsBlock>
  PTOWSP_INLINE void store(uint16_t* row, At<kPart, kCount, kEndsBlock> at, Lanes x) const {
    storeHalves<kCount>(row + at.column, this->toBits(x));
  }
  PTOWSP_INLINE Lanes loadOne(const uint16_t* from) const {
    return this->toFloats(broadcast((uint32_t)*from));
  }
  PTOWSP_INLINE void storeOne(uint16_t* to, Lanes x) const { *to = (uint16_t)this->toBits(x)[0]; }
  // A scalar argument: the bits in the lowest quarter.
  PTOWSP_INLINE Lanes scalar(int64_t argument) const {
    return this->toFloats(broadcast((uint32_t)(uint16_t)argument));
  }
};

#if defined(__F16C__) || defined(__AVX512F__) || defined(__aarch64__)
// With the machine's conversions.
#if defined(__aarch64__)
#define PTOWSP_ROUND_HALF "fcvtn %0.4h, %0.4s\n\tfcvtl %0.4s, %0.4h"
#define PTOWSP_FROM_HALF "xtn %0.4h, %1.4s\n\tfcvtl %0.4s, %0.4h"
#define PTOWSP_TO_HALF "fcvtn %0.4h, %1.4s\n\tushll %0.4s, %0.4h, #0"
#elif defined(__AVX512F__)
#define PTOWSP_ROUND_HALF "vcvtps2ph $0, %0, %t0\n\tvcvtph2ps %t0, %0"
#define PTOWSP_FROM_HALF "vpmovdw %1, %t0\n\tvcvtph2ps %t0, %0"
#define PTOWSP_TO_HALF "vcvtps2ph $0, %1, %t0\n\tvpmovzxwd %t0, %0"
#else
#define PTOWSP_ROUND_HALF "vcvtps2ph $0, %0, %x0\n\tvcvtph2ps %x0, %0"
#define PTOWSP_FROM_HALF "vpackusdw %1, %1, %0\n\tvpermq $0xd8, %0, %0\n\tvcvtph2ps %x0, %0"
#define PTOWSP_TO_HALF "vcvtps2ph $0, %1, %x0\n\tvpmovzxwd %x0, %0"
#endif
struct HalfFormat {
  PTOWSP_INLINE HalfFormat() {}
  PTOWSP_INLINE Lanes round(Lanes x) const {
    asm(PTOWSP_ROUND_HALF : "+" PTOWSP_REGISTER(x));
    return x;
  }
  PTOWSP_INLINE Lanes toFloats(Bits h) const {
    Lanes x;
    asm(PTOWSP_FROM_HALF : "=" PTOWSP_REGISTER(x) : PTOWSP_REGISTER(h));
    return x;
  }
  PTOWSP_INLINE Bits toBits(Lanes x) const {
    Bits h;
    asm(PTOWSP_TO_HALF : "=" PTOWSP_REGISTER(h) : PTOWSP_REGISTER(x));
    return h;
  }
};
#else
// By arithmetic on bits. Exponents differ by 112; multiplying by 2^112 and back lets the machine
// treat subnormal values.
struct HalfFormat {
  Bits magnitude, low_15, sign_16, largest_finite, infinity, rounding, odd, kept;
  Bits infinity_16, nan_16, limit;
  Lanes two_112, two_minus_112, half, smallest_normal;
  PTOWSP_INLINE HalfFormat()
      : magnitude(sameBits(0x7fffffff)),
        low_15(sameBits(0x7fff)),
        sign_16(sameBits(0x8000)),
        largest_finite(sameBits(0x7bff)),
        infinity(sameBits(0x7f800000)),
        rounding(sameBits(0xfff)),
        odd(sameBits(1)),
        kept(sameBits(0xffffe000)),
        infinity_16(sameBits(0x7c00)),
        nan_16(sameBits(0x7e00)),
        limit(sameBits(0x477fffff)),  // just below 2^16
        two_112(constant(0x77800000)),
        two_minus_112(constant(0x07800000)),
        half(constant(0x3f000000)),  // its unit in the last place is f16's smallest value
        smallest_normal(constant(0x38800000)) {}

  PTOWSP_INLINE Lanes round(Lanes x) const {
    const Bits a = (Bits)x & magnitude, sign = (Bits)x & ~magnitude;
    const Lanes subnormal = ((Lanes)a + half) - half;
    Bits normal = (a + rounding + ((a >> 13) & odd)) & kept;
    normal = (Integers)normal > (Integers)limit ? infinity : normal;
    const Bits r = (Lanes)a < smallest_normal ? (Bits)subnormal : normal;
    return isNaN(x) ? x : (Lanes)(r | sign);
  }
  PTOWSP_INLINE Lanes toFloats(Bits h) const {
    const Bits m = h & low_15, wide = m << 13;
    const Bits finite = (Bits)((Lanes)wide * two_112);
    const Bits r = (Integers)m > (Integers)largest_finite ? (wide | infinity) : finite;
    return (Lanes)(r | ((h & sign_16) << 16));
  }
  PTOWSP_INLINE Bits toBits(Lanes x) const {
    const Bits a = (Bits)x & magnitude;
    Bits r = (Bits)((Lanes)a * two_minus_112) >> 13;
    r = (Integers)a > (Integers)limit ? infinity_16 : r;
    r = isNaN(x) ? nan_16 : r;
    return r | (((Bits)x >> 16) & sign_16);
  }
};
#endif
typedef Float16<HalfFormat> F16;

struct BrainFormat {
  Bits rounding, odd, kept, nan;
  PTOWSP_INLINE BrainFormat()
      : rounding(sameBits(0x7fff)), odd(sameBits(1)), kept(sameBits(0xffff0000)),
        nan(sameBits(0x7fc00000)) {}
  PTOWSP_INLINE Lanes round(Lanes x) const {
    const Bits b = (Bits)x;
    return (Lanes)((isNaN(x) ? (b | nan) : b + rounding + ((b >> 16) & odd)) & kept);
  }
  PTOWSP_INLINE Lanes toFloats(Bits h) const { return (Lanes)(h << 16); }
  PTOWSP_INLINE Bits toBits(Lanes x) const {
    asm("" : "+" PTOWSP_REGISTER(x));  // storing what was loaded would become a mask in .rodata
    return (Bits)x >> 16;
  }
};
typedef Float16<BrainFormat> Bf16;

// ---- Casts -------------------------------------------------------------------------------------

PTOWSP_FUNCTION Lanes toFloats(Integers x) { return __builtin_convertvector(x, Lanes); }

// For rounding to bf16 next: a float takes 24 bits, so what is lost leaves a trace in the last of
// them, and the second rounding sees on which side of a tie the integer was.
struct ToTracedFloats {
  Bits low_8, trace;
  Integers exact;
  PTOWSP_INLINE ToTracedFloats()
      : low_8(sameBits(0xff)), trace(sameBits(0x100)), exact(integer(0x00ffffff)) {}
  PTOWSP_INLINE Lanes operator()(Integers x) const {
    const Bits sign = (Bits)(x >> 31), m = ((Bits)x ^ sign) - sign;
    const Bits lost = m & low_8, cut = m - lost;
    const Bits traced = cut | ((lost != Bits{} ? trace : Bits{}));
    // 2^31, the magnitude of the smallest integer, is negative here, and exact.
    const Bits r = (Integers)m > exact ? traced : m;
    return toFloats((Integers)((r ^ sign) - sign));
  }
};

// Towards zero; beyond the ends the nearest of them; 0 for NaN.
struct ToIntegers {
  Lanes two_31, lowest;
  Integers largest, smallest;
  PTOWSP_INLINE ToIntegers()
      : two_31(constant(0x4f000000)), lowest(constant(0xcf000000)),
        largest(integer(0x7fffffff)), smallest(integer(0x80000000)) {}
  PTOWSP_INLINE Integers operator()(Lanes x) const {
    const Lanes inside = x < two_31 ? (x > lowest ? x : Lanes{}) : Lanes{};
    Integers r = __builtin_convertvector(inside, Integers);
    r = x >= two_31 ? largest : r;
    return x <= lowest ? smallest : r;
  }
};

}  // namespace
}  // namespace ptowsp

#endif  // PTOWSP_FLOAT16_H
