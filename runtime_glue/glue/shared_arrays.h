// SPDX-License-Identifier: MIT
// SharedArrays: memory that this process and one that it starts both have, laid out as arrays that
// begin at pages of their own. A file without a name: it goes when nobody has it open.
#pragma once

#include <cstdint>
#include <vector>

#include "runtime_glue/glue/status.h"

namespace ptowsp::glue {

class SharedArrays {
 public:
  SharedArrays() = default;
  SharedArrays(const SharedArrays&) = delete;
  SharedArrays& operator=(const SharedArrays&) = delete;
  ~SharedArrays() { close(); }

  // Room for arrays of these sizes in bytes, all zero. Keeps what is there when the sizes are the
  // same.
  Status open(const std::vector<uint64_t>& sizes);

  int file() const { return file_; }
  size_t count() const { return sizes_.size(); }
  uint64_t offset(size_t i) const { return offsets_[i]; }
  uint64_t bytes(size_t i) const { return sizes_[i]; }
  char* data(size_t i) const { return memory_ + offsets_[i]; }

 private:
  void close();

  int file_ = -1;
  char* memory_ = nullptr;
  uint64_t size_ = 0;
  std::vector<uint64_t> sizes_, offsets_;
};

}  // namespace ptowsp::glue
