// SPDX-License-Identifier: MIT
// Reads the JSON text of a workload file. Checks its form (JSON, keys, types, view syntax) and
// nothing else: what the workload means is for verify.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "generator/base/diagnostic.h"
#include "generator/ir/locations.h"
#include "generator/ir/workload.h"

namespace ptowsp::ir {

// The workload in `text`, or nothing when its form is wrong: then `diagnostics` has every error of
// form (a text that is not JSON has one). `path` is the file's name for messages. `locations` is
// filled in both cases.
std::optional<Workload> readWorkload(std::string_view text, const std::string& path,
                                     Locations& locations, Diagnostics& diagnostics);

}  // namespace ptowsp::ir
