// SPDX-License-Identifier: MIT
// load: from the path of a workload file to its Program, in one call.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "generator/base/diagnostic.h"
#include "generator/ir/locations.h"
#include "generator/ir/workload.h"
#include "generator/verify/program.h"

namespace ptowsp {

struct Loaded {
  std::string text;                // the workload file's bytes
  std::vector<std::string> files;  // what was read, for depfiles
  ir::Locations locations;
  std::optional<ir::Workload> workload;  // set when its form is right
  std::optional<Program> program;        // set when every static rule holds

  // For format(); this object must outlive it and stay where it is.
  Locate locate() const { return locations.locate(); }
};

// Reads the workload file and, where there is one, its locations sidecar; checks form and rules.
Loaded load(const std::string& path, Diagnostics& diagnostics);

// The same for a text in memory; `path` is for messages only.
Loaded loadText(std::string text, const std::string& path, Diagnostics& diagnostics);

}  // namespace ptowsp
