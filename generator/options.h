// SPDX-License-Identifier: MIT
// The command line of ptowsp-gen.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace ptowsp {

// Settings: the command line; a command reads what it declared.
struct Settings {
  std::string workload;
  std::string output;
  std::string name;
  std::string stamp, depfile;
  std::string cache;  // folder; empty: nothing is kept
  std::vector<std::string> ready;  // one for each configuration
  std::string races = "error", dependences = "dataflow", limits = "none";
  std::vector<std::string> platforms;
  std::string format = "dot";
  int64_t limit = 300;
  bool json = false, lines = false;
  std::string colour = "auto";
  uint64_t seed = 0;
  std::vector<std::string> inputs, expected;
};

struct SealSettings {
  std::string manifest, ready, platform = "a2a3sim", inputs, expected;
  std::string device_kernels, toolchain;
  std::vector<std::string> arch, orchestrations, kernels;
  int block_dim = 0, aicpu_threads = 0;
};

// CommandLine: which subcommand is asked for, and what it was given; `sealing` where that is "seal".
struct CommandLine {
  std::string command;
  Settings settings;
  SealSettings sealing;
};

// Nothing when there is a command to run, else the exit status: 0 after help or version, which have been
// printed, another one for wrong usage, of which the reason has been.
std::optional<int> parseCommandLine(int argc, char** argv, CommandLine* line);

}  // namespace ptowsp
