// SPDX-License-Identifier: MIT
#include "runtime_glue/run/session.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "runtime_glue/glue/makespan.h"
#include "runtime_glue/glue/process_makespan.h"
#include "runtime_glue/glue/artifact.h"
#include "runtime_glue/glue/device.h"
#include "runtime_glue/glue/executable.h"
#include "runtime_glue/glue/host_tensors.h"
#include "runtime_glue/glue/process_guard.h"
#include "runtime_glue/glue/run.h"
#include "runtime_glue/glue/text.h"
#include "runtime_glue/run/differences.h"
#include "runtime_glue/run/html_report.h"
#include "runtime_glue/run/nan_trap.h"
#include "runtime_glue/run/progress.h"
#include "runtime_glue/run/tile_dump.h"
#include "runtime_glue/run/trace_file.h"

namespace ptowsp::run {
namespace {

using glue::format;
using glue::Outcome;
using glue::Status;

// How much longer a phase may take than the runtime's own limit for a launch, which names the task.
constexpr double kGraceSeconds = 1;

// For the crash handler, which gets no argument.
const glue::HostTensors* mapped_tensors = nullptr;

const char* describeAddress(const void* address) {
  const glue::TensorInfo* input = mapped_tensors ? mapped_tensors->inputAt(address) : nullptr;
  if (!input) return nullptr;
  static char text[128];
  std::strcpy(text, "the host's array of input ");
  std::strncat(text, input->name.c_str(), 64);
  std::strcat(text, ", which is read-only");
  return text;
}

// Whether the environment's PTOWSP_REQUIRE, a list, names the platform.
bool isRequired(const std::string& platform) {
  const char* list = std::getenv("PTOWSP_REQUIRE");
  for (const char* at = list; at && *at;) {
    const size_t size = std::strcspn(at, ",; ");
    if (platform.compare(0, std::string::npos, at, size) == 0) return true;
    at += size + (at[size] != 0);
  }
  return false;
}

// A platform that is not there: a skip, or, where it is asked for, a failure.
Status missingPlatform(const std::string& platform, const std::string& reason) {
  const std::string place = "platform " + platform;
  if (!isRequired(platform)) return Status::skipped(place, reason);
  return Status::runFailure(place, reason + "; and PTOWSP_REQUIRE asks for " + platform,
                            "take " + platform + " out of PTOWSP_REQUIRE, or do what the reason says");
}

Status checkPlatform(const Options& options) {
  const std::string& platform = options.platform;
  if (platform != "a2a3sim" && platform != glue::kDevicePlatform)
    return Status::badArtifact("--platform", "found " + platform + ", expected a2a3sim or a2a3",
                               "give one of these");
  return options.skip.empty() ? Status() : missingPlatform(platform, options.skip);
}

// Session's parts, in the order in which they come to be.
class Session {
 public:
  Session(const Options& options, Report* report) : options_(options), report_(*report) {}

  Status run() {
    if (Status status = checkPlatform(options_); !status.ok()) return status;
    if (Status status = openRuntime(); !status.ok()) return status;
    if (Status status = openArtifact(); !status.ok()) return status;
    if (Status status = checkOptions(); !status.ok()) return status;
    glue::enterPhase("loading the kernels and the orchestration");
    if (Status status = glue::loadExecutable(artifact_, library_, &executable_); !status.ok())
      return status;
    if (const auto* external = library_.external()) {
      const std::string missing = glue::missingDevice(*external, options_.device);
      if (!missing.empty()) return missingPlatform(options_.platform, missing);
    }
    if (Status status = openTensors(); !status.ok()) return status;
    if (Status status = openDevice(); !status.ok()) return status;

    glue::Run run(device_, artifact_, executable_);
    if (wantsStats() && options_.only.empty()) run.keepGraph();
    if (!options_.only.empty()) {
      if (Status status = selectTask(run); !status.ok()) return status;
    }
    if (Status status = observeTasks(run); !status.ok()) return status;
    if (!options_.report.empty()) {
      if (Status status = writeUnfinishedReport(options_.report, report_, artifact_); !status.ok())
        return status;
    }
    Status status = runAll(run);
    if (trap_ && status.ok()) report_.remark = trap_->remark();
    if (!options_.trace.empty() && status.outcome != Outcome::bad_artifact && traceable_) {
      Status written = writeTrace(options_.trace, artifact_.manifest, run.names(), run.stats());
      if (status.ok()) status = written;
    }
    finishStats(run);
    if (!options_.outputs.empty() && (status.ok() || status.outcome == Outcome::wrong_result)) {
      Status written = tensors_.write(options_.outputs);
      if (status.ok()) status = written;
    }
    if (status.outcome == Outcome::wrong_result) explainDifference(run, &status);
    if (!options_.report.empty()) {
      report_.status = status;
      Status written = writeHtmlReport(options_.report, report_, artifact_, tensors_, run);
      if (status.ok()) status = written;
    }
    return status;
  }

