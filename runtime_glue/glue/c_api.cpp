// SPDX-License-Identifier: MIT
// The exported C functions of ptowsp/glue_c.h: keep exceptions inside, put errors into words. What
// a run is stands in run.h.
#include <dlfcn.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <vector>

#include "ptowsp/glue_c.h"
#include "runtime_glue/glue/arch.h"
#include "runtime_glue/glue/artifact.h"
#include "runtime_glue/glue/device.h"
#include "runtime_glue/glue/executable.h"
#include "runtime_glue/glue/makespan.h"
#include "runtime_glue/glue/process_makespan.h"
#include "runtime_glue/glue/run.h"
#include "runtime_glue/glue/text.h"

#define PTOWSP_EXPORT extern "C" __attribute__((visibility("default")))

using ptowsp::glue::format;
using ptowsp::glue::Outcome;
using ptowsp::glue::Status;

// The members in the order in which they come to be; each refers to those above it.
struct ptowsp_program {
  ptowsp::glue::RuntimeLibrary library;
  ptowsp::glue::Artifact artifact;
  ptowsp::glue::Executable executable;
  ptowsp::glue::Device device;
  std::optional<ptowsp::glue::Run> run;  // none: it could not be opened
  std::string error;
  bool dead = false;
  std::optional<ptowsp::glue::TaskGraph> graph;  // once it was asked for
};

