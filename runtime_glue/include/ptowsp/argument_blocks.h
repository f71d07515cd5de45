// SPDX-License-Identifier: MIT
// Argument blocks: where the arguments of a task lie that has more of them than a runtime takes.
// The first 15 are the task's own; its 16th is the device address of a block with the others. The
// blocks of a launch stand one behind the other in a few device allocations, filled on the host
// first. Emitted trees get a copy of this file.
//
// HostApi is the type of Runtime::host_api: this header names nothing else of a runtime.
#pragma once

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "limits.h"

namespace ptowsp {
inline namespace orchestration_v1 __attribute__((visibility("hidden"))) {

  template <class HostApi>
  class ArgumentBlocks {
   public:
    enum class Status { ok, host_memory, device_memory, copy };

    explicit ArgumentBlocks(const HostApi& api) : api_(api) {}
    ~ArgumentBlocks() { free(host_); }
    ArgumentBlocks(const ArgumentBlocks&) = delete;
    ArgumentBlocks& operator=(const ArgumentBlocks&) = delete;

    // Moves args[15 ...] into a new block and puts its device address into args[15]; from then on
    // the task has 16 arguments. What a kernel reads is there after flush().
    Status pack(uint64_t* args, int count) {
      const uint64_t rest = static_cast<uint64_t>(count - limits::kDirectArguments);
      if (rest > capacity_ - used_) {
        if (Status status = grow(rest); status != Status::ok) return status;
      }
      memcpy(host_ + used_, args + limits::kDirectArguments, rest * sizeof(uint64_t));
      args[limits::kDirectArguments] = device_ + used_ * sizeof(uint64_t);
      used_ += rest;
      return Status::ok;
    }

    // Copies what is not on the device yet.
    Status flush() {
      if (used_ == 0) return Status::ok;
      const size_t bytes = static_cast<size_t>(capacity_ * sizeof(uint64_t));
      used_ = capacity_;
      return api_.copy_to_device(reinterpret_cast<void*>(device_), host_, bytes) == 0
                 ? Status::ok
                 : Status::copy;
    }

   private:
    // The next allocation: twice as large as the one before, which is full, so that they stay few.
    Status grow(uint64_t least) {
      if (Status status = flush(); status != Status::ok) return status;
      uint64_t words = capacity_ == 0 ? 1024 : capacity_ < kMostWords ? 2 * capacity_ : capacity_;
      if (words < least) words = least;
      free(host_);
      capacity_ = used_ = 0;
      host_ = static_cast<uint64_t*>(calloc(words, sizeof(uint64_t)));
      if (!host_) return Status::host_memory;
      void* memory = api_.device_malloc(static_cast<size_t>(words * sizeof(uint64_t)));
      if (!memory) return Status::device_memory;
      device_ = reinterpret_cast<uint64_t>(memory);
      capacity_ = words;
      return Status::ok;
    }

    static constexpr uint64_t kMostWords = 1 << 20;

    const HostApi& api_;
    uint64_t* host_ = nullptr;  // what goes to device_ when it is full, or at the end
    uint64_t device_ = 0;
    uint64_t used_ = 0, capacity_ = 0;  // words
  };

}  // namespace )
}  // namespace ptowsp
