// SPDX-License-Identifier: MIT
// Diagnostics: what a stage says about a user's workload. Stages collect them; only main prints.
// A place is a JSON pointer (RFC 6901) into the workload file, or "@<byte offset>" where the file
// is not yet known to be JSON; base knows nothing of the IR itself.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace ptowsp {

enum class Severity { error, warning };

// The rule of what a script's tracer found: the message is all of the text, place and fix included.
inline constexpr std::string_view kScriptRule = "script";

// Related: a second place of a two-place error ("first written here").
struct Related {
  std::string place;
  std::string message;
};

// Diagnostic: one user's mistake. `rule` is a stable kebab-case name ("out-of-bounds"), `message`
// says what was found and what was expected, `fix` what to change (may be empty).
struct Diagnostic {
  Severity severity = Severity::error;
  std::string rule;
  std::string place;
  std::string message;
  std::string fix;
  std::vector<Related> related;
};

class Diagnostics {
 public:
  Diagnostic& error(std::string_view rule, std::string_view place, std::string message,
                    std::string fix = {});
  Diagnostic& warning(std::string_view rule, std::string_view place, std::string message,
                      std::string fix = {});
  // Appends what another collection holds.
  void add(Diagnostics other);
  bool hasErrors() const;
  const std::vector<Diagnostic>& all() const { return all_; }

 private:
  std::vector<Diagnostic> all_;
};

// SourceLocation: where a place stands in files. `line` 0: not known. `script` is the traced Python
// file of a DSL workload, empty when there is none.
struct SourceLocation {
  std::string file;
  int line = 0, column = 0;
  std::string script;
  int script_line = 0;
};

// Looks a place up; ir::Locations provides it.
using Locate = std::function<SourceLocation(std::string_view place)>;

// The text of one diagnostic, several lines, each ending in a newline:
//   softmax.json:12:7: error: <message> [rule]
//     at /kernels/0/body/2
//     from wl.py:12
//     fix: <fix>
//     note: <message of a related place>
//       at /tensors/0 (softmax.json:3:5)
// `colour` adds ANSI colours to the head; only main knows whether a terminal reads along.
std::string format(const Diagnostic& diagnostic, const Locate& locate, bool colour = false);
// All of them, in the order of their finding; of more than 100 the first 100,
// errors before warnings, and the number of the others.
std::string format(const Diagnostics& diagnostics, const Locate& locate, bool colour = false);

}  // namespace ptowsp
