// SPDX-License-Identifier: MIT
// Reads manifest.json, `ready`, and runtime.json of an external runtime. Whatever is malformed,
// missing, of another version or contradicts itself is refused with the file, the JSON path, what
// was found and what was expected.
#pragma once

#include <string>
#include <string_view>

#include "ptowsp/manifest.h"
#include "runtime_glue/glue/external_runtime.h"
#include "runtime_glue/glue/status.h"

namespace ptowsp::glue {

const char* nameOf(ElementType type);
const char* nameOf(TensorRole role);

// `file` is only named in messages.
Status parseManifest(std::string_view text, const std::string& file, Manifest* manifest);
Status parseReady(std::string_view text, const std::string& file, Ready* ready);
Status parseRuntime(std::string_view text, const std::string& file, ExternalRuntime* runtime);

}  // namespace ptowsp::glue
