// Diagnostics: what a stage says about a user's workload. Stages collect them; only main prints.
// A place is a JSON pointer (RFC 6901) into the workload file; base knows nothing of the IR itself.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ptowsp {

enum class Severity { error, warning };

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
  bool hasErrors() const;
  const std::vector<Diagnostic>& all() const { return all_; }

 private:
  std::vector<Diagnostic> all_;
};

}  // namespace ptowsp
