// SPDX-License-Identifier: MIT
// What the simulated kernels of PtoWsp are built on: vectors, constants, loads and stores, column
// passes and the ledger, in C++17 without any library. Emitted with the kernels; not meant to be
// edited or included elsewhere.
//
// A kernel must be right in two forms: as a shared library, and as the bare bytes of its .text
// section with nothing relocated (`g++ -c -O2 -fPIC`). So nothing here may call a function that is
// not inlined, or leave a constant to .rodata: constants are built from integers that the optimiser
// cannot see through, outside the loops. A test compiles both forms and runs them.
//
// Results do not depend on the alignment of tiles or on how the runtime schedules tasks. Sums are
// taken in 16 lanes whatever the vector width of the machine.
#ifndef PTOWSP_VECTOR_H
#define PTOWSP_VECTOR_H

// Whatever warnings a project asks of its own code, it need not read those about this file.
#pragma GCC system_header

#include <stdint.h>

// Raised whenever a kernel emitted for another version of these files would not compile or be right.
#define PTOWSP_TILE_VERSION 2

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
#elif defined(__AVX2__) && defined(__FMA__) && defined(__F16C__)
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
// A tile begins at any multiple of its elements' size.
typedef Bits BitsInMemory __attribute__((aligned(4), may_alias));
typedef uint32_t WordInMemory __attribute__((may_alias));

// ---- Constants and arguments -------------------------------------------------------------------

// A vector register, in an asm's operands.
#if defined(__AVX512F__)
#define PTOWSP_REGISTER "v"
#elif defined(__SSE2__)
#define PTOWSP_REGISTER "x"
#else
#define PTOWSP_REGISTER "w"
#endif

PTOWSP_FUNCTION Bits sameBits(uint32_t bits) {
  asm("" : "+r"(bits));  // hides the value, which would else become a vector in .rodata
  return bits - Bits{};
}

// The float of these bits, or the integer, in all lanes.
PTOWSP_FUNCTION Lanes constant(uint32_t bits) { return (Lanes)sameBits(bits); }
PTOWSP_FUNCTION Integers integer(uint32_t bits) { return (Integers)sameBits(bits); }

// x - 0 is x for every x, -0 and NaN too; the compilers know it and broadcast.
PTOWSP_FUNCTION Lanes broadcast(float x) { return x - Lanes{}; }
PTOWSP_FUNCTION Integers broadcast(int32_t x) { return (Integers)((uint32_t)x - Bits{}); }
PTOWSP_FUNCTION Bits broadcast(uint32_t x) { return x - Bits{}; }

// All bits of the lanes that hold NaN. A compiler that sees x twice compares it with a constant.
PTOWSP_FUNCTION Integers isNaN(Lanes x) {
  Lanes same = x;
  asm("" : "+" PTOWSP_REGISTER(same));
  return x != same;
}

template <typename T>
PTOWSP_FUNCTION T* tile(int64_t argument) {
  return reinterpret_cast<T*>(argument);
}

// The last argument of a task with more than 16: where the others are.
PTOWSP_FUNCTION const int64_t* block(int64_t argument) {
  return reinterpret_cast<const int64_t*>(argument);
}

// A scalar argument: the bits of a float, or an integer, in the low half.
PTOWSP_FUNCTION Lanes scalar(int64_t argument) {
  return (Lanes)((uint32_t)argument - Bits{});
}
PTOWSP_FUNCTION Integers integerScalar(int64_t argument) {
  return (Integers)((uint32_t)argument - Bits{});
}

// ---- Positions, loads and stores ---------------------------------------------------------------

// At: `kCount` columns that begin at `column` and fall to register `kPart` of a reduction. kCount is
// less than kLanes only at the end of a row. kEndsBlock: the register's last columns of a block.
template <int kPart, int kCount, bool kEndsBlock = false>
struct At {
  enum : int { kColumns = kCount };
  int64_t column;
};

#if defined(__AVX512F__) && !defined(__SANITIZE_ADDRESS__)
#define PTOWSP_MASKED
PTOWSP_FUNCTION uint16_t firstLanes(int count) { return (uint16_t)((1u << count) - 1); }
#endif

// The first kCount lanes of `a`, the others of `b`.
template <int kCount, typename V>
PTOWSP_FUNCTION V firstOf(V a, V b) {
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

template <int kCount>
PTOWSP_FUNCTION Bits loadWords(const void* from) {
  if constexpr (kCount == kLanes) {
    return *static_cast<const BitsInMemory*>(from);
  } else {
    Bits x{};
#if defined(PTOWSP_MASKED)
    asm("vmovups %1, %0%{%2%}%{z%}"
        : "=v"(x)
        : "m"(*static_cast<const WordInMemory(*)[kCount]>(from)), "Yk"(firstLanes(kCount)));
#else
    const WordInMemory* const words = static_cast<const WordInMemory*>(from);
#pragma GCC unroll 16
    for (int i = 0; i < kCount; ++i) x[i] = words[i];
#endif
    return x;
  }
}

template <int kCount>
PTOWSP_FUNCTION void storeWords(void* to, Bits x) {
  if constexpr (kCount == kLanes) {
    *static_cast<BitsInMemory*>(to) = x;
  } else {
#if defined(PTOWSP_MASKED)
    asm("vmovups %1, %0%{%2%}"
        : "=m"(*static_cast<WordInMemory(*)[kCount]>(to))
        : "v"(x), "Yk"(firstLanes(kCount)));
#else
    WordInMemory* const words = static_cast<WordInMemory*>(to);
#pragma GCC unroll 16
    for (int i = 0; i < kCount; ++i) words[i] = x[i];
#endif
  }
}

template <int kPart, int kCount, bool kEndsBlock>
PTOWSP_FUNCTION Lanes load(const float* row, At<kPart, kCount, kEndsBlock> at) {
  return (Lanes)loadWords<kCount>(row + at.column);
}
template <int kPart, int kCount, bool kEndsBlock>
PTOWSP_FUNCTION Integers load(const int32_t* row, At<kPart, kCount, kEndsBlock> at) {
  return (Integers)loadWords<kCount>(row + at.column);
}
template <int kPart, int kCount, bool kEndsBlock>
PTOWSP_FUNCTION void store(float* row, At<kPart, kCount, kEndsBlock> at, Lanes x) {
  storeWords<kCount>(row + at.column, (Bits)x);
}
template <int kPart, int kCount, bool kEndsBlock>
PTOWSP_FUNCTION void store(int32_t* row, At<kPart, kCount, kEndsBlock> at, Integers x) {
  storeWords<kCount>(row + at.column, (Bits)x);
}

// One element, in all lanes; and back.
PTOWSP_FUNCTION Lanes loadOne(const float* from) { return broadcast(*from); }
PTOWSP_FUNCTION Integers loadOne(const int32_t* from) { return broadcast(*from); }
PTOWSP_FUNCTION void storeOne(float* to, Lanes x) { *to = x[0]; }
PTOWSP_FUNCTION void storeOne(int32_t* to, Integers x) { *to = x[0]; }

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

#endif  // PTOWSP_VECTOR_H
