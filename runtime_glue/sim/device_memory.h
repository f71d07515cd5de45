// SPDX-License-Identifier: MIT
// DeviceMemory: the memory of one device, apart from host memory. Every allocation stands between
// guard zones whose bytes are known, so that a write outside it is found; fresh memory holds a word
// that reads as NaN, so that a value nobody wrote shows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <unordered_map>
#include <vector>

#include "runtime_glue/sim/error.h"
#include "runtime_glue/sim/thread_annotations.h"

namespace ptowsp::sim {

class DeviceMemory {
 public:
  // Alignment of real device memory; also the size of each guard zone.
  static constexpr size_t kAlignment = 512;
  static constexpr uint32_t kFreshWord = 0xFFC0DEADu;

  struct Usage {
    int64_t allocations = 0;
    int64_t bytes = 0;
    int64_t peak_bytes = 0;
  };

  DeviceMemory() = default;
  ~DeviceMemory() { clear(); }
  DeviceMemory(const DeviceMemory&) = delete;
  DeviceMemory& operator=(const DeviceMemory&) = delete;

  // nullptr when out of memory. `owner` names who releases it (releaseOwnedBy); null: the caller.
  void* allocate(size_t size, const void* owner) PTOWSP_EXCLUDES(mutex_);
  // Fails on a double or foreign free, and on damaged guards (memory is released then too).
  Error release(void* address) PTOWSP_EXCLUDES(mutex_);
  Error copyIn(void* device, const void* host, size_t size) const PTOWSP_EXCLUDES(mutex_);
  Error copyOut(void* host, const void* device, size_t size) const PTOWSP_EXCLUDES(mutex_);
  // Whether [device, device + size) lies inside one live allocation.
  Error checkRange(const void* device, size_t size) const PTOWSP_EXCLUDES(mutex_);
  // Whether it is the address of a live allocation.
  bool isAllocation(const void* address) const PTOWSP_EXCLUDES(mutex_);
  // Releases all that `owner` still has; the number of allocations.
  int64_t releaseOwnedBy(const void* owner) PTOWSP_EXCLUDES(mutex_);
  void clear() PTOWSP_EXCLUDES(mutex_);

  // One entry for each damaged side of a live allocation; `task` is copied into it.
  std::vector<ptowsp_sim_guard_damage> findDamage(int task) const PTOWSP_EXCLUDES(mutex_);
  Usage usage() const PTOWSP_EXCLUDES(mutex_);

  // "the kernel wrote 4 bytes after allocation 2 ..." for a message.
  static std::string describe(const ptowsp_sim_guard_damage& damage);

 private:
  struct Allocation {
    int32_t index;
    size_t size;
    void* block;  // start of the front guard
    const void* owner;
  };
  using Allocations = std::map<uintptr_t, Allocation>;

  Error rangeError(const void* device, size_t size) const PTOWSP_REQUIRES(mutex_);
  static void damageOf(uintptr_t address, const Allocation& allocation, int task,
                       std::vector<ptowsp_sim_guard_damage>* found);
  void drop(Allocations::iterator allocation) PTOWSP_REQUIRES(mutex_);

  mutable Mutex mutex_;
  Allocations live_ PTOWSP_GUARDED_BY(mutex_);
  // Recently freed addresses, to tell a double free from a foreign pointer.
  std::unordered_map<uintptr_t, int32_t> freed_ PTOWSP_GUARDED_BY(mutex_);
  int32_t next_index_ PTOWSP_GUARDED_BY(mutex_) = 0;
  Usage usage_ PTOWSP_GUARDED_BY(mutex_);
};

}  // namespace ptowsp::sim
