// SPDX-License-Identifier: MIT
#include "runtime_glue/glue/c_error.h"

#include "runtime_glue/glue/c_struct.h"

namespace ptowsp::glue {
namespace {

// LastError: the texts that a thread's ptowsp_error_info points to.
struct LastError {
  int outcome = PTOWSP_OK;
  std::string place, message, notes, fix, text;
};

LastError& lastError() {
  static thread_local LastError error;
  return error;
}

}  // namespace

std::string textOf(const Status& status) {
  std::string text = status.place.empty() ? status.message : status.place + ": " + status.message;
  for (const std::string& note : status.notes) text += "\n  note: " + note;
  if (!status.fix.empty()) text += "\n  fix: " + status.fix;
  return text;
}

int failed(const Status& status, int code) noexcept {
  LastError& error = lastError();
  if (code == PTOWSP_OK)
    code = status.outcome == Outcome::run_failure ? PTOWSP_RUN_FAILURE : PTOWSP_BAD_ARTIFACT;
  try {
    std::string notes;
    for (const std::string& note : status.notes) notes += (notes.empty() ? "" : "\n") + note;
    error = {code, status.place, status.message, std::move(notes), status.fix, textOf(status)};
  } catch (const std::bad_alloc&) {
    error = {code, {}, {}, {}, {}, {}};
  }
  return code;
}

}  // namespace ptowsp::glue

PTOWSP_EXPORT int ptowsp_last_error(ptowsp_error_info* info) {
  if (!info || info->size < sizeof info->size) return PTOWSP_BAD_ARTIFACT;  // keeps what it is asked for
  const ptowsp::glue::LastError& error = ptowsp::glue::lastError();
  ptowsp_error_info value = {};
  value.outcome = error.outcome;
  value.place = error.place.c_str();
  // Words for what happened when there was no memory to keep any.
  const bool silent = error.outcome != PTOWSP_OK && error.text.empty();
  value.message = silent ? "out of memory" : error.message.c_str();
  value.notes = error.notes.c_str();
  value.fix = error.fix.c_str();
  value.text = silent ? "out of memory" : error.text.c_str();
  ptowsp::glue::giveStruct(value, info);
  return PTOWSP_OK;
}
