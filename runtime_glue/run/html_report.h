// SPDX-License-Identifier: MIT
// Writes one run as a page for people, see runtime_glue/report/page.h.
#pragma once

#include <string>
#include <vector>

#include "runtime_glue/glue/artifact.h"
#include "runtime_glue/glue/host_tensors.h"
#include "runtime_glue/glue/run.h"
#include "runtime_glue/run/report.h"

namespace ptowsp::run {

// Above this many edges a page would be too large to open with ease: it then goes without them.
inline constexpr int64_t kMostEdgesInReport = 2'000'000;

// The page as it is when the process ends before it can write the run's: what is known by then. Written
// before a run that may take the process along.
glue::Status writeUnfinishedReport(const std::string& file, const Report& report,
                                   const glue::Artifact& artifact);

glue::Status writeHtmlReport(const std::string& file, const Report& report,
                             const glue::Artifact& artifact, const glue::HostTensors& tensors,
                             const glue::Run& run);

}  // namespace ptowsp::run
