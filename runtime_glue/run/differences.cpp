// SPDX-License-Identifier: MIT
#include "runtime_glue/run/differences.h"

#include <cmath>
#include <cstring>

#include "runtime_glue/glue/host_tensors.h"
#include "runtime_glue/glue/text.h"

namespace ptowsp::run {

using glue::format;
using glue::Status;

void compareMarked(const glue::TensorInfo& tensor, const void* got, const void* expected,
                   const std::vector<uint8_t>& marks, glue::Tolerance tolerance,
                   glue::Comparison* found, uint64_t* rewritten) {
  for (size_t begin = 0; begin < marks.size();) {
    size_t end = begin + 1;
    while (end < marks.size() && marks[end] == marks[begin]) ++end;
    if (marks[begin] == 1)
      glue::compareRange(tensor.dtype, got, expected, begin, end - begin, tolerance, found);
    if (marks[begin] == 2) *rewritten += end - begin;
    begin = end;
  }
}

Status differenceStatus(const std::string& workload, const glue::TensorInfo& tensor,
                        const void* data, const TensorReport& result) {
  const glue::Comparison& found = result.comparison;
  const std::string allowed =
      tensor.dtype == glue::ElementType::i32
          ? std::string("exact")
          : format("%.3g (abs) or %.3g (rel)", result.tolerance.atol, result.tolerance.rtol);
  Status status = Status::wrongResult(
      workload,
      format("%s is %.9g, expected %.9g", result.first.c_str(), result.got, result.expected));
  status.notes.push_back(format(
      "%llu of %s of %s differ%s, largest error %.3g (abs) %.3g (rel), allowed %s",
      static_cast<unsigned long long>(found.differing),
      glue::counted(static_cast<long long>(found.compared), "element").c_str(), tensor.name.c_str(),
      found.differing == 1 ? "s" : "", found.max_abs, found.max_rel, allowed.c_str()));
  uint32_t word = 0;
  if (glue::elementSize(tensor.dtype) == sizeof word)
    std::memcpy(&word, static_cast<const char*>(data) + found.first * sizeof word, sizeof word);
  if (word == glue::kDevicePoison)
    status.notes.push_back(
        "no task wrote this element: it holds what device memory is filled with");
  else if (word == glue::kHostPoison)
    status.notes.push_back(
        "this element did not come back from the device: it holds what the host's array was filled "
        "with");
  else if (std::isnan(result.got))
    status.notes.push_back("--trap-nan names the first task that makes a NaN");
  return status;
}

}  // namespace ptowsp::run
