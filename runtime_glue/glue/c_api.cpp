// SPDX-License-Identifier: MIT
// The exported C functions of ptowsp/glue_c.h that are about programs: keep exceptions inside, put
// errors into words. What a run is stands in run.h.
#include <cstdlib>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <vector>

#include "ptowsp/glue_c.h"
#include "runtime_glue/glue/arch.h"
#include "runtime_glue/glue/artifact.h"
#include "runtime_glue/glue/c_device.h"
#include "runtime_glue/glue/c_error.h"
#include "runtime_glue/glue/c_program.h"
#include "runtime_glue/glue/c_struct.h"
#include "runtime_glue/glue/clock.h"
#include "runtime_glue/glue/find_artifact.h"
#include "runtime_glue/glue/makespan.h"
#include "runtime_glue/glue/process_makespan.h"
#include "runtime_glue/glue/text.h"

using ptowsp::glue::checkCall;
using ptowsp::glue::checkStruct;
using ptowsp::glue::failed;
using ptowsp::glue::format;
using ptowsp::glue::guarded;
using ptowsp::glue::Outcome;
using ptowsp::glue::Status;

namespace {

// Keeps the text of this thread's last error with the program, too, where that is its own.
int kept(ptowsp_program* program, int outcome) {
  if (!program || program->shared) return outcome;
  program->error.clear();
  if (outcome == PTOWSP_OK) return outcome;
  ptowsp_error_info info = {};
  info.size = sizeof info;
  ptowsp_last_error(&info);
  guarded([&] {
    program->error = info.text;
    return outcome;
  });
  return outcome;
}

// The artifact is the one that the caller knows.
Status checkIdentity(const ptowsp::glue::Artifact& artifact, const ptowsp_program_options& wanted) {
  const ptowsp::glue::Manifest& manifest = artifact.manifest;
  const auto refuse = [&](const std::string& found, const std::string& expected) {
    return Status::badArtifact(artifact.manifest_file,
                               "found " + found + ", expected " + expected +
                                   ", that of the header that this program was compiled with",
                               "build this program again with this artifact, or give it the one that it "
                               "was built with");
  };
  if (wanted.name && manifest.name != wanted.name)
    return refuse("workload " + manifest.name, std::string("workload ") + wanted.name);
  if (wanted.version && manifest.version != wanted.version)
    return refuse("version " + manifest.version, std::string("version ") + wanted.version);
  if (wanted.contract && manifest.contract != wanted.contract)
    return refuse("contract " + manifest.contract, std::string("contract ") + wanted.contract);
  if (wanted.source_hash && manifest.source_hash != wanted.source_hash)
    return refuse("hash " + manifest.source_hash + " of " + manifest.source,
                  std::string("hash ") + wanted.source_hash + " of " +
                      (wanted.source ? wanted.source : manifest.source.c_str()));
  return {};
}

// What the device's options leave open is as the artifact was built for.
ptowsp::glue::DeviceOptions launchOptions(const ptowsp_program& program) {
  ptowsp::glue::DeviceOptions options = program.device->options;
  const ptowsp::glue::Ready& ready = program.artifact.ready;
  if (options.block_dim == 0) options.block_dim = ready.block_dim;
  if (options.aicpu_threads == 0) options.aicpu_threads = ready.aicpu_threads;
  options.dispatch_aicpus = program.artifact.manifest.dispatchAicpus();
  return options;
}

Status takeDevice(ptowsp_program& program, const ptowsp_program_options& options) {
  if (options.device) {
    program.device = options.device;
    program.device->retain();
    program.shared = true;
    return {};
  }
  program.device = new ptowsp_device;
  ptowsp_device_options device = {};
  device.size = sizeof device;
  device.workers = options.workers;
  device.timeout_seconds = options.timeout_seconds;
  device.runtime = options.runtime;
  return ptowsp::glue::openDevice(device, program.device);
}

Status open(ptowsp_program& program, const char* artifact, const ptowsp_program_options& options) {
  if (!artifact && !options.name)
    return Status::badArtifact("ptowsp_program_open",
                               "found neither an artifact's path nor a workload's name");
  if (Status status = takeDevice(program, options); !status.ok()) return status;
  if (artifact) program.folder = artifact;
  if (!artifact) {
    if (Status status =
            ptowsp::glue::findArtifact(options.name, options.built_at, &program.folder);
        !status.ok())
      return status;
  }
  const ptowsp::glue::RuntimeLibrary& library = program.device->library;
  ptowsp::glue::ArtifactRequest request;
  request.platform = program.device->platform;
  if (!library.sim()) request.runtime = "pto-runtime";
  if (Status status = ptowsp::glue::loadArtifact(program.folder, request, &program.artifact);
      !status.ok())
    return status;
  if (Status status = checkIdentity(program.artifact, options); !status.ok()) return status;
  if (Status status = ptowsp::glue::loadExecutable(program.artifact, library, &program.executable);
      !status.ok())
    return status;
  if (Status status = program.launcher.open(library, launchOptions(program), &program.device->chip);
      !status.ok()) {
    status.fix = ptowsp::glue::kDeviceFix;
    return status;
  }
  program.run.emplace(program.launcher, program.artifact, program.executable);
  return {};
}

// The graph without the arguments, which take more room, built on a device that nobody else uses. The
// arrays only have to be there.
std::optional<ptowsp::glue::TaskGraph> graphOf(const ptowsp_program& program) {
  ptowsp::glue::Device device;
  if (!device.open(program.device->library, launchOptions(program)).ok()) return std::nullopt;
  ptowsp::glue::Run run(device, program.artifact, program.executable);
  std::vector<std::unique_ptr<void, decltype(&std::free)>> arrays;
  std::vector<void*> pointers;
  for (const ptowsp::glue::TensorInfo& tensor : program.artifact.manifest.tensors) {
    if (tensor.role == ptowsp::glue::TensorRole::temporary) continue;
    arrays.emplace_back(std::calloc(tensor.bytes, 1), &std::free);
    if (!arrays.back()) return std::nullopt;
    pointers.push_back(arrays.back().get());
  }
  const ptowsp::glue::TaskGraph* built = run.buildGraph(pointers);
  if (!built) return std::nullopt;
  ptowsp::glue::TaskGraph graph = *built;
  graph.args = {};
  graph.first_arg = {};
  return graph;
}

// ptowsp-run's fixes name its options; here others hold.
void adviseCaller(int code, Status* status) {
  if (code == PTOWSP_SIM_ERROR_TIMEOUT)
    status->fix = "give it a longer time limit, or look at the kernel of the task that still runs";
  else if (code == PTOWSP_SIM_ERROR_CRASH)
    status->fix = "look at the kernel of this task; ptowsp-run runs it alone under a debugger";
}

}  // namespace

