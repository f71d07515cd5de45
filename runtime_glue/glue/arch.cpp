// SPDX-License-Identifier: MIT
#include "runtime_glue/glue/arch.h"

#include <algorithm>

namespace ptowsp::glue {

const std::vector<std::string>& supportedLevels() {
  static const std::vector<std::string> levels = [] {
    std::vector<std::string> found;
#if defined(__x86_64__)
    // The features by which the x86-64 psABI defines the levels, as far as compilers can ask for
    // them; the few others (MOVBE, LZCNT, LAHF) are in every CPU that has these.
    __builtin_cpu_init();
    const bool v2 = __builtin_cpu_supports("sse3") && __builtin_cpu_supports("ssse3") &&
                    __builtin_cpu_supports("sse4.1") && __builtin_cpu_supports("sse4.2") &&
                    __builtin_cpu_supports("popcnt");
    const bool v3 = v2 && __builtin_cpu_supports("avx") && __builtin_cpu_supports("avx2") &&
                    __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") &&
                    __builtin_cpu_supports("fma");
    const bool v4 = v3 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                    __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
                    __builtin_cpu_supports("avx512vl");
    if (v4) found.push_back("x86-64-v4");
    if (v3) found.push_back("x86-64-v3");
    if (v2) found.push_back("x86-64-v2");
    found.push_back("x86-64");
#elif defined(__aarch64__)
    found.push_back("aarch64");
#endif
    return found;
  }();
  return levels;
}

std::string bestLevel(const std::vector<std::string>& supported,
                      const std::vector<std::string>& built) {
  for (const std::string& level : supported) {
    if (std::find(built.begin(), built.end(), level) != built.end()) return level;
  }
  return {};
}

}  // namespace ptowsp::glue
