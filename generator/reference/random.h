// SPDX-License-Identifier: MIT
// Random numbers of `init`, named "splitmix64, counter based": word i of a tensor depends only on
// the seed, the tensor's name and i. The Python package computes the same; the documentation gives
// the formulas, so they never change.
#pragma once

#include <cmath>
#include <cstdint>
#include <string_view>

#include "ptowsp/hash.h"

namespace ptowsp::reference {

// The finalizer of splitmix64 (Steele, Lea and Flood, OOPSLA 2014).
constexpr uint64_t mix(uint64_t z) {
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
  return z ^ (z >> 31);
}

// RandomNumbers: the numbers of one tensor, addressed by index.
class RandomNumbers {
 public:
  RandomNumbers(std::string_view tensor, uint64_t seed) : state_(fnv1a64(tensor) ^ mix(seed)) {}

  uint64_t word(uint64_t i) const { return mix(state_ + (i + 1) * 0x9E3779B97F4A7C15); }
  // In [0, 1), a multiple of 2^-53.
  double unit(uint64_t i) const { return static_cast<double>(word(i) >> 11) * 0x1p-53; }
  double uniform(uint64_t i, double low, double high) const { return low + (high - low) * unit(i); }
  // Box-Muller from the words 2i and 2i + 1.
  double normal(uint64_t i, double mean, double deviation) const {
    const double radius = std::sqrt(-2 * std::log(1 - unit(2 * i)));
    return mean + deviation * radius * std::cos(2 * 3.14159265358979323846 * unit(2 * i + 1));
  }

 private:
  uint64_t state_;
};

}  // namespace ptowsp::reference
