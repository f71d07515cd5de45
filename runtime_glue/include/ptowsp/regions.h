// SPDX-License-Identifier: MIT
// What the inference of dependences and the cutting of graphs are made of: rectangles of elements, arrays
// that grow, sorted lists of tasks. Emitted trees get a copy. C++17, C headers only.
#ifndef PTOWSP_REGIONS_H
#define PTOWSP_REGIONS_H

#include <stdint.h>
#include <stdlib.h>

namespace ptowsp::graph {

enum class Access : uint8_t { in, out, inout };

// Rect: rows [row0, row1) and columns [col0, col1) of a tensor seen as planes * rows flat rows.
struct Rect {
  int32_t row0, col0, row1, col1;
};

// Functions are hidden: a runtime may load several orchestrations RTLD_GLOBAL into one process,
// perhaps emitted by different versions; none may pick up another's copy.
#pragma GCC visibility push(hidden)

// mix64: the finalizer of splitmix64.
inline uint64_t mix64(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

// Array: a growable array of plain structs; push fails only when memory runs out.
template <class T>
struct Array {
  T* data = nullptr;
  uint32_t size = 0, capacity = 0;

  bool push(const T& value) {
    if (size == capacity && !grow()) return false;
    data[size++] = value;
    return true;
  }
  bool grow() {
    if (capacity >= 0x80000000u) return false;
    const uint32_t wanted = capacity == 0 ? 16 : capacity * 2;
    void* grown = realloc(data, wanted * sizeof(T));
    if (grown == nullptr) return false;
    data = static_cast<T*>(grown);
    capacity = wanted;
    return true;
  }
  void release() { free(data); }
};

// In a namespace that the names of a Rect's users do not meet.
namespace regions {

inline bool overlap(const Rect& a, const Rect& b) {
  return a.row0 < b.row1 && b.row0 < a.row1 && a.col0 < b.col1 && b.col0 < a.col1;
}
inline bool covers(const Rect& a, const Rect& b) {
  return a.row0 <= b.row0 && a.row1 >= b.row1 && a.col0 <= b.col0 && a.col1 >= b.col1;
}
inline bool equal(const Rect& a, const Rect& b) {
  return a.row0 == b.row0 && a.row1 == b.row1 && a.col0 == b.col0 && a.col1 == b.col1;
}
inline int32_t larger(int32_t a, int32_t b) { return a > b ? a : b; }
inline int32_t smaller(int32_t a, int32_t b) { return a < b ? a : b; }
inline Rect intersection(const Rect& a, const Rect& b) {
  return {larger(a.row0, b.row0), larger(a.col0, b.col0), smaller(a.row1, b.row1),
          smaller(a.col1, b.col1)};
}

inline void swap(int32_t& a, int32_t& b) {
  const int32_t t = a;
  a = b;
  b = t;
}

inline void sink(int32_t* p, uint32_t i, uint32_t n) {
  for (uint32_t child; (child = 2 * i + 1) < n; i = child) {
    if (child + 1 < n && p[child + 1] > p[child]) ++child;
    if (p[i] >= p[child]) return;
    swap(p[i], p[child]);
  }
}

inline void heapSort(int32_t* p, uint32_t n) {
  for (uint32_t i = n / 2; i > 0; --i) sink(p, i - 1, n);
  for (uint32_t end = n - 1; end > 0; --end) {
    swap(p[0], p[end]);
    sink(p, 0, end);
  }
}

// Sorts the tasks, and drops what is there twice.
inline void sortUnique(Array<int32_t>& tasks) {
  int32_t* const p = tasks.data;
  const uint32_t n = tasks.size;
  if (n < 2) return;
  if (n == 2) {
    if (p[0] > p[1]) swap(p[0], p[1]);
    tasks.size = p[0] == p[1] ? 1 : 2;
    return;
  }
  if (p[0] > p[n - 1]) {  // cells list their newest record first
    for (uint32_t i = 0, j = n - 1; i < j; ++i, --j) swap(p[i], p[j]);
  }
  if (n <= 32) {
    for (uint32_t i = 1; i < n; ++i) {
      const int32_t value = p[i];
      uint32_t j = i;
      for (; j > 0 && p[j - 1] > value; --j) p[j] = p[j - 1];
      p[j] = value;
    }
  } else {
    uint32_t sorted = 1;
    while (sorted < n && p[sorted - 1] <= p[sorted]) ++sorted;
    if (sorted < n) heapSort(p, n);
  }
  uint32_t unique = 1;
  for (uint32_t i = 1; i < n; ++i) {
    if (p[i] != p[unique - 1]) p[unique++] = p[i];
  }
  tasks.size = unique;
}

}  // namespace regions
using namespace regions;

#pragma GCC visibility pop

}  // namespace ptowsp::graph

#endif  // PTOWSP_REGIONS_H
