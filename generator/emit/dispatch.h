// SPDX-License-Identifier: MIT
// What a schedule adds to the emitted orchestration.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "generator/verify/program.h"

namespace ptowsp {

// The schedulers of all tasks, where the dispatch policy has a table: a string literal that the
// orchestration includes.
inline constexpr std::string_view kDispatchTable =
    "kernels/orchestration/pto_wsp_dispatch_table.inc";
std::string emitDispatchTable(const Program& program, std::string_view source_name);

// ScheduleText: fragments of the orchestration; all empty without directives.
struct ScheduleText {
  std::string helper;      // pto_wsp_select_aicpu_scheduler_id
  std::string parameter;   // of a kernel's function, after the graph: ", int64_t key"
  std::string assignment;  // in a kernel's function, before the task is added
  std::string directives;  // in build_pto_wsp_graph, before the first task
};
ScheduleText scheduleText(const Program& program);

// A task's argument for the parameter: ", b + 8 * t"; `value` is the text of the key's value.
std::string keyArgument(const Schedule& schedule, const DispatchKey& key, const std::string& value);

}  // namespace ptowsp
