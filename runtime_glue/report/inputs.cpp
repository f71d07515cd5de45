// SPDX-License-Identifier: MIT
#include "runtime_glue/report/inputs.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "runtime_glue/report/trace_input.h"

namespace ptowsp::report {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr int kResultFormat = 1;
constexpr const char* kExpected =
    "expected a page of ptowsp-run --report, a result of --json, or a timeline of --trace";

// Whether it is what `ptowsp-run --json` prints; of another version when `problem` says so.
bool isResult(const Json& json, std::string* problem) {
  const auto format = json.is_object() ? json.find("ptowsp_run") : json.end();
  if (!json.is_object() || format == json.end()) return false;
  if (!format->is_number_integer() || *format != kResultFormat)
    *problem = "found a result in format " + format->dump() + ", expected " +
               std::to_string(kResultFormat);
  return true;
}

// The runs of one file; none, and a problem, when it holds no run.
std::vector<RunData> readRuns(const fs::path& file, std::string* problem) {
  std::ifstream stream(file, std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(stream)),
                         std::istreambuf_iterator<char>());
  if (!stream || fs::is_directory(file)) {
    *problem = "cannot read it";
    return {};
  }
  std::vector<RunData> runs = runsOf(text);
  for (const RunData& run : runs)
    if (!isResult(Json::parse(run.run, nullptr, false), problem) && problem->empty())
      *problem = "found a page with a run that cannot be read";
  if (!runs.empty()) return problem->empty() ? runs : std::vector<RunData>();
  const Json json = Json::parse(text, nullptr, false);
  if (isResult(json, problem)) {
    if (problem->empty()) runs.push_back({"", json.dump(), ""});
  } else if (std::optional<RunData> traced = runOfTrace(json)) {
    runs.push_back(std::move(*traced));
  } else {
    *problem = std::string("found no run, ") + kExpected;
  }
  return runs;
}

std::string unusedLabel(const std::string& label, const std::vector<RunData>& runs) {
  const auto isUsed = [&](const std::string& text) {
    return std::any_of(runs.begin(), runs.end(), [&](const RunData& r) { return r.label == text; });
  };
  std::string unused = label;
  for (int i = 2; isUsed(unused); ++i) unused = label + " (" + std::to_string(i) + ")";
  return unused;
}

Problem addFile(const fs::path& file, const std::string& label, std::vector<RunData>* runs) {
  std::string problem;
  std::vector<RunData> found = readRuns(file, &problem);
  if (!problem.empty()) return {file.string() + ": " + problem, "run ptowsp-run with one of these"};
  if (found.size() == 1) found[0].label = label.empty() ? file.stem().string() : label;
  for (RunData& run : found) {
    if (found.size() > 1 && !label.empty()) run.label = label + " " + run.label;
    run.label = unusedLabel(run.label, *runs);
    runs->push_back(std::move(run));
  }
  return {};
}

// A folder's files that hold runs, by name; others may lie there too.
Problem addFolder(const fs::path& folder, const std::string& label, std::vector<RunData>* runs) {
  std::vector<fs::path> files;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    const fs::path extension = entry.path().extension();
    if (entry.is_regular_file() && (extension == ".html" || extension == ".json"))
      files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  const size_t before = runs->size();
  for (const fs::path& file : files)
    if (std::string problem; !readRuns(file, &problem).empty())
      if (Problem failed =
              addFile(file, label.empty() ? label : label + " " + file.stem().string(), runs);
          !failed.message.empty())
        return failed;
  if (runs->size() > before) return {};
  return {folder.string() + ": found no .html or .json file that holds a run",
          "write one there with ptowsp-run --report"};
}

}  // namespace

Problem addRuns(const std::string& argument, std::vector<RunData>* runs) {
  std::string label, path = argument;
  // A file may have '=' in its name.
  const size_t equals = argument.find('=');
  if (equals != argument.npos && !fs::exists(argument)) {
    label = argument.substr(0, equals);
    path = argument.substr(equals + 1);
  }
  std::error_code error;
  if (!fs::exists(path, error))
    return {path + ": found no such file or folder",
            std::string("give what holds a run: ") + kExpected};
  return fs::is_directory(path, error) ? addFolder(path, label, runs) : addFile(path, label, runs);
}

}  // namespace ptowsp::report
