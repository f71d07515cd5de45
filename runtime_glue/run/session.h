// SPDX-License-Identifier: MIT
// Session: what one call of ptowsp-run does, from the artifact to the report. Prints nothing.
#pragma once

#include "runtime_glue/run/options.h"
#include "runtime_glue/run/report.h"

namespace ptowsp::run {

// Runs as `options` say. The report's status holds the first thing that was not right; whatever was
// learnt until then is in the report too. Once in a process.
void runSession(const Options& options, Report* report);

}  // namespace ptowsp::run
