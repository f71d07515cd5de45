#include "generator/verify/load.h"

#include <filesystem>

#include "generator/base/file.h"
#include "generator/ir/reader.h"
#include "generator/verify/verify.h"

namespace ptowsp {

Loaded loadText(std::string text, const std::string& path, Diagnostics& diagnostics) {
  Loaded loaded;
  loaded.text = std::move(text);
  loaded.workload = ir::readWorkload(loaded.text, path, loaded.locations, diagnostics);
  if (loaded.workload) loaded.program = verify(*loaded.workload, diagnostics);
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
