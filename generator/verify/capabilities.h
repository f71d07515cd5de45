// SPDX-License-Identifier: MIT
// The capability matrix: how each runtime honours each directive. `check` prints the rows that a
// workload uses, the manifest keeps them, docs/capabilities.md is rendered from all of them.
#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "generator/verify/program.h"

namespace ptowsp {

// enforced: what it says holds. recorded: it is in the manifest and the emitted code, and changes
// nothing. diagnosed: mistakes are found before anything is built. unsupported: refused.
enum class Support { enforced, recorded, diagnosed, unsupported };
std::string_view nameOf(Support support);

inline constexpr std::array<std::string_view, 3> kRuntimes = {
    "builtin a2a3sim", "pto-runtime a2a3sim", "pto-runtime a2a3"};

struct Capability {
  std::string_view directive;  // "dispatch round_robin"
  std::array<Support, kRuntimes.size()> support;  // in the order of kRuntimes
  std::string_view note;
};

std::span<const Capability> capabilities();
// The row of a directive that has one.
const Capability* capabilityOf(std::string_view directive);

// UsedDirective: a directive of one workload, with its row.
struct UsedDirective {
  std::string text;  // "dispatch round_robin(4)"
  const Capability* capability;
};
std::vector<UsedDirective> usedDirectives(const Schedule& schedule);

// "enforced (builtin a2a3sim), recorded (pto-runtime a2a3sim, pto-runtime a2a3)".
std::string supportText(const Capability& capability);

// The table as a page of docs.
std::string capabilitiesPage();

}  // namespace ptowsp
