// SPDX-License-Identifier: MIT
// ptowsp-gen: reads a workload, verifies and analyzes it, and emits what the command asks for.
// Only this file and options.cpp, its command line, print and exit. 0: done; 1: the workload or a file
// is wrong; 2: wrong usage.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "generator/analyze/analyze.h"
#include "generator/analyze/buffer_check.h"
#include "generator/analyze/graph_text.h"
#include "generator/analyze/split_cores.h"
#include "generator/base/cache.h"
#include "generator/base/depfile.h"
#include "generator/base/diagnostic.h"
#include "generator/base/file.h"
#include "generator/emit/check_report.h"
#include "generator/emit/device_kernel.h"
#include "generator/emit/dispatch.h"
#include "generator/emit/manifest.h"
#include "generator/emit/tree.h"
#include "generator/ir/printer.h"
#include "generator/options.h"
#include "generator/reference/evaluate.h"
#include "generator/reference/files.h"
#include "generator/verify/capabilities.h"
#include "generator/verify/load.h"
#include "generator/verify/names.h"
#include "ptowsp/hash.h"
#include "ptowsp/manifest.h"
#include "ptowsp/terminal.h"

namespace fs = std::filesystem;

namespace ptowsp {
namespace {

constexpr Dependences kDependences[] = {Dependences::dataflow, Dependences::program_order,
                                        Dependences::as_written};
// What `check --platform a2a3` ends with.
constexpr std::string_view kDeviceNote =
    "  a2a3: kernels can be emitted. PtoWsp has never run one on hardware: see docs/a2a3.md\n";
constexpr int kDone = 0, kUserMistake = 1, kUsage = 2;

int fail(const std::string& message) {
  fmt::print(stderr, "ptowsp-gen: error: {}\n", message);
  return kUserMistake;
}

// Report prints what the stages found, and says whether the command may go on.
bool report(const Settings& settings, const Diagnostics& diagnostics, const Loaded& loaded) {
  const bool colour = terminal::wantsColour(settings.colour, STDERR_FILENO);
  const std::string text = format(diagnostics, loaded.locate(), colour);
  std::fputs(text.c_str(), stderr);
  return !diagnostics.hasErrors();
}

// Output goes to a file when one is named, else to standard output.
int deliver(const std::string& text, const std::string& file) {
  if (file.empty()) {
    if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0)
      return fail("writing to standard output failed");
    return kDone;
  }
  std::string error;
  return writeFileIfChanged(file, text, error) == WriteStatus::failed ? fail(error) : kDone;
}

// A file that is not there counts as removed.
int removeFile(const fs::path& file) {
  std::error_code error;
  return !fs::remove(file, error) && error ? fail(file.string() + ": " + error.message()) : kDone;
}

// A stamp is made anew at every success: its time is what says so.
int touch(const std::string& file) {
  if (const int failed = removeFile(file)) return failed;
  return deliver("ptowsp\n", file);
}

AnalyzeOptions analyzeOptions(const Settings& settings, bool keep_graph = false) {
  AnalyzeOptions options;
  options.allow_races = settings.races == "allow";
  for (const Dependences kind : kDependences)
    if (settings.dependences == nameOf(kind)) options.dependences = kind;
  options.keep_graph = keep_graph;
  return options;
}

bool isForDevice(const Settings& settings) {
  return std::ranges::find(settings.platforms, "a2a3") != settings.platforms.end();
}

// Runnable: the program that runs, each kernel on one type of core, and its graph.
struct Runnable {
  Program program;
  Analysis analysis;
};

// A program that splitting changes is checked as the user wrote it first, so that mistakes are told in
// the user's terms.
std::optional<Runnable> splitAndAnalyze(const Program& written, const Settings& settings,
                                        bool keep_graph, Diagnostics& diagnostics) {
  AnalyzeOptions options = analyzeOptions(settings, keep_graph);
  if (needsSplit(written)) {
    AnalyzeOptions checks = options;
    checks.keep_graph = options.warnings = false;
    if (!analyze(written, checks, diagnostics)) return std::nullopt;
  }
  std::optional<Program> program = splitCores(written, diagnostics);
  if (!program) return std::nullopt;
  checkBuffers(*program, isForDevice(settings), diagnostics);
  std::optional<Analysis> analysis = analyze(*program, options, diagnostics);
  if (!analysis) return std::nullopt;
  if (settings.limits == "pinned") checkLimits(*program, analysis->segments, diagnostics);
  return Runnable{std::move(*program), std::move(*analysis)};
}

// Checked: a workload without mistakes. `program` is what runs, loaded.program what was written.
struct Checked {
  Loaded loaded;
  Program program;
  Analysis analysis;
};

// Reads, verifies and analyzes; nothing when the workload is wrong, and then it has been said.
std::optional<Checked> readAndCheck(const Settings& settings, bool keep_graph = false) {
  Diagnostics diagnostics;
  Loaded loaded = load(settings.workload, diagnostics);
  std::optional<Runnable> runnable;
  if (loaded.program)
    runnable = splitAndAnalyze(*loaded.program, settings, keep_graph, diagnostics);
  if (!report(settings, diagnostics, loaded) || !runnable) return std::nullopt;
  return Checked{std::move(loaded), std::move(runnable->program), std::move(runnable->analysis)};
}

// What emission for the device would refuse.
bool checkDevice(const Settings& settings, const Program& program, Diagnostics& diagnostics) {
  bool good = true;
  if (!isForDevice(settings)) return good;
  for (const Kernel& kernel : program.kernels) good = checkDeviceKernel(kernel, diagnostics) && good;
  return good;
}

int check(const Settings& settings) {
  const std::string_view note = isForDevice(settings) ? kDeviceNote : std::string_view();
  if (!settings.json) {
    const std::optional<Checked> checked = readAndCheck(settings);
    if (!checked) return kUserMistake;
    Diagnostics found;
    checkDevice(settings, checked->program, found);
    if (!report(settings, found, checked->loaded)) return kUserMistake;
    return deliver(summaryText(checked->program, checked->analysis, note), settings.output);
  }
  Diagnostics diagnostics;
  const Loaded loaded = load(settings.workload, diagnostics);
  std::string summary;
  if (loaded.program) {
    const auto runnable = splitAndAnalyze(*loaded.program, settings, /*keep_graph=*/false, diagnostics);
    if (runnable && checkDevice(settings, runnable->program, diagnostics))
      summary = summaryJson(runnable->program, runnable->analysis, note);
  }
  const int delivered =
      deliver(checkReport(diagnostics, loaded.locate(), summary), settings.output);
  return diagnostics.hasErrors() ? kUserMistake : delivered;
}

int print(const Settings& settings) {
  // The form is enough, so that a workload with mistakes can be brought into order too.
  Diagnostics unused;
  const Loaded loaded = load(settings.workload, unused);
  if (!loaded.workload) {
    report(settings, unused, loaded);
    return kUserMistake;
  }
  return deliver(ir::print(*loaded.workload), settings.output);
}

int capabilityPage(const Settings& settings) {
  return deliver(capabilitiesPage(), settings.output);
}

int list(const Settings& settings) {
  Diagnostics diagnostics;
  const Loaded loaded = load(settings.workload, diagnostics);
  if (!report(settings, diagnostics, loaded) || !loaded.program) return kUserMistake;
  return deliver(emitKernelList(*loaded.program), settings.output);
}

int graph(const Settings& settings) {
  const std::optional<Checked> checked = readAndCheck(settings, /*keep_graph=*/true);
  if (!checked) return kUserMistake;
  static const std::map<std::string, GraphFormat> formats = {
      {"dot", GraphFormat::dot}, {"mermaid", GraphFormat::mermaid}, {"json", GraphFormat::json}};
  return deliver(graphText(checked->program, checked->analysis.graph,
                           formats.at(settings.format), settings.limit),
                 settings.output);
}

// Without ready files and stamp the build cannot take an older artifact for this one.
int removeMarks(const Settings& settings) {
  std::vector<std::string> marks = settings.ready;
  if (!settings.stamp.empty()) marks.push_back(settings.stamp);
  for (const std::string& file : marks)
    if (const int failed = removeFile(file)) return failed;
  return kDone;
}

// Where a depfile is asked for: what the stamp depends on.
int writeDepfile(const Settings& settings, const std::vector<std::string>& files) {
  return settings.depfile.empty() ? kDone
                                  : deliver(depfileText(settings.stamp, files), settings.depfile);
}

// OpenCache: the cache that was asked for, if any. `failed`: its settings are wrong, which was said.
struct OpenCache {
  std::optional<Cache> cache;
  bool failed = false;

