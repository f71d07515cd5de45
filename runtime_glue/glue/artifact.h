// SPDX-License-Identifier: MIT
// Artifact: everything that one workload's build produced, looked up and checked, nothing loaded.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ptowsp/manifest.h"
#include "runtime_glue/glue/status.h"

namespace ptowsp::glue {

struct Artifact {
  std::string ready_file, manifest_file;
  Manifest manifest;
  Ready ready;
  bool limited = false;  // the orchestration was compiled for a runtime with the pinned limits
  std::string level;                 // of the kernels below
  std::string orchestration;         // library
  // Library of each kernel, index = func_id; on a2a3 the file with its code, the relay kernel's last.
  std::vector<std::string> kernels;
  std::string inputs, expected;      // folders
};

// The built-in runtime, driven as if it had the limits of the pinned pto-runtime.
inline constexpr const char* kLimitedBuiltin = "builtin_limits";

// What a caller wants of an artifact, and what its messages advise.
struct ArtifactRequest {
  std::string platform = "a2a3sim";
  std::string runtime = "builtin";  // key of the orchestration compiled for it: see kLimitedBuiltin
  std::string source;               // workload file whose hash must match; empty: not asked
};

// Loads from a folder that holds `ready` (for a2a3 `ready.a2a3`), or from that file. Checks both files, the manifest's
// hash, the workload's hash where asked, that all libraries are there and that a kernel level fits
// this CPU.
Status loadArtifact(const std::string& path, const ArtifactRequest& request, Artifact* artifact);

// The file's bytes; an error names the file.
Status readFile(const std::string& path, std::string* bytes);

}  // namespace ptowsp::glue
