// SPDX-License-Identifier: MIT
// TaskTiles: the tiles that a task of a run works on: where they lie on the device, and which part
// of which tensor each is.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime_glue/glue/inspection.h"
#include "runtime_glue/glue/status.h"
#include "runtime_glue/glue/task_names.h"
#include "runtime_glue/glue/task_observer.h"

namespace ptowsp::run {

struct Tile {
  const glue::TileInfo* info = nullptr;
  glue::TileRegion region;
  const glue::TensorInfo* tensor = nullptr;  // null: of no tensor that is known
  uint64_t offset = 0;                       // of its first element in the tensor, in elements

  bool isRead() const { return info->access != glue::TileAccess::out; }
  bool isWritten() const { return info->access != glue::TileAccess::in; }
  const void* row(int64_t row) const {
    return reinterpret_cast<const void*>(region.address +
                                         static_cast<uint64_t>(row * region.stride_bytes));
  }
  double at(int64_t row, int64_t column) const;
  // "y[26, 17]", an element by its name in the tensor; "" where that is not known.
  std::string elementName(int64_t row, int64_t column) const;
};

class TaskTiles {
 public:
  // Keeps references. An error when the graph is not that of the manifest.
  explicit TaskTiles(const glue::Manifest& manifest) : manifest_(manifest) {}
  glue::Status open(const glue::TaskGraph& graph, const std::vector<glue::TensorPlace>& tensors);

  int64_t tasks() const { return graph_->tasks(); }
  std::vector<Tile> of(int64_t task) const;

 private:
  const glue::Manifest& manifest_;
  const glue::TaskGraph* graph_ = nullptr;
  std::vector<glue::TensorPlace> tensors_;  // by address
};

}  // namespace ptowsp::run
