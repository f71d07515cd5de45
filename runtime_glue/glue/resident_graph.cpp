// SPDX-License-Identifier: MIT
#include "runtime_glue/glue/resident_graph.h"

#include <algorithm>

#include "runtime_glue/glue/text.h"

namespace ptowsp::glue {

Status ResidentGraph::makeRoom(const Chip& chip, size_t tensor) {
  if (own_[tensor] != 0) return {};
  const TensorInfo& info = manifest_.tensors[tensor];
  own_[tensor] = reinterpret_cast<uint64_t>(chip.library->sim()->device_malloc(info.bytes));
  if (own_[tensor] != 0) return {};
  return Status::runFailure("tensor " + info.name,
                            format("found no memory on the device for %llu bytes",
                                   static_cast<unsigned long long>(info.bytes)));
}

Status ResidentGraph::prepare(const Chip& chip) {
  release(chip);  // of a call that ended before it had built the graph
  has_places_ = trimmed_ = false;
  places_.clear();
  own_.assign(manifest_.tensors.size(), 0);
  life_ = chip.life;
  for (size_t i = 0; i < own_.size(); ++i) {
    if (manifest_.tensors[i].role == TensorRole::temporary) continue;
    if (Status status = makeRoom(chip, i); !status.ok()) {
      release(chip);
      return status;
    }
  }
  bound_ = own_;
  return {};
}

void ResidentGraph::built(uint64_t build_ns, uint64_t* ledger) {
  built_ = true;
  build_ns_ = build_ns;
  ledger_ = ledger;
}

Status ResidentGraph::bind(const Chip& chip, size_t tensor, uint64_t address,
                           Inspection& inspection, void* runtime) {
  if (address == 0) {
    if (Status status = makeRoom(chip, tensor); !status.ok()) return status;
    address = own_[tensor];
  }
  if (address == bound_[tensor]) return {};
  if (!has_places_) {
    // Every tensor is still in memory of its own, so an address tells which one it belongs to.
    places_ = inspection.tilePlaces(runtime);
    has_places_ = true;
  }
  const auto [begin, end] = std::equal_range(
      places_.begin(), places_.end(), TilePlace{nullptr, tensor},
      [](const TilePlace& a, const TilePlace& b) { return a.tensor < b.tensor; });
  for (auto place = begin; place != end; ++place) *place->word += address - bound_[tensor];
  bound_[tensor] = address;
  inspection.move(tensor, address);
  return {};
}

void ResidentGraph::trim(const Chip& chip) {
  if (trimmed_) return;
  trimmed_ = true;
  for (size_t i = 0; i < own_.size(); ++i) {
    if (own_[i] == 0 || own_[i] == bound_[i]) continue;
    chip.library->sim()->device_free(reinterpret_cast<void*>(own_[i]));
    own_[i] = 0;
  }
}

void ResidentGraph::release(const Chip& chip) {
  for (uint64_t& address : own_) {
    if (address != 0 && hasMemory(chip)) chip.library->sim()->device_free(reinterpret_cast<void*>(address));
    address = 0;
  }
  life_ = 0;
  built_ = false;
}

}  // namespace ptowsp::glue
