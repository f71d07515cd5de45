// SPDX-License-Identifier: MIT
// ExternalRuntime: the libraries of a pto-runtime in a folder, as build_runtime.py made them, and
// how a process that runs on them is started. Nothing of it is loaded into this process.
#pragma once

#include <string>
#include <vector>

#include "runtime_glue/glue/status.h"

namespace ptowsp::glue {

inline constexpr int kRuntimeFormat = 1;  // of runtime.json
inline constexpr const char* kDevicePlatform = "a2a3";

struct ExternalRuntime {
  std::string name, version, platform;
  std::string root;                 // its checkout
  std::string python, launcher;     // interpreter, and the program of ours that it runs
  std::string bindings;             // folder of its Python modules
  std::string host, aicpu, aicore;  // libraries
  int most_blocks = 1;
  std::vector<std::string> leftovers;  // files that a killed process leaves; {pid}: its number
  std::string waiting;  // what is in each line that a scheduler prints while it waits for cores
  int pause = 0;        // milliseconds that it is kept in the first one, and twice as long in each next
  int longest_pause = 0;  // milliseconds, in any
  // Of a device: what it was built with, and the file that is there where the device is; {id}: its
  // number.
  std::string toolchain, device_file;

  bool isDevice() const { return platform == kDevicePlatform; }
  // The CMake target that makes the libraries.
  const char* target() const { return isDevice() ? "ptowsp.pto_runtime_a2a3" : "ptowsp.pto_runtime"; }
};

// Reads FOLDER/runtime.json and checks that what it names is there.
Status readExternalRuntime(const std::string& folder, ExternalRuntime* runtime);

// Why a device cannot be used: the file that stands for it is not there, by the runtime or by the
// environment's PTOWSP_DEVICE_FILE. Empty where it can, and for simulated ones.
std::string missingDevice(const ExternalRuntime& runtime, int id);

}  // namespace ptowsp::glue
