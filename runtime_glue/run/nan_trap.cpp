// SPDX-License-Identifier: MIT
#include "runtime_glue/run/nan_trap.h"

#include <cmath>

#include "runtime_glue/glue/text.h"

namespace ptowsp::run {

using glue::format;
using glue::Status;

namespace {

// What before() saw of the task that this thread runs, for after().
struct Seen {
  std::vector<Tile> tiles;
  std::vector<Statistics> read;  // like tiles
  bool clean = true;
};
thread_local Seen seen;

Statistics statisticsOf(const Tile& tile) {
  Statistics statistics;
  for (int64_t row = 0; row < tile.region.rows; ++row)
    statistics.add(tile.info->dtype, tile.row(row), static_cast<uint64_t>(tile.info->cols));
  return statistics;
}

}  // namespace

Status NanTrap::begin(const glue::TaskGraph& graph, const std::vector<glue::TensorPlace>& tensors) {
  ran_.assign(static_cast<size_t>(graph.tasks()), 0);
  first_ = first_given_ = INT64_MAX;
  given_ = 0;
  status_ = {};
  return tiles_.open(graph, tensors);
}

bool NanTrap::before(int64_t task) {
  // An edge leads from a task to a later one, so that those before the first found do not miss
  // those that are left out behind it, and the first is the same in every order of running.
  if (task > first_) return false;
  ran_[static_cast<size_t>(task)] = 1;
  seen.tiles = tiles_.of(task);
  seen.read.assign(seen.tiles.size(), {});
  seen.clean = true;
  for (size_t i = 0; i < seen.tiles.size(); ++i) {
    if (!seen.tiles[i].isRead()) continue;
    seen.read[i] = statisticsOf(seen.tiles[i]);
    seen.clean = seen.clean && !isBad(seen.read[i]);
  }
  if (seen.clean) return true;
  ++given_;
  for (int64_t first = first_given_; task < first;)
    if (first_given_.compare_exchange_weak(first, task)) break;
  return true;
}

void NanTrap::after(int64_t task) {
  if (!seen.clean) return;
  for (const Tile& tile : seen.tiles) {
    if (!tile.isWritten()) continue;
    const Statistics written = statisticsOf(tile);
    if (!isBad(written)) continue;
    const std::lock_guard lock(lock_);
    if (task >= first_) return;
    first_ = task;
    return found(task, tile, written);
  }
}

void NanTrap::found(int64_t task, const Tile& tile, const Statistics& written) {
  int64_t row = 0, column = 0;
  const auto isBadAt = [&](int64_t r, int64_t c) {
    const double value = tile.at(r, c);
    return std::isnan(value) || (infinities_ && std::isinf(value));
  };
  while (!isBadAt(row, column)) {
    if (++column < tile.info->cols) continue;
    column = 0;
    ++row;
  }
  const double value = tile.at(row, column);
  const std::string element = tile.elementName(row, column), name = tile.info->name;
  status_ = Status::runFailure(
      manifest_.name, names_.describe(task) + " made " +
                          (std::isnan(value) ? "a NaN"
                           : value < 0       ? "a negative infinity"
                                             : "an infinity") +
                          ": " +
                          format("element [%lld, %lld] of its tile %s", static_cast<long long>(row),
                                 static_cast<long long>(column), name.c_str()) +
                          (element.empty() ? "" : ", " + element));
  for (size_t i = 0; i < seen.tiles.size(); ++i) {
    const Tile& read = seen.tiles[i];
    if (!read.isRead()) continue;
    std::string note = "it read " + read.info->name;
    if (const std::string first = read.elementName(0, 0); !first.empty())
      note += ", from " + first + " on";
    note += ": " + seen.read[i].text();
    if (!read.isWritten() && read.info->rows == tile.info->rows &&
        read.info->cols == tile.info->cols)
      note += format("; [%lld, %lld] is %.9g", static_cast<long long>(row),
                     static_cast<long long>(column), read.at(row, column));
    status_.notes.push_back(std::move(note));
  }
  status_.notes.push_back("it wrote " + name + ": " + written.text());
  status_.fix = format("look at kernel %s; its tiles as files: --only %lld --dump-tensors DIR",
                       manifest_.kernels[static_cast<size_t>(names_.kernelOf(task))].name.c_str(),
                       static_cast<long long>(task));
}

Status NanTrap::verdict(std::vector<int64_t>* failed) {
  const std::lock_guard lock(lock_);
  if (!status_.ok()) failed->push_back(first_);
  return status_;
}

std::string NanTrap::remark() const {
  if (given_ == 0) return {};
  const char* const what = infinities_ ? "a NaN or an infinity" : "a NaN";
  return format("no task made %s; %s given one with what they read, first %s", what,
                given_ == 1 ? "1 task was" : (std::to_string(given_) + " tasks were").c_str(),
                names_.describe(first_given_).c_str());
}

}  // namespace ptowsp::run
