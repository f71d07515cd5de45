// SPDX-License-Identifier: MIT
// Functions of simulated kernels whose tails no float arithmetic gets right: computed in double,
// rounded to float once. Objects, so that their constants are made before the loops.
#ifndef PTOWSP_DOUBLE_H
#define PTOWSP_DOUBLE_H

#pragma GCC system_header

#include "ptowsp_elementwise.h"

namespace ptowsp {
namespace {

typedef double Doubles __attribute__((vector_size(4 * PTOWSP_LANES)));
typedef uint64_t LongBits __attribute__((vector_size(4 * PTOWSP_LANES)));

PTOWSP_FUNCTION LongBits sameLongBits(uint64_t bits) {
  asm("" : "+r"(bits));
  return bits - LongBits{};
}
PTOWSP_FUNCTION Doubles longConstant(uint64_t bits) { return (Doubles)sameLongBits(bits); }

// The first and the second half of the lanes, and back with one rounding. The compilers' own
// conversions take detours that need constants in memory.
PTOWSP_FUNCTION Doubles firstHalf(Lanes x) {
  Doubles y;
#if defined(__AVX512F__)
  asm("vcvtps2pd %t1, %0" : "=v"(y) : "v"(x));
#elif PTOWSP_LANES == 8
  asm("vcvtps2pd %x1, %0" : "=x"(y) : "x"(x));
#elif defined(__SSE2__)
  asm("cvtps2pd %1, %0" : "=x"(y) : "x"(x));
#else
  asm("fcvtl %0.2d, %1.2s" : "=w"(y) : "w"(x));
#endif
  return y;
}
PTOWSP_FUNCTION Doubles secondHalf(Lanes x) {
  Doubles y;
#if defined(__AVX512F__)
  asm("vextractf64x4 $1, %1, %t0\n\tvcvtps2pd %t0, %0" : "=v"(y) : "v"(x));
#elif PTOWSP_LANES == 8
  asm("vextractf128 $1, %1, %x0\n\tvcvtps2pd %x0, %0" : "=x"(y) : "x"(x));
#elif defined(__SSE2__)
  asm("movaps %1, %0\n\tmovhlps %0, %0\n\tcvtps2pd %0, %0" : "=x"(y) : "x"(x));
#else
  asm("fcvtl2 %0.2d, %1.4s" : "=w"(y) : "w"(x));
#endif
  return y;
}
PTOWSP_FUNCTION Lanes joinHalves(Doubles first, Doubles second) {
  Lanes x, y;
#if defined(__AVX512F__)
  asm("vcvtpd2ps %2, %t0\n\tvcvtpd2ps %3, %t1\n\tvinsertf64x4 $1, %t1, %0, %0"
      : "=&v"(x), "=&v"(y)
      : "v"(first), "v"(second));
#elif PTOWSP_LANES == 8
  asm("vcvtpd2ps %2, %x0\n\tvcvtpd2ps %3, %x1\n\tvinsertf128 $1, %x1, %0, %0"
      : "=&x"(x), "=&x"(y)
      : "x"(first), "x"(second));
#elif defined(__SSE2__)
  asm("cvtpd2ps %2, %0\n\tcvtpd2ps %3, %1\n\tmovlhps %1, %0"
      : "=&x"(x), "=&x"(y)
      : "x"(first), "x"(second));
#else
  (void)y;
  asm("fcvtn %0.2s, %1.2d\n\tfcvtn2 %0.4s, %2.2d" : "=&w"(x) : "w"(first), "w"(second));
#endif
  return x;
}

PTOWSP_FUNCTION Doubles mulAdd(Doubles a, Doubles b, Doubles c) {
#if defined(__FMA__) || defined(__AVX512F__)
  asm("vfmadd213pd %2, %1, %0" : "+v"(a) : "v"(b), "v"(c));
  return a;
#elif defined(__aarch64__)
  asm("fmla %0.2d, %1.2d, %2.2d" : "+w"(c) : "w"(a), "w"(b));
  return c;
#else
  return a * b + c;
#endif
}

// e^y - 1 with an error below 2^-37 of it, zeros included. y = n ln 2 + r with |r| <= ln 2 / 2; of
// e^r - 1 the Taylor series up to r^10 / 10!; e^y - 1 = 2^n (e^r - 1) + (2^n - 1) cancels nowhere.
struct Expm1 {
  Doubles lowest, highest, infinity, log2_e, shift, minus_ln2_high, minus_ln2_low, one;
  Doubles c2, c3, c4, c5, c6, c7, c8, c9, c10;
  PTOWSP_INLINE Expm1()
      : lowest(longConstant(0xc04e000000000000)),    // -60, where the result is -1
        highest(longConstant(0x4086280000000000)),   // 709
        infinity(longConstant(0x7ff0000000000000)),
        log2_e(longConstant(0x3ff71547652b82fe)),    // 1 / ln 2
        shift(longConstant(0x4338000000000000)),     // 1.5 * 2^52: rounds, low bits are n
        minus_ln2_high(longConstant(0xbfe62e42fee00000)),  // few bits: n times it is exact
        minus_ln2_low(longConstant(0xbdea39ef35793c76)),
        one(longConstant(0x3ff0000000000000)),
        c2(longConstant(0x3fe0000000000000)),
        c3(longConstant(0x3fc5555555555555)),
        c4(longConstant(0x3fa5555555555555)),
        c5(longConstant(0x3f81111111111111)),
        c6(longConstant(0x3f56c16c16c16c17)),
        c7(longConstant(0x3f2a01a01a01a01a)),
        c8(longConstant(0x3efa01a01a01a01a)),
        c9(longConstant(0x3ec71de3a556c734)),
        c10(longConstant(0x3e927e4fb7789f5c)) {}

