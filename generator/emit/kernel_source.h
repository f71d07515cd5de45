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

// The whole file, with marks (debug_lines.h): `body` ends each op's statements in one. `header` is the
// support header that the body needs.
std::string assembleKernel(const Kernel& kernel, std::string_view source_name,
                           std::string_view header, const Prologue& prologue,
                           const std::string& body);

}  // namespace ptowsp
