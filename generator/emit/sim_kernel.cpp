// SPDX-License-Identifier: MIT
#include "generator/emit/sim_kernel.h"

#include <fmt/format.h>

#include "generator/emit/cube_kernel.h"
#include "generator/emit/debug_lines.h"
#include "generator/emit/sim_plan.h"
#include "generator/emit/sim_support.h"
#include "generator/emit/vector_kernel.h"

namespace ptowsp {
namespace {

// Every thread of a runtime has at least 1 MiB of stack.
constexpr int64_t kMostTemporaryBytes = 256 * 1024;

}  // namespace

std::vector<SupportHeader> simSupportHeaders() {
  return {{"ptowsp_double.h", support::doubleHeader()},
          {"ptowsp_elementwise.h", support::elementwiseHeader()},
          {"ptowsp_float16.h", support::float16Header()},
          {"ptowsp_math.h", support::mathHeader()},
          {"ptowsp_matmul.h", support::matmulHeader()},
          {"ptowsp_reduce.h", support::reduceHeader()},
          {"ptowsp_vector.h", support::vectorHeader()}};
}

std::optional<std::string> emitSimKernel(const Kernel& kernel, std::string_view source_name,
                                         std::string& error, const Locate& lines) {
  const bool cube = kernel.core == CoreType::aic;
  const CubePlan cube_plan = cube ? planCubeKernel(kernel) : CubePlan();
  const SimPlan plan = cube ? SimPlan() : planSimKernel(kernel);
  const int64_t bytes = cube ? cube_plan.temporary_bytes : plan.temporary_bytes;
  if (bytes > kMostTemporaryBytes) {
    error = fmt::format(
        "kernel '{}' keeps {} bytes of intermediate values, and at most {} fit on a core's stack",
        kernel.name, bytes, kMostTemporaryBytes);
    return std::nullopt;
  }
  return resolveMarks(cube ? emitCubeKernel(kernel, cube_plan, source_name)
                           : emitVectorKernel(kernel, plan, source_name),
                      lines, fmt::format("kernel_{}.cpp", kernel.name));
}

}  // namespace ptowsp