ptowsp_program::~ptowsp_program() {
  for (ptowsp_call* call = free_calls; call;) {
    ptowsp_call* const next = call->next_free;
    delete call;
    call = next;
  }
  if (!device) return;
  {
    const ptowsp::glue::Turn turn(device->turns);
    run.reset();
  }
  device->release();
}

void ptowsp_program::fillStats(ptowsp_program_stats* stats) const {
  const ptowsp::glue::RunStats& last = run->stats();
  const ptowsp::glue::GraphInfo& info = artifact.manifest.graph;
  ptowsp_program_stats value = {};
  value.workers = last.workers;
  value.tasks = info.tasks;
  value.edges = info.edges;
  value.critical_path = info.critical_path;
  value.build_ns = last.build_ns;
  value.wall_ns = last.wall_ns;
  value.aicpus = last.aicpus;
  value.window = last.window;
  value.window_high_water = last.window_high_water;
  value.window_stalls = last.window_stalls;
  value.cores = last.cores;
  value.call_ns = call_ns;
  ptowsp::glue::giveStruct(value, stats);
}

// The arguments as Run takes them; an error when they are not what the workload takes.
Status ptowsp_program::takeArguments(const ptowsp_argument* arguments, uint32_t count) {
  operands.clear();
  for (const ptowsp::glue::TensorInfo& tensor : artifact.manifest.tensors) {
    if (tensor.role == ptowsp::glue::TensorRole::temporary) continue;
    const size_t i = operands.size();
    const std::string place = i < count && !arguments[i].tensor && arguments[i].data &&
                                      arguments[i].bytes == tensor.bytes
                                  ? std::string()
                                  : "tensor " + tensor.name;
    if (place.empty()) {
      operands.push_back({arguments[i].data, nullptr});
      continue;
    }
    if (i >= count)
      return Status::badArtifact(place, format("found no array, expected one of %llu bytes",
                                               static_cast<unsigned long long>(tensor.bytes)));
    if (!arguments[i].tensor)
      return Status::badArtifact(
          place, format("found an array of %llu bytes at %p, expected %llu bytes",
                        static_cast<unsigned long long>(arguments[i].bytes), arguments[i].data,
                        static_cast<unsigned long long>(tensor.bytes)));
    if (Status status = takeTensor(tensor, arguments[i].tensor); !status.ok()) return status;
  }
  if (operands.size() == count) return {};
  return Status::badArtifact(artifact.manifest.name,
                             format("found %u arrays, expected %zu", count, operands.size()));
}

