// SPDX-License-Identifier: MIT
// Kernels of another machine, run by an emulator in a process of its own.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace ptowsp::test {

// Region: memory that a kernel may touch, of whole pages.
struct Region {
  uint8_t* address = nullptr;
  size_t bytes = 0;
};

// Source of a program that runs kernels, named in order, on regions that it is sent; it has them at
// the same addresses.
std::string emulatedProgram(const std::vector<std::string>& functions);

class Emulated {
 public:
  ~Emulated();
  // Starts `command`, the program under its emulator; false when that fails.
  bool start(const std::vector<std::string>& command);
  // Calls the kernel of that index with args, which lies in one of the regions; false when the
  // program has died of it.
  bool call(uint64_t kernel, const int64_t* args, const std::vector<Region>& regions);

 private:
  pid_t child_ = -1;
  int to_ = -1, from_ = -1;
};

}  // namespace ptowsp::test
