// SPDX-License-Identifier: MIT
// Writes one run as a page for people: a single HTML file that needs no network. The page itself
// (html/) is made when PtoWsp is built; here a run's data are put into it.
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

glue::Status writeHtmlReport(const std::string& file, const Report& report,
                             const glue::Artifact& artifact, const glue::HostTensors& tensors,
                             const glue::Run& run);

}  // namespace ptowsp::run