Status ptowsp_program::takeTensor(const ptowsp::glue::TensorInfo& tensor, ptowsp_tensor* given) {
  if (given->device != device)
    return Status::badArtifact("tensor " + tensor.name,
                               "found a tensor of another device, expected one of the workload's",
                               "download it, and upload it to a tensor of this device");
  if (given->tensor.bytes() != tensor.bytes)
    return Status::badArtifact("tensor " + tensor.name,
                               format("found a device tensor of %llu bytes, expected %llu bytes",
                                      static_cast<unsigned long long>(given->tensor.bytes()),
                                      static_cast<unsigned long long>(tensor.bytes)));
  // What a task writes nobody else may read meanwhile: there is no copy of a device tensor.
  size_t index = 0;
  for (const ptowsp::glue::TensorInfo& other : artifact.manifest.tensors) {
    if (other.role == ptowsp::glue::TensorRole::temporary) continue;
    if (index >= operands.size()) break;
    if (operands[index++].resident == &given->tensor && (tensor.isResult() || other.isResult()))
      return Status::badArtifact(
          "tensor " + tensor.name,
          "found the device tensor that was also given for " + other.name + ", and one of them is written",
          "give another device tensor for one of them");
  }
  operands.push_back({nullptr, &given->tensor});
  return {};
}

ptowsp::glue::CallEnd ptowsp_program::callOrThrow(const ptowsp_argument* arguments, uint32_t count,
                                                  ptowsp_program_stats* stats, const void* who) {
  if (dead)
    return {PTOWSP_RUN_FAILURE, Status::runFailure(artifact.manifest.name,
                                                   "the device is dead since an earlier run failed",
                                                   "open the program again")};
  const uint64_t start = ptowsp::glue::nowNs();
  if (Status status = takeArguments(arguments, count); !status.ok())
    return {PTOWSP_BAD_ARTIFACT, std::move(status)};
  const ptowsp::glue::RunningScope running(*device, launcher, who);
  Status status = run->call(operands);
  call_ns = ptowsp::glue::nowNs() - start;
  if (status.ok()) {
    if (stats) fillStats(stats);
    return {};
  }
  const bool cancelled = run->code() == PTOWSP_SIM_ERROR_CANCELLED;
  dead = !shared && status.outcome == Outcome::run_failure && !cancelled;
  adviseCaller(run->code(), &status);
  const int outcome = cancelled                                     ? PTOWSP_CANCELLED
                      : status.outcome == Outcome::run_failure ? PTOWSP_RUN_FAILURE
                                                               : PTOWSP_BAD_ARTIFACT;
  return {outcome, std::move(status)};
}

ptowsp::glue::CallEnd ptowsp_program::call(const ptowsp_argument* arguments, uint32_t count,
                                           ptowsp_program_stats* stats, const void* who) noexcept {
  try {
    return callOrThrow(arguments, count, stats, who);
  } catch (const std::exception&) {  // out of memory: nothing else throws
    // How far it came is not known.
    launcher.markDead();
    dead = !shared;
    return {PTOWSP_RUN_FAILURE, {}};
  }
}

Status ptowsp::glue::checkCall(const char* function, const ptowsp_program* program,
                               const void* arguments, uint32_t count) {
  if (!program || (count != 0 && !arguments))
    return Status::badArtifact(function, format("found a null pointer, expected %s",
                                                program ? "one to the arguments" : "a program"));
  if (!program->run) return Status::badArtifact(function, "the program could not be opened");
  return {};
}

namespace {

// One run, when it is its turn; the outcome, whose error is kept.
int runCall(ptowsp_program* program, const ptowsp_argument* arguments, uint32_t count,
            ptowsp_program_stats* stats) {
  const ptowsp::glue::Turn turn(program->device->turns);
  const ptowsp::glue::CallEnd end = program->call(arguments, count, stats, program);
  return end.outcome == PTOWSP_OK ? PTOWSP_OK : failed(end.status, end.outcome);
}

}  // namespace