 private:
  Status openRuntime() {
    std::string path = options_.runtime, looked;
    if (path.empty() && options_.platform == glue::kDevicePlatform)
      return missingPlatform(options_.platform,
                             "no runtime for it is given: --runtime takes the folder of a "
                             "pto-runtime's libraries for a2a3, and the built-in runtime is a "
                             "simulator");
    if (path.empty()) path = glue::findBuiltinRuntime(&looked);
    if (path.empty())
      return Status::badArtifact(looked, "found no built-in runtime there",
                                 "install PtoWsp again, or name a runtime library with --runtime");
    report_.runtime = path;
    if (Status status = library_.open(path); !status.ok()) return status;
    const std::string has = library_.external() ? library_.external()->platform : "a2a3sim";
    if (has == options_.platform) return {};
    return Status::badArtifact(path,
                               "found a runtime for platform " + has + ", expected " +
                                   options_.platform,
                               "give --platform " + has + ", or another --runtime");
  }

  Status openArtifact() {
    glue::ArtifactRequest request;
    request.platform = options_.platform;
    request.runtime = !library_.sim()          ? "pto-runtime"
                      : options_.pinned_limits ? glue::kLimitedBuiltin
                                               : "builtin";
    request.source = options_.source;
    if (Status status = glue::loadArtifact(options_.artifact, request, &artifact_); !status.ok())
      return status;
    report_.name = artifact_.manifest.name;
    report_.level = artifact_.level;
    return {};
  }

  // Options that ask for what only the built-in runtime has are refused, not ignored.
  Status checkOptions() {
    if (library_.sim()) return {};
    const char* option = options_.workers           ? "--workers"
                         : options_.schedule_seed   ? "--schedule-seed"
                         : !options_.only.empty()   ? "--only"
                         : !options_.trace.empty()  ? "--trace"
                         : !options_.report.empty() ? "--report"
                         : options_.pinned_limits   ? "--pinned-limits"
                         : !options_.dump.empty()   ? "--dump-tensors"
                         : options_.trap_nan        ? "--trap-nan"
                         : options_.trap_infinity   ? "--trap-inf"
                                                    : nullptr;
    if (!option) return {};
    return Status::badArtifact(option,
                               "found a runtime that has no such feature: " + library_.path(),
                               "leave it out, or use the built-in runtime");
  }

  bool wantsStats() const { return options_.stats || options_.json || !options_.report.empty(); }

  Status openTensors() {
    const bool own_inputs = !options_.inputs.empty();
    if (Status status =
            tensors_.open(artifact_.manifest, own_inputs ? options_.inputs : artifact_.inputs);
        !status.ok())
      return status;
    mapped_tensors = &tensors_;
    const std::string folder = !options_.expected.empty() ? options_.expected
                               : own_inputs               ? std::string()
                                                          : artifact_.expected;
    expected_.resize(tensors_.size());
    report_.compared = !folder.empty();
    for (size_t i = 0; i < tensors_.size() && report_.compared; ++i) {
      const glue::TensorInfo& tensor = tensors_.info(i);
      if (!tensor.isResult()) continue;
      if (Status status = glue::openTensorFile(folder, tensor, "expected", &expected_[i]);
          !status.ok())
        return status;
      TensorReport result;
      result.name = tensor.name;
      result.tolerance = {options_.rtol.value_or(tensor.rtol), options_.atol.value_or(tensor.atol)};
      report_.tensors.push_back(std::move(result));
    }
    return {};
  }

  Status openDevice() {
    glue::DeviceOptions options;
    options.block_dim = options_.block_dim.value_or(artifact_.ready.block_dim);
    options.aicpu_threads = options_.aicpu_threads.value_or(artifact_.ready.aicpu_threads);
    options.dispatch_aicpus = artifact_.manifest.dispatchAicpus();
    options.workers = options_.workers;
    options.schedule_seed = options_.schedule_seed;
    options.timeout = options_.timeout;
    options.device_id = options_.device;
    return device_.open(library_, options);
  }

