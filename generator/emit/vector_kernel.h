// SPDX-License-Identifier: MIT
// The body of a simulated kernel for vector cores: elementwise ops, reductions, casts.
#pragma once

#include <string>
#include <string_view>

#include "generator/emit/sim_plan.h"
#include "generator/verify/program.h"

namespace ptowsp {

std::string emitVectorKernel(const Kernel& kernel, const SimPlan& plan,
                             std::string_view source_name);

}  // namespace ptowsp
