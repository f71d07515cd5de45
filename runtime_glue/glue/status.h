// SPDX-License-Identifier: MIT
// Status: how a step ended. Errors are values: glue never prints, throws or exits.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace ptowsp::glue {

// Outcome: the values are ptowsp-run's exit codes.
enum class Outcome {
  right = 0,
  wrong_result = 1,
  bad_artifact = 2,  // usage, or files that cannot be used
  run_failure = 3,
  skipped = 77,
};

// Status: `place` is a file or a part of the workload, `message` says what was found and expected,
// `notes` stand on lines of their own, `fix` says what to do and may be empty.
struct [[nodiscard]] Status {
  Outcome outcome = Outcome::right;
  std::string place;
  std::string message;
  std::vector<std::string> notes;
  std::string fix;

  bool ok() const { return outcome == Outcome::right; }

  static Status badArtifact(std::string place, std::string message, std::string fix = {}) {
    return {Outcome::bad_artifact, std::move(place), std::move(message), {}, std::move(fix)};
  }
  static Status runFailure(std::string place, std::string message, std::string fix = {}) {
    return {Outcome::run_failure, std::move(place), std::move(message), {}, std::move(fix)};
  }
  static Status wrongResult(std::string place, std::string message, std::string fix = {}) {
    return {Outcome::wrong_result, std::move(place), std::move(message), {}, std::move(fix)};
  }
  static Status skipped(std::string place, std::string message, std::string fix = {}) {
    return {Outcome::skipped, std::move(place), std::move(message), {}, std::move(fix)};
  }
};

}  // namespace ptowsp::glue