namespace {

std::string textOf(const Status& status) {
  std::string text = status.place.empty() ? status.message : status.place + ": " + status.message;
  for (const std::string& note : status.notes) text += "\n  note: " + note;
  if (!status.fix.empty()) text += "\n  fix: " + status.fix;
  return text;
}

// The built-in runtime lies beside this library, in a build tree and installed.
std::string runtimeBeside() {
  Dl_info info = {};
  if (!dladdr(reinterpret_cast<const void*>(&ptowsp_glue_version), &info) || !info.dli_fname)
    return {};
  std::string path = info.dli_fname;
  path.erase(path.find('/') == std::string::npos ? 0 : path.find_last_of('/') + 1);
  return path + "libptowsp_sim.so";
}

// Runs `call`, which returns a Status, keeps its text, and returns its outcome.
template <typename Call>
int guarded(ptowsp_program* program, const Call& call) {
  try {
    program->error.clear();
    const Status status = call();
    if (status.ok()) return PTOWSP_OK;
    program->error = textOf(status);
    return status.outcome == Outcome::run_failure ? PTOWSP_RUN_FAILURE : PTOWSP_BAD_ARTIFACT;
  } catch (const std::exception& exception) {
    try {
      program->error = exception.what();
    } catch (const std::bad_alloc&) {
      program->error.clear();
    }
    return PTOWSP_RUN_FAILURE;
  }
}

Status open(ptowsp_program& program, const char* artifact, const ptowsp_program_options& options) {
  if (!artifact) return Status::badArtifact("ptowsp_program_open", "the artifact's path is null");
  if (Status status = program.library.open(options.runtime ? options.runtime : runtimeBeside());
      !status.ok())
    return status;
  ptowsp::glue::ArtifactRequest request;
  if (!program.library.sim()) request.runtime = "pto-runtime";
  if (Status status = ptowsp::glue::loadArtifact(artifact, request, &program.artifact);
      !status.ok())
    return status;
  if (Status status =
          ptowsp::glue::loadExecutable(program.artifact, program.library, &program.executable);
      !status.ok())
    return status;
  ptowsp::glue::DeviceOptions device;
  device.block_dim = program.artifact.ready.block_dim;
  device.aicpu_threads = program.artifact.ready.aicpu_threads;
  device.dispatch_aicpus = program.artifact.manifest.dispatchAicpus();
  device.workers = options.workers;
  device.timeout = options.timeout_seconds;
  if (Status status = program.device.open(program.library, device); !status.ok()) return status;
  program.run.emplace(program.device, program.artifact, program.executable);
  return {};
}

// The arrays as Run takes them; an error when they are not those of the workload.
Status checkTensors(const ptowsp_program& program, void* const* tensors, const uint64_t* bytes,
                    uint32_t count, std::vector<void*>* pointers) {
  for (const ptowsp::glue::TensorInfo& tensor : program.artifact.manifest.tensors) {
    if (tensor.role == ptowsp::glue::TensorRole::temporary) continue;
    const size_t i = pointers->size();
    if (i < count && tensors[i] && bytes[i] == tensor.bytes) {
      pointers->push_back(tensors[i]);
      continue;
    }
    return Status::badArtifact(
        "tensor " + tensor.name,
        i >= count ? format("found no array, expected one of %llu bytes",
                            static_cast<unsigned long long>(tensor.bytes))
                   : format("found an array of %llu bytes at %p, expected %llu bytes",
                            static_cast<unsigned long long>(bytes[i]), tensors[i],
                            static_cast<unsigned long long>(tensor.bytes)));
  }
  if (pointers->size() == count) return {};
  return Status::badArtifact(program.artifact.manifest.name,
                             format("found %u arrays, expected %zu", count, pointers->size()));
}

// The graph without the arguments, which take more room. The arrays only have to be there.
std::optional<ptowsp::glue::TaskGraph> graphOf(ptowsp_program& program) {
  std::vector<std::unique_ptr<void, decltype(&std::free)>> arrays;
  std::vector<void*> pointers;
  for (const ptowsp::glue::TensorInfo& tensor : program.artifact.manifest.tensors) {
    if (tensor.role == ptowsp::glue::TensorRole::temporary) continue;
    arrays.emplace_back(std::calloc(tensor.bytes, 1), &std::free);
    if (!arrays.back()) return std::nullopt;
    pointers.push_back(arrays.back().get());
  }
  const ptowsp::glue::TaskGraph* built = program.run->buildGraph(pointers);
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

PTOWSP_EXPORT int ptowsp_program_open(const char* artifact, const ptowsp_program_options* options,
                                      ptowsp_program** program) {
  if (!program) return PTOWSP_BAD_ARTIFACT;
  *program = new (std::nothrow) ptowsp_program;
  if (!*program) return PTOWSP_RUN_FAILURE;
  ptowsp_program_options wanted = {};
  if (options) std::memcpy(&wanted, options, std::min<size_t>(options->size, sizeof wanted));
  return guarded(*program, [&] { return open(**program, artifact, wanted); });
}

PTOWSP_EXPORT void ptowsp_program_close(ptowsp_program* program) { delete program; }

PTOWSP_EXPORT int ptowsp_program_run(ptowsp_program* program, void* const* tensors,
                                     const uint64_t* bytes, uint32_t count) {
  bool cancelled = false;
  const int outcome = guarded(program, [&]() -> Status {
    if (!program->run)
      return Status::badArtifact("ptowsp_program_run", "the program could not be opened");
    if (program->dead)
      return Status::runFailure(program->artifact.manifest.name,
                                "the device is dead since an earlier run failed",
                                "open the program again");
    std::vector<void*> pointers;
    if (Status status = checkTensors(*program, tensors, bytes, count, &pointers); !status.ok())
      return status;
    Status status = program->run->execute(pointers);
    cancelled = program->run->code() == PTOWSP_SIM_ERROR_CANCELLED;
    program->dead = status.outcome == Outcome::run_failure && !cancelled;
    adviseCaller(program->run->code(), &status);
    return status;
  });
  return cancelled ? PTOWSP_CANCELLED : outcome;
}

PTOWSP_EXPORT void ptowsp_program_cancel(ptowsp_program* program) {
  if (program->run) program->device.cancel();
}

PTOWSP_EXPORT const char* ptowsp_program_error(const ptowsp_program* program) {
  return program ? program->error.c_str() : "out of memory";
}

PTOWSP_EXPORT int ptowsp_program_get_stats(const ptowsp_program* program,
                                           ptowsp_program_stats* stats) {
  if (!program->run || !stats) return PTOWSP_BAD_ARTIFACT;
  const ptowsp::glue::RunStats& run = program->run->stats();
  const ptowsp::glue::GraphInfo& graph = program->artifact.manifest.graph;
  ptowsp_program_stats value = {};
  value.size = static_cast<uint32_t>(std::min<size_t>(stats->size, sizeof value));
  value.workers = run.workers;
  value.tasks = graph.tasks;
  value.edges = graph.edges;
  value.critical_path = graph.critical_path;
  value.build_ns = run.build_ns;
  value.wall_ns = run.wall_ns;
  value.aicpus = run.aicpus;
  value.window = run.window;
  value.window_high_water = run.window_high_water;
  value.window_stalls = run.window_stalls;
  std::memcpy(stats, &value, value.size);
  return PTOWSP_OK;
}

PTOWSP_EXPORT int ptowsp_program_total_cycles(ptowsp_program* program, int block_dim,
                                              int64_t* cycles) {
  return guarded(program, [&]() -> Status {
    if (!program->run || program->dead || block_dim < 1 || !cycles)
      return Status::badArtifact("ptowsp_program_total_cycles",
                                 !program->run      ? "the program could not be opened"
                                 : program->dead    ? "the device is dead since an earlier run failed"
                                 : block_dim < 1    ? "found a block_dim below 1, expected at least 1"
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
  });
}

PTOWSP_EXPORT const char* ptowsp_glue_version(void) { return PTOWSP_VERSION; }

PTOWSP_EXPORT const char* ptowsp_kernel_level(void) {
  const std::vector<std::string>& levels = ptowsp::glue::supportedLevels();
  return levels.empty() ? "" : levels.front().c_str();
}
