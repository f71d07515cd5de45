// SPDX-License-Identifier: MIT
// Where the artifact of a workload lies that a program was linked with.
#pragma once

#include <string>

#include "runtime_glue/glue/status.h"

namespace ptowsp::glue {

// The folder of workload `name`, in the order that ptowsp_program_open() in ptowsp/glue_c.h gives;
// `built_at` may be null. The error names every place that was looked at.
Status findArtifact(const std::string& name, const char* built_at, std::string* folder);

}  // namespace ptowsp::glue
