// SPDX-License-Identifier: MIT
// The reference: evaluates a program in program order, straight from the verified workload and
// without generated code. Each op is computed in double and rounded once to the op's dtype.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "generator/base/cache.h"
#include "generator/base/diagnostic.h"
#include "generator/verify/program.h"

namespace ptowsp::reference {

struct Options {
  std::string directory;  // of the workload file, which `init` names .npy files relative to
  uint64_t seed = 0;
  std::map<std::string, std::string> inputs;    // tensor to .npy file, in place of its init
  std::map<std::string, std::string> expected;  // tensor to .npy file, in place of its evaluation
  uint64_t memory_limit = 0;                    // bytes; 0 is this machine's memory
  // Where results are kept from one run to the next; none: nowhere. `identity` is what the program
  // was read from: with the inputs it decides the results.
  Cache* cache = nullptr;
  std::string identity;
  // Called now and then during a long evaluation, and then at its end too, with the tasks done and
  // the tasks in all. A short evaluation makes no call.
  std::function<void(int64_t done, int64_t total)> progress;
};

// Elements: of one tensor in C order, as they lie in memory. Empty: there are none.
struct Elements {
  DType dtype = DType::f32;
  std::vector<std::byte> bytes;

  Elements() = default;
  Elements(DType type, int64_t count)
      : dtype(type), bytes(static_cast<size_t>(count * ir::elementSize(type))) {}
  bool empty() const { return bytes.empty(); }
  std::vector<double> values() const;
};

// Evaluation: by tensor index; empty where the role has no such data.
struct Evaluation {
  std::vector<Elements> inputs;    // input and inout, as they are before the first task
  std::vector<Elements> expected;  // output and inout, as they are after the last
  std::vector<std::string>
      files;  // the .npy files named by init and options, sorted, no duplicates
};

// False, with errors, when a file cannot be used or memory does not suffice. `files` is complete in
// either case, so that a missing file can be depended on.
bool evaluate(const Program& program, const Options& options, Evaluation& evaluation,
              Diagnostics& diagnostics);

}  // namespace ptowsp::reference
