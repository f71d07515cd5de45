// SPDX-License-Identifier: MIT
// Approximations of simulated kernels in float arithmetic: at most 2 units in the last place over all
// floats. Objects, so that their constants are made before the loops.
#ifndef PTOWSP_MATH_H
#define PTOWSP_MATH_H

#pragma GCC system_header

#include "ptowsp_elementwise.h"

namespace ptowsp {
namespace {

struct Rsqrt {
  Lanes one;
  PTOWSP_INLINE Rsqrt() : one(constant(0x3f800000)) {}
  PTOWSP_INLINE Lanes operator()(Lanes x) const { return one / sqrt(x); }
};

// e^x = 2^n * e^r with n = round(x / ln 2) and |r| <= ln 2 / 2, e^r = 1 + r (1 + r p(r)). p is a
// minimax polynomial of degree 4 (relative error 2^-28). Beyond the bounds the result is 0 or inf.
struct Exp {
  Lanes lowest, highest, log2_e, shift, minus_ln2_high, minus_ln2_low, one, p2, p3, p4, p5, p6;
  PTOWSP_INLINE Exp()
      : lowest(constant(0xc2d00000)),          // -104
        highest(constant(0x42b20000)),         // 89
        log2_e(constant(0x3fb8aa3b)),          // 1 / ln 2
        shift(constant(0x4b4000fe)),           // 1.5 * 2^23 + 254: rounds, and biases n for scale()
        minus_ln2_high(constant(0xbf318000)),  // few bits, so that n times it is exact
        minus_ln2_low(constant(0x395e8083)),
        one(constant(0x3f800000)),
        p2(constant(0x3efffffe)),
        p3(constant(0x3e2aaa49)),
        p4(constant(0x3d2aac58)),
        p5(constant(0x3c091cc3)),
        p6(constant(0x3ab5265a)) {}

  // y * 2^n, where `shifted` is n + shift. In two steps, of which only the second can round, so that
  // results below the normal range and beyond the largest float come out right.
  PTOWSP_INLINE Lanes scale(Lanes y, Lanes shifted, Lanes n) const {
#if defined(__AVX512F__)
    (void)shifted;
    asm("vscalefps %1, %0, %0" : "+v"(y) : "v"(n));
    return y;
#else
    (void)n;
    // The low bits of `shifted` are n + 254; each half is the biased exponent of one factor.
    const Bits sum = (Bits)shifted, half = sum >> 1;
    return y * (Lanes)(half << 23) * (Lanes)((sum - half) << 23);
#endif
  }

  PTOWSP_INLINE Lanes operator()(Lanes x) const {
    x = smaller(highest, larger(lowest, x));  // keeps NaN
    const Lanes shifted = mulAdd(x, log2_e, shift);
    const Lanes n = shifted - shift;
    const Lanes r = mulAdd(n, minus_ln2_low, mulAdd(n, minus_ln2_high, x));
    Lanes p = mulAdd(p6, r, p5);
    p = mulAdd(p, r, p4);
    p = mulAdd(p, r, p3);
    p = mulAdd(p, r, p2);
    p = mulAdd(p, r, one);
    return scale(mulAdd(p, r, one), shifted, n);
  }
};

// log x = e ln 2 + log(1 + f) with 1 + f in [sqrt(1/2), sqrt(2)), log(1 + f) = f - f^2 / 2 + f^3 p(f).
// p is a minimax polynomial of degree 7 (relative error 2^-27).
struct Log {
  Lanes smallest_normal, two_23, twenty_three, infinity, minus_infinity, not_a_number;
  Bits root_half, mantissa;
  Lanes minus_half, one, ln2_high, ln2_low, p0, p1, p2, p3, p4, p5, p6, p7;
  PTOWSP_INLINE Log()
      : smallest_normal(constant(0x00800000)),
        two_23(constant(0x4b000000)),
        twenty_three(constant(0x41b80000)),
        infinity(constant(0x7f800000)),
        minus_infinity(constant(0xff800000)),
        not_a_number(constant(0x7fc00000)),
        root_half(sameBits(0x3f3504f3)),
        mantissa(sameBits(0x007fffff)),
        minus_half(constant(0xbf000000)),
        one(constant(0x3f800000)),
        ln2_high(constant(0x3f318000)),  // few bits, so that e times it is exact
        ln2_low(constant(0xb95e8083)),
        p0(constant(0x3eaaaaaa)),
        p1(constant(0xbe800113)),
        p2(constant(0x3e4cd00e)),
        p3(constant(0xbe2a3945)),
        p4(constant(0x3e116c97)),
        p5(constant(0xbe06c121)),
        p6(constant(0x3e02af63)),
        p7(constant(0xbd9c64ef)) {}

  PTOWSP_INLINE Lanes operator()(Lanes x) const {
    const Lanes normal = x < smallest_normal ? x * two_23 : x;
    const Lanes excess = x < smallest_normal ? twenty_three : Lanes{};
    const Bits above = (Bits)normal - root_half;
    const Lanes e = __builtin_convertvector((Integers)above >> 23, Lanes) - excess;
    const Lanes f = (Lanes)((above & mantissa) + root_half) - one;
    Lanes p = mulAdd(p7, f, p6);
    p = mulAdd(p, f, p5);
    p = mulAdd(p, f, p4);
    p = mulAdd(p, f, p3);
    p = mulAdd(p, f, p2);
    p = mulAdd(p, f, p1);
    p = mulAdd(p, f, p0);
    // From the smallest term to the largest.
    const Lanes f2 = f * f;
    Lanes r = mulAdd(p, f2 * f, e * ln2_low);
    r = mulAdd(f2, minus_half, r);
    r = mulAdd(e, ln2_high, f + r);
    const Lanes outside = x == Lanes{} ? minus_infinity : not_a_number;
    r = x > Lanes{} ? r : outside;
    return x == infinity ? x : r;
  }
};

}  // namespace
}  // namespace ptowsp

#endif  // PTOWSP_MATH_H
