// SPDX-License-Identifier: MIT
#include "generator/analyze/buffer_check.h"

#include <fmt/format.h>

#include <algorithm>

#include "generator/analyze/buffers.h"

namespace ptowsp {
namespace {

// "'x' (64 x 64 f32) 16384, scratch 8192": what lies in the buffer at the op, largest first.
std::string liveText(const Kernel& kernel, const BufferPlan& plan, Buffer buffer, int op) {
  std::vector<Placement> live;
  std::ranges::copy_if(plan.placements, std::back_inserter(live), [&](const Placement& p) {
    return p.buffer == buffer && p.first <= op && op <= p.last;
  });
  std::ranges::stable_sort(live, std::ranges::greater(), &Placement::bytes);
  std::string text;
  for (const Placement& p : live) {
    if (!text.empty()) text += ", ";
    if (p.value < 0) {
      text += fmt::format("scratch {}", p.bytes);
      continue;
    }
    const Value& value = kernel.values[static_cast<size_t>(p.value)];
    text += fmt::format("'{}' ({} x {} {}) {}", value.name, value.rows, value.cols,
                        ir::nameOf(value.dtype), p.bytes);
  }
  return text;
}

std::string kernelText(const Kernel& kernel) {
  return kernel.stages > 1 ? fmt::format("stage {}/{} of kernel '{}'", kernel.stage + 1,
                                         kernel.stages, kernel.userName())
                           : fmt::format("kernel '{}'", kernel.name);
}

}  // namespace

void checkBuffers(const Program& program, bool for_device, Diagnostics& diagnostics) {
  for (const Kernel& kernel : program.kernels) {
    const BufferPlan plan = planBuffers(kernel);
    for (const Buffer buffer : kBuffers) {
      const BufferUse& use = plan.use(buffer);
      if (use.bytes <= sizeOf(buffer)) continue;
      const KernelOp& op = kernel.ops[static_cast<size_t>(use.op)];
      std::string message = fmt::format(
          "{} takes {} bytes of the {}, which has {} for tiles; at op '{}' {} are live: {}",
          kernelText(kernel), use.bytes, nameOf(buffer), sizeOf(buffer), op.op->name, use.live,
          liveText(kernel, plan, buffer, use.op));
      const std::string fix = "use smaller tiles, or split the kernel";
      Diagnostic& diagnostic =
          for_device ? diagnostics.error("tile-too-large", op.place, std::move(message), fix)
                     : diagnostics.warning("tile-too-large", op.place,
                                           std::move(message) +
                                               "; it runs on a2a3sim, and cannot on a2a3",
                                           fix);
      diagnostic.related.push_back({kernel.place, "the kernel is here"});
    }
  }
}

std::string bufferText(const Kernel& kernel) {
  const BufferPlan plan = planBuffers(kernel);
  std::string text;
  for (const Buffer buffer : kBuffers) {
    const BufferUse& use = plan.use(buffer);
    if ((kernel.core == CoreType::aiv) != (buffer == Buffer::unified)) continue;
    text += fmt::format("{}{} {} of {}", text.empty() ? "" : ", ", nameOf(buffer), use.bytes,
                        sizeOf(buffer));
  }
  return text + " bytes";
}

}  // namespace ptowsp
