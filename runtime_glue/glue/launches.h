// SPDX-License-Identifier: MIT
// Launches: the parts in which a graph goes to a runtime that does not hold it in one launch, the host
// memory of temporaries that live across them, and the way from a runtime's task ids back to tasks.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "ptowsp/manifest.h"

namespace ptowsp::glue {

class Launches {
 public:
  // `limited`: the orchestration cuts the graph as the manifest says. Keeps a reference.
  Launches(const Manifest& manifest, bool limited);

  int count() const { return limited_ ? static_cast<int>(manifest_.graph.segments) : 1; }
  // func_id of the relay kernel, or -1 when no launch has relays.
  int relay() const { return limited_ ? manifest_.relay : -1; }
  // Whether tasks of the one launch have the ids that they have in the graph.
  bool isWhole() const { return count() == 1 && relay() < 0; }
  // The tasks of a launch.
  int64_t begin(int launch) const;
  int64_t end(int launch) const;

  // Allocates the spills, once.
  void prepare();
  // What follows the tensors in the orchestration's arguments.
  void appendArgs(int launch, uint64_t* ledger, std::vector<uint64_t>* args) const;
  // The temporary that is spilled to `host`, or null.
  const TensorInfo* spilledTo(const void* host) const;

 private:
  const Manifest& manifest_;
  bool limited_;
  std::vector<std::unique_ptr<unsigned char[]>> spills_;
};

}  // namespace ptowsp::glue
