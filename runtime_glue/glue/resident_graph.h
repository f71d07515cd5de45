// SPDX-License-Identifier: MIT
// ResidentGraph: a task graph that stays on the device from one call to the next, and the device memory
// of its tensors: its own, or that of a DeviceTensor, to which tasks are then pointed.
#pragma once

#include <cstdint>
#include <vector>

#include "runtime_glue/glue/chip.h"
#include "runtime_glue/glue/inspection.h"

namespace ptowsp::glue {

class ResidentGraph {
 public:
  explicit ResidentGraph(const Manifest& manifest) : manifest_(manifest) {}

  // Whether it is there in the chip's present life.
  bool isBuilt(const Chip& chip) const { return built_ && hasMemory(chip); }
  // Whether there is memory to give back.
  bool hasMemory(const Chip& chip) const { return life_ != 0 && life_ == chip.life; }
  // Forgets what an earlier life of the chip held, and gets memory for all tensors that are not
  // temporary, or, after an error, for none: the orchestration is given it by
  // Inspection::Request::tensors.
  Status prepare(const Chip& chip);
  // Of each tensor in the workload's order; 0 for temporaries.
  const std::vector<uint64_t>& own() const { return own_; }
  // The orchestration has built it.
  void built(uint64_t build_ns, uint64_t* ledger);

  uint64_t buildNs() const { return build_ns_; }
  uint64_t* ledger() const { return ledger_; }
  // Where a tensor is now.
  void* data(size_t tensor) const { return reinterpret_cast<void*>(bound_[tensor]); }

  // Points tasks to the memory of a tensor at `address`, or, where that is 0, to its own.
  Status bind(const Chip& chip, size_t tensor, uint64_t address, Inspection& inspection,
              void* runtime);
  // The first time after prepare(): gives back own memory of tensors that are elsewhere now.
  void trim(const Chip& chip);
  // Gives back all of it; nothing is there any more.
  void release(const Chip& chip);

 private:
  Status makeRoom(const Chip& chip, size_t tensor);

  const Manifest& manifest_;
  uint64_t life_ = 0;  // of the chip, when own_ was allocated; 0: it is not
  bool built_ = false, trimmed_ = false;
  uint64_t build_ns_ = 0;
  uint64_t* ledger_ = nullptr;
  std::vector<uint64_t> own_, bound_;
  bool has_places_ = false;
  std::vector<TilePlace> places_;  // by tensor
};

}  // namespace ptowsp::glue
