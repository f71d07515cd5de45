// SPDX-License-Identifier: MIT
// Run on an external runtime: in a process of its own, since there one orchestration is all that a
// process can load, a kernel that crashes or never ends takes the process with it, and most
// failures are reported as success. So nothing that the runtime says counts here; the ledger does.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "runtime_glue/glue/compare.h"
#include "runtime_glue/glue/external_runtime.h"
#include "runtime_glue/glue/host_tensors.h"
#include "runtime_glue/glue/process_guard.h"
#include "runtime_glue/glue/run.h"
#include "runtime_glue/glue/text.h"

namespace ptowsp::glue {
namespace {

// On a device a slot of the ledger takes a line of the cores' caches: kSpreadLedger in orchestration.h.
constexpr size_t kSlotWords = 8;
constexpr size_t kErrorLines = 20, kOutputLines = 10;  // that are shown of what it printed

std::string line(const char* key, const std::string& value) { return key + (" " + value) + "\n"; }
std::string line(const char* key, int64_t value) { return line(key, std::to_string(value)); }
std::string place(const SharedArrays& arrays, size_t i) {
  return format("%llu %llu", static_cast<unsigned long long>(arrays.offset(i)),
                static_cast<unsigned long long>(arrays.bytes(i)));
}

// A request is lines, so no path in it may have more than one.
bool hasLineBreak(const std::string& text) { return text.find('\n') != std::string::npos; }

void addLines(const std::string& text, size_t most, const std::string& head, Status* status) {
  std::vector<std::string> lines;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    if (end > at) lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  const size_t first = lines.size() > most ? lines.size() - most : 0;
  if (first) status->notes.push_back(head + "...");
  for (size_t i = first; i < lines.size(); ++i) status->notes.push_back(head + lines[i]);
}

}  // namespace

// Reports: what the process said of itself.
struct Run::Reports {
  std::string phase = "starting";
  std::string failure;
  bool done = false, late = false;
  uint64_t build_ns = 0, run_ns = 0;
};

std::string Run::externalRequest() const {
  const ExternalRuntime& runtime = *device_.library().external();
  std::string text = line("bindings", runtime.bindings) + line("host", runtime.host) +
                     line("aicpu", runtime.aicpu) + line("aicore", runtime.aicore) +
                     line("orchestration", executable_.orchestration_file) +
                     line("function", manifest_.orchestration_function);
  for (size_t i = 0; i < manifest_.kernels.size() && !runtime.isDevice(); ++i)
    text +=
        line("kernel", "kernel_" + manifest_.kernels[i].name + " " + executable_.kernel_files[i]);
  if (launches_.relay() >= 0 && !runtime.isDevice())
    text += line("kernel", "kernel_ptowsp_relay " + executable_.orchestration_file);
  if (runtime.isDevice())
    for (const std::string& file : executable_.kernel_files) text += line("image", file);
  size_t at = 0;
  for (const TensorInfo& tensor : manifest_.tensors) {
    if (tensor.role == TensorRole::temporary) continue;
    text += line("array", place(shared_, at++) + (tensor.role == TensorRole::input ? " r" : " rw"));
  }
  text += line("ledger", place(shared_, at));
  for (++at; at < shared_.count(); ++at) text += line("spill", place(shared_, at));
  return text + line("segments", manifest_.graph.segments) +
         line("threads", device_.aicpuThreads()) + line("blocks", device_.blockDim()) +
         line("device", device_.options().device_id);
}

Status Run::fillShared(const std::vector<void*>& tensors) {
  std::vector<uint64_t> sizes;
  for (const TensorInfo& tensor : manifest_.tensors) {
    if (tensor.role != TensorRole::temporary) sizes.push_back(tensor.bytes);
  }
  const size_t words = device_.library().external()->isDevice() ? kSlotWords : 1;
  sizes.push_back(sizeof(uint64_t) * words * static_cast<uint64_t>(manifest_.graph.tasks));
  const size_t ledger = sizes.size() - 1;
  for (const size_t tensor : manifest_.graph.spills)
    sizes.push_back(manifest_.tensors[tensor].bytes);
  if (Status status = shared_.open(sizes); !status.ok()) return status;
  size_t at = 0;
  for (const TensorInfo& tensor : manifest_.tensors) {
    if (tensor.role == TensorRole::temporary) continue;
    if (tensor.isGiven())
      std::memcpy(shared_.data(at), tensors[at], tensor.bytes);
    else  // there is room for a word behind the last byte
      std::fill_n(reinterpret_cast<uint32_t*>(shared_.data(at)), (tensor.bytes + 3) / 4,
                  kHostPoison);
    ++at;
  }
  std::memset(shared_.data(ledger), 0, sizes[ledger]);
  return {};
}

void Run::followReports(Reports* reports) {
  ChildProcess& process = device_.process();
  for (std::string text;;) {
    const ChildProcess::Event event = process.next(&text);
    if (event == ChildProcess::Event::timeout) reports->late = true;
    if (event != ChildProcess::Event::line) return;
    const size_t space = text.find(' ');
    const std::string key = text.substr(0, space);
    const std::string value = space == std::string::npos ? "" : text.substr(space + 1);
    if (key == "phase") reports->phase = value;
    if (key == "failed") reports->failure = value;
    if (key == "done") reports->done = true;
    if (key == "time") {
      const uint64_t ns = std::strtoull(value.c_str() + value.find(' ') + 1, nullptr, 10);
      (value.compare(0, 5, "build") == 0 ? reports->build_ns : reports->run_ns) += ns;
    }
  }
}

Status Run::attemptExternal(const std::vector<void*>& tensors, int* code) {
  changed_tensor_.reset();
  *code = 0;
  const ExternalRuntime& runtime = *device_.library().external();
  if (const std::string missing = missingDevice(runtime, device_.options().device_id);
      !missing.empty())
    return Status::runFailure("platform a2a3", missing,
                              "run it on a machine with an Ascend device, or on a2a3sim");
  enterPhase("running on an external runtime");
  if (Status status = fillShared(tensors); !status.ok()) return status;
  const std::string request = externalRequest();
  for (const std::string& file : executable_.kernel_files) {
    if (hasLineBreak(file) || hasLineBreak(executable_.orchestration_file))
      return Status::badArtifact(file, "found a line break in a path",
                                 "give the build folder another name");
  }
  device_.startedProcess();
  const std::string error = device_.process().start(
      {runtime.python, "-I", "-S", "-B", runtime.launcher}, request, shared_.file(),
      device_.options().timeout, {runtime.waiting, runtime.pause * 1e-3, runtime.longest_pause * 1e-3});
  if (!error.empty())
    return Status::runFailure(runtime.python, "cannot start it: " + error,
                              format("build the target %s again", runtime.target()));
  Reports reports;
  followReports(&reports);
  const int ended = device_.process().finish();
  for (std::string file : runtime.leftovers) {
    if (const size_t at = file.find("{pid}"); at != std::string::npos)
      file.replace(at, 5, std::to_string(device_.process().id()));
    unlink(file.c_str());
  }
  collectStats(reports.run_ns);
  stats_.build_ns = reports.build_ns;
  stats_.launches = static_cast<int>(manifest_.graph.segments);
  if (device_.processCancelled() && !reports.done) {
    *code = PTOWSP_SIM_ERROR_CANCELLED;
    return Status::runFailure(manifest_.name, "the run was cancelled");
  }
  if (reports.late) *code = PTOWSP_SIM_ERROR_TIMEOUT;
  if (!reports.done || ended != 0) return externalFailure(reports, ended);
  return finishExternal(tensors);
}

// The run ended; whether it was one is seen here.
Status Run::finishExternal(const std::vector<void*>& tensors) {
  const size_t count = tensors.size();
  const ExternalRuntime& runtime = *device_.library().external();
  const auto* ledger = reinterpret_cast<const uint64_t*>(shared_.data(count));
  std::vector<uint64_t> stamps;
  for (int64_t task = 0; task < manifest_.graph.tasks; ++task)
    stamps.push_back(ledger[static_cast<size_t>(task) * (runtime.isDevice() ? kSlotWords : 1)]);
  if (Status status = checkLedger(stamps.data(), 0, manifest_.graph.tasks); !status.ok()) {
    status.fix =
        "look at these tasks' kernels; " + runtime.name +
        " gives up, without an error, on tasks that run longer than a few milliseconds (make "
        "them smaller)" +
        (runtime.isDevice() ? "; to see whether the graph is right: --platform a2a3sim"
                            : ", and is easily disturbed by other work on the machine; to run it on "
                              "the built-in runtime: PTO_RUNTIME_PATH=OFF");
    addLines(device_.process().errors(), kErrorLines, runtime.name + ": ", &status);
    return status;
  }
  size_t at = 0;
  for (const TensorInfo& tensor : manifest_.tensors) {
    if (tensor.role == TensorRole::temporary) continue;
    if (tensor.role == TensorRole::input &&
        std::memcmp(shared_.data(at), tensors[at], tensor.bytes) != 0)
      return Status::runFailure(manifest_.name, "input " + tensor.name + " was changed on the host",
                                "a kernel may write only its out and inout tiles");
    ++at;
  }
  at = 0;
  for (const TensorInfo& tensor : manifest_.tensors) {
    if (tensor.role == TensorRole::temporary) continue;
    if (tensor.isResult()) std::memcpy(tensors[at], shared_.data(at), tensor.bytes);
    ++at;
  }
  stats_.completed = manifest_.graph.tasks;
  return {};
}

Status Run::externalFailure(const Reports& reports, int ended) {
  const ExternalRuntime& runtime = *device_.library().external();
  const std::string where = ", while " + reports.phase;
  Status status = Status::runFailure(manifest_.name, "");
  if (reports.late) {
    status.message =
        format("%s did not end within %g s", runtime.name.c_str(), device_.options().timeout) +
        where;
    status.fix =
        "give it more time with --timeout, or look at the kernels of the tasks that did not end";
  } else if (!reports.failure.empty()) {
    status.message = runtime.name + " failed" + where + ": " + reports.failure;
    status.fix = "build the target " + manifest_.name + " again";
  } else if (WIFSIGNALED(ended)) {
    status.message = format("%s crashed%s: signal %d (%s)", runtime.name.c_str(), where.c_str(),
                            WTERMSIG(ended), strsignal(WTERMSIG(ended)));
    status.fix =
        runtime.isDevice()
            ? "look at the kernels; to see whether the graph is right: --platform a2a3sim"
            : "look at the kernels of the tasks that did not end; the built-in runtime names the "
              "task that crashes: PTO_RUNTIME_PATH=OFF";
  } else {
    status.message = format("%s ended with status %d%s", runtime.name.c_str(), WEXITSTATUS(ended),
                            where.c_str());
    status.fix = "look at what it printed";
  }
  if (reports.phase == "running the tasks" && runtime.isDevice()) {
    status.notes.push_back(
        "which tasks ran is not known: on a device the ledger comes back with the results");
  } else if (reports.phase == "running the tasks") {
    const size_t at = shared_.count() - 1 - manifest_.graph.spills.size();
    const auto* ledger = reinterpret_cast<const uint64_t*>(shared_.data(at));
    std::vector<int64_t> missing;
    for (int64_t task = 0; task < manifest_.graph.tasks; ++task) {
      if (ledger[task] == 0) missing.push_back(task);
    }
    if (!missing.empty())
      status.notes.push_back("not run to the end: " + listTasks(names_, missing));
  }
  const std::string head = runtime.name + ": ";
  addLines(device_.process().errors(), kErrorLines, head, &status);
  if (device_.process().errors().empty())
    addLines(device_.process().output(), kOutputLines, head, &status);
  return status;
}

}  // namespace ptowsp::glue