PTOWSP_EXPORT int ptowsp_program_open(const char* artifact, const ptowsp_program_options* options,
                                      ptowsp_program** program) {
  if (!program)
    return failed(Status::badArtifact("ptowsp_program_open",
                                      "found a null pointer, expected one to a ptowsp_program*"));
  *program = new (std::nothrow) ptowsp_program;
  if (!*program) return failed(Status{Outcome::run_failure, {}, {}, {}, {}});
  return kept(*program, guarded([&] {
    ptowsp_program_options wanted;
    Status status = ptowsp::glue::takeStruct("ptowsp_program_options", options, &wanted);
    return status.ok() ? open(**program, artifact, wanted) : status;
  }));
}

PTOWSP_EXPORT void ptowsp_program_close(ptowsp_program* program) {
  if (program) program->release();
}

PTOWSP_EXPORT const char* ptowsp_program_artifact(const ptowsp_program* program) {
  return program ? program->folder.c_str() : "";
}

PTOWSP_EXPORT int ptowsp_program_call(ptowsp_program* program, const ptowsp_argument* arguments,
                                      uint32_t count, ptowsp_program_stats* stats) {
  return guarded([&] {
    if (Status status = checkCall("ptowsp_program_call", program, arguments, count); !status.ok())
      return failed(status);
    if (Status status = checkStruct("ptowsp_program_stats", stats); !status.ok())
      return failed(status);
    return runCall(program, arguments, count, stats);
  });
}

PTOWSP_EXPORT int ptowsp_program_run(ptowsp_program* program, void* const* tensors,
                                     const uint64_t* bytes, uint32_t count) {
  return kept(program, guarded([&] {
    if (Status status = checkCall("ptowsp_program_run", program, tensors && bytes ? tensors : nullptr, count);
        !status.ok())
      return failed(status);
    std::vector<ptowsp_argument> arguments(count);
    for (uint32_t i = 0; i < count; ++i) arguments[i] = {tensors[i], bytes[i], nullptr};
    return runCall(program, arguments.data(), count, nullptr);
  }));
}

PTOWSP_EXPORT void ptowsp_program_cancel(ptowsp_program* program) {
  if (program && program->run) program->device->cancel(program);
}

PTOWSP_EXPORT const char* ptowsp_program_error(const ptowsp_program* program) {
  return program ? program->error.c_str() : "out of memory";
}

PTOWSP_EXPORT int ptowsp_program_get_stats(const ptowsp_program* program,
                                           ptowsp_program_stats* stats) {
  return guarded([&]() -> Status {
    if (!stats)
      return Status::badArtifact("ptowsp_program_get_stats",
                                 "found a null pointer, expected one to a ptowsp_program_stats");
    if (Status status = checkCall("ptowsp_program_get_stats", program, nullptr, 0); !status.ok())
      return status;
    if (Status status = checkStruct("ptowsp_program_stats", stats); !status.ok()) return status;
    program->fillStats(stats);
    return {};
  });
}

PTOWSP_EXPORT int ptowsp_program_total_cycles(ptowsp_program* program, int block_dim,
                                              int64_t* cycles) {
  return kept(program, guarded([&]() -> Status {
    if (Status status = checkCall("ptowsp_program_total_cycles", program, nullptr, 0); !status.ok())
      return status;
    if (program->dead || block_dim < 1 || !cycles)
      return Status::badArtifact("ptowsp_program_total_cycles",
                                 program->dead   ? "the device is dead since an earlier run failed"
                                 : block_dim < 1 ? "found a block_dim below 1, expected at least 1"
                                                 : "found a null pointer, expected one to an int64_t");
    const ptowsp::glue::Manifest& manifest = program->artifact.manifest;
    if (ptowsp::glue::hasProcesses(manifest)) {
      *cycles = ptowsp::glue::processMakespan(manifest);
      return {};
    }
    if (!program->graph) {
      std::optional<ptowsp::glue::TaskGraph> graph = graphOf(*program);
      if (!graph)
        return Status::runFailure(manifest.name, "the task graph could not be built");
      program->graph = std::move(*graph);
    }
    *cycles = ptowsp::glue::makespan(*program->graph, manifest.kernels, block_dim);
    return {};
  }));
}

PTOWSP_EXPORT uint32_t ptowsp_glue_abi(void) { return PTOWSP_GLUE_ABI; }

PTOWSP_EXPORT const char* ptowsp_glue_version(void) { return PTOWSP_VERSION; }

PTOWSP_EXPORT const char* ptowsp_kernel_level(void) {
  const std::vector<std::string>& levels = ptowsp::glue::supportedLevels();
  return levels.empty() ? "" : levels.front().c_str();
}
