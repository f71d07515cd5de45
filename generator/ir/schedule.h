// SPDX-License-Identifier: MIT
// The `schedule` object of a workload file: its directives read and printed.
#pragma once

#include <string>

#include "generator/base/diagnostic.h"
#include "generator/ir/json.h"
#include "generator/ir/workload.h"

namespace ptowsp::ir {

// AICPU schedulers of the largest policy; the built-in runtime has as many.
inline constexpr int64_t kMostAicpus = 64;

// The directives of the object, whose place is /schedule. Adds what is wrong with its form.
Schedule readSchedule(const json::Value& value, Diagnostics& diagnostics);

// In one line, one spelling for each meaning: {"dispatch": {"round_robin": 4}}.
std::string print(const Schedule& schedule);

}  // namespace ptowsp::ir
