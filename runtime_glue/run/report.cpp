// SPDX-License-Identifier: MIT
#include "runtime_glue/run/report.h"

#include <algorithm>

#include "runtime_glue/glue/text.h"
#include "runtime_glue/run/json_writer.h"

namespace ptowsp::run {

using glue::counted;
using glue::format;
using glue::Outcome;

namespace {

std::string painted(const char* code, const std::string& text, bool colour) {
  return colour ? std::string("\033[") + code + "m" + text + "\033[0m" : text;
}

uint64_t median(std::vector<uint64_t> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<long>(values.size() / 2),
                   values.end());
  return values[values.size() / 2];
}

double milliseconds(uint64_t nanoseconds) { return static_cast<double>(nanoseconds) / 1e6; }

// Two significant digits or more, never an exponent: 0.0042 ms, 12.3 ms.
std::string timeText(uint64_t nanoseconds) {
  const double ms = milliseconds(nanoseconds);
  return format(ms < 0.01 ? "%.4f ms" : ms < 1 ? "%.3f ms" : ms < 100 ? "%.2f ms" : "%.0f ms", ms);
}

}  // namespace

const char* outcomeName(Outcome outcome) {
  switch (outcome) {
    case Outcome::right:
      return "right";
    case Outcome::wrong_result:
      return "wrong";
    case Outcome::bad_artifact:
      return "bad artifact";
    case Outcome::run_failure:
      return "failed";
    case Outcome::skipped:
      break;
  }
  return "skipped";
}

std::string failureText(const glue::Status& status, bool colour) {
  const bool skipped = status.outcome == Outcome::skipped;
  std::string text = status.place + ": " +
                     painted(skipped ? "33" : "1;31", skipped ? "skipped:" : "error:", colour) +
                     " " + status.message + "\n";
  for (const std::string& note : status.notes) text += "  note: " + note + "\n";
  if (!status.fix.empty()) text += "  fix: " + status.fix + "\n";
  return text;
}

std::string lineText(const Report& report, bool colour) {
  const Outcome outcome = report.status.outcome;
  std::string word = outcomeName(outcome);
  if (outcome == Outcome::right && !report.compared) word = "ran";
  std::string text =
      report.name + ": " + painted(outcome == Outcome::right ? "32" : "1;31", word + ".", colour);
  if (outcome == Outcome::run_failure)
    return text + format(" %lld of %s ran.\n", static_cast<long long>(report.stats.completed),
                         counted(report.stats.tasks, "task").c_str());
  if (report.only.empty())
    text += " " + counted(report.stats.tasks, "task");
  else
    text += " Only " + report.only +
            (report.only_tasks > 1
                 ? " and " + counted(report.only_tasks - 1, "task") + " that it waits for"
                 : std::string());
  if (!report.wall_ns.empty()) {
    if (report.runs > 1) text += ", " + std::to_string(report.runs) + " runs";
    text += ", " + timeText(median(report.wall_ns));
  }
  if (report.compared) {
    glue::Comparison all;
    for (const TensorReport& tensor : report.tensors) {
      all.compared += tensor.comparison.compared;
      all.max_abs = std::max(all.max_abs, tensor.comparison.max_abs);
      all.max_rel = std::max(all.max_rel, tensor.comparison.max_rel);
    }
    if (!report.only.empty())
      text += ", " + counted(static_cast<long long>(all.compared), "element") + " compared";
    text += format(", largest error %.3g (abs) %.3g (rel)", all.max_abs, all.max_rel);
  } else if (outcome == Outcome::right) {
    text += report.only.empty() ? ", results not compared"
                                : ", it writes no result that stays, so nothing was compared";
  }
  text += ".";
  if (report.rewritten)
    text += " Later tasks would write " +
            counted(static_cast<long long>(report.rewritten), "element") +
            " of it again: not compared.";
  if (!report.remark.empty()) text += "\n  note: " + report.remark;
  return text + "\n";
}

