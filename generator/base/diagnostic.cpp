// SPDX-License-Identifier: MIT
#include "generator/base/diagnostic.h"

#include <algorithm>

namespace ptowsp {
namespace {

std::string head(const SourceLocation& location) {
  std::string text = location.file;
  if (location.line > 0) {
    text += ":" + std::to_string(location.line) + ":" + std::to_string(location.column);
  }
  return text;
}

bool isPointer(std::string_view place) { return !place.empty() && place.front() == '/'; }

}  // namespace

Diagnostic& Diagnostics::error(std::string_view rule, std::string_view place, std::string message,
                               std::string fix) {
  return all_.emplace_back(Diagnostic{Severity::error,
                                      std::string(rule),
                                      std::string(place),
                                      std::move(message),
                                      std::move(fix),
                                      {}});
}

Diagnostic& Diagnostics::warning(std::string_view rule, std::string_view place, std::string message,
                                 std::string fix) {
  return all_.emplace_back(Diagnostic{Severity::warning,
                                      std::string(rule),
                                      std::string(place),
                                      std::move(message),
                                      std::move(fix),
                                      {}});
}

void Diagnostics::add(Diagnostics other) {
  for (Diagnostic& diagnostic : other.all_) all_.push_back(std::move(diagnostic));
}

bool Diagnostics::hasErrors() const {
  return std::any_of(all_.begin(), all_.end(),
                     [](const Diagnostic& d) { return d.severity == Severity::error; });
}

std::string format(const Diagnostic& diagnostic, const Locate& locate, bool colour) {
  if (diagnostic.rule == kScriptRule) return diagnostic.message + "\n";
  bool is_error = diagnostic.severity == Severity::error;
  SourceLocation location = locate(diagnostic.place);
  std::string severity = is_error ? "error:" : "warning:";
  if (colour) severity = (is_error ? "\033[1;31m" : "\033[1;35m") + severity + "\033[0m";
  std::string text =
      head(location) + ": " + severity + " " + diagnostic.message + " [" + diagnostic.rule + "]\n";
  if (isPointer(diagnostic.place)) text += "  at " + diagnostic.place + "\n";
  if (!location.script.empty()) {
    text += "  from " + location.script + ":" + std::to_string(location.script_line) + "\n";
  }
  if (!diagnostic.fix.empty()) text += "  fix: " + diagnostic.fix + "\n";
  for (const Related& related : diagnostic.related) {
    SourceLocation other = locate(related.place);
    text += "  note: " + related.message + "\n";
    text += isPointer(related.place) ? "    at " + related.place + " (" + head(other) + ")\n"
                                     : "    at " + head(other) + "\n";
    if (!other.script.empty()) {
      text += "    from " + other.script + ":" + std::to_string(other.script_line) + "\n";
    }
  }
  return text;
}

std::string format(const Diagnostics& diagnostics, const Locate& locate, bool colour) {
  // A loop of a script that made one mistake a thousand times is understood from the first ones.
  constexpr size_t kMost = 100;
  std::vector<const Diagnostic*> shown;
  for (const Diagnostic& diagnostic : diagnostics.all()) shown.push_back(&diagnostic);
  std::string rest;
  if (shown.size() > kMost) {
    // No error may hide behind warnings.
    std::stable_partition(shown.begin(), shown.end(),
                          [](const Diagnostic* d) { return d->severity == Severity::error; });
    rest = locate("").file + ": " + std::to_string(shown.size() - kMost) +
           " more errors and warnings are not shown\n";
    shown.resize(kMost);
  }
  std::string text;
  for (const Diagnostic* diagnostic : shown) text += format(*diagnostic, locate, colour);
  return text + rest;
}

}  // namespace ptowsp
