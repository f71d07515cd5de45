// SPDX-License-Identifier: MIT
// ProcessGuard: makes sure that a process which runs other people's code ends, with a message and
// exit code 3, when that code crashes or never returns. For programs, not for libraries: it owns
// signals of the whole process.
#pragma once

#include <string>

namespace ptowsp::glue {

// What the process is doing now, for the messages below: "building the task graph".
void enterPhase(const char* phase);
const char* currentPhase();

// Crashes anywhere in the process, as far as no one else (a sanitizer, the runtime) takes the
// signal, end it with a message that begins with `name`. `locate` may describe the address that was
// touched; it is called inside the signal handler.
void reportCrashes(const std::string& name, const char* (*locate)(const void* address));

// Ends the process when one phase takes longer than that many seconds of wall time; 0 = never.
void limitTime(const std::string& name, double seconds);

}  // namespace ptowsp::glue