std::string statsText(const Report& report) {
  const glue::RunStats& stats = report.stats;
  std::string text;
  const auto row = [&](const char* name, const std::string& value) {
    text += format("  %-15s %s\n", name, value.c_str());
  };
  row("tasks", std::to_string(stats.tasks));
  row("edges", std::to_string(stats.edges));
  row("critical path",
      counted(stats.critical_path, "task") +
          (stats.critical_path_ns ? ", " + timeText(stats.critical_path_ns) : std::string()));
  if (report.predicted_cycles)
    row("predicted", format("%lld cycles on %s", static_cast<long long>(report.predicted_cycles),
                            report.predicted_blocks
                                ? counted(report.predicted_blocks, "block").c_str()
                                : "any number of blocks"));
  row("launches", std::to_string(stats.launches));
  if (stats.build_ns) row("graph build", timeText(stats.build_ns));
  if (!report.wall_ns.empty()) {
    std::string wall = timeText(median(report.wall_ns));
    if (report.wall_ns.size() > 1)
      wall +=
          format(" (median of %zu; %s to %s)", report.wall_ns.size(),
                 timeText(*std::min_element(report.wall_ns.begin(), report.wall_ns.end())).c_str(),
                 timeText(*std::max_element(report.wall_ns.begin(), report.wall_ns.end())).c_str());
    row("wall time", wall);
  }
  if (stats.cores) {
    row("workers", std::to_string(stats.workers));
    row("cores", format("%d (%d AIC, %d AIV), %s", stats.cores, stats.cores / 3,
                        stats.cores / 3 * 2, counted(stats.aicpus, "AICPU").c_str()));
  }
  if (stats.window)
    row("task window", format("%lld tasks, at most %lld used, %s",
                              static_cast<long long>(stats.window),
                              static_cast<long long>(stats.window_high_water),
                              counted(stats.window_stalls, "stall").c_str()));
  for (const KernelReport& kernel : report.kernels)
    row("kernel", format("%s: %s, %s in all, %.3f us each", kernel.name.c_str(),
                         counted(kernel.tasks, "task").c_str(), timeText(kernel.total_ns).c_str(),
                         static_cast<double>(kernel.total_ns) / 1000 /
                             static_cast<double>(std::max<int64_t>(kernel.tasks, 1))));
  int idle = 0;
  const int aic = stats.cores / 3;
  for (size_t core = 0; core < report.core_busy_ns.size(); ++core) {
    const uint64_t busy = report.core_busy_ns[core];
    if (busy == 0) {
      ++idle;
      continue;
    }
    row("core",
        format("%zu (%s): %.1f %% busy, %s", core, static_cast<int>(core) < aic ? "AIC" : "AIV",
               100 * static_cast<double>(busy) /
                   static_cast<double>(std::max<uint64_t>(stats.wall_ns, 1)),
               timeText(busy).c_str()));
  }
  if (idle) row("idle cores", std::to_string(idle));
  for (const TensorReport& tensor : report.tensors)
    row("result",
        format("%s: %s, largest error %.3g (abs) %.3g (rel), allowed %.3g (abs) or %.3g "
               "(rel)",
               tensor.name.c_str(),
               counted(static_cast<long long>(tensor.comparison.compared), "element").c_str(),
               tensor.comparison.max_abs, tensor.comparison.max_rel, tensor.tolerance.atol,
               tensor.tolerance.rtol));
  return text;
}

std::string jsonText(const Report& report) {
  const glue::RunStats& stats = report.stats;
  JsonWriter json;
  json.beginObject();
  json.key("ptowsp_run").value(1).key("version").value(PTOWSP_VERSION);
  json.key("name").value(report.name).key("artifact").value(report.artifact);
  json.key("platform").value(report.platform).key("kernel_arch").value(report.level);
  json.key("runtime").value(report.runtime);
  json.key("outcome").value(outcomeName(report.status.outcome));
  json.key("exit_code").value(static_cast<int>(report.status.outcome));
  json.key("compared").value(report.compared);
  if (!report.only.empty()) {
    json.key("only").beginObject().key("task").value(report.only);
    json.key("tasks_run").value(report.only_tasks);
    json.key("elements_written_again_later").value(report.rewritten).endObject();
  }
  if (!report.remark.empty()) json.key("remark").value(report.remark);
  if (!report.status.ok()) {
    json.key("error").beginObject();
    json.key("place").value(report.status.place).key("message").value(report.status.message);
    json.key("notes").beginArray();
    for (const std::string& note : report.status.notes) json.value(note);
    json.endArray().key("fix").value(report.status.fix).endObject();
  }
  json.key("runs").value(report.runs).key("wall_ns").beginArray();
  for (const uint64_t wall : report.wall_ns) json.value(wall);
  json.endArray();
  json.key("stats").beginObject();
  json.key("tasks").value(stats.tasks).key("edges").value(stats.edges);
  json.key("completed").value(stats.completed);
  json.key("critical_path").value(stats.critical_path);
  json.key("critical_path_ns").value(stats.critical_path_ns);
  json.key("total_cycles").value(report.predicted_cycles);
  json.key("total_cycles_block_dim").value(report.predicted_blocks);
  json.key("launches").value(stats.launches).key("build_ns").value(stats.build_ns);
  json.key("wall_ns").value(stats.wall_ns).key("workers").value(stats.workers);
  json.key("cores").value(stats.cores).key("aicpus").value(stats.aicpus);
  if (stats.window) {
    json.key("task_window").beginObject().key("tasks").value(stats.window);
    json.key("high_water").value(stats.window_high_water);
    json.key("stalls").value(stats.window_stalls).endObject();
  }
  json.key("core_busy_ns").beginArray();
  for (const uint64_t busy : report.core_busy_ns) json.value(busy);
  json.endArray().key("kernels").beginArray();
  for (const KernelReport& kernel : report.kernels)
    json.beginObject()
        .key("name")
        .value(kernel.name)
        .key("tasks")
        .value(kernel.tasks)
        .key("total_ns")
        .value(kernel.total_ns)
        .endObject();
  json.endArray().endObject();
  json.key("tensors").beginArray();
  for (const TensorReport& tensor : report.tensors) {
    const glue::Comparison& found = tensor.comparison;
    json.beginObject().key("name").value(tensor.name);
    json.key("compared").value(found.compared).key("differing").value(found.differing);
    json.key("max_abs").value(found.max_abs).key("max_rel").value(found.max_rel);
    json.key("rtol").value(tensor.tolerance.rtol).key("atol").value(tensor.tolerance.atol);
    if (!tensor.first.empty()) {
      json.key("first").beginObject().key("element").value(tensor.first);
      json.key("got").value(tensor.got).key("expected").value(tensor.expected).endObject();
    }
    json.endObject();
  }
  json.endArray().endObject();
  return json.text() + "\n";
}

}  // namespace ptowsp::run
