// SPDX-License-Identifier: MIT
// Executable: an artifact's libraries in this process. Loaded once, run any number of times.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime_glue/glue/artifact.h"
#include "runtime_glue/glue/runtime_library.h"
#include "runtime_glue/glue/status.h"

namespace ptowsp::glue {

using KernelFunction = void (*)(int64_t* args);
using OrchestrationFunction = int (*)(void* runtime, uint64_t* args, int arg_count);

struct Executable {
  std::vector<KernelFunction> kernels;  // index = func_id
  KernelFunction relay = nullptr;  // of a graph that needs it; its func_id follows the kernels'
  // For the built-in runtime the orchestration as a function, else its library's bytes.
  OrchestrationFunction orchestration = nullptr;
  std::string orchestration_bytes;
  // For an external runtime nothing is loaded: the files are.
  std::string orchestration_file;
  std::vector<std::string> kernel_files;
};

// Libraries stay loaded as long as the process lives: a kernel that never ended may still run.
Status loadExecutable(const Artifact& artifact, const RuntimeLibrary& runtime,
                      Executable* executable);

}  // namespace ptowsp::glue
