// SPDX-License-Identifier: MIT
// Options: ptowsp-run's command line.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace ptowsp::run {

struct Options {
  std::string artifact;
  std::string source;
  std::string runtime;  // library; empty: the built-in one beside this program
  bool pinned_limits = false;
  std::string platform = "a2a3sim";
  std::string skip;  // the build's reason why it cannot run; empty: it can
  int device = 0;
  std::optional<int> block_dim, aicpu_threads;  // absent: the artifact's
  int workers = 0;
  std::optional<uint64_t> schedule_seed;
  double timeout = 60;
  int repeat = 1;
  std::string only;
  std::string trace, report;
  std::string dump;  // folder, "" for none
  std::vector<std::string> dump_tasks;
  uint64_t dump_limit = uint64_t{1} << 30;  // bytes
  bool trap_nan = false, trap_infinity = false;
  bool stats = false, json = false;
  std::string colour = "auto";
  std::string inputs, outputs, expected;
  std::optional<double> rtol, atol;
};

// Fills `options`. A value means that the process ends with that exit code: after --help or a
// mistake, which has then been printed.
std::optional<int> parseOptions(int argc, char** argv, Options* options);

}  // namespace ptowsp::run
