// SPDX-License-Identifier: MIT
// The predicted duration of a program with processes: what they and their channels take, on as many
// cores as they like.
#pragma once

#include <cstdint>

#include "ptowsp/manifest.h"

namespace ptowsp::glue {

// Whether processMakespan() is the prediction for a program, rather than makespan().
bool hasProcesses(const Manifest& manifest);

// Cycles until the program has ended, by the CSPT rule: each process has its own clock, to which a
// task adds the cycles of its kernel. A received token sets it to when the token was sent and the
// channel's latency later, room in a full channel to when the slot became free, and the end of a
// rendezvous to when the token was received; never back. Processes begin together, and what follows
// them when the last has ended. Elsewhere in the program and within a process, tasks take one after
// the other. Ends at INT64_MAX. For manifests that the reader accepted: their processes end.
int64_t processMakespan(const Manifest& manifest);

}  // namespace ptowsp::glue
