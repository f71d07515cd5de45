// SPDX-License-Identifier: MIT
// The clock by which runs are timed.
#pragma once

#include <time.h>

#include <cstdint>

namespace ptowsp::glue {

// Nanoseconds of a clock that nobody sets.
inline uint64_t nowNs() {
  timespec time = {};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<uint64_t>(time.tv_sec) * 1000000000u + static_cast<uint64_t>(time.tv_nsec);
}

}  // namespace ptowsp::glue
