// SPDX-License-Identifier: MIT
// ElfObject: as much of a 64-bit relocatable object as decides whether its .text can run alone.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace ptowsp::test {

// RawText: the bytes of .text, and everything that would make them wrong when nothing else of the
// object is kept: relocations, other sections with content, an entry that is not at offset 0.
struct RawText {
  std::vector<uint8_t> bytes;
  std::vector<std::string> faults;
};

RawText readRawText(const std::string& object_file, const std::string& entry);

// Names of the symbols that a shared library defines for others, sorted.
std::vector<std::string> exportedSymbols(const std::string& library_file);

}  // namespace ptowsp::test
