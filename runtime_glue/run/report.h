// SPDX-License-Identifier: MIT
// Report: what ptowsp-run tells about its runs, as one line, a table, or JSON.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime_glue/glue/compare.h"
#include "runtime_glue/glue/run.h"
#include "runtime_glue/glue/status.h"

namespace ptowsp::run {

// TensorReport: one result, over all runs.
struct TensorReport {
  std::string name;
  glue::Tolerance tolerance;
  glue::Comparison comparison;
  std::string first;  // element name of the first difference, "" without one
  double got = 0, expected = 0;
};

// KernelReport: kernel time by kernel, of the last run.
struct KernelReport {
  std::string name;
  int64_t tasks = 0;
  uint64_t total_ns = 0;
};

struct Report {
  std::string name;  // the workload's; the artifact's path as long as that is unknown
  std::string artifact, platform, level, runtime;
  glue::Status status;
  int runs = 0;
  std::vector<uint64_t> wall_ns;  // of each run that ended
  glue::RunStats stats;           // of the last run
  std::vector<uint64_t> core_busy_ns;
  std::vector<KernelReport> kernels;
  int64_t predicted_cycles = 0;  // 0: not asked for, or not known
  int predicted_blocks = 0;      // 0: the prediction is for any number
  bool compared = false;
  std::vector<TensorReport> tensors;
  std::string only;        // the selected task, "" for all
  int64_t only_tasks = 0;  // tasks that ran for it
  std::vector<int64_t> failed_tasks;  // that the status speaks of
  std::string remark;  // a sentence on a run that was right, or ""
  uint64_t rewritten = 0;  // elements it writes that later tasks write again
};

// `status` as text for stderr: place, what was found and expected, notes, fix.
std::string failureText(const glue::Status& status, bool colour);
// "scale: right. 1 task, 0.05 ms, largest error 0 (abs) 0 (rel)."
std::string lineText(const Report& report, bool colour);
std::string statsText(const Report& report);
std::string jsonText(const Report& report);

const char* outcomeName(glue::Outcome outcome);

}  // namespace ptowsp::run
