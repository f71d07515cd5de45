// SPDX-License-Identifier: MIT
// KernelTable: which code runs for a func_id.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "runtime_glue/sim/error.h"

namespace ptowsp::sim {

using KernelFunction = void (*)(int64_t* args);

class KernelTable {
 public:
  // func_ids index a flat table, so that a task finds its kernel with one load.
  static constexpr int kMaxFuncId = (1 << 20) - 1;

  KernelTable() = default;
  ~KernelTable() { clear(); }
  KernelTable(const KernelTable&) = delete;
  KernelTable& operator=(const KernelTable&) = delete;

  // Takes an 8-byte image as a function's address, any other as machine code with entry at 0.
  // Replaces what was registered for func_id.
  Error add(int func_id, const uint8_t* image, size_t size);
  Error describe(int func_id, const char* name, int core_type);
  void clear();

  // Indexed by func_id; null where nothing is registered.
  const std::vector<KernelFunction>& functions() const { return functions_; }
  bool isRegistered(int func_id) const {
    return static_cast<size_t>(func_id) < functions_.size() && functions_[func_id] != nullptr;
  }
  // Declared core type, or -1 for any.
  int coreType(int func_id) const;
  // "kernel softmax_rows (func_id 0)", or "kernel with func_id 0" where no name was given.
  std::string label(int func_id) const;

 private:
  struct Entry {
    void* code = nullptr;  // executable mapping, null for a function's address
    size_t code_bytes = 0;
    std::string name;
    int core_type = -1;
  };
  Error grow(int func_id);

  std::vector<KernelFunction> functions_;
  std::vector<Entry> entries_;
};

}  // namespace ptowsp::sim
