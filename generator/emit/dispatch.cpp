// SPDX-License-Identifier: MIT
#include "generator/emit/dispatch.h"

#include <fmt/format.h>

#include <algorithm>

#include "generator/emit/names.h"
#include "ptowsp/dispatch.h"

namespace ptowsp {
namespace {

using Policy = Schedule::Policy;

// How a scheduler follows from the helper's argument.
std::string expression(const Schedule& schedule) {
  if (!schedule.table.empty()) return "ptowsp::dispatch::fromTable(dispatch_table, key)";
  switch (schedule.policy) {
    case Policy::round_robin:
    case Policy::work_steal:
      return fmt::format("ptowsp::dispatch::roundRobin(task, {})", schedule.aicpus);
    case Policy::hash:
      return fmt::format("ptowsp::dispatch::hash(key, {})", schedule.aicpus);
    case Policy::affinity:
      return fmt::format("ptowsp::dispatch::affinity(key, {})", schedule.aicpus);
    case Policy::dispatch_by:
      return "static_cast<int>(key)";
  }
  return {};
}

std::string describe(const Schedule& schedule) {
  const std::string policy = fmt::format("dispatch {}({})", ir::nameOf(schedule.policy),
                                         schedule.aicpus);
  return schedule.table.empty() ? policy : policy + ", by a table of all tasks";
}

std::string helper(const Schedule& schedule) {
  std::string text = fmt::format("// {}: the AICPU scheduler that a task belongs to.\n",
                                 describe(schedule));
  if (!schedule.table.empty()) {
    text += fmt::format("constexpr char dispatch_table[] =\n#include \"{}\"\n    ;\n",
                        kDispatchTable.substr(kDispatchTable.rfind('/') + 1));
  }
  return text +
         fmt::format(
             "#ifndef PTOWSP_BUILTIN_RUNTIME\n"
             "// TODO_PTO_RUNTIME_MULTI_AICPU_DISPATCH: this runtime's add_task takes no scheduler,\n"
             "// so what is selected here is not passed on, and any scheduler may run any task.\n"
             "#endif\n"
             "int pto_wsp_select_aicpu_scheduler_id({}) {{\n"
             "  return {};\n"
             "}}\n\n",
             schedule.hasKeys() ? "int64_t key" : "uint64_t task", expression(schedule));
}

}  // namespace

std::string emitDispatchTable(const Program& program, std::string_view source_name) {
  constexpr size_t kDigitsInLine = 80;
  const std::vector<uint8_t>& table = program.schedule.table;
  std::string text = generatedBy("//", source_name) +
                     "// The AICPU scheduler of each task in program order, a digit of "
                     "ptowsp::dispatch::digitOf.\n";
  for (size_t i = 0; i < table.size(); i += kDigitsInLine) {
    text += "    \"";
    for (size_t t = i; t < std::min(table.size(), i + kDigitsInLine); ++t)
      text += dispatch::digitOf(table[t]);
    text += "\"\n";
  }
  return text;
}

ScheduleText scheduleText(const Program& program) {
  const Schedule& schedule = program.schedule;
  ScheduleText text;
  if (schedule.aicpus != 0) {
    text.helper = helper(schedule);
    if (schedule.hasKeys()) text.parameter = ", int64_t key";
    text.assignment = fmt::format("  graph.dispatch(pto_wsp_select_aicpu_scheduler_id({}));\n",
                                  schedule.hasKeys() ? "key" : "graph.task()");
    text.directives +=
        fmt::format("  ptowsp::dispatch::setPolicy(*runtime, {}, /*work_steal=*/{});\n",
                    schedule.aicpus, schedule.policy == Policy::work_steal);
  }
  if (schedule.window != 0) {
    text.directives +=
        fmt::format("  ptowsp::dispatch::setWindow(*runtime, {}, ptowsp::dispatch::Window::{});\n",
                    schedule.window, ir::nameOf(schedule.mode));
  }
  return text;
}

std::string keyArgument(const Schedule& schedule, const DispatchKey& key,
                        const std::string& value) {
  if (!schedule.hasKeys()) return {};
  if (key.modulus == 0) return ", " + value;
  return fmt::format(", ptowsp::dispatch::remainder({}, {})", value, key.modulus);
}

}  // namespace ptowsp
