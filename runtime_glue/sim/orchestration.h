// SPDX-License-Identifier: MIT
// Orchestration: a shared library given as bytes, loaded for as long as the object lives. Any
// number of different ones may be loaded in one process.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "runtime_glue/sim/error.h"

class Runtime;

namespace ptowsp::sim {

using OrchestrationFunction = int (*)(Runtime* runtime, uint64_t* args, int arg_count);

class Orchestration {
 public:
  Orchestration() = default;
  ~Orchestration() { close(); }
  Orchestration(const Orchestration&) = delete;
  Orchestration& operator=(const Orchestration&) = delete;

  // Loads the bytes and finds the function; checks that the library was compiled with this
  // runtime.h.
  Error load(const uint8_t* bytes, size_t size, const char* function_name);
  void close();
  OrchestrationFunction function() const { return function_; }

 private:
  int file_ = -1;
  std::string path_;
  void* handle_ = nullptr;
  OrchestrationFunction function_ = nullptr;
};

}  // namespace ptowsp::sim
