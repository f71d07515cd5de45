// SPDX-License-Identifier: MIT
// ExternalRuntime: the libraries of a pto-runtime in a folder, as build_runtime.py made them, and
// how a process that runs on them is started. Nothing of it is loaded into this process.
#pragma once

#include <string>
#include <vector>

#include "runtime_glue/glue/status.h"

namespace ptowsp::glue {

inline constexpr int kRuntimeFormat = 1;  // of runtime.json

struct ExternalRuntime {
  std::string name, version, platform;
  std::string root;                 // its checkout
  std::string python, launcher;     // interpreter, and the program of ours that it runs
  std::string bindings;             // folder of its Python modules
  std::string host, aicpu, aicore;  // libraries
  int most_blocks = 1;
  std::vector<std::string> leftovers;  // files that a killed process leaves; {pid}: its number
  std::string waiting;  // what is in each line that a scheduler prints while it waits for cores
  int pause = 0;        // milliseconds that it is kept in each
};

// Reads FOLDER/runtime.json and checks that what it names is there.
Status readExternalRuntime(const std::string& folder, ExternalRuntime* runtime);

}  // namespace ptowsp::glue
