// What the simulated kernels of PtoWsp share: vectors, column passes, row reductions and math, in
// C++17 without any library. Emitted beside the kernels; not meant to be edited or included elsewhere.
//
// A kernel must be right in two forms: as a shared library, and as the bare bytes of its .text
// section with nothing relocated (`g++ -c -O2 -fPIC`). So nothing here may call a function that is
// not inlined, or leave a constant to .rodata: constants are built from integers that the optimiser
// cannot see through, outside the loops. A test compiles both forms and runs them.
//
// Results do not depend on the alignment of tiles or on how the runtime schedules tasks. Sums are
// taken in 16 lanes whatever the vector width of the machine.
#ifndef PTOWSP_TILE_H
#define PTOWSP_TILE_H

// Whatever warnings a project asks of its own code, it need not read those about this file.
#pragma GCC system_header

#include <stdint.h>

// Raised whenever a kernel emitted for another version of this file would not compile or be right.
#define PTOWSP_TILE_VERSION 1

#if defined(__FAST_MATH__) || (defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__)
#error "kernels follow IEEE 754: compile them with -fno-fast-math"
#endif

#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF
// Loops that fill or copy must not become calls of memset or memcpy.
#define PTOWSP_NO_LIBRARY_CALLS __attribute__((no_builtin))
#elif defined(__GNUC__)
// As above; and no part of a kernel may move to another section, and a * b + c in the user's ops
// rounds twice on every machine.
#pragma GCC optimize("no-tree-loop-distribute-patterns", "no-stack-protector", \
                     "no-reorder-blocks-and-partition", "fp-contract=off")
#define PTOWSP_NO_LIBRARY_CALLS
#else
#error "kernels need g++ or clang++"
#endif

// Predefined by compilers in their GNU modes, and good names for a tile.
#undef linux
#undef unix
#undef i386

#define PTOWSP_INLINE __attribute__((always_inline))
#define PTOWSP_FUNCTION static inline PTOWSP_INLINE

// Goes before a kernel's definition.
#define PTOWSP_KERNEL \
  extern "C" __attribute__((visibility("default"))) PTOWSP_NO_LIBRARY_CALLS

