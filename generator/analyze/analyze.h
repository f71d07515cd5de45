// SPDX-License-Identifier: MIT
// analyze: the whole task graph of a program, built once to check it and to know its totals. The
// emitted orchestration builds the same graph with the same code and compares the totals.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "generator/analyze/segments.h"
#include "generator/analyze/task_graph.h"
#include "generator/base/diagnostic.h"
#include "generator/verify/program.h"
#include "ptowsp/task_graph.h"

namespace ptowsp {

// dataflow: edges follow from the regions that tasks touch. program_order: each task waits for the
// one before it. as_written ("explicit"): the edges of dataflow, but races are mistakes in any case.
enum class Dependences { dataflow, program_order, as_written };
// As the option --dependences and the manifest have it.
constexpr std::string_view nameOf(Dependences dependences) {
  constexpr std::string_view kNames[] = {"dataflow", "program_order", "explicit"};
  return kNames[static_cast<int>(dependences)];
}

struct AnalyzeOptions {
  Dependences dependences = Dependences::dataflow;
  // Races are not reported; the graph orders them as the program does. Not where it is as written.
  bool allow_races = false;
  bool keep_graph = false;   // fill Analysis::graph
  bool warnings = true;      // also report what is no mistake: dead-write
};

struct Analysis {
  Dependences dependences = Dependences::dataflow;
  bool allow_races = false;  // as asked for
  graph::GraphTotals totals;
  int64_t critical_path = 0;  // tasks on the longest chain
  int64_t max_fan_in = 0, max_fan_out = 0;
  // The smallest task window with which the graph can run to its end: it reaches from each task to the
  // newest one that it waits for. 1, as all edges lead to later tasks: the oldest one can always run.
  int64_t smallest_window = 1;
  // Whether all tasks touch each tensor by the cells of one grid: graph::Tracker<true> is enough.
  bool only_cells = false;
  Segmentation segments;
  TaskGraph graph;
};

// Rules: race, uninitialized-read, output-not-complete, tensor-too-large. That no tile which a task
// writes overlaps another of its tiles is for verify to say (aliased-arguments).
// Nothing when one of them is broken; every rule is checked all the same, and each mistake is
// reported once, with how often it occurs.
std::optional<Analysis> analyze(const Program& program, const AnalyzeOptions& options,
                                Diagnostics& diagnostics);

// Limit: what one launch of the pinned pto-runtime can hold, beside what this graph needs. `instead`
// is what is done about a graph that needs more; empty where nothing can be.
struct Limit {
  std::string_view name;
  int64_t found = 0, limit = 0;
  std::string instead;
  bool fits() const { return found <= limit; }
};
std::vector<Limit> contractLimits(const Program& program, const Analysis& analysis);

// What `ptowsp-gen check` prints, for people and for programs.
// `note`: what the text ends with.
std::string summaryText(const Program& program, const Analysis& analysis, std::string_view note = {});
std::string summaryJson(const Program& program, const Analysis& analysis, std::string_view note = {});

}  // namespace ptowsp
