// SPDX-License-Identifier: MIT
// The predicted duration of a task graph: tasks take the cycles that the manifest says, on as many
// cores as a block_dim has.
#pragma once

#include <cstdint>
#include <vector>

#include "ptowsp/manifest.h"
#include "runtime_glue/glue/inspection.h"

namespace ptowsp::glue {

// Cycles until the last task is done, by list scheduling: whenever a core is free, it takes the ready
// task of its type that comes first in program order; ties in time go to the lower task. A block has
// one AIC and two AIV cores. The same graph gives the same number, whatever machine it is asked on.
// block_dim >= 1; func_ids index `kernels`.
int64_t makespan(const TaskGraph& graph, const std::vector<KernelInfo>& kernels, int block_dim);

}  // namespace ptowsp::glue
