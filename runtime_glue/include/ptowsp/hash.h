// SPDX-License-Identifier: MIT
// FNV-1a, 64 bits: the hash of workload files, of the manifest and of random seeds. Not for security.
// C++17.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace ptowsp {

inline constexpr uint64_t kFnvOffset = 0xcbf29ce484222325u;

// The hash of `bytes`; `hash` continues from an earlier part.
constexpr uint64_t fnv1a64(std::string_view bytes, uint64_t hash = kFnvOffset) {
  for (char byte : bytes) {
    hash ^= static_cast<unsigned char>(byte);
    hash *= 0x100000001b3u;
  }
  return hash;
}

// 16 lower-case hex digits.
inline std::string hex16(uint64_t value) {
  std::string digits(16, '0');
  for (size_t i = 16; i > 0; value >>= 4) digits[--i] = "0123456789abcdef"[value & 15];
  return digits;
}

}  // namespace ptowsp
