// SPDX-License-Identifier: MIT
#include "runtime_glue/sim/device_memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <memory>

namespace ptowsp::sim {

namespace {

constexpr size_t kGuard = DeviceMemory::kAlignment;
constexpr size_t kHugePage = size_t{2} << 20;
constexpr size_t kRememberedFrees = 4096;

// GuardWords: those of an allocation's guards: an arithmetic sequence, which is quick to compare with.
// Each allocation has another one, so that bytes copied over from a neighbour's guard show as well.
class GuardWords {
 public:
  explicit GuardWords(int32_t index) {
    uint64_t x = (static_cast<uint64_t>(static_cast<uint32_t>(index)) + 1) * 0x9E3779B97F4A7C15u;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    first_ = x ^ (x >> 31);
  }
  uint64_t at(size_t word) const { return first_ + word * 0x9E3779B97F4A7C15u; }

 private:
  uint64_t first_;
};

void writeGuard(uint8_t* at, int32_t index, size_t first_word) {
  const GuardWords words(index);
  for (size_t i = 0; i < kGuard / 8; ++i) {
    const uint64_t word = words.at(first_word + i);
    std::memcpy(at + 8 * i, &word, 8);
  }
}

// Whether one guard is as it was written. Looks at every word, without a branch for each.
bool isWhole(const uint8_t* at, int32_t index, size_t first_word) {
  const GuardWords words(index);
  uint64_t difference = 0;
  for (size_t i = 0; i < kGuard / 8; ++i) {
    uint64_t word = 0;
    std::memcpy(&word, at + 8 * i, 8);
    difference |= word ^ words.at(first_word + i);
  }
  return difference == 0;
}

// First damaged byte and the number of damaged bytes of one guard.
size_t countDamage(const uint8_t* at, int32_t index, size_t first_word, size_t* first) {
  if (isWhole(at, index, first_word)) return 0;
  const GuardWords words(index);
  size_t damaged = 0;
  for (size_t i = 0; i < kGuard / 8; ++i) {
    uint64_t word = 0;
    std::memcpy(&word, at + 8 * i, 8);
    const uint64_t expected = words.at(first_word + i);
    if (word == expected) continue;
    for (size_t b = 0; b < 8; ++b) {
      if (((word ^ expected) >> (8 * b) & 0xFF) == 0) continue;  // little endian, as all targets
      if (damaged++ == 0) *first = 8 * i + b;
    }
  }
  return damaged;
}

void fillFresh(uint8_t* at, size_t size) {
  const size_t words = size / 4;
  const uint32_t word = DeviceMemory::kFreshWord;
  uint32_t* out = reinterpret_cast<uint32_t*>(at);
  std::fill(out, out + words, word);
  std::memcpy(at + 4 * words, &word, size - 4 * words);
}

}  // namespace

void* DeviceMemory::allocate(size_t size, const void* owner) {
  if (size > std::numeric_limits<size_t>::max() / 2) return nullptr;
  const size_t whole = kGuard + size + kGuard;
  const size_t unit = whole >= kHugePage ? kHugePage : kAlignment;
  const size_t rounded = (whole + unit - 1) / unit * unit;
  std::unique_ptr<void, decltype(&std::free)> owned(std::aligned_alloc(unit, rounded), &std::free);
  auto* const block = static_cast<uint8_t*>(owned.get());
  if (block == nullptr) return nullptr;
  if (unit == kHugePage) ::madvise(block, rounded, MADV_HUGEPAGE);
  uint8_t* data = block + kGuard;
  fillFresh(data, size);

  MutexLock lock(mutex_);
  const int32_t index = next_index_++;
  writeGuard(block, index, 0);
  writeGuard(data + size, index, kGuard / 8);
  const auto address = reinterpret_cast<uintptr_t>(data);
  live_.emplace(address, Allocation{index, size, block, owner});
  static_cast<void>(owned.release());
  freed_.erase(address);
  ++usage_.allocations;
  usage_.bytes += static_cast<int64_t>(size);
  usage_.peak_bytes = std::max(usage_.peak_bytes, usage_.bytes);
  return data;
}

void DeviceMemory::drop(Allocations::iterator allocation) {
  if (freed_.size() >= kRememberedFrees) freed_.clear();
  freed_[allocation->first] = allocation->second.index;
  --usage_.allocations;
  usage_.bytes -= static_cast<int64_t>(allocation->second.size);
  std::free(allocation->second.block);
  live_.erase(allocation);
}

Error DeviceMemory::release(void* address) {
  if (address == nullptr) return {};
  MutexLock lock(mutex_);
  const auto key = reinterpret_cast<uintptr_t>(address);
  const auto found = live_.find(key);
  if (found == live_.end()) {
    const auto before = freed_.find(key);
    if (before != freed_.end()) {
      return {PTOWSP_SIM_ERROR_BAD_FREE,
              formatText("device_free(%p): allocation %d was freed before; free it once", address,
                         before->second)};
    }
    return {PTOWSP_SIM_ERROR_BAD_FREE,
            formatText("device_free(%p): not the address of a device allocation; pass what "
                       "device_malloc returned",
                       address)};
  }
  std::vector<ptowsp_sim_guard_damage> damage;
  damageOf(key, found->second, -1, &damage);
  drop(found);
  if (damage.empty()) return {};
  return {PTOWSP_SIM_ERROR_GUARD, "found at device_free: " + describe(damage.front())};
}

Error DeviceMemory::rangeError(const void* device, size_t size) const {
  const auto address = reinterpret_cast<uintptr_t>(device);
  auto after = live_.upper_bound(address);
  if (after != live_.begin()) {
    const auto& [start, allocation] = *std::prev(after);
    const uintptr_t offset = address - start;
    if (offset <= allocation.size && size <= allocation.size - offset) return {};
    if (offset <= allocation.size) {
      return {PTOWSP_SIM_ERROR_BAD_COPY,
              formatText("%zu bytes at offset %zu of device allocation %d, which has %zu bytes",
                         size, static_cast<size_t>(offset), allocation.index, allocation.size)};
    }
  }
  return {PTOWSP_SIM_ERROR_BAD_COPY,
          formatText("%p does not point into a live device allocation", device)};
}

Error DeviceMemory::checkRange(const void* device, size_t size) const {
  MutexLock lock(mutex_);
  return rangeError(device, size);
}

Error DeviceMemory::copyIn(void* device, const void* host, size_t size) const {
  if (host == nullptr && size != 0) {
    return {PTOWSP_SIM_ERROR_BAD_COPY, "copy_to_device: the host pointer is null"};
  }
  if (Error error = checkRange(device, size)) {
    error.message = "copy_to_device: " + error.message;
    return error;
  }
  // Outside the lock, as copies are long: whoever frees memory while it is copied is wrong anyway.
  if (size != 0) std::memcpy(device, host, size);
  return {};
}

Error DeviceMemory::copyOut(void* host, const void* device, size_t size) const {
  if (host == nullptr && size != 0) {
    return {PTOWSP_SIM_ERROR_BAD_COPY, "copy_from_device: the host pointer is null"};
  }
  if (Error error = checkRange(device, size)) {
    error.message = "copy_from_device: " + error.message;
    return error;
  }
  if (size != 0) std::memcpy(host, device, size);
  return {};
}

bool DeviceMemory::isAllocation(const void* address) const {
  MutexLock lock(mutex_);
  return live_.count(reinterpret_cast<uintptr_t>(address)) != 0;
}

int64_t DeviceMemory::releaseOwnedBy(const void* owner) {
  MutexLock lock(mutex_);
  int64_t released = 0;
  for (auto it = live_.begin(); it != live_.end();) {
    const auto current = it++;
    if (current->second.owner != owner) continue;
    drop(current);
    ++released;
  }
  return released;
}

void DeviceMemory::clear() {
  MutexLock lock(mutex_);
  for (const auto& [address, allocation] : live_) std::free(allocation.block);
  live_.clear();
  freed_.clear();
  next_index_ = 0;
  usage_ = {};
}

void DeviceMemory::damageOf(uintptr_t address, const Allocation& allocation, int task,
                            std::vector<ptowsp_sim_guard_damage>* found) {
  const auto* block = static_cast<const uint8_t*>(allocation.block);
  for (const bool behind : {false, true}) {
    const uint8_t* guard = behind ? block + kGuard + allocation.size : block;
    size_t first = 0;
    const size_t damaged = countDamage(guard, allocation.index, behind ? kGuard / 8 : 0, &first);
    if (damaged == 0) continue;
    ptowsp_sim_guard_damage damage = {};
    damage.allocation = allocation.index;
    damage.task = task;
    damage.address = address;
    damage.bytes = allocation.size;
    damage.offset = behind ? static_cast<int64_t>(allocation.size + first)
                           : static_cast<int64_t>(first) - static_cast<int64_t>(kGuard);
    damage.damaged_bytes = damaged;
    found->push_back(damage);
  }
}

std::vector<ptowsp_sim_guard_damage> DeviceMemory::findDamage(int task) const {
  MutexLock lock(mutex_);
  std::vector<ptowsp_sim_guard_damage> found;
  for (const auto& [address, allocation] : live_) damageOf(address, allocation, task, &found);
  return found;
}

DeviceMemory::Usage DeviceMemory::usage() const {
  MutexLock lock(mutex_);
  return usage_;
}

std::string DeviceMemory::describe(const ptowsp_sim_guard_damage& damage) {
  return formatText(
      "%llu bytes were written %s device allocation %d (%llu bytes at 0x%llx), the first "
      "one at offset %lld",
      static_cast<unsigned long long>(damage.damaged_bytes),
      damage.offset < 0 ? "before" : "behind", damage.allocation,
      static_cast<unsigned long long>(damage.bytes),
      static_cast<unsigned long long>(damage.address), static_cast<long long>(damage.offset));
}

}  // namespace ptowsp::sim
