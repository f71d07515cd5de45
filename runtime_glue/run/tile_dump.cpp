// SPDX-License-Identifier: MIT
#include "runtime_glue/run/tile_dump.h"

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "ptowsp/npy.h"
#include "runtime_glue/glue/host_tensors.h"
#include "runtime_glue/glue/text.h"
#include "runtime_glue/run/json_writer.h"

namespace ptowsp::run {

using glue::format;
using glue::Status;

namespace {

// What a file takes on a disk at least, its header with it.
constexpr uint64_t kBlock = 4096;

uint64_t fileBytes(const Tile& tile) {
  const uint64_t bytes = static_cast<uint64_t>(tile.info->rows * tile.info->cols) *
                             glue::elementSize(tile.info->dtype) +
                         128;
  return (bytes + kBlock - 1) / kBlock * kBlock;
}

std::string sizeText(uint64_t bytes) {
  const double mib = static_cast<double>(bytes) / (1 << 20);
  return mib < 1024 ? format("%.3g MiB", mib) : format("%.3g GiB", mib / 1024);
}

const char* suffix(bool after) { return after ? ".out.npy" : ".in.npy"; }

bool matches(const char* pattern, const char* text) {
  if (*pattern == 0) return *text == 0;
  if (*pattern == '*') return matches(pattern + 1, text) || (*text && matches(pattern, text + 1));
  return *text && (*pattern == '?' || *pattern == *text) && matches(pattern + 1, text + 1);
}

// The tile's elements without what lies between its rows.
const void* packed(const Tile& tile, std::vector<char>* memory) {
  const glue::TileRegion& region = tile.region;
  if (region.stride_bytes == region.row_bytes || region.rows == 1) return tile.row(0);
  const auto bytes = static_cast<size_t>(region.row_bytes);
  memory->resize(static_cast<size_t>(region.rows) * bytes);
  for (int64_t row = 0; row < region.rows; ++row)
    std::memcpy(memory->data() + static_cast<size_t>(row) * bytes, tile.row(row), bytes);
  return memory->data();
}

}  // namespace

bool isTaskOf(const std::string& pattern, const std::string& name, const std::string& kernel,
              int64_t task) {
  return matches(pattern.c_str(), name.c_str()) || matches(pattern.c_str(), kernel.c_str()) ||
         pattern == std::to_string(task);
}

// Brackets and blanks would have to be quoted in a shell, and a slash cannot be in a name.
std::string TileDump::folderOf(int64_t task) const {
  std::string name = format("%06lld.", static_cast<long long>(task));
  for (const char c : names_.nameOf(task)) {
    if (c == ']') continue;
    name += c == '[' || c == ' ' ? '.' : c == '/' ? '-' : c;
  }
  return name;
}

Status TileDump::choose(const glue::TaskGraph& graph) {
  chosen_.assign(static_cast<size_t>(graph.tasks()), 1);
  if (options_.only >= 0) chosen_ = graph.withPredecessors(options_.only);
  if (options_.tasks.empty()) return {};
  bool any = false;
  for (int64_t task = 0; task < graph.tasks(); ++task) {
    const std::string name = names_.nameOf(task);
    const std::string& kernel = manifest_.kernels[graph.func_ids[task]].name;
    uint8_t& chosen = chosen_[static_cast<size_t>(task)];
    chosen = chosen && std::any_of(options_.tasks.begin(), options_.tasks.end(),
                                   [&](const auto& p) { return isTaskOf(p, name, kernel, task); });
    any = any || chosen;
  }
  if (any) return {};
  return Status::badArtifact(
      "--dump-tasks", "found no task that runs and has such a name",
      "give numbers, or names in which * stands for any characters, like " + names_.nameOf(0));
}

Status TileDump::checkSize() const {
  uint64_t bytes = 0;
  long long tasks = 0, files = 0;
  for (int64_t task = 0; task < tiles_.tasks(); ++task) {
    if (!chosen_[static_cast<size_t>(task)]) continue;
    ++tasks;
    for (const Tile& tile : tiles_.of(task)) {
      const int copies = tile.isRead() + tile.isWritten();
      files += copies;
      bytes += static_cast<uint64_t>(copies) * fileBytes(tile);
    }
  }
  if (bytes <= options_.most_bytes) return {};
  return Status::badArtifact(
      "--dump-tensors " + options_.folder,
      format("the tiles of %s would take %s in %s, and at most %s are allowed",
             glue::counted(tasks, "task").c_str(), sizeText(bytes).c_str(),
             glue::counted(files, "file").c_str(), sizeText(options_.most_bytes).c_str()),
      "choose tasks with --dump-tasks, for example --dump-tasks '" + names_.nameOf(0) +
          "', or allow more with --dump-limit");
}

Status TileDump::begin(const glue::TaskGraph& graph,
                       const std::vector<glue::TensorPlace>& tensors) {
  status_ = {};
  if (Status status = tiles_.open(graph, tensors); !status.ok()) return status;
  if (begun_) return {};
  if (Status status = choose(graph); !status.ok()) return status;
  if (Status status = checkSize(); !status.ok()) return status;
  // Files of an earlier run would pass for this one's.
  std::error_code error;
  if (std::filesystem::exists(options_.folder, error) &&
      !std::filesystem::is_empty(options_.folder, error))
    return Status::badArtifact("--dump-tensors " + options_.folder,
                               error ? "found no folder that can be used: " + error.message()
                                     : "found a folder that is not empty",
                               "give a new or an empty folder");
  std::filesystem::create_directories(options_.folder, error);
  if (error)
    return Status::badArtifact("--dump-tensors " + options_.folder,
                               "cannot make the folder: " + error.message(),
                               "give a folder that can be written");
  begun_ = true;
  return writeIndex();
}

Status TileDump::writeIndex() const {
  const std::string file = options_.folder + "/index.json";
  std::ofstream stream(file);
  stream << "[";
  const char* separator = "\n";
  for (int64_t task = 0; task < tiles_.tasks(); ++task) {
    if (!chosen_[static_cast<size_t>(task)]) continue;
    JsonWriter json;
    json.beginObject().key("task").value(task).key("name").value(names_.nameOf(task));
    json.key("kernel").value(manifest_.kernels[static_cast<size_t>(names_.kernelOf(task))].name);
    json.key("tiles").beginArray();
    for (const Tile& tile : tiles_.of(task)) {
      json.beginObject().key("name").value(tile.info->name);
      json.key("first").value(tile.elementName(0, 0));
      const std::string path = folderOf(task) + "/" + tile.info->name;
      if (tile.isRead()) json.key("in").value(path + suffix(false));
      if (tile.isWritten()) json.key("out").value(path + suffix(true));
      json.endObject();
    }
    json.endArray().endObject();
    stream << separator << json.text();
    separator = ",\n";
  }
  stream << "\n]\n";
  stream.close();
  return stream ? Status() : Status::badArtifact(file, "cannot write it", "make room on the disk");
}

bool TileDump::before(int64_t task) {
  if (chosen_[static_cast<size_t>(task)]) write(task, false);
  return true;
}

void TileDump::after(int64_t task) {
  if (chosen_[static_cast<size_t>(task)]) write(task, true);
}

void TileDump::write(int64_t task, bool after) {
  thread_local std::vector<char> memory;
  const std::string folder = options_.folder + "/" + folderOf(task);
  std::error_code error;
  std::filesystem::create_directory(folder, error);
  std::string problem = error ? folder + ": " + error.message() : std::string();
  for (const Tile& tile : tiles_.of(task)) {
    if (!problem.empty() || !(after ? tile.isWritten() : tile.isRead())) continue;
    problem =
        npy::write(folder + "/" + tile.info->name + suffix(after), glue::npyType(tile.info->dtype),
                   {tile.info->rows, tile.info->cols}, packed(tile, &memory))
            .message;
  }
  if (problem.empty()) return;
  const std::lock_guard lock(lock_);
  if (status_.ok())
    status_ = Status::badArtifact("--dump-tensors " + options_.folder, problem,
                                  "make room on the disk, or choose tasks with --dump-tasks");
}

Status TileDump::verdict(std::vector<int64_t>*) {
  const std::lock_guard lock(lock_);
  return status_;
}

}  // namespace ptowsp::run
