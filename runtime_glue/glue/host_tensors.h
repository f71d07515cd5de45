// SPDX-License-Identifier: MIT
// HostTensors: a run's arrays on the host, one for each tensor that is not temporary, in the
// workload's order. Inputs are files mapped read-only, so nothing can change them unnoticed;
// outputs are poisoned before each run.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "ptowsp/manifest.h"
#include "ptowsp/npy.h"
#include "runtime_glue/glue/status.h"

namespace ptowsp::glue {

// The words that fill arrays before a run, NaN as f32. One that is still there afterwards tells
// whether the element never came back from the device or was never written there.
inline constexpr uint32_t kHostPoison = 0xFFC0BEEF;
inline constexpr uint32_t kDevicePoison = 0xFFC0DEAD;

npy::Type npyType(ElementType type);
// DIR/<tensor>.npy.
std::string tensorFile(const std::string& folder, const TensorInfo& tensor);

class HostTensors {
 public:
  // Maps inputs and inouts from `inputs`, allocates outputs. Keeps a reference to the manifest.
  Status open(const Manifest& manifest, const std::string& inputs);
  // Makes everything as it has to be before a run: outputs poisoned, inouts as in their files.
  Status prepare();

  size_t size() const { return entries_.size(); }
  const TensorInfo& info(size_t i) const { return *entries_[i].info; }
  void* data(size_t i) const { return entries_[i].data; }
  // data() of each, the form in which Run takes them.
  const std::vector<void*>& pointers() const { return pointers_; }
  // The input whose array holds that address, or null.
  const TensorInfo* inputAt(const void* address) const;
  // Writes outputs and inouts as .npy files; the folder is made.
  Status write(const std::string& folder) const;

 private:
  struct Entry {
    const TensorInfo* info = nullptr;
    npy::File file;                                                   // input, inout
    std::unique_ptr<void, void (*)(void*)> memory{nullptr, nullptr};  // output
    void* data = nullptr;
    bool fresh = true;  // as mapped, not yet given to a run
  };
  Status map(Entry& entry);

  std::string inputs_;
  std::vector<Entry> entries_;
  std::vector<void*> pointers_;
};

// Maps DIR/<tensor>.npy, which must have the tensor's dtype and shape.
Status openTensorFile(const std::string& folder, const TensorInfo& tensor, const char* what,
                      npy::File* file);

}  // namespace ptowsp::glue
