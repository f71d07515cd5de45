// SPDX-License-Identifier: MIT
// Block: memory for one large flat array. A large one asks for huge pages: on a fresh array page
// faults would otherwise cost more than the work done in it.
#pragma once

#include <cstddef>
#include <type_traits>
#include <utility>

namespace ptowsp::sim {

class Block {
 public:
  Block() = default;
  ~Block();
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;

  // Makes room for `bytes`, keeping the first `used` bytes. False when out of memory: then nothing
  // has changed.
  bool reserve(size_t bytes, size_t used);
  void* data() const { return data_; }
  size_t capacity() const { return capacity_; }

 private:
  void* data_ = nullptr;
  size_t capacity_ = 0;
};

// Array: a Block of T. Elements are not constructed; T is trivial.
template <typename T>
class Array {
 public:
  static_assert(std::is_trivially_copyable_v<T>);

  bool reserve(size_t count, size_t used = 0) {
    if (count > static_cast<size_t>(-1) / 2 / sizeof(T)) return false;
    return block_.reserve(count * sizeof(T), used * sizeof(T));
  }
  T* data() const { return static_cast<T*>(block_.data()); }
  T& operator[](size_t index) const { return data()[index]; }
  size_t capacity() const { return block_.capacity() / sizeof(T); }

 private:
  Block block_;
};

}  // namespace ptowsp::sim
