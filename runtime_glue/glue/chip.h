// SPDX-License-Identifier: MIT
// Chip: the device of a runtime that several programs may share. Device (device.h) is one program's way
// of launching on it.
#pragma once

#include <cstdint>

#include "runtime_glue/glue/runtime_library.h"
#include "runtime_glue/glue/status.h"

namespace ptowsp::glue {

struct Chip {
  Chip() = default;
  Chip(const Chip&) = delete;
  Chip& operator=(const Chip&) = delete;
  ~Chip();

  // The library has to outlive the chip.
  Status open(const RuntimeLibrary& library);
  // Makes it the calling thread's, until leave(); made new before, where it is dead. Without a built-in
  // runtime there is nothing to do.
  Status use();
  // The same, as it is.
  void select();
  void leave();
  // After a run that failed nothing on it is to be trusted: before the next one it is made new.
  void markDead() { dead = true; }

  const RuntimeLibrary* library = nullptr;
  ptowsp_sim_device* sim_device = nullptr;  // built-in runtime only
  bool dead = false;
  // Counts how often it was made new: device memory of an earlier life is gone.
  uint64_t life = 1;
  // Whose kernels are registered: the number of a Run; 0 for nobody's.
  uint64_t kernels_of = 0;
};

// ChipScope: the chip is nobody's after it, however it ends: the chip may go while the thread stays.
class ChipScope {
 public:
  explicit ChipScope(Chip& chip) : chip_(chip) {}
  ~ChipScope() { chip_.leave(); }
  ChipScope(const ChipScope&) = delete;
  ChipScope& operator=(const ChipScope&) = delete;

 private:
  Chip& chip_;
};

}  // namespace ptowsp::glue
