// SPDX-License-Identifier: MIT
#include "generator/verify/capabilities.h"

#include <algorithm>
#include <stdexcept>

namespace ptowsp {
namespace {

constexpr Support kEnforced = Support::enforced, kRecorded = Support::recorded,
                  kDiagnosed = Support::diagnosed, kUnsupported = Support::unsupported;

constexpr std::string_view kSchedulers =
    "built-in: each AICPU scheduler has its own ready tasks and its own blocks of cores";
constexpr std::string_view kRing = "built-in: tasks are admitted in task order, as a ring lets them";

// One row for each directive and form of it that runtimes may honour differently.
constexpr Capability kTable[] = {
    {"dispatch round_robin", {kEnforced, kRecorded, kRecorded}, kSchedulers},
    {"dispatch hash", {kEnforced, kRecorded, kRecorded}, kSchedulers},
    {"dispatch affinity", {kEnforced, kRecorded, kRecorded}, kSchedulers},
    {"dispatch dispatch_by", {kEnforced, kRecorded, kRecorded}, kSchedulers},
    {"dispatch work_steal",
     {kEnforced, kRecorded, kRecorded},
     "built-in: as round_robin, and a scheduler without ready tasks takes those of another one"},
    {"task_window stall", {kEnforced, kRecorded, kRecorded}, kRing},
    {"task_window abort",
     {kEnforced, kRecorded, kRecorded},
     "built-in: the run fails when a ready task lies beyond the window"},
    {"task_window benchmark",
     {kRecorded, kRecorded, kRecorded},
     "built-in: nothing is held back; `--stats` counts what would have been"},
    {"dependences dataflow", {kEnforced, kEnforced, kEnforced}, "edges from the elements touched"},
    {"dependences program_order", {kEnforced, kEnforced, kEnforced}, "one task after another"},
    {"dependences explicit",
     {kEnforced, kEnforced, kEnforced},
     "as dataflow; a conflict that sequential structure does not order is an error in any case"},
    {"races error", {kDiagnosed, kDiagnosed, kDiagnosed}, "found before anything is built"},
    {"races allow", {kEnforced, kEnforced, kEnforced}, "racing tasks run in program order"},
    {"channels",
     {kEnforced, kEnforced, kEnforced},
     "how many tokens is known when traced: tokens and room become edges; deadlocks are errors"},
    {"channels, tokens that depend on data",
     {kUnsupported, kUnsupported, kUnsupported},
     "no form of a workload says it"},
    {"BLOCK_DIM, AICPU_THREADS",
     {kEnforced, kEnforced, kEnforced},
     "not given: from the dispatch policy on the built-in runtime, 1 and 1 on pto-runtime"},
};

}  // namespace

const Capability* capabilityOf(std::string_view directive) {
  for (const Capability& capability : kTable)
    if (capability.directive == directive) return &capability;
  throw std::logic_error("no row of the capability matrix for " + std::string(directive));
}

std::string_view nameOf(Support support) {
  constexpr std::string_view kNames[] = {"enforced", "recorded", "diagnosed", "unsupported"};
  return kNames[static_cast<size_t>(support)];
}

std::span<const Capability> capabilities() { return kTable; }

std::vector<UsedDirective> usedDirectives(const Schedule& schedule) {
  std::vector<UsedDirective> used;
  if (schedule.aicpus != 0) {
    const std::string name = std::string("dispatch ") + ir::nameOf(schedule.policy);
    used.push_back({name + "(" + std::to_string(schedule.aicpus) + ")", capabilityOf(name)});
  }
  if (schedule.window != 0) {
    const std::string name = std::string("task_window ") + ir::nameOf(schedule.mode);
    used.push_back({name + "(" + std::to_string(schedule.window) + ")", capabilityOf(name)});
  }
  return used;
}

std::string supportText(const Capability& capability) {
  std::string text;
  for (const Support support : {kEnforced, kRecorded, kDiagnosed, kUnsupported}) {
    std::string runtimes;
    for (size_t i = 0; i < kRuntimes.size(); ++i) {
      if (capability.support[i] != support) continue;
      runtimes += (runtimes.empty() ? "" : ", ") + std::string(kRuntimes[i]);
    }
    if (runtimes.empty()) continue;
    text += (text.empty() ? "" : ", ") + std::string(nameOf(support)) + " (" + runtimes + ")";
  }
  return text;
}

std::string capabilitiesPage() {
  std::string page =
      "# What each runtime does with each directive\n"
      "\n"
      "Rendered by `ptowsp-gen capabilities` from the table in `generator/verify/capabilities.cpp`; "
      "`ptowsp-gen\ncheck` prints the rows that a workload uses, and its manifest keeps them.\n"
      "\n"
      "- **enforced**: what the directive says holds.\n"
      "- **recorded**: it stands in the manifest and in the emitted code, and changes nothing: see\n"
      "  [the gaps of pto-runtime](future/pto_runtime_gaps.md).\n"
      "- **diagnosed**: mistakes are errors before anything is built.\n"
      "- **unsupported**: refused by name.\n"
      "\n"
      "| directive |";
  for (const std::string_view runtime : kRuntimes) page += " " + std::string(runtime) + " |";
  page += " |\n|---|---|---|---|---|\n";
  for (const Capability& row : kTable) {
    page += "| " + std::string(row.directive) + " |";
    for (const Support support : row.support) page += " " + std::string(nameOf(support)) + " |";
    page += " " + std::string(row.note) + " |\n";
  }
  return page;
}

}  // namespace ptowsp
