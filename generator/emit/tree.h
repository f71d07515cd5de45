// SPDX-License-Identifier: MIT
// The emitted tree as a whole: every file's text, made in memory before anything is written.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "generator/analyze/analyze.h"
#include "generator/base/diagnostic.h"
#include "generator/verify/program.h"

namespace ptowsp {

// EmittedFile: `path` is relative to the tree's root, with forward slashes.
struct EmittedFile {
  std::string path;
  std::string text;
};

// Source: the workload file as the emitted files name it.
struct Source {
  std::string name;  // C identifier of the workload
  std::string file;  // base name of the workload file
  std::string hash;  // of its bytes, 16 hex digits
  Locate lines = {};  // for #line directives in kernels for a2a3sim; none: without
};

// All files of the tree, manifest last, for platform a2a3sim and, where that is asked for, a2a3 too;
// nothing when a kernel cannot be emitted, with the reason in `diagnostics`.
std::optional<std::vector<EmittedFile>> emitTree(const Program& program, const Analysis& analysis,
                                                 const Source& source, bool for_device,
                                                 Diagnostics& diagnostics);

// Source of the relay kernel for a2a3sim, the same for every workload.
std::string emitRelayKernel(std::string_view source_name);

// The kernel list: a line "<cores>:<kernel>" for each of the user's kernels, in the workload's order. Its
// ops say which cores: aiv vector ops alone, aic matmuls alone, mix both. (Whether a kernel is split also
// depends on what an accumulator is; the list is what can be said from the workload file alone.)
std::string emitKernelList(const Program& program);

}  // namespace ptowsp
