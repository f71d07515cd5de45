// SPDX-License-Identifier: MIT
// Emission of the orchestration source: the function that builds the task graph on the host.
#pragma once

#include <string>
#include <string_view>

#include "generator/analyze/analyze.h"
#include "generator/verify/program.h"

namespace ptowsp {

// C++17 source of build_pto_wsp_graph for `program`. Loops stay loops; the totals that `analysis`
// found are compared with what the function built before it returns 0. `source_name` is the
// workload file's base name.
std::string emitOrchestration(const Program& program, const Analysis& analysis,
                              std::string_view source_name);

}  // namespace ptowsp
