// SPDX-License-Identifier: MIT
// Locations: from a place (a JSON pointer) to the line and column of the workload file and, for a
// traced workload, to the line of the Python file it came from.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "generator/base/diagnostic.h"
#include "generator/ir/json.h"

namespace ptowsp::ir {

class Locations {
 public:
  // The document whose places are looked up. `path` is the workload file as it was given; `root` is
  // null (a default Value) when the text is not JSON.
  void setDocument(const std::string& path, std::string_view text, json::Value root);

  // The sidecar: {"ptowsp_locations": 1, "files": ["wl.py"], "nodes": {"/program/0": [0, 12]}} with
  // paths relative to the workload file. A sidecar that cannot be used is a warning: it changes
  // messages only. Call after setDocument.
  void readSidecar(std::string_view text, const std::string& path, Diagnostics& diagnostics);

  // Where the value at `place` begins; for a pointer that leads nowhere, where the nearest
  // enclosing value begins. The script line is that of the nearest enclosing place in the sidecar.
  SourceLocation find(std::string_view place) const;

  // find() as base wants it. This object must outlive it.
  Locate locate() const {
    return [this](std::string_view place) { return find(place); };
  }

 private:
  std::string path_;
  std::string text_;
  std::vector<size_t> line_starts_;
  json::Value root_;
  std::vector<std::string> scripts_;
  std::unordered_map<std::string, std::pair<size_t, int>> nodes_;  // place -> script, line
};

// "wl.locations.json" for "wl.json".
std::string sidecarPath(const std::string& workload_path);

}  // namespace ptowsp::ir