  static Status needWholeGraph(const glue::Run& run, const std::string& option) {
    if (run.launches().isWhole()) return {};
    return Status::badArtifact(option,
                               "found a graph in several launches, or with relay tasks, expected "
                               "one as it is",
                               "leave --pinned-limits out");
  }

  Status observeTasks(glue::Run& run) {
    const glue::Manifest& manifest = artifact_.manifest;
    const char* option = nullptr;
    if (!options_.dump.empty()) {
      option = "--dump-tensors";
      dump_ = std::make_unique<TileDump>(
          manifest, run.names(),
          TileDumpOptions{options_.dump, options_.dump_tasks, options_.dump_limit, only_});
      run.observe(dump_.get());
    } else if (options_.trap_nan || options_.trap_infinity) {
      option = options_.trap_infinity ? "--trap-inf" : "--trap-nan";
      trap_ = std::make_unique<NanTrap>(manifest, run.names(), options_.trap_infinity);
      run.observe(trap_.get());
    }
    return option ? needWholeGraph(run, option) : Status();
  }

  Status selectTask(glue::Run& run) {
    if (Status status = needWholeGraph(run, "--only " + options_.only); !status.ok()) return status;
    const std::vector<int64_t> found = run.names().find(options_.only, 9);
    if (found.size() == 1) {
      only_ = found[0];
      report_.only = run.names().describe(only_);
      run.selectTask(only_);
      return {};
    }
    const std::string example =
        run.names().count() ? "like 0 or " + run.names().nameOf(0) : "but the graph has none";
    if (found.empty())
      return Status::badArtifact("--only " + options_.only,
                                 "found no such task, expected a number below " +
                                     std::to_string(run.names().count()) + " or a name",
                                 "give a task " + example);
    return Status::badArtifact(
        "--only " + options_.only,
        "found more than one task of that name: " + glue::listTasks(run.names(), found, 8),
        "give the number of one of them");
  }

  Status runAll(glue::Run& run) {
    RunProgress progress(report_.name, run, options_.repeat);
    for (int i = 0; i < options_.repeat; ++i) {
      progress.begin(i + 1);
      glue::enterPhase("preparing the tensors");
      if (Status status = tensors_.prepare(); !status.ok()) return status;
      glue::limitTime(report_.name, options_.timeout == 0 ? 0
                                    : (library_.sim() || library_.external())
                                        ? options_.timeout + kGraceSeconds
                                        : options_.timeout);
      Status status = run.execute(tensors_.pointers());
      glue::limitTime(report_.name, 0);
      traceable_ = run.stats().events != nullptr || status.ok();
      report_.runs = i + 1;
      report_.stats = run.stats();
      if (status.ok()) report_.wall_ns.push_back(run.stats().wall_ns);
      if (!status.ok()) report_.failed_tasks = run.failedTasks();
      if (status.ok()) status = compare(run);
      if (!status.ok()) {
        if (options_.repeat > 1)
          status.notes.push_back(format("in run %d of %d", i + 1, options_.repeat));
        return status;
      }
    }
    return {};
  }

  // Compares every result and says the first thing that is wrong.
  Status compare(glue::Run& run) {
    Status status;
    size_t at = 0;
    report_.rewritten = 0;
    for (size_t i = 0; i < tensors_.size() && report_.compared; ++i) {
      const glue::TensorInfo& tensor = tensors_.info(i);
      if (!tensor.isResult()) continue;
      TensorReport& result = report_.tensors[at++];
      glue::Comparison found;
      compareTensor(run, i, result.tolerance, &found);
      result.comparison.compared = found.compared;
      result.comparison.max_abs = std::max(result.comparison.max_abs, found.max_abs);
      result.comparison.max_rel = std::max(result.comparison.max_rel, found.max_rel);
      if (!found.differing) continue;
      result.comparison.differing = found.differing;
      result.comparison.first = found.first;
      result.first = glue::elementName(tensor, found.first);
      result.got = glue::valueAt(tensor.dtype, tensors_.data(i), found.first);
      result.expected = glue::valueAt(tensor.dtype, expected_[i].data(), found.first);
      if (status.ok()) {
        status = differenceStatus(report_.name, tensor, tensors_.data(i), result);
        different_ = i;
      }
    }
    if (only_ >= 0) {
      report_.only_tasks = 0;
      for (int64_t task = 0; task < run.names().count(); ++task)
        report_.only_tasks += run.ran(task);
      uint64_t elements = 0;
      for (const TensorReport& tensor : report_.tensors) elements += tensor.comparison.compared;
      report_.compared = report_.compared && elements > 0;
    }
    return status;
  }

