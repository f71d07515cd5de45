// SPDX-License-Identifier: MIT
// Errors of the C interface: each thread keeps its last one.
#pragma once

#include <exception>
#include <new>
#include <string>

#include "ptowsp/glue_c.h"
#include "runtime_glue/glue/status.h"

#define PTOWSP_EXPORT extern "C" __attribute__((visibility("default")))

namespace ptowsp::glue {

// Place and message, then a line for each note, and the fix.
std::string textOf(const Status& status);

// Keeps it for ptowsp_last_error(); what the function returns. `code`: instead of the outcome's own.
int failed(const Status& status, int code = PTOWSP_OK) noexcept;

inline int outcomeOf(int outcome) { return outcome; }
inline int outcomeOf(const Status& status) { return status.ok() ? PTOWSP_OK : failed(status); }

// Runs `call`, which returns a Status, or an outcome whose error it has kept. C callers must see no
// exception.
template <typename Call>
int guarded(const Call& call) noexcept {
  try {
    return outcomeOf(call());
  } catch (const std::bad_alloc&) {
    return failed(Status{Outcome::run_failure, {}, {}, {}, {}});
  } catch (const std::exception& exception) {
    return failed(Status::runFailure("", exception.what()));
  }
}

}  // namespace ptowsp::glue
