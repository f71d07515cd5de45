// SPDX-License-Identifier: MIT
// Differences between a result and what is expected of it: which elements count when one task alone
// ran, and the words for a result that is wrong.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime_glue/glue/compare.h"
#include "runtime_glue/glue/status.h"
#include "runtime_glue/run/report.h"

namespace ptowsp::run {

// compareRange() for the elements marked 1 of Run::elementsOfSelectedTask(); counts those marked 2.
void compareMarked(const glue::TensorInfo& tensor, const void* got, const void* expected,
                   const std::vector<uint8_t>& marks, glue::Tolerance tolerance,
                   glue::Comparison* found, uint64_t* rewritten);

// Of a result with differing elements; `data` is its array, `workload` the place of the message.
glue::Status differenceStatus(const std::string& workload, const glue::TensorInfo& tensor,
                              const void* data, const TensorReport& result);

}  // namespace ptowsp::run
