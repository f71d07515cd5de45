// SPDX-License-Identifier: MIT
// verify: from a workload as written to a Program in which every static rule holds. What needs the
// tasks one by one (races, uninitialised reads, outputs not written completely) is for analyze.
#pragma once

#include <optional>

#include "generator/base/diagnostic.h"
#include "generator/ir/workload.h"
#include "generator/verify/program.h"

namespace ptowsp {

// The program, or nothing when a rule is broken: then `diagnostics` has every error found. Warnings
// (things that are never used) are added in both cases. docs/ir.md lists the rules.
std::optional<Program> verify(const ir::Workload& workload, Diagnostics& diagnostics);

}  // namespace ptowsp