  PTOWSP_INLINE Doubles operator()(Doubles y) const {
    Doubles x = y > highest ? highest : y;  // keeps NaN
    x = x < lowest ? lowest : x;
    const Doubles shifted = mulAdd(x, log2_e, shift);
    const Doubles n = shifted - shift;
    const Doubles r = mulAdd(n, minus_ln2_low, mulAdd(n, minus_ln2_high, x));
    Doubles p = mulAdd(c10, r, c9);
    p = mulAdd(p, r, c8);
    p = mulAdd(p, r, c7);
    p = mulAdd(p, r, c6);
    p = mulAdd(p, r, c5);
    p = mulAdd(p, r, c4);
    p = mulAdd(p, r, c3);
    p = mulAdd(p, r, c2);
    p = mulAdd(p, r * r, r);
    const Doubles power = (Doubles)(((LongBits)shifted << 52) + (LongBits)one);  // 2^n
    const Doubles result = mulAdd(power, p, power - one);
    return y > highest ? infinity : result;
  }
};

// Sigmoid and what is made of it: a / (1 + e^-b).
struct Logistic {
  Expm1 expm1;
  Doubles two;
  PTOWSP_INLINE Logistic() : two(longConstant(0x4000000000000000)) {}
  PTOWSP_INLINE Doubles of(Doubles a, Doubles minus_b) const { return a / (expm1(minus_b) + two); }
};

struct Sigmoid : Logistic {
  PTOWSP_INLINE Sigmoid() {}
  PTOWSP_INLINE Doubles at(Doubles x) const { return of(expm1.one, Doubles{} - x); }
  PTOWSP_INLINE Lanes operator()(Lanes x) const {
    return joinHalves(at(firstHalf(x)), at(secondHalf(x)));
  }
};

struct Silu : Logistic {
  PTOWSP_INLINE Silu() {}
  PTOWSP_INLINE Doubles at(Doubles x) const { return of(x, Doubles{} - x); }
  PTOWSP_INLINE Lanes operator()(Lanes x) const {
    return joinHalves(at(firstHalf(x)), at(secondHalf(x)));
  }
};

// (x / 2) (1 + tanh u) = x / (1 + e^-2u), u = sqrt(2 / pi) (x + 0.044715 x^3).
struct Gelu : Logistic {
  Doubles linear, cubic;
  PTOWSP_INLINE Gelu()
      : linear(longConstant(0xbff9884533d43651)),     // -2 sqrt(2 / pi)
        cubic(longConstant(0xbfb2444f2a4d8b4b)) {}    // 0.044715 times that
  PTOWSP_INLINE Doubles at(Doubles x) const {
    return of(x, x * mulAdd(cubic, x * x, linear));
  }
  PTOWSP_INLINE Lanes operator()(Lanes x) const {
    return joinHalves(at(firstHalf(x)), at(secondHalf(x)));
  }
};

// tanh x = t / (t + 2), t = e^2|x| - 1, with the sign of x.
struct Tanh {
  Expm1 expm1;
  Doubles two, most;
  Bits sign;
  PTOWSP_INLINE Tanh()
      : two(longConstant(0x4000000000000000)),
        most(longConstant(0x4044000000000000)),  // 40: the result is 1 long before
        sign(sameBits(0x80000000)) {}
  PTOWSP_INLINE Doubles at(Doubles x) const {
    const Doubles y = x + x, t = expm1(y > most ? most : y);
    return t / (t + two);
  }
  PTOWSP_INLINE Lanes operator()(Lanes x) const {
    const Lanes magnitude = (Lanes)((Bits)x & ~sign);
    const Lanes y = joinHalves(at(firstHalf(magnitude)), at(secondHalf(magnitude)));
    return (Lanes)((Bits)y | ((Bits)x & sign));
  }
};

}  // namespace
}  // namespace ptowsp

#endif  // PTOWSP_DOUBLE_H
