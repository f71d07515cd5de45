// SPDX-License-Identifier: MIT
// Emission of include/<name>.h: the workload as a C++ function, for programs that link its target.
#pragma once

#include <string>
#include <string_view>

#include "generator/verify/program.h"

namespace ptowsp {

// Path of the header below the emitted tree's root.
std::string workloadHeaderPath(std::string_view name);

// `name` is the workload's C identifier, `source_name` its file's base name, `source_hash` the hash of
// that file's bytes. C++17; includes ptowsp/workload.h and nothing else.
std::string emitWorkloadHeader(const Program& program, std::string_view name,
                               std::string_view source_name, std::string_view source_hash);

}  // namespace ptowsp
