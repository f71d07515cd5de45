// SPDX-License-Identifier: MIT
#include "runtime_glue/glue/executable.h"

#include <dlfcn.h>
#include <sys/stat.h>

#include <map>
#include <mutex>
#include <tuple>

#include "runtime_glue/glue/elf_file.h"
#include "runtime_glue/glue/inspection.h"
#include "runtime_glue/glue/text.h"

namespace ptowsp::glue {
namespace {

// Whether this is still the file that the process loaded from that path before, if it did. The loader
// goes by paths, and would return the library that was there then.
bool isAsLoaded(const std::string& file) {
  static std::mutex mutex;
  static std::map<std::string, std::tuple<dev_t, ino_t, time_t, long>> loaded;
  struct stat info;
  if (stat(file.c_str(), &info) != 0) return true;  // for the loader to say
  const std::tuple<dev_t, ino_t, time_t, long> found = {info.st_dev, info.st_ino,
                                                        info.st_mtim.tv_sec, info.st_mtim.tv_nsec};
  const std::lock_guard<std::mutex> lock(mutex);
  return loaded.emplace(file, found).first->second == found;
}

Status load(const std::string& file, const std::string& what, const std::string& fix,
            void** handle) {
  if (const std::string fault = elfFault(file); !fault.empty())
    return Status::badArtifact(file, "cannot load the library of " + what + ": " + fault, fix);
  if (!isAsLoaded(file))
    return Status::badArtifact(file, "found the library of " + what +
                                         " built again since this process loaded it, and a process "
                                         "loads from one path only once",
                               "start the program again");
  const std::string path = file.find('/') == std::string::npos ? "./" + file : file;
  *handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (*handle) return {};
  std::string reason = dlerror();
  if (reason.compare(0, path.size() + 2, path + ": ") == 0) reason.erase(0, path.size() + 2);
  return Status::badArtifact(file, "cannot load the library of " + what + ": " + reason, fix);
}

Status findSymbol(void* handle, const std::string& file, const std::string& symbol,
                  const std::string& fix, void** address) {
  *address = dlsym(handle, symbol.c_str());
  if (*address) return {};
  return Status::badArtifact(file, "found no function " + symbol + ", expected one", fix);
}

}  // namespace

Status loadExecutable(const Artifact& artifact, const RuntimeLibrary& runtime,
                      Executable* executable) {
  *executable = {};
  if (const ExternalRuntime* external = runtime.external()) {
    // Kernels and runtime of one device program; a stand-in for the toolchain meets only itself here.
    if (external->toolchain != artifact.ready.toolchain)
      return Status::badArtifact(artifact.ready_file,
                                 "found kernels compiled by " + artifact.ready.toolchain +
                                     ", expected the toolchain of the runtime: " + external->toolchain,
                                 "build the target " + artifact.manifest.name + " again");
    executable->orchestration_file = artifact.orchestration;
    executable->kernel_files = artifact.kernels;
    return {};
  }
  const Manifest& manifest = artifact.manifest;
  const std::string fix = "build the target " + manifest.name + " again";
  void* handle = nullptr;
  void* address = nullptr;
  for (size_t i = 0; i < manifest.kernels.size(); ++i) {
    const std::string& name = manifest.kernels[i].name;
    const std::string& file = artifact.kernels[i];
    if (Status status = load(file, "kernel " + name, fix, &handle); !status.ok()) return status;
    if (Status status = findSymbol(handle, file, "kernel_" + name, fix, &address); !status.ok())
      return status;
    executable->kernels.push_back(reinterpret_cast<KernelFunction>(address));
  }
  const std::string& file = artifact.orchestration;
  const bool relay = artifact.limited && manifest.relay >= 0;
  if (runtime.sim() || relay) {
    if (Status status = load(file, "the orchestration", fix, &handle); !status.ok()) return status;
  }
  if (relay) {
    if (Status status = findSymbol(handle, file, "kernel_ptowsp_relay", fix, &address); !status.ok())
      return status;
    executable->relay = reinterpret_cast<KernelFunction>(address);
  }
  if (!runtime.sim()) return readFile(file, &executable->orchestration_bytes);
  if (Status status = findSymbol(handle, file, "ptowsp_runtime_api_version", fix, &address);
      !status.ok())
    return status;
  const uint32_t version = *static_cast<const uint32_t*>(address);
  if (version != inspectableRuntimeVersion())
    return Status::badArtifact(
        file,
        format("found version %u of runtime.h, expected %u", version, inspectableRuntimeVersion()),
        fix);
  if (Status status = findSymbol(handle, file, manifest.orchestration_function, fix, &address);
      !status.ok())
    return status;
  executable->orchestration = reinterpret_cast<OrchestrationFunction>(address);
  return {};
}

}  // namespace ptowsp::glue
