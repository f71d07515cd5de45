// SPDX-License-Identifier: MIT
#include "runtime_glue/run/task_tiles.h"

#include <algorithm>

#include "runtime_glue/glue/compare.h"
#include "runtime_glue/glue/text.h"

namespace ptowsp::run {

using glue::Status;

double Tile::at(int64_t r, int64_t column) const {
  return glue::valueAt(info->dtype, row(r), static_cast<uint64_t>(column));
}

std::string Tile::elementName(int64_t row, int64_t column) const {
  if (!tensor) return {};
  const auto size = static_cast<int64_t>(glue::elementSize(info->dtype));
  return glue::elementName(
      *tensor, offset + static_cast<uint64_t>(row * region.stride_bytes / size + column));
}

Status TaskTiles::open(const glue::TaskGraph& graph,
                       const std::vector<glue::TensorPlace>& tensors) {
  graph_ = &graph;
  tensors_ = tensors;
  std::sort(tensors_.begin(), tensors_.end(),
            [](const auto& a, const auto& b) { return a.address < b.address; });
  const auto kernels = static_cast<int32_t>(manifest_.kernels.size());
  for (int64_t task = 0; task < graph.tasks(); ++task) {
    const int32_t kernel = graph.func_ids[task];
    if (kernel >= 0 && kernel < kernels &&
        graph.regionsOf(manifest_, task).size() == manifest_.kernels[kernel].tiles.size())
      continue;
    return Status::runFailure(
        manifest_.name,
        glue::format("task %lld has not the kernel or the arguments that the manifest says",
                     static_cast<long long>(task)),
        "build the target " + manifest_.name + " again");
  }
  return {};
}

std::vector<Tile> TaskTiles::of(int64_t task) const {
  const std::vector<glue::TileRegion> regions = graph_->regionsOf(manifest_, task);
  const std::vector<glue::TileInfo>& infos = manifest_.kernels[graph_->func_ids[task]].tiles;
  std::vector<Tile> tiles;
  for (size_t i = 0; i < infos.size(); ++i) {
    Tile tile;
    tile.info = &infos[i];
    tile.region = regions[i];
    auto place = std::upper_bound(
        tensors_.begin(), tensors_.end(), regions[i].address,
        [](uint64_t address, const glue::TensorPlace& other) { return address < other.address; });
    if (place != tensors_.begin()) {
      --place;
      const uint64_t bytes = regions[i].address - place->address;
      if (bytes < place->tensor->bytes && place->tensor->dtype == infos[i].dtype) {
        tile.tensor = place->tensor;
        tile.offset = bytes / glue::elementSize(infos[i].dtype);
      }
    }
    tiles.push_back(std::move(tile));
  }
  return tiles;
}

}  // namespace ptowsp::run
