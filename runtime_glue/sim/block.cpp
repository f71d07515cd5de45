// SPDX-License-Identifier: MIT
#include "runtime_glue/sim/block.h"

#include <sys/mman.h>

#include <cstdlib>
#include <cstring>

namespace ptowsp::sim {

namespace {
constexpr size_t kHugePage = size_t{2} << 20;
// An array this large is likely to grow to a huge page, and clearing one costs less than the faults
// and copies on the way there.
constexpr size_t kHugeFrom = kHugePage / 4;
constexpr size_t kCacheLine = 64;

size_t roundUp(size_t value, size_t unit) { return (value + unit - 1) / unit * unit; }
}  // namespace

Block::~Block() { std::free(data_); }

bool Block::reserve(size_t bytes, size_t used) {
  if (bytes <= capacity_) return true;
  const bool huge = bytes >= kHugeFrom;
  const size_t rounded = roundUp(bytes, huge ? kHugePage : kCacheLine);
  if (rounded < bytes) return false;
  void* fresh = std::aligned_alloc(huge ? kHugePage : kCacheLine, rounded);
  if (fresh == nullptr) return false;
  if (huge) ::madvise(fresh, rounded, MADV_HUGEPAGE);  // only a hint: its failure costs time alone
  if (used != 0) std::memcpy(fresh, data_, used);
  std::free(data_);
  data_ = fresh;
  capacity_ = rounded;
  return true;
}

}  // namespace ptowsp::sim
