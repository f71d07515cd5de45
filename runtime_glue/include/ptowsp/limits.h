// SPDX-License-Identifier: MIT
// Limits: what one launch of a runtime holds. The generator, the runner and emitted trees share the
// numbers of the pinned pto-runtime. C++17, no other header of PtoWsp.
#pragma once

#include <stdint.h>

namespace ptowsp::limits {

// A task has at most so many arguments, on every runtime alike: the emitted kernels are the same.
// Of a task with more, the last one points to a block on the device that holds the rest.
constexpr int kArguments = 16;
constexpr int kDirectArguments = kArguments - 1;

constexpr int64_t kNone = INT64_MAX;

// LaunchLimits: tasks, relays among them; successors of a task; tensors, the ledger among them,
// that come back to the host.
struct LaunchLimits {
  int64_t tasks = kNone, fanout = kNone, pairs = kNone;
};

// The macros RUNTIME_MAX_* of the pinned pto-runtime.
constexpr LaunchLimits kPinned = {1024, 512, 64};

}  // namespace ptowsp::limits
