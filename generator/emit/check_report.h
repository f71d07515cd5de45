// SPDX-License-Identifier: MIT
// What `ptowsp-gen check --json` prints.
#pragma once

#include <string>

#include "generator/base/diagnostic.h"

namespace ptowsp {

// {"ptowsp_diagnostics": 1, "diagnostics": [...], "summary": {...} or null}, see
// docs/diagnostics.schema.json. `summary` is the text of a JSON object, empty
// for none.
std::string checkReport(const Diagnostics& diagnostics, const Locate& locate,
                        const std::string& summary);

}  // namespace ptowsp
