// SPDX-License-Identifier: MIT
// A run from its timeline, the file of `ptowsp-run --trace`: tasks and times, and nothing else.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "runtime_glue/report/page.h"

namespace ptowsp::report {

std::optional<RunData> runOfTrace(const nlohmann::ordered_json& trace);

}  // namespace ptowsp::report