// Goes after it: the kernel's second name, which later versions of pto-runtime look up. Weak, so that
// several kernels can still be linked into one library.
#define PTOWSP_KERNEL_ENTRY(name)                                                                \
  extern "C" __attribute__((visibility("default"), weak, alias(#name))) void kernel_entry(int64_t*)

namespace ptowsp {
namespace {

#if defined(__AVX512F__)
#define PTOWSP_LANES 16
#elif defined(__AVX__)
#define PTOWSP_LANES 8
#else
#define PTOWSP_LANES 4
#endif

// kLanes: floats in a register. kParts: registers that hold the 16 lanes of a reduction. kBlock:
// columns that a sum takes before it begins anew, so that the rounding errors of long rows stay small.
enum : int {
  kLanes = PTOWSP_LANES,
  kReductionLanes = 16,
  kParts = kReductionLanes / kLanes,
  kBlock = 4096
};

typedef float Lanes __attribute__((vector_size(4 * PTOWSP_LANES)));
typedef uint32_t Bits __attribute__((vector_size(4 * PTOWSP_LANES)));
typedef int32_t Integers __attribute__((vector_size(4 * PTOWSP_LANES)));
typedef float Quad __attribute__((vector_size(16)));
// A tile begins at any multiple of 4 bytes.
typedef float LanesInMemory __attribute__((vector_size(4 * PTOWSP_LANES), aligned(4), may_alias));
typedef Quad QuadInMemory __attribute__((may_alias));

// ---- Constants and arguments -------------------------------------------------------------------

PTOWSP_FUNCTION Bits sameBits(uint32_t bits) {
  asm("" : "+r"(bits));  // hides the value, which would else become a vector in .rodata
  return bits - Bits{};
}

// The float of these bits, in all lanes.
PTOWSP_FUNCTION Lanes constant(uint32_t bits) { return (Lanes)sameBits(bits); }

// x - 0 is x for every x, -0 and NaN too; the compilers know it and broadcast.
PTOWSP_FUNCTION Lanes broadcast(float x) { return x - Lanes{}; }

PTOWSP_FUNCTION float* tile(int64_t argument) { return reinterpret_cast<float*>(argument); }

// The last argument of a task with more than 16: where the others are.
PTOWSP_FUNCTION const int64_t* block(int64_t argument) {
  return reinterpret_cast<const int64_t*>(argument);
}

// A scalar argument: the bits of a float in the low half.
PTOWSP_FUNCTION Lanes scalar(int64_t argument) {
  return (Lanes)((uint32_t)argument - Bits{});
}

// ---- Positions, loads and stores ---------------------------------------------------------------

// At: `kCount` columns that begin at `column` and fall to register `kPart` of a reduction. kCount is
// less than kLanes only at the end of a row. kEndsBlock: the register's last columns of a block.
template <int kPart, int kCount, bool kEndsBlock = false>
struct At {
  int64_t column;
};

#if defined(__AVX512F__) && !defined(__SANITIZE_ADDRESS__)
#define PTOWSP_MASKED
PTOWSP_FUNCTION uint16_t firstLanes(int count) { return (uint16_t)((1u << count) - 1); }
#endif

// The first kCount lanes of `a`, the others of `b`.
template <int kCount>
PTOWSP_FUNCTION Lanes firstOf(Lanes a, Lanes b) {
  if constexpr (kCount == kLanes) {
    return a;
  } else {
#if defined(PTOWSP_MASKED)
    asm("vmovaps %1, %0%{%2%}" : "+v"(b) : "v"(a), "Yk"(firstLanes(kCount)));
#else
#pragma GCC unroll 16
    for (int i = 0; i < kCount; ++i) b[i] = a[i];
#endif
    return b;
  }
}

template <int kPart, int kCount, bool kEndsBlock>
PTOWSP_FUNCTION Lanes load(const float* row, At<kPart, kCount, kEndsBlock> at) {
  const float* const from = row + at.column;
  if constexpr (kCount == kLanes) {
    return *reinterpret_cast<const LanesInMemory*>(from);
  } else {
    Lanes x{};
#if defined(PTOWSP_MASKED)
    asm("vmovups %1, %0%{%2%}%{z%}"
        : "=v"(x)
        : "m"(*reinterpret_cast<const float(*)[kCount]>(from)), "Yk"(firstLanes(kCount)));
#else
#pragma GCC unroll 16
    for (int i = 0; i < kCount; ++i) x[i] = from[i];
#endif
    return x;
  }
}

template <int kPart, int kCount, bool kEndsBlock>
PTOWSP_FUNCTION void store(float* row, At<kPart, kCount, kEndsBlock> at, Lanes x) {
  float* const to = row + at.column;
  if constexpr (kCount == kLanes) {
    *reinterpret_cast<LanesInMemory*>(to) = x;
  } else {
#if defined(PTOWSP_MASKED)
    asm("vmovups %1, %0%{%2%}"
        : "=m"(*reinterpret_cast<float(*)[kCount]>(to))
        : "v"(x), "Yk"(firstLanes(kCount)));
#else
#pragma GCC unroll 16
    for (int i = 0; i < kCount; ++i) to[i] = x[i];
#endif
  }
}

// One element, in all lanes; and back.
PTOWSP_FUNCTION Lanes loadOne(const float* from) { return broadcast(*from); }
PTOWSP_FUNCTION void storeOne(float* to, Lanes x) { *to = x[0]; }

// ---- Column passes -----------------------------------------------------------------------------

// Calls `body` for each register's worth of a row of kColumns.
template <int64_t kColumns, typename Body>
PTOWSP_FUNCTION void forColumns(const Body& body) {
  int64_t column = 0;
  for (; column <= kColumns - kLanes; column += kLanes) body(At<0, kLanes>{column});
  if constexpr (kColumns % kLanes != 0) body(At<0, int(kColumns % kLanes)>{column});
}

template <int kPart, int kEnd, bool kEndsBlock, typename Body>
PTOWSP_FUNCTION void forParts(const Body& body, int64_t column) {
  if constexpr (kPart < kEnd) {
    body(At<kPart, kLanes, kEndsBlock>{column + kPart * kLanes});
    forParts<kPart + 1, kEnd, kEndsBlock>(body, column);
  }
}

// The same in steps of 16 columns, for a body that reduces: lane i takes columns i, i + 16, ...
template <int64_t kColumns, typename Body>
PTOWSP_FUNCTION void foldColumns(const Body& body) {
  constexpr int kRest = int(kColumns % kReductionLanes);
  constexpr int kLast = kRest % kLanes;
  int64_t column = 0;
  if constexpr (kColumns > kBlock) {
    for (; column <= kColumns - kBlock; column += kReductionLanes) {
      const int64_t last = column + kBlock - kReductionLanes;
      for (; column < last; column += kReductionLanes) forParts<0, kParts, false>(body, column);
      forParts<0, kParts, true>(body, column);
    }
  }
  for (; column <= kColumns - kReductionLanes; column += kReductionLanes)
    forParts<0, kParts, false>(body, column);
  forParts<0, kRest / kLanes, false>(body, column);
  if constexpr (kLast != 0) body(At<kRest / kLanes, kLast>{column + kRest - kLast});
}

// ---- Elementwise ops ---------------------------------------------------------------------------

PTOWSP_FUNCTION Lanes add(Lanes a, Lanes b) { return a + b; }
PTOWSP_FUNCTION Lanes sub(Lanes a, Lanes b) { return a - b; }
PTOWSP_FUNCTION Lanes mul(Lanes a, Lanes b) { return a * b; }
PTOWSP_FUNCTION Lanes div(Lanes a, Lanes b) { return a / b; }

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
template <typename T>
PTOWSP_FUNCTION T maximum(T a, T b) {
  const T either = larger(b, a);
  return b == b ? either : b;
}
template <typename T>
PTOWSP_FUNCTION T minimum(T a, T b) {
  const T either = smaller(b, a);
  return b == b ? either : b;
}
PTOWSP_FUNCTION Lanes max(Lanes a, Lanes b) { return maximum(a, b); }
PTOWSP_FUNCTION Lanes min(Lanes a, Lanes b) { return minimum(a, b); }

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

// Ops that need constants are objects, made before the loops.

struct Neg {
  Bits sign;
  PTOWSP_INLINE Neg() : sign(sameBits(0x80000000)) {}
  PTOWSP_INLINE Lanes operator()(Lanes x) const { return (Lanes)((Bits)x ^ sign); }
};

struct Abs {
  Bits magnitude;
  PTOWSP_INLINE Abs() : magnitude(sameBits(0x7fffffff)) {}
  PTOWSP_INLINE Lanes operator()(Lanes x) const { return (Lanes)((Bits)x & magnitude); }
};

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

// ---- Row reductions ----------------------------------------------------------------------------

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

// Parts: 16 running values, joined at the end in one fixed order: i with i + 8, then 4, 2, 1.
struct Parts {
  Lanes part[kParts];

  PTOWSP_INLINE explicit Parts(uint32_t identity) {
#pragma GCC unroll 4
    for (int i = 0; i < kParts; ++i) part[i] = constant(identity);
  }

  template <typename Join>
  PTOWSP_INLINE float total() const {
    Lanes copy[kParts];  // only the copy has its address taken; `part` can stay in registers
#pragma GCC unroll 4
    for (int i = 0; i < kParts; ++i) {
      Lanes x = part[i];
#if defined(__AVX__)
      asm("" : "+v"(x));  // g++ 12 dies of an internal error when it can look through this
#endif
      copy[i] = x;
    }
    const QuadInMemory* const quads = reinterpret_cast<const QuadInMemory*>(copy);
    const Quad even = Join::join((Quad)quads[0], (Quad)quads[2]);
    const Quad odd = Join::join((Quad)quads[1], (Quad)quads[3]);
    const Quad four = Join::join(even, odd);
    return Join::join(Join::join((float)four[0], (float)four[2]),
                      Join::join((float)four[1], (float)four[3]));
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
  PTOWSP_INLINE void note(Lanes x) { seen |= (Bits)(x != x); }
  PTOWSP_INLINE bool any() const {
    uint32_t all = 0;
#pragma GCC unroll 8
    for (int i = 0; i < kLanes; ++i) all |= seen[i];
    return all != 0;
  }
#endif
};

template <int64_t kColumns>
struct Rowsum {
  Parts blocks;  // sums of whole blocks
  Parts parts;
  PTOWSP_INLINE Rowsum() : blocks(0), parts(0) {}

  template <int kPart, int kCount, bool kEndsBlock>
  PTOWSP_INLINE void add(At<kPart, kCount, kEndsBlock>, Lanes x) {
    parts.part[kPart] = firstOf<kCount>(parts.part[kPart] + x, parts.part[kPart]);
    if constexpr (kEndsBlock) flush<kPart>();
  }
  template <int kPart>
  PTOWSP_INLINE void flush() {
    blocks.part[kPart] += parts.part[kPart];
    parts.part[kPart] = Lanes{};
  }
  PTOWSP_INLINE float total() {
    if constexpr (kColumns <= kBlock) return parts.total<Plus>();
#pragma GCC unroll 4
    for (int i = 0; i < kParts; ++i) blocks.part[i] += parts.part[i];
    return blocks.total<Plus>();
  }
  PTOWSP_INLINE Lanes result() { return broadcast(total()); }
};

template <int64_t kColumns>
struct Rowmean : Rowsum<kColumns> {
  PTOWSP_INLINE Rowmean() {}
  PTOWSP_INLINE Lanes result() {
    int64_t columns = kColumns;
    asm("" : "+r"(columns));  // converted when it runs, so that the float is not in .rodata
    return broadcast(this->total() / (float)columns);
  }
};

// Largest or smallest, NaN when there is one.
template <typename Join>
struct Extreme {
  Parts parts;
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
template <int64_t kColumns>
struct Rowmax : Extreme<Larger> {
  PTOWSP_INLINE Rowmax() : Extreme(0xff800000) {}
};
template <int64_t kColumns>
struct Rowmin : Extreme<Smaller> {
  PTOWSP_INLINE Rowmin() : Extreme(0x7f800000) {}
};

// ---- Ledger ------------------------------------------------------------------------------------

// Adds the task's stamp to its slot of the completion ledger, if there is one: a task that ran twice
// shows as well as one that never ran. Relaxed: whoever reads it has joined the run before.
PTOWSP_FUNCTION void complete(int64_t slot, int64_t stamp) {
  if (slot == 0) return;
#if defined(__aarch64__)
  // The compiler's own atomic may be a call into libgcc.
  uint64_t sum;
  uint32_t failed;
  asm volatile(
      "1: ldxr %0, %2\n\tadd %0, %0, %3\n\tstxr %w1, %0, %2\n\tcbnz %w1, 1b"
      : "=&r"(sum), "=&r"(failed), "+Q"(*reinterpret_cast<uint64_t*>(slot))
      : "r"(stamp));
#else
  __atomic_fetch_add(reinterpret_cast<uint64_t*>(slot), (uint64_t)stamp, __ATOMIC_RELAXED);
#endif
}

}  // namespace
}  // namespace ptowsp

#endif  // PTOWSP_TILE_H