  void compareTensor(glue::Run& run, size_t i, glue::Tolerance tolerance, glue::Comparison* found) {
    const glue::TensorInfo& tensor = tensors_.info(i);
    const void* got = tensors_.data(i);
    const void* expected = expected_[i].data();
    if (only_ < 0)
      return glue::compareRange(tensor.dtype, got, expected, 0, tensor.elements(), tolerance,
                                found);
    const size_t index = static_cast<size_t>(&tensor - artifact_.manifest.tensors.data());
    compareMarked(tensor, got, expected, run.elementsOfSelectedTask(index), tolerance, found,
                  &report_.rewritten);
  }

  // Names the task that wrote the first wrong element.
  void explainDifference(glue::Run& run, Status* status) {
    const size_t index =
        static_cast<size_t>(&tensors_.info(different_) - artifact_.manifest.tensors.data());
    int64_t writer = only_;
    if (only_ < 0) {
      const TensorReport& result = *std::find_if(
          report_.tensors.begin(), report_.tensors.end(),
          [&](const TensorReport& t) { return t.name == tensors_.info(different_).name; });
      glue::enterPhase("looking for the task that wrote a wrong element");
      glue::limitTime(report_.name, options_.timeout);
      const std::vector<int64_t> writers =
          run.tasksAt(tensors_.pointers(), index, result.comparison.first, /*writing=*/true);
      glue::limitTime(report_.name, 0);
      if (writers.empty()) return;
      writer = writers.back();
    }
    status->notes.push_back("written by " + run.names().describe(writer));
    report_.failed_tasks = {writer};
    if (only_ < 0)
      status->fix = format("look at kernel %s; to run this task alone: --only %lld",
                           artifact_.manifest.kernels[run.names().kernelOf(writer)].name.c_str(),
                           static_cast<long long>(writer));
  }

  void finishStats(glue::Run& run) {
    const glue::RunStats& stats = report_.stats;
    if (stats.core_busy_ns)
      report_.core_busy_ns.assign(stats.core_busy_ns, stats.core_busy_ns + stats.cores);
    if (!wantsStats()) return;
    if (glue::hasProcesses(artifact_.manifest)) {
      report_.predicted_cycles = glue::processMakespan(artifact_.manifest);
    } else if (const glue::TaskGraph* graph = run.keptGraph()) {
      report_.predicted_blocks = device_.blockDim();
      report_.predicted_cycles =
          glue::makespan(*graph, artifact_.manifest.kernels, device_.blockDim());
    }
    if (!stats.events) return;
    for (const glue::KernelInfo& kernel : artifact_.manifest.kernels)
      report_.kernels.push_back({kernel.name, 0, 0});
    for (int64_t task = 0; task < stats.tasks; ++task) {
      const ptowsp_sim_event& event = stats.events[task];
      if (event.core < 0 || event.end_ns < event.start_ns || !run.ran(task)) continue;
      if (event.func_id < 0 || static_cast<size_t>(event.func_id) >= report_.kernels.size())
        continue;
      ++report_.kernels[event.func_id].tasks;
      report_.kernels[event.func_id].total_ns += event.end_ns - event.start_ns;
    }
  }

  const Options& options_;
  Report& report_;
  glue::RuntimeLibrary library_;
  glue::Artifact artifact_;
  glue::Executable executable_;
  glue::HostTensors tensors_;
  std::vector<npy::File> expected_;  // like tensors_, open for results
  glue::Device device_;
  std::unique_ptr<TileDump> dump_;
  std::unique_ptr<NanTrap> trap_;
  int64_t only_ = -1;
  size_t different_ = 0;  // index into tensors_ of the first wrong result
  bool traceable_ = false;
};

}  // namespace

void runSession(const Options& options, Report* report) {
  report->name = options.artifact;
  report->artifact = options.artifact;
  report->platform = options.platform;
  glue::reportCrashes(options.artifact, &describeAddress);
  // Never destroyed: after a failed run a kernel may still be using all of it, and after a good one
  // the process is about to end anyway. Static, so that leak checkers see that it is still known.
  static Session* const session = new Session(options, report);
  report->status = session->run();
}

}  // namespace ptowsp::run
