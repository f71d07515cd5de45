// SPDX-License-Identifier: MIT
#include "generator/reference/files.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <vector>

#include "generator/base/file.h"
#include "generator/reference/inputs.h"

namespace ptowsp::reference {
namespace {

namespace fs = std::filesystem;

bool report(Diagnostics& diagnostics, const std::string& message) {
  diagnostics.error("write-failed", "", message, "free the space or correct the folder's rights");
  return false;
}

// The list names files to remove, so only a name that writeEvaluation() could have written counts.
bool isOwnName(const std::string& name) {
  for (const std::string folder : {"inputs/", "expected/"}) {
    if (name.rfind(folder, 0) != 0 || name.size() <= folder.size() + 4 ||
        name.substr(name.size() - 4) != ".npy")
      continue;
    return std::all_of(name.begin() + static_cast<std::ptrdiff_t>(folder.size()), name.end() - 4,
                       [](unsigned char c) { return std::isalnum(c) || c == '_'; });
  }
  return false;
}

std::vector<std::string> linesOf(const std::string& text) {
  std::vector<std::string> lines;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

}  // namespace

bool writeEvaluation(const Program& program, const Evaluation& evaluation,
                     const std::string& directory, Diagnostics& diagnostics) {
  const fs::path root(directory);
  for (const char* folder : {"inputs", "expected"}) {
    std::error_code error;
    fs::create_directories(root / folder, error);
    if (error)
      return report(diagnostics, fmt::format("{}: cannot create the folder: {}",
                                             (root / folder).string(), error.message()));
  }

  // Without a list, as on the first call, nothing is stale.
  const std::string list = (root / "eval_list").string();
  std::string problem;
  const std::string old_text = readFile(list, problem).value_or("");
  std::string text;
  std::vector<std::string> names;
  const auto write = [&](const char* folder, size_t t, const Elements& elements) {
    if (elements.empty()) return true;
    const ir::Tensor& declared = program.tensors[t].declaration;
    names.push_back(fmt::format("{}/{}.npy", folder, declared.name));
    text += names.back() + '\n';
    const std::string path = (root / names.back()).string();
    const npy::Type type = npyType(declared.dtype);
    if (npy::holds(path, type, declared.shape, elements.bytes.data())) return true;
    const npy::Status status = npy::write(path, type, declared.shape, elements.bytes.data());
    return status.ok() || report(diagnostics, status.message);
  };
  for (size_t t = 0; t < program.tensors.size(); ++t) {
    if (!write("inputs", t, evaluation.inputs[t]) || !write("expected", t, evaluation.expected[t]))
      return false;
  }

  for (const std::string& old : linesOf(old_text)) {
    std::error_code error;
    if (!isOwnName(old) || std::find(names.begin(), names.end(), old) != names.end()) continue;
    if (!fs::remove(root / old, error) && error)
      return report(diagnostics, fmt::format("{}: cannot remove the stale file: {}",
                                             (root / old).string(), error.message()));
  }
  if (writeFileIfChanged(list, text, problem) == WriteStatus::failed)
    return report(diagnostics, problem);
  return true;
}

}  // namespace ptowsp::reference
