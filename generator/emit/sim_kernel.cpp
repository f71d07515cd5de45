#include "generator/emit/sim_kernel.h"

#include <fmt/format.h>

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
          {"ptowsp_reduce.h", support::reduceHeader()},
          {"ptowsp_tile.h", support::tileHeader()},
          {"ptowsp_vector.h", support::vectorHeader()}};
}

std::optional<std::string> emitSimKernel(const Kernel& kernel, std::string_view source_name,
                                         std::string& error) {
  const SimPlan plan = planSimKernel(kernel);
  if (plan.temporary_bytes > kMostTemporaryBytes) {
    error = fmt::format(
        "kernel '{}' keeps {} bytes of intermediate values, and at most {} fit on a core's stack",
        kernel.name, plan.temporary_bytes, kMostTemporaryBytes);
    return std::nullopt;
  }
  return emitVectorKernel(kernel, plan, source_name);
}

}  // namespace ptowsp
