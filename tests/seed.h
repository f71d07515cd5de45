// SPDX-License-Identifier: MIT
// The seed of a random test. A run of tier ci draws the same cases as the run before it: it fails by what
// changed, never by an unlucky draw. Tier nightly (PTOWSP_TIER) draws new ones. PTOWSP_TEST_SEED repeats what
// a run printed; tests/python/seed.py is the same for Python.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <random>
#include <string>
#include <string_view>

namespace ptowsp::test {

inline bool nightly() {
  const char* const tier = std::getenv("PTOWSP_TIER");
  return tier && std::string_view(tier) == "nightly";
}

// Of the test `name`, not printed.
inline uint64_t seedOf(std::string_view name) {
  if (const char* const text = std::getenv("PTOWSP_TEST_SEED")) {
    char* end = nullptr;
    const uint64_t seed = std::strtoull(text, &end, 0);
    if (end == text || *end) {
      std::cerr << "PTOWSP_TEST_SEED is '" << text << "', which is no number\n";
      std::exit(2);
    }
    return seed;
  }
  if (nightly()) {
    std::random_device device;
    return (uint64_t{device()} << 32) | device();
  }
  uint64_t seed = 0xcbf29ce484222325;  // FNV-1a, the same with every compiler
  for (const char c : name) seed = (seed ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return seed;
}

// Of the running test. It is printed at once, so that it is known of a test that crashes too.
inline uint64_t testSeed() {
  const testing::TestInfo& test = *testing::UnitTest::GetInstance()->current_test_info();
  const uint64_t seed = seedOf(std::string(test.test_suite_name()) + '.' + test.name());
  std::cout << "PTOWSP_TEST_SEED=" << seed << std::endl;
  return seed;
}

}  // namespace ptowsp::test
