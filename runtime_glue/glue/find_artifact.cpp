// SPDX-License-Identifier: MIT
#include "runtime_glue/glue/find_artifact.h"

#include <glob.h>
#include <unistd.h>

#include <climits>
#include <cstdlib>
#include <vector>

namespace ptowsp::glue {
namespace {

constexpr const char* kVariable = "PTOWSP_ARTIFACT_PATH";

std::string parentOf(const std::string& path) {
  const size_t slash = path.find_last_of('/');
  return slash == std::string::npos ? std::string() : path.substr(0, slash);
}

// The folder of the running program.
std::string programFolder() {
  char program[PATH_MAX];
  const ssize_t size = readlink("/proc/self/exe", program, sizeof program);
  return size > 0 ? parentOf(std::string(program, static_cast<size_t>(size))) : std::string();
}

// `text` as a pattern that only it matches.
std::string escaped(const std::string& text) {
  std::string pattern;
  for (const char c : text) {
    if (c == '*' || c == '?' || c == '[' || c == '\\') pattern += '\\';
    pattern += c;
  }
  return pattern;
}

class Search {
 public:
  explicit Search(const std::string& name) : name_(name) {}

  bool look(const std::string& folder) {
    looked_.push_back(folder);
    if (access((folder + "/ready").c_str(), R_OK) != 0) return false;
    found_ = folder;
    return true;
  }

  // In each folder of the variable.
  bool lookInPath(const char* path) {
    const std::string folders = path ? path : "";
    for (size_t at = 0; at < folders.size();) {
      const size_t end = std::min(folders.find(':', at), folders.size());
      if (end > at && look(folders.substr(at, end - at) + "/" + name_ + ".ptowsp")) return true;
      at = end + 1;
    }
    return false;
  }

  // Where packages put it: lib/ptowsp, lib64/ptowsp, and lib/<architecture>/ptowsp of Debian.
  bool lookBelow(const std::string& prefix) {
    const std::string end = "/ptowsp/" + name_ + ".ptowsp";
    if (look(prefix + "/lib" + end)) return true;
    for (const char* between : {"/lib*", "/lib/*"}) {
      glob_t matches = {};
      const std::string pattern = escaped(prefix) + between + end;
      bool good = false;
      if (::glob(pattern.c_str(), 0, nullptr, &matches) == 0) {
        for (size_t i = 0; i < matches.gl_pathc && !good; ++i) good = look(matches.gl_pathv[i]);
      }
      globfree(&matches);
      if (good) return true;
    }
    return false;
  }

  const std::string& found() const { return found_; }
  const std::vector<std::string>& looked() const { return looked_; }

 private:
  const std::string& name_;
  std::string found_;
  std::vector<std::string> looked_;
};

}  // namespace

Status findArtifact(const std::string& name, const char* built_at, std::string* folder) {
  Search search(name);
  const std::string beside = programFolder();
  const bool found = search.lookInPath(std::getenv(kVariable)) ||
                     (built_at && search.look(built_at)) ||
                     (!beside.empty() && (search.lookBelow(parentOf(beside)) ||
                                          search.look(beside + "/" + name + ".ptowsp")));
  if (found) {
    *folder = search.found();
    return {};
  }
  Status status = Status::badArtifact(
      "workload " + name, "found no artifact " + name + ".ptowsp with a `ready` file",
      std::string("build the target ") + name + ", or name the folder that holds it in " + kVariable);
  for (const std::string& place : search.looked()) status.notes.push_back("looked in " + place);
  return status;
}

}  // namespace ptowsp::glue
