// SPDX-License-Identifier: MIT
#include "generator/analyze/segments.h"

#include <fmt/format.h>

#include <algorithm>
#include <new>

namespace ptowsp {
namespace {

bool comesBack(const Tensor& tensor) {
  return tensor.declaration.role == Role::output || tensor.declaration.role == Role::inout;
}

int64_t pairsOf(const Program& program) {
  int64_t pairs = 1;  // the ledger
  for (const Tensor& tensor : program.tensors) pairs += comesBack(tensor);
  return pairs;
}

// What every launch copies; the emitted orchestration's Graph::launchBytes() is the same sum.
uint64_t launchBytes(const Program& program) {
  uint64_t bytes = 0;
  for (const Tensor& tensor : program.tensors) {
    if (tensor.declaration.role != Role::temporary)
      bytes += static_cast<uint64_t>(tensor.bytes) * (comesBack(tensor) ? 2 : 1);
  }
  return bytes;
}

}  // namespace

void checkLimits(const Program& program, const Segmentation& segments, Diagnostics& diagnostics) {
  if (segments.fits) return;
  const int64_t results = segments.pairs - 1;
  const bool alone = segments.pairs > limits::kPinned.pairs;
  const bool inout = std::ranges::any_of(program.tensors, [](const Tensor& tensor) {
    return tensor.declaration.role == Role::inout;
  });
  diagnostics.error(
      "too-many-tensors", "/tensors",
      fmt::format("a launch of pto-runtime G1 brings back at most {} tensors, and this graph, however "
                  "it is cut into launches, needs {}: {} {} and the ledger{}",
                  limits::kPinned.pairs,
                  alone ? fmt::format("{}", segments.pairs) : std::string("more"), results,
                  inout ? "outputs and inouts" : results == 1 ? "output" : "outputs",
                  alone ? "" : ", and the temporaries that live across the cut"),
      alone ? "join outputs into tensors with one more dimension, or build it for the built-in "
              "runtime only"
            : "join temporaries into tensors with one more dimension, or build it for the built-in "
              "runtime only");
}

Segmenter::Segmenter(const Program& program)
    : program_(program),
      pairs_(pairsOf(program)),
      planner_(limits::kPinned, launchBytes(program), pairs_) {
  for (const Tensor& tensor : program.tensors) {
    const bool temporary = tensor.declaration.role == Role::temporary;
    planner_.addTensor(temporary ? static_cast<uint64_t>(tensor.bytes) : 0);
  }
}

Segmentation Segmenter::finish(int64_t max_fan_out) {
  Segmentation found;
  found.pairs = pairs_;
  found.relays = max_fan_out > limits::kPinned.fanout;
  planner_.cut();
  if (planner_.status() == graph::PlanStatus::out_of_memory) throw std::bad_alloc();
  found.fits = planner_.status() == graph::PlanStatus::ok;
  if (!found.fits) return found;
  found.starts.clear();
  for (int32_t i = 0; i < planner_.segments(); ++i) found.starts.push_back(planner_.start(i));
  for (size_t i = 0; i < program_.tensors.size(); ++i) {
    if (planner_.spills(static_cast<int32_t>(i))) found.spills.push_back(static_cast<int>(i));
  }
  return found;
}

}  // namespace ptowsp
