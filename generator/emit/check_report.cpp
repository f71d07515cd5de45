// SPDX-License-Identifier: MIT
#include "generator/emit/check_report.h"

#include <nlohmann/json.hpp>

namespace ptowsp {
namespace {

using Json = nlohmann::ordered_json;

Json placeJson(const std::string& place, const Locate& locate) {
  const SourceLocation at = locate(place);
  Json json = {{"file", at.file}, {"line", at.line}, {"column", at.column}, {"place", place}};
  if (!at.script.empty()) {
    json["script"] = at.script;
    json["script_line"] = at.script_line;
  }
  return json;
}

}  // namespace

std::string checkReport(const Diagnostics& diagnostics, const Locate& locate,
                        const std::string& summary) {
  Json list = Json::array();
  for (const Diagnostic& diagnostic : diagnostics.all()) {
    Json json = placeJson(diagnostic.place, locate);
    json["severity"] = diagnostic.severity == Severity::error ? "error" : "warning";
    json["rule"] = diagnostic.rule;
    json["message"] = diagnostic.message;
    json["fix"] = diagnostic.fix;
    Json related = Json::array();
    for (const Related& other : diagnostic.related) {
      Json note = placeJson(other.place, locate);
      note["message"] = other.message;
      related.push_back(std::move(note));
    }
    json["related"] = std::move(related);
    list.push_back(std::move(json));
  }
  const Json report = {{"ptowsp_diagnostics", 1},
                       {"diagnostics", std::move(list)},
                       {"summary", summary.empty() ? Json() : Json::parse(summary)}};
  // File names need not be UTF-8.
  return report.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace ptowsp
