// SPDX-License-Identifier: MIT
#include "runtime_glue/glue/launches.h"

namespace ptowsp::glue {

Launches::Launches(const Manifest& manifest, bool limited) : manifest_(manifest), limited_(limited) {}

int64_t Launches::begin(int launch) const {
  return launch == 0 ? 0 : manifest_.graph.cuts[static_cast<size_t>(launch) - 1];
}

int64_t Launches::end(int launch) const {
  return launch + 1 == count() ? manifest_.graph.tasks : begin(launch + 1);
}

void Launches::prepare() {
  if (!limited_ || !spills_.empty()) return;
  for (const size_t tensor : manifest_.graph.spills)
    spills_.push_back(std::make_unique<unsigned char[]>(manifest_.tensors[tensor].bytes));
}

void Launches::appendArgs(int launch, uint64_t* ledger, std::vector<uint64_t>* args) const {
  args->push_back(static_cast<uint64_t>(launch));
  args->push_back(reinterpret_cast<uint64_t>(ledger));
  for (const auto& spill : spills_) args->push_back(reinterpret_cast<uint64_t>(spill.get()));
}

const TensorInfo* Launches::spilledTo(const void* host) const {
  for (size_t i = 0; i < spills_.size(); ++i) {
    if (spills_[i].get() == host) return &manifest_.tensors[manifest_.graph.spills[i]];
  }
  return nullptr;
}

}  // namespace ptowsp::glue
