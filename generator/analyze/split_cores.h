// SPDX-License-Identifier: MIT
// The program that runs: every kernel for one type of core.
#pragma once

#include <optional>

#include "generator/base/diagnostic.h"
#include "generator/verify/program.h"

namespace ptowsp {

// Whether some kernel needs more than one core, and splitCores would change the program.
bool needsSplit(const Program& program);

// The program with each kernel's core set, and each kernel that mixes matmul with vector ops replaced
// by its stages (split_kernel.h): a task becomes a sequence of tasks. Nothing, and an error, when
// there are more tasks or larger temporaries then than can be counted (too-many-tasks,
// tensor-too-large).
//
// Stages are called like the kernel, with _s0, _s1 and so on behind, and underscores where that name
// is taken. Each task node has its own temporaries, whose leading dimensions are the extents of all
// loops around it: parallel iterations must not share them, and sequential ones would wait for each
// other without need if they did.
//
// Reference and checks of the user's promises (races, reads of what nobody wrote) take the program
// as it was: the one that is made here does the same, and cannot break one that did not.
std::optional<Program> splitCores(const Program& program, Diagnostics& diagnostics);

}  // namespace ptowsp
