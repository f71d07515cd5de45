// SPDX-License-Identifier: MIT
// TileDump: keeps what tasks read and wrote, as .npy files:
// DIR/<number>.<task>/<tile>.{in,out}.npy, and DIR/index.json, which says what each file is.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "runtime_glue/glue/task_names.h"
#include "runtime_glue/run/task_tiles.h"

namespace ptowsp::run {

struct TileDumpOptions {
  std::string folder;
  std::vector<std::string> tasks;  // patterns, see isTaskOf(); none: every task
  uint64_t most_bytes = 0;
  int64_t only = -1;  // Run::selectTask's: what it leaves out is not counted
};

// Whether the name of a task, or of its kernel, or its number is meant: * stands for any
// characters, ? for one.
bool isTaskOf(const std::string& pattern, const std::string& name, const std::string& kernel,
              int64_t task);

class TileDump : public glue::TaskObserver {
 public:
  // Keeps references.
  TileDump(const glue::Manifest& manifest, const glue::TaskNames& names, TileDumpOptions options)
      : manifest_(manifest), names_(names), tiles_(manifest), options_(std::move(options)) {}

  glue::Status begin(const glue::TaskGraph& graph,
                     const std::vector<glue::TensorPlace>& tensors) override;
  bool before(int64_t task) override;
  void after(int64_t task) override;
  bool ran(int64_t) const override { return true; }
  glue::Status verdict(std::vector<int64_t>* failed) override;

 private:
  glue::Status choose(const glue::TaskGraph& graph);
  glue::Status checkSize() const;
  glue::Status writeIndex() const;
  std::string folderOf(int64_t task) const;
  void write(int64_t task, bool after);

  const glue::Manifest& manifest_;
  const glue::TaskNames& names_;
  TaskTiles tiles_;
  TileDumpOptions options_;
  std::vector<uint8_t> chosen_;
  bool begun_ = false;  // later runs write the same files again
  std::mutex lock_;
  glue::Status status_;  // the first file that could not be written
};

}  // namespace ptowsp::run
