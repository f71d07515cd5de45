// SPDX-License-Identifier: MIT
#include "runtime_glue/glue/arch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <sstream>

namespace ptowsp::glue {
namespace {

TEST(Arch, TheBestOfThoseBuiltIsTaken) {
  const std::vector<std::string> cpu = {"x86-64-v3", "x86-64-v2", "x86-64"};
  EXPECT_EQ(bestLevel(cpu, {"x86-64-v2", "x86-64-v3", "x86-64-v4"}), "x86-64-v3");
  EXPECT_EQ(bestLevel(cpu, {"x86-64-v2"}), "x86-64-v2");
  EXPECT_EQ(bestLevel(cpu, {"x86-64-v4"}), "");
  EXPECT_EQ(bestLevel(cpu, {"aarch64"}), "");
  EXPECT_EQ(bestLevel(cpu, {}), "");
}

#if defined(__x86_64__)
// The kernel's own list of CPU features is the second opinion.
TEST(Arch, LevelsAreThoseOfThisCpu) {
  std::ifstream file("/proc/cpuinfo");
  std::string line;
  while (std::getline(file, line) && line.compare(0, 5, "flags") != 0) {
  }
  std::istringstream words(line);
  const std::vector<std::string> flags{std::istream_iterator<std::string>(words), {}};
  if (flags.empty()) GTEST_SKIP() << "this kernel lists no CPU features";
  const auto has = [&](std::vector<std::string> wanted) {
    return std::all_of(wanted.begin(), wanted.end(), [&](const std::string& flag) {
      return std::find(flags.begin(), flags.end(), flag) != flags.end();
    });
  };
  const auto supports = [](const char* level) {
    const std::vector<std::string>& levels = supportedLevels();
    return std::find(levels.begin(), levels.end(), level) != levels.end();
  };
  const bool v2 = has({"cx16", "lahf_lm", "popcnt", "sse4_1", "sse4_2", "ssse3"});
  const bool v3 = v2 && has({"avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "abm", "movbe"});
  const bool v4 = v3 && has({"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"});
  EXPECT_EQ(supports("x86-64-v2"), v2);
  EXPECT_EQ(supports("x86-64-v3"), v3);
  EXPECT_EQ(supports("x86-64-v4"), v4);
}

TEST(Arch, BestFirst) {
  EXPECT_TRUE(std::is_sorted(supportedLevels().rbegin(), supportedLevels().rend()));
  EXPECT_EQ(supportedLevels().back(), "x86-64");
}
#endif

}  // namespace
}  // namespace ptowsp::glue