  Cache* get() { return cache ? &*cache : nullptr; }
  // A cache that cannot be used makes nothing fail.
  void sayProblems() const {
    if (!cache) return;
    for (const std::string& problem : cache->problems())
      fmt::print(stderr, "ptowsp-gen: warning: {}\n", problem);
  }
};

OpenCache openCache(const Settings& settings) {
  if (settings.cache.empty()) return {};
  uint64_t mebibytes = 1024;
  const char* given = std::getenv("PTOWSP_CACHE_SIZE");
  if (const std::string_view text = given ? given : ""; !text.empty()) {
    const auto [end, problem] = std::from_chars(text.begin(), text.end(), mebibytes);
    if (problem != std::errc() || end != text.end() || mebibytes > UINT64_MAX >> 20) {
      fail(fmt::format("PTOWSP_CACHE_SIZE is '{}', expected a number of MiB\n"
                       "  fix: set it to a whole number, or unset it (1024)", text));
      return {std::nullopt, true};
    }
  }
  return {Cache(settings.cache, mebibytes << 20), false};
}

// What an emitted tree depends on. Where the workload's parts stand in its files is not among it:
// mistakes and warnings, which say so, are never kept.
CacheKey emissionKey(const Settings& settings, const Loaded& loaded, const Source& source) {
  CacheKey key("emit");
  key.add("name", source.name);
  key.add("file", source.file);
  key.add("dependences", settings.dependences);
  key.add("races", settings.races);
  key.add("limits", settings.limits);
  key.add("device", isForDevice(settings) ? "yes" : "no");
  key.addContent("workload", loaded.text);
  if (!loaded.program->schedule.table.empty())  // it may have been read from a file of its own
    key.addContent("dispatch", emitDispatchTable(*loaded.program, source.file));
  return key;
}

std::optional<std::vector<EmittedFile>> makeTree(const Settings& settings, const Loaded& loaded,
                                                 const Source& source, Diagnostics& diagnostics) {
  const std::optional<Runnable> runnable =
      splitAndAnalyze(*loaded.program, settings, /*keep_graph=*/false, diagnostics);
  if (!runnable || diagnostics.hasErrors()) return std::nullopt;
  return emitTree(runnable->program, runnable->analysis, source, isForDevice(settings), diagnostics);
}

// The tree from the cache, else a new one; nothing when the workload is wrong, and then it has been
// said.
std::optional<std::vector<EmittedFile>> findOrMakeTree(const Settings& settings,
                                                       const Loaded& loaded, const Source& source,
                                                       Cache* cache, Diagnostics& diagnostics) {
  const CacheKey key = emissionKey(settings, loaded, source);
  if (cache && diagnostics.all().empty()) {
    if (const auto kept = cache->find(key)) {
      std::vector<EmittedFile> files;
      for (const KeptFile& file : *kept) files.push_back({file.name, file.bytes});
      return files;
    }
  }
  auto files = makeTree(settings, loaded, source, diagnostics);
  if (!report(settings, diagnostics, loaded) || !files) return std::nullopt;
  if (cache && diagnostics.all().empty()) {
    std::vector<KeptFile> kept;
    for (const EmittedFile& file : *files) kept.push_back({file.path, file.text});
    cache->keep(key, kept);
  }
  return files;
}

int emit(const Settings& settings) {
  if (const std::string problem = problemOfName(settings.name, NameUse::artifact);
      !problem.empty()) {
    fail(fmt::format("--name: '{}' {}", settings.name, problem));
    return kUsage;
  }
  if (const int failed = removeMarks(settings)) return failed;
  OpenCache cache = openCache(settings);
  if (cache.failed) return kUsage;
  Diagnostics diagnostics;
  const Loaded loaded = load(settings.workload, diagnostics);
  if (!loaded.program) {
    report(settings, diagnostics, loaded);
    return kUserMistake;
  }
  const Source source = {settings.name, fs::path(settings.workload).filename().string(),
                         hex16(fnv1a64(loaded.text)),
                         settings.lines ? loaded.locate() : Locate()};
  // Line directives name this machine's files: nothing of that is kept.
  const auto files = findOrMakeTree(settings, loaded, source, settings.lines ? nullptr : cache.get(),
                                    diagnostics);
  cache.sayProblems();
  if (!files) return kUserMistake;

  const fs::path root = settings.output;
  std::string error;
  std::vector<std::string> stale;
  if (const auto manifest = readFile((root / "manifest.json").string(), error))
    stale = namedFilesOf(*manifest);
  for (const EmittedFile& file : *files) {
    std::erase(stale, file.path);
    if (writeFileIfChanged((root / file.path).string(), file.text, error) == WriteStatus::failed)
      return fail(error);
  }
  for (const std::string& path : stale)
    if (const int failed = removeFile(root / path)) return failed;
  if (const int failed = writeDepfile(settings, loaded.files)) return failed;
  return settings.stamp.empty() ? kDone : touch(settings.stamp);
}

// "name=value" pairs of a repeated option.
std::optional<std::map<std::string, std::string>> pairs(const std::vector<std::string>& texts,
                                                        const Program& program) {
  std::map<std::string, std::string> result;
  for (const std::string& text : texts) {
    const size_t equals = text.find('=');
    const std::string name = text.substr(0, equals);
    if (equals == std::string::npos || equals + 1 == text.size()) {
      fail(fmt::format("'{}': expected TENSOR=FILE.npy", text));
      return std::nullopt;
    }
    if (!std::ranges::any_of(program.tensors,
                             [&](const Tensor& t) { return t.declaration.name == name; })) {
      fail(fmt::format("'{}': the workload has no tensor '{}'", text, name));
      return std::nullopt;
    }
    if (!result.emplace(name, text.substr(equals + 1)).second) {
      fail(fmt::format("'{}': tensor '{}' is given twice", text, name));
      return std::nullopt;
    }
  }
  return result;
}

int eval(const Settings& settings) {
  if (const int failed = removeMarks(settings)) return failed;
  OpenCache cache = openCache(settings);
  if (cache.failed) return kUsage;
  Diagnostics diagnostics;
  const Loaded loaded = load(settings.workload, diagnostics);
  if (!report(settings, diagnostics, loaded) || !loaded.program) return kUserMistake;
  const auto inputs = pairs(settings.inputs, *loaded.program);
  const auto expected = pairs(settings.expected, *loaded.program);
  if (!inputs || !expected) return kUserMistake;

  reference::Options options;
  options.directory = fs::path(settings.workload).parent_path().string();
  options.seed = settings.seed;
  options.cache = cache.get();
  options.identity = loaded.text;
  options.inputs = *inputs;
  options.expected = *expected;
  terminal::Progress progress;
  if (progress.isLive())
    options.progress = [&](int64_t done, int64_t total) {
      if (progress.isDue()) progress.show(fmt::format("eval: {} of {} tasks", done, total));
    };
  reference::Evaluation evaluation;
  Diagnostics found;
  const bool right =
      reference::evaluate(*loaded.program, options, evaluation, found) &&
      reference::writeEvaluation(*loaded.program, evaluation, settings.output, found);
  progress.clear();
  cache.sayProblems();
  std::vector<std::string> files = loaded.files;
  files.insert(files.end(), evaluation.files.begin(), evaluation.files.end());
  if (const int failed = writeDepfile(settings, files)) return failed;
  if (!report(settings, found, loaded) || !right) return kUserMistake;
  return settings.stamp.empty() ? kDone : touch(settings.stamp);
}

// Splits "key=value" at the first '='; both parts must be there.
bool split(const std::string& text, char at, std::string& key, std::string& value) {
  const size_t place = text.find(at);
  if (place == std::string::npos || place == 0 || place + 1 == text.size()) return false;
  key = text.substr(0, place);
  value = text.substr(place + 1);
  return true;
}

int seal(const SealSettings& settings) {
  if (const int failed = removeFile(settings.ready)) return failed;
  const fs::path folder = fs::absolute(settings.ready).lexically_normal().parent_path();
  std::string missing;
  const auto relative = [&](const std::string& file) {
    if (!fs::exists(file)) missing += (missing.empty() ? "" : ", ") + file;
    return fs::absolute(file).lexically_normal().lexically_relative(folder).generic_string();
  };

  std::string error;
  const std::optional<std::string> manifest = readFile(settings.manifest, error);
  if (!manifest) return fail(error);
  Build build;
  build.manifest = relative(settings.manifest);
  build.manifest_hash = hex16(fnv1a64(*manifest));
  build.platform = settings.platform;
  build.arch = settings.arch;
  build.inputs = relative(settings.inputs);
  build.expected = relative(settings.expected);
  build.block_dim = settings.block_dim;
  build.aicpu_threads = settings.aicpu_threads;
  for (const std::string& text : settings.orchestrations) {
    std::string runtime, file;
    if (!split(text, '=', runtime, file))
      return fail(fmt::format("--orchestration '{}': expected RUNTIME=FILE", text));
    build.orchestrations.emplace_back(runtime, relative(file));
  }
  for (const std::string& text : settings.kernels) {
    std::string kernel, file;
    Build::Kernel entry;
    if (!split(text, '=', kernel, file) || !split(kernel, ':', entry.name, entry.arch))
      return fail(fmt::format("--kernel '{}': expected NAME:LEVEL=FILE", text));
    entry.file = relative(file);
    build.kernels.push_back(std::move(entry));
  }
  if (!settings.device_kernels.empty())
    for (const std::string& kernel : kernelNamesOf(*manifest))
      build.kernels.push_back({kernel, settings.arch.front(),
                               relative(settings.device_kernels + "/kernel_" + kernel + ".bin")});
  build.toolchain = settings.toolchain;
  if (!missing.empty())
    return fail("cannot seal the artifact, these files are missing: " + missing);
  return writeFileIfChanged(settings.ready, emitReady(build), error) == WriteStatus::failed
             ? fail(error)
             : kDone;
}

int run(int argc, char** argv) {
  CommandLine line;
  if (const std::optional<int> end = parseCommandLine(argc, argv, &line)) return *end == 0 ? kDone : kUsage;
  if (line.command == "seal") return seal(line.sealing);
  static const std::map<std::string, int (*)(const Settings&)> commands = {
      {"check", check}, {"emit", emit}, {"print", print}, {"graph", graph},
      {"eval", eval},   {"list", list}, {"capabilities", capabilityPage}};
  return commands.at(line.command)(line.settings);
}

}  // namespace
}  // namespace ptowsp

int main(int argc, char** argv) {
  // A file that grows too large for the limits is an error of writing it, which has words.
  std::signal(SIGXFSZ, SIG_IGN);
  try {
    return ptowsp::run(argc, argv);
  } catch (const std::bad_alloc&) {
    fmt::print(stderr, "ptowsp-gen: error: out of memory\n");
    return 1;
  } catch (const std::exception& error) {
    fmt::print(stderr, "ptowsp-gen: internal error: {}\nPlease report it with the workload file.\n",
               error.what());
    std::abort();
  }
}
