// SPDX-License-Identifier: MIT
// Writes a run's timeline in Chrome's trace event format: one lane for each core, one for each
// AICPU.
#pragma once

#include <string>

#include "runtime_glue/glue/run.h"
#include "runtime_glue/glue/status.h"

namespace ptowsp::run {

glue::Status writeTrace(const std::string& file, const glue::Manifest& manifest,
                        const glue::TaskNames& names, const glue::RunStats& stats);

}  // namespace ptowsp::run
