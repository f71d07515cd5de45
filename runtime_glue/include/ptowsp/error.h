// SPDX-License-Identifier: MIT
// How the C++ interface tells what went wrong: ptowsp::Error is thrown, ptowsp::Result returned by
// the functions that throw nothing. C++17; also usable with -fno-exceptions, where what would throw
// ends the process with the error's text.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "ptowsp/glue_c.h"

namespace ptowsp {

// Outcome: the values are those of ptowsp_outcome.
enum class Outcome {
  ok = PTOWSP_OK,
  bad_input = PTOWSP_BAD_ARTIFACT,    // wrong arguments, or files that cannot be used
  run_failure = PTOWSP_RUN_FAILURE,   // a kernel or the runtime failed
  cancelled = PTOWSP_CANCELLED,
};

// Error: `place` is a tensor, a file or a workload, `message` says what was found and expected, `fix`
// what to do (may be empty). what() has all of it.
class Error : public std::runtime_error {
 public:
  Error(Outcome outcome, std::string place, std::string message, std::vector<std::string> notes,
        std::string fix)
      : std::runtime_error(textOf(place, message, notes, fix)),
        outcome_(outcome),
        place_(std::move(place)),
        message_(std::move(message)),
        notes_(std::move(notes)),
        fix_(std::move(fix)) {}

  Outcome outcome() const noexcept { return outcome_; }
  const std::string& place() const noexcept { return place_; }
  const std::string& message() const noexcept { return message_; }
  const std::vector<std::string>& notes() const noexcept { return notes_; }
  const std::string& fix() const noexcept { return fix_; }

 private:
  static std::string textOf(const std::string& place, const std::string& message,
                            const std::vector<std::string>& notes, const std::string& fix) {
    std::string text = place.empty() ? message : place + ": " + message;
    for (const std::string& note : notes) text += "\n  note: " + note;
    if (!fix.empty()) text += "\n  fix: " + fix;
    return text;
  }

  Outcome outcome_;
  std::string place_, message_;
  std::vector<std::string> notes_;
  std::string fix_;
};

// Statistics: of one run. Times are in nanoseconds.
using Statistics = ptowsp_program_stats;

// Result: what a run came to. True when it is right.
class Result {
 public:
  Result() = default;
  explicit Result(const Statistics& statistics) : statistics_(statistics) {}
  explicit Result(Error error) : error_(std::make_shared<const Error>(std::move(error))) {}

  explicit operator bool() const noexcept { return !error_; }
  Outcome outcome() const noexcept { return error_ ? error_->outcome() : Outcome::ok; }
  // Only of a run that failed.
  const Error& error() const noexcept { return *error_; }
  // Of a run that did not fail; else all 0.
  const Statistics& statistics() const noexcept { return statistics_; }

 private:
  Statistics statistics_ = {};
  std::shared_ptr<const Error> error_;
};

namespace detail {

[[noreturn]] inline void raise(const Error& error) {
#ifdef __cpp_exceptions
  throw error;
#else
  std::fprintf(stderr, "%s\n", error.what());
  std::abort();
#endif
}

// This thread's last call of the C interface that failed.
inline Error lastError() {
  ptowsp_error_info info = {};
  info.size = sizeof info;
  ptowsp_last_error(&info);
  std::vector<std::string> notes;
  for (std::string rest = info.notes; !rest.empty();) {
    const std::size_t end = rest.find('\n');
    notes.push_back(rest.substr(0, end));
    rest.erase(0, end == std::string::npos ? end : end + 1);
  }
  return Error(static_cast<Outcome>(info.outcome), info.place, info.message, std::move(notes),
               info.fix);
}

inline void check(int outcome) {
  if (outcome != PTOWSP_OK) raise(lastError());
}

}  // namespace detail
}  // namespace ptowsp
