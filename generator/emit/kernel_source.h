// SPDX-License-Identifier: MIT
// What the sources of all simulated kernels have in common: names, arguments, and the frame around
// the body.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "generator/verify/program.h"

namespace ptowsp {

// Names of one emitted function: whoever comes first has the name, others get underscores appended.
class KernelNames {
 public:
  explicit KernelNames(const Kernel& kernel);
  std::string add(std::string name);

 private:
  std::set<std::string> used_;
};

// TileNames: variables that hold a tile's address and, where it is strided, its row stride.
struct TileNames {
  std::string pointer, stride;
};

// Prologue: the arguments of a kernel, in the order in which a task passes them, and the variables
// made of them. `tile_used` and `stride_used` say of each tile what the body needs; `written` which
// it writes; scalar_texts has a definition for each scalar, with {} for its argument, or nothing.
struct Prologue {
  std::vector<std::string> arguments;  // for the comment
  std::string text;
};
Prologue emitPrologue(const Kernel& kernel, const std::vector<TileNames>& tiles,
                      const std::vector<bool>& tile_used, const std::vector<bool>& written,
                      const std::vector<std::string>& scalar_texts);

// For each tile whether the body needs its value, or writes it; by value whether it is live, and by tile
// the value stored to it, or -1.
std::vector<bool> usedTiles(const Kernel& kernel, const std::vector<bool>& live,
                            const std::vector<int>& stored);
std::vector<bool> writtenTiles(const std::vector<int>& stored);

// "  const ptowsp::Lanes half = ptowsp::constant(0x3f000000);  // 0.5\n"
std::string literalText(const Value& literal, std::string_view name);

// The whole file, with marks (debug_lines.h): `body` ends each op's statements in one. `headers` are the
// support headers that the body needs; the text to compile grows with them, so a kernel includes no others.
std::string assembleKernel(const Kernel& kernel, std::string_view source_name,
                           const std::vector<std::string_view>& headers, const Prologue& prologue,
                           const std::string& body);

// What stands above a kernel of relay tasks.
std::string relayHeading(std::string_view source_name);

}  // namespace ptowsp
