// SPDX-License-Identifier: MIT
// NanTrap: finds the first task, in program order, that makes a NaN: one of its results holds a NaN
// and nothing that it read does. Tasks behind it are not run any more as soon as it is known.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "runtime_glue/glue/task_names.h"
#include "runtime_glue/run/statistics.h"
#include "runtime_glue/run/task_tiles.h"

namespace ptowsp::run {

class NanTrap : public glue::TaskObserver {
 public:
  // Keeps references. `infinities`: an infinity counts as a NaN does.
  NanTrap(const glue::Manifest& manifest, const glue::TaskNames& names, bool infinities)
      : manifest_(manifest), names_(names), tiles_(manifest), infinities_(infinities) {}

  glue::Status begin(const glue::TaskGraph& graph,
                     const std::vector<glue::TensorPlace>& tensors) override;
  bool before(int64_t task) override;
  void after(int64_t task) override;
  bool ran(int64_t task) const override { return ran_[static_cast<size_t>(task)] != 0; }
  glue::Status verdict(std::vector<int64_t>* failed) override;

  // After a run in which no task made one: a sentence on those that were given one, or "".
  std::string remark() const;

 private:
  bool isBad(const Statistics& statistics) const {
    return statistics.nans || (infinities_ && statistics.infinities);
  }
  void found(int64_t task, const Tile& tile, const Statistics& written);

  const glue::Manifest& manifest_;
  const glue::TaskNames& names_;
  TaskTiles tiles_;
  bool infinities_;
  std::vector<uint8_t> ran_;
  // Only compared and lowered; what it says of other memory is under the lock.
  std::atomic<int64_t> first_{INT64_MAX};
  std::atomic<int64_t> first_given_{INT64_MAX}, given_{0};  // tasks with a NaN in what they read
  std::mutex lock_;
  glue::Status status_;  // of first_
};

}  // namespace ptowsp::run
