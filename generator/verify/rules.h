// SPDX-License-Identifier: MIT
// The parts of verify, one header for the stage's own use. Each adds what is wrong to
// `diagnostics`; what they build is complete only when they add no error.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "generator/base/diagnostic.h"
#include "generator/ir/workload.h"
#include "generator/verify/affine.h"
#include "generator/verify/program.h"

namespace ptowsp {

// Where users read what this version does not do.
inline constexpr const char* kGapsPage = "see docs/future/pto_runtime_gaps.md";

// Rules that ask for the workload alone (workload_rules.cpp): names, duplicates, unsupported
// features, sizes, inits.
void checkWorkload(const ir::Workload& workload, Diagnostics& diagnostics);

// A tensor with its sizes and tolerances; sizes that overflow are checkWorkload's.
Tensor buildTensor(const ir::Tensor& declaration);

// A kernel with typed values (kernel_rules.cpp). Its tiles' `strided` is set by buildTask.
Kernel buildKernel(const ir::Kernel& kernel, Diagnostics& diagnostics);

// Scope: what a task sees: the program so far and the loops around it, outermost first.
struct Scope {
  Program& program;
  std::vector<Loop> loops;
  Diagnostics& diagnostics;

  int findTensor(std::string_view name) const;  // -1: none
  int findKernel(std::string_view name) const;
  int findChannel(std::string_view name) const;
};

// The task with its views resolved (task_rules.cpp). Marks written tensors and strided tiles.
Node buildTask(const ir::Node& node, Scope& scope);

// The channels with their token counts, and the rules about processes (channel_rules.cpp): what
// stands where, which process has which end of a channel, tokens sent and consumed.
std::vector<Channel> buildChannels(const ir::Workload& workload, Diagnostics& diagnostics);

// Rules that ask for the whole program (program_rules.cpp): what is never used or never written,
// and the number of arguments.
void checkProgram(const Program& program, Diagnostics& diagnostics);

// The schedule's directives, and each task node's key (schedule_rules.cpp). A table that stands in a
// file is left to setDispatchTable.
void buildSchedule(const ir::Workload& workload, Program& program, Diagnostics& diagnostics);
// The table of the dispatch policy: what its function gives for each task in program order. `place`
// is where the table is written.
void setDispatchTable(Program& program, const std::vector<int64_t>& values,
                      const std::string& place, Diagnostics& diagnostics);

// "'x'", and "8 x 256", for messages.
std::string inQuotes(std::string_view name);
std::string shapeText(int64_t rows, int64_t cols);

// The number rounded to `dtype`, which is what a task gets; an error when the dtype has no number
// like it: one beyond the largest, or for i32 a fraction.
double roundedTo(DType dtype, double number, std::string_view place, Diagnostics& diagnostics);

}  // namespace ptowsp
