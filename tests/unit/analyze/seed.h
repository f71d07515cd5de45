// SPDX-License-Identifier: MIT
// A new seed at each run, printed with every failure; PTOWSP_TEST_SEED repeats one.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <random>

inline uint64_t testSeed() {
  static const uint64_t seed = [] {
    if (const char* text = std::getenv("PTOWSP_TEST_SEED")) return std::strtoull(text, nullptr, 0);
    std::random_device device;
    return (static_cast<unsigned long long>(device()) << 32) | device();
  }();
  return seed;
}
