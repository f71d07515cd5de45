// SPDX-License-Identifier: MIT
// What `ptowsp-gen check` says about a right workload.
#include <fmt/format.h>

#include <algorithm>

#include "generator/analyze/analyze.h"
#include "generator/analyze/buffer_check.h"
#include "generator/analyze/buffers.h"
#include "generator/analyze/cycles.h"
#include "generator/analyze/quote.h"
#include "generator/base/counted.h"
#include "generator/verify/capabilities.h"
#include "ptowsp/limits.h"

namespace ptowsp {

// The macros RUNTIME_MAX_* of the pinned runtime. Recorded pairs: each tensor that comes back to
// the host, and the ledger.
std::vector<Limit> contractLimits(const Program& program, const Analysis& analysis) {
  int64_t args = 0;
  for (const Kernel& kernel : program.kernels)
    args = std::max<int64_t>(args, kernel.argumentCount());
  return {{"tasks", program.taskCount(), limits::kPinned.tasks,
           analysis.segments.fits ? fmt::format("{} launches", analysis.segments.starts.size()) : ""},
          {"task arguments", args, limits::kArguments, "the rest in argument blocks"},
          {"fan-out", analysis.max_fan_out, limits::kPinned.fanout,
           "relay tasks in between"},
          {"tensor pairs", analysis.segments.pairs, limits::kPinned.pairs, ""}};
}

namespace {

std::string_view coreName(CoreType core) { return core == CoreType::aic ? "aic" : "aiv"; }

// One object for each kernel: what a task of it takes of its core.
std::string coresJson(const Program& program) {
  std::string list;
  for (const Kernel& kernel : program.kernels) {
    std::string buffers;
    const BufferPlan plan = planBuffers(kernel);
    for (const Buffer buffer : kBuffers)
      if (plan.use(buffer).bytes > 0)
        buffers += fmt::format("{}\"{}\": {{\"bytes\": {}, \"limit\": {}}}",
                               buffers.empty() ? "" : ", ", keyOf(buffer), plan.use(buffer).bytes,
                               sizeOf(buffer));
    list += fmt::format(
        "{}\n    {{\"kernel\": {}, \"core_type\": \"{}\", \"cycles\": {}, \"buffers\": {{{}}}}}",
        list.empty() ? "" : ",", jsonQuote(kernel.name), coreName(kernel.core),
        kernelCycles(kernel), buffers);
  }
  return list;
}

}  // namespace

namespace {

// Each channel; nothing without any.
std::string channelsText(const Program& program) {
  if (program.channels.empty()) return "";
  std::string text =
      fmt::format("  channels: {}\n", supportText(*capabilityOf("channels")));
  for (const Channel& channel : program.channels)
    text += fmt::format("    {:<14} depth {}, {}{}\n", channel.name, channel.depth,
                        counted(channel.tokens, "token"),
                        channel.latency == 0 ? "" : fmt::format(", latency {} cycles", channel.latency));
  return text;
}

std::string channelsJson(const Program& program) {
  std::string list;
  for (const Channel& channel : program.channels)
    list += fmt::format("{}\n    {{\"name\": {}, \"depth\": {}, \"latency\": {}, \"tokens\": {}}}",
                        list.empty() ? "" : ",", jsonQuote(channel.name), channel.depth, channel.latency,
                        channel.tokens);
  return fmt::format("[{}{}]", list, list.empty() ? "" : "\n  ");
}

// What the directives come to on each runtime; nothing without directives.
std::string scheduleText(const Program& program, const Analysis& analysis) {
  std::string text;
  for (const UsedDirective& used : usedDirectives(program.schedule)) {
    text += fmt::format("    {}: {}\n", used.text, supportText(*used.capability));
  }
  if (program.schedule.window != 0) {
    text += fmt::format("    smallest feasible window: {} of {}\n", analysis.smallest_window,
                        counted(program.schedule.window, "task"));
  }
  return text.empty() ? text : "  schedule:\n" + text;
}

std::string scheduleJson(const Program& program, const Analysis& analysis) {
  std::string list;
  for (const UsedDirective& used : usedDirectives(program.schedule)) {
    std::string support;
    for (size_t i = 0; i < kRuntimes.size(); ++i) {
      support += fmt::format("{}{}: {}", i == 0 ? "" : ", ", jsonQuote(kRuntimes[i]),
                             jsonQuote(nameOf(used.capability->support[i])));
    }
    list += fmt::format("{}\n    {{\"directive\": {}, \"support\": {{{}}}}}", list.empty() ? "" : ",",
                        jsonQuote(used.text), support);
  }
  return fmt::format("[{}{}],\n  \"smallest_window\": {}", list, list.empty() ? "" : "\n  ",
                     analysis.smallest_window);
}

}  // namespace

std::string summaryText(const Program& program, const Analysis& analysis, std::string_view note) {
  std::string text = fmt::format(
      "{}\n"
      "  tensors        {}\n"
      "  kernels        {}\n"
      "  tasks          {}\n"
      "  edges          {} ({}), hash {:016x}\n"
      "  critical path  {}\n"
      "  fan-in         at most {}\n"
      "  fan-out        at most {}\n"
      "  one task on its core:\n",
      program.name, program.tensors.size(), program.kernels.size(), analysis.totals.tasks,
      analysis.totals.edges, nameOf(analysis.dependences), analysis.totals.edge_hash,
      counted(analysis.critical_path, "task"), analysis.max_fan_in, analysis.max_fan_out);
  for (const Kernel& kernel : program.kernels)
    text += fmt::format("    {:<14} {}, {} cycles, {}\n", kernel.name, coreName(kernel.core),
                        kernelCycles(kernel), bufferText(kernel));
  text += "  one launch of pto-runtime G1:\n";
  for (const Limit& limit : contractLimits(program, analysis)) {
    text += fmt::format("    {:<14} {} of {}{}\n", limit.name, limit.found, limit.limit,
                        limit.fits()            ? ""
                        : limit.instead.empty() ? ": does not fit"
                                                : ": " + limit.instead);
  }
  return text + channelsText(program) + scheduleText(program, analysis) + std::string(note);
}

std::string summaryJson(const Program& program, const Analysis& analysis, std::string_view note) {
  std::string list;
  for (const Limit& limit : contractLimits(program, analysis)) {
    list += fmt::format(
        "{}\n    {{\"name\": {}, \"found\": {}, \"limit\": {}, \"fits\": {}, \"instead\": {}}}",
        list.empty() ? "" : ",", jsonQuote(limit.name), limit.found, limit.limit, limit.fits(),
        limit.fits() || limit.instead.empty() ? "null" : jsonQuote(limit.instead));
  }
  return fmt::format(
      "{{\n  \"ptowsp_check\": 1,\n  \"name\": {},\n  \"tensors\": {},\n  \"kernels\": {},\n  "
      "\"tasks\": {},\n"
      "  \"edges\": {},\n  \"edge_hash\": \"{:016x}\",\n  \"dependences\": \"{}\",\n  "
      "\"critical_path\": {},\n"
      "  \"max_fan_in\": {},\n  \"max_fan_out\": {},\n  \"cores\": [{}\n  ],\n  \"limits\": [{}\n  ],\n  "
      "\"channels\": {},\n  \"schedule\": {},\n  \"text\": {}\n}}\n",
      jsonQuote(program.name), program.tensors.size(), program.kernels.size(),
      analysis.totals.tasks, analysis.totals.edges, analysis.totals.edge_hash,
      nameOf(analysis.dependences), analysis.critical_path, analysis.max_fan_in,
      analysis.max_fan_out, coresJson(program), list, channelsJson(program),
      scheduleJson(program, analysis), jsonQuote(summaryText(program, analysis, note)));
}

}  // namespace ptowsp
