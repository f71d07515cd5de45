// SPDX-License-Identifier: MIT
// Emission of manifest.json, which tells the runner what the emitted tree holds, and of the ready
// file, which tells it what was built from it. Formats: docs/artifact.md.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "generator/analyze/analyze.h"
#include "generator/verify/program.h"

namespace ptowsp {

// Manifest of `program`. `name` is the workload's C identifier, `source_name` its file's base name,
// `source_hash` the hash of that file's bytes. `for_device`: the tree has sources for a2a3, too.
std::string emitManifest(const Program& program, const Analysis& analysis, std::string_view name,
                         std::string_view source_name, std::string_view source_hash,
                         bool for_device);

// Paths of the kernel sources and of the header that an earlier manifest names, empty when `text` is
// none; only paths of the forms that emission gives, so that nothing else can be removed by them.
std::vector<std::string> namedFilesOf(const std::string& text);

// Build: what was built from an emitted tree; paths as the ready file shall have them.
struct Build {
  std::string manifest;
  std::string manifest_hash;
  std::string platform;
  std::vector<std::string> arch;
  std::vector<std::pair<std::string, std::string>> orchestrations;  // runtime, file
  struct Kernel {
    std::string name, arch, file;
  };
  std::vector<Kernel> kernels;
  std::string inputs, expected;
  std::string toolchain;  // that compiled kernels for a device; empty for simulated ones
  int block_dim = 0, aicpu_threads = 0;  // 0: the runtime's default
};

// Names of all kernels of a manifest, the relay kernel last where there is one; nothing when `text` is no
// manifest.
std::vector<std::string> kernelNamesOf(const std::string& text);

std::string emitReady(const Build& build);

}  // namespace ptowsp
