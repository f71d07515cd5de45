// SPDX-License-Identifier: MIT
// DeviceTensor: an array that stays on a chip between the runs that read and write it. On the built-in
// runtime it is device memory; elsewhere memory of the host, which each run copies.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "runtime_glue/glue/chip.h"
#include "runtime_glue/glue/status.h"

namespace ptowsp::glue {

inline constexpr const char* kNoContents =
    "found a device tensor without contents: it was not written yet, or not since the device was made new "
    "after a run that failed";
inline constexpr const char* kNoContentsFix = "upload it, or let a workload write it, before";

class DeviceTensor {
 public:
  // The chip has to outlive it. All other calls, the destructor included, are on the chip's turn.
  DeviceTensor(Chip& chip, uint64_t bytes) : chip_(chip), bytes_(bytes) {}
  ~DeviceTensor();
  DeviceTensor(const DeviceTensor&) = delete;
  DeviceTensor& operator=(const DeviceTensor&) = delete;

  const Chip& chip() const { return chip_; }
  uint64_t bytes() const { return bytes_; }
  // Makes sure that there is memory in the chip's present life.
  Status makeRoom();
  // After makeRoom().
  void* data() const { return data_; }
  Status upload(const void* host);
  Status download(void* host);

  // Whether something was written to it in the chip's present life.
  bool isWritten() const { return written_ && life_ == chip_.life && !chip_.dead; }
  void markWritten();
  // A run only reads it: remembers what it holds, and says whether it still does.
  void remember();
  bool isAsRemembered() const;

 private:
  Chip& chip_;
  uint64_t bytes_;
  void* data_ = nullptr;
  std::unique_ptr<unsigned char[]> host_;
  uint64_t life_ = 0;  // of the chip, when data_ was allocated
  bool written_ = false;
  std::optional<uint64_t> sum_;  // of what it holds, once a run only read it
};

}  // namespace ptowsp::glue
