// SPDX-License-Identifier: MIT
// Elementwise ops of simulated kernels that are one or two instructions. Those that need constants are
// objects, made before the loops.
#ifndef PTOWSP_ELEMENTWISE_H
#define PTOWSP_ELEMENTWISE_H

#pragma GCC system_header

#include "ptowsp_vector.h"

namespace ptowsp {
namespace {

PTOWSP_FUNCTION Lanes add(Lanes a, Lanes b) { return a + b; }
PTOWSP_FUNCTION Lanes sub(Lanes a, Lanes b) { return a - b; }
PTOWSP_FUNCTION Lanes mul(Lanes a, Lanes b) { return a * b; }
PTOWSP_FUNCTION Lanes div(Lanes a, Lanes b) { return a / b; }
// Integers wrap, which only the unsigned ones are allowed to.
PTOWSP_FUNCTION Integers add(Integers a, Integers b) { return (Integers)((Bits)a + (Bits)b); }
PTOWSP_FUNCTION Integers sub(Integers a, Integers b) { return (Integers)((Bits)a - (Bits)b); }
PTOWSP_FUNCTION Integers mul(Integers a, Integers b) { return (Integers)((Bits)a * (Bits)b); }

// a where it is larger, else b: what maxps does, NaN included. g++ makes three instructions of the
// vector form where the machine has masks.
template <typename T>
PTOWSP_FUNCTION T larger(T a, T b) {
  return a > b ? a : b;
}
template <typename T>
PTOWSP_FUNCTION T smaller(T a, T b) {
  return a < b ? a : b;
}
#if defined(__AVX__)
PTOWSP_FUNCTION Lanes larger(Lanes a, Lanes b) {
  asm("vmaxps %1, %2, %0" : "=v"(a) : "v"(b), "v"(a));
  return a;
}
PTOWSP_FUNCTION Lanes smaller(Lanes a, Lanes b) {
  asm("vminps %1, %2, %0" : "=v"(a) : "v"(b), "v"(a));
  return a;
}
#endif

// As numpy.maximum and numpy.minimum: a NaN on either side is the result; of two zeros the first.
PTOWSP_FUNCTION Lanes max(Lanes a, Lanes b) { return isNaN(b) ? b : larger(b, a); }
PTOWSP_FUNCTION Lanes min(Lanes a, Lanes b) { return isNaN(b) ? b : smaller(b, a); }
PTOWSP_FUNCTION Integers max(Integers a, Integers b) { return larger(a, b); }
PTOWSP_FUNCTION Integers min(Integers a, Integers b) { return smaller(a, b); }
PTOWSP_FUNCTION Lanes relu(Lanes x) { return larger(Lanes{}, x); }
PTOWSP_FUNCTION Integers relu(Integers x) { return larger(Integers{}, x); }

// Rounded correctly by the machine's own instruction; the builtin would set errno through a call.
PTOWSP_FUNCTION Lanes sqrt(Lanes x) {
#if defined(__AVX__)
  asm("vsqrtps %1, %0" : "=v"(x) : "v"(x));
#elif defined(__SSE__)
  asm("sqrtps %1, %0" : "=x"(x) : "x"(x));
#elif defined(__aarch64__)
  asm("fsqrt %0.4s, %1.4s" : "=w"(x) : "w"(x));
#else
#error "no square root instruction known for this machine"
#endif
  return x;
}

struct Neg {
  Bits sign;
  PTOWSP_INLINE Neg() : sign(sameBits(0x80000000)) {}
  PTOWSP_INLINE Lanes operator()(Lanes x) const { return (Lanes)((Bits)x ^ sign); }
  PTOWSP_INLINE Integers operator()(Integers x) const { return (Integers)(Bits{} - (Bits)x); }
};

struct Abs {
  Bits magnitude;
  PTOWSP_INLINE Abs() : magnitude(sameBits(0x7fffffff)) {}
  PTOWSP_INLINE Lanes operator()(Lanes x) const { return (Lanes)((Bits)x & magnitude); }
  PTOWSP_INLINE Integers operator()(Integers x) const {
    const Bits negative = (Bits)(x >> 31);
    return (Integers)(((Bits)x ^ negative) - negative);
  }
};

// a * b + c, rounded once where the machine can; used inside approximations only.
PTOWSP_FUNCTION Lanes mulAdd(Lanes a, Lanes b, Lanes c) {
#if defined(__FMA__) || defined(__AVX512F__)
  asm("vfmadd213ps %2, %1, %0" : "+v"(a) : "v"(b), "v"(c));
  return a;
#elif defined(__aarch64__)
  asm("fmla %0.4s, %1.4s, %2.4s" : "+w"(c) : "w"(a), "w"(b));
  return c;
#else
  return a * b + c;
#endif
}

}  // namespace
}  // namespace ptowsp

#endif  // PTOWSP_ELEMENTWISE_H
