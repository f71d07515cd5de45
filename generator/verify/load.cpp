// SPDX-License-Identifier: MIT
#include "generator/verify/load.h"

#include <filesystem>

#include "generator/base/file.h"
#include "generator/ir/reader.h"
#include "generator/verify/rules.h"
#include "generator/verify/verify.h"
#include "ptowsp/npy.h"

namespace ptowsp {

namespace {

// The dispatch policy's table, where it stands in a file beside the workload.
void readDispatchTable(Loaded& loaded, const std::string& path, Diagnostics& diagnostics) {
  const std::optional<ir::Dispatch>& dispatch = loaded.workload->schedule.dispatch;
  if (!dispatch || dispatch->function.file.empty()) return;
  const std::string place = dispatch->function.place + "/table";
  const std::string file =
      (std::filesystem::path(path).parent_path() / dispatch->function.file).string();
  loaded.files.push_back(file);
  npy::File table;
  const size_t tasks = static_cast<size_t>(loaded.program->taskCount());
  const npy::Status status =
      table.open(file, npy::Type::i32, {static_cast<int64_t>(tasks)});
  if (!status.ok()) {
    diagnostics.error("bad-schedule", place, status.message, status.fix);
    loaded.program.reset();
    return;
  }
  const int32_t* first = static_cast<const int32_t*>(table.data());
  Diagnostics found;
  setDispatchTable(*loaded.program, std::vector<int64_t>(first, first + tasks), place, found);
  if (found.hasErrors()) loaded.program.reset();
  diagnostics.add(std::move(found));
}

}  // namespace

Loaded loadText(std::string text, const std::string& path, Diagnostics& diagnostics) {
  Loaded loaded;
  loaded.text = std::move(text);
  loaded.workload = ir::readWorkload(loaded.text, path, loaded.locations, diagnostics);
  if (loaded.workload) loaded.program = verify(*loaded.workload, diagnostics);
  if (loaded.program) readDispatchTable(loaded, path, diagnostics);
  return loaded;
}

Loaded load(const std::string& path, Diagnostics& diagnostics) {
  std::string error;
  std::optional<std::string> text = readFile(path, error);
  if (!text) {
    Loaded loaded;
    loaded.locations.setDocument(path, "", {});
    diagnostics.error("unreadable-file", "", error);
    return loaded;
  }
  Loaded loaded = loadText(std::move(*text), path, diagnostics);
  loaded.files.push_back(path);
  std::string sidecar = ir::sidecarPath(path);
  std::error_code ignored;
  if (!std::filesystem::exists(sidecar, ignored)) return loaded;
  loaded.files.push_back(sidecar);
  if (std::optional<std::string> locations = readFile(sidecar, error)) {
    loaded.locations.readSidecar(*locations, sidecar, diagnostics);
  } else {
    diagnostics.warning("bad-locations", "", error);
  }
  return loaded;
}

}  // namespace ptowsp
