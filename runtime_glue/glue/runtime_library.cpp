// SPDX-License-Identifier: MIT
#include "runtime_glue/glue/runtime_library.h"

#include <dlfcn.h>
#include <glob.h>
#include <sys/stat.h>
#include <unistd.h>

#include <climits>

#include "runtime_glue/glue/elf_file.h"

namespace ptowsp::glue {
namespace {

// Sets `function` to the symbol, or adds its name to `missing`.
template <typename Function>
void find(void* handle, const char* symbol, Function* function, std::string* missing) {
  *function = reinterpret_cast<Function>(dlsym(handle, symbol));
  if (!*function) *missing += (missing->empty() ? "" : ", ") + std::string(symbol);
}

}  // namespace

Status RuntimeLibrary::open(const std::string& path) {
  path_ = path;
  if (access(path.c_str(), R_OK) != 0)
    return Status::badArtifact(path, "found no such runtime library",
                               "give the path of a library with pto-runtime's C API to --runtime");
  struct stat info;
  if (stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode))
    return readExternalRuntime(path, &external_.emplace());
  if (const std::string fault = elfFault(path); !fault.empty())
    return Status::badArtifact(path, "cannot load this runtime library: " + fault,
                               "build or install the runtime again");
  // A path without a slash would be looked for on the system's search path.
  const std::string file = path.find('/') == std::string::npos ? "./" + path : path;
  void* handle = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!handle)
    return Status::badArtifact(path, std::string("cannot load this runtime library: ") + dlerror(),
                               "build or install the runtime again");
  std::string missing;
  find(handle, "get_runtime_size", &contract_.get_runtime_size, &missing);
  find(handle, "set_device", &contract_.set_device, &missing);
  find(handle, "register_kernel", &contract_.register_kernel, &missing);
  find(handle, "init_runtime", &contract_.init_runtime, &missing);
  find(handle, "launch_runtime", &contract_.launch_runtime, &missing);
  find(handle, "finalize_runtime", &contract_.finalize_runtime, &missing);
  if (!missing.empty())
    return Status::badArtifact(
        path, "found no function " + missing + ", expected a runtime with pto-runtime's C API",
        "give the host library of a runtime to --runtime");

  std::string none;
  find(handle, "ptowsp_sim_version", &sim_.version, &none);
  if (!none.empty()) return {};
  if (std::string(sim_.version()) != PTOWSP_VERSION)
    return Status::badArtifact(path,
                               std::string("found the built-in runtime of version ") +
                                   sim_.version() + ", expected " PTOWSP_VERSION,
                               "use the runtime that was built or installed with this program");
  find(handle, "ptowsp_sim_status_name", &sim_.status_name, &missing);
  find(handle, "ptowsp_sim_device_create", &sim_.device_create, &missing);
  find(handle, "ptowsp_sim_device_destroy", &sim_.device_destroy, &missing);
  find(handle, "ptowsp_sim_device_use", &sim_.device_use, &missing);
  find(handle, "ptowsp_sim_device_cancel", &sim_.device_cancel, &missing);
  find(handle, "ptowsp_sim_device_reset", &sim_.device_reset, &missing);
  find(handle, "ptowsp_sim_set_options", &sim_.set_options, &missing);
  find(handle, "ptowsp_sim_describe_kernel", &sim_.describe_kernel, &missing);
  find(handle, "ptowsp_sim_init_function", &sim_.init_function, &missing);
  find(handle, "ptowsp_sim_last_error", &sim_.last_error, &missing);
  find(handle, "ptowsp_sim_guard_damages", &sim_.guard_damages, &missing);
  find(handle, "ptowsp_sim_get_trace", &sim_.get_trace, &missing);
  find(handle, "ptowsp_sim_get_stats", &sim_.get_stats, &missing);
  find(handle, "ptowsp_sim_get_graph", &sim_.get_graph, &missing);
  find(handle, "device_malloc", &sim_.device_malloc, &missing);
  find(handle, "device_free", &sim_.device_free, &missing);
  if (!missing.empty())
    return Status::badArtifact(
        path, "found no function " + missing + ", expected the built-in runtime " PTOWSP_VERSION,
        "build or install PtoWsp again");
  is_sim_ = true;
  return {};
}

std::string findBuiltinRuntime(std::string* looked) {
  char program[PATH_MAX];
  const ssize_t size = readlink("/proc/self/exe", program, sizeof program);
  std::string root = size > 0 ? std::string(program, static_cast<size_t>(size)) : "";
  for (int up = 0; up < 2; ++up)
    root.erase(root.find_last_of('/') == std::string::npos ? 0 : root.find_last_of('/'));
  const std::string usual = root + "/lib/libptowsp_sim.so";
  if (access(usual.c_str(), R_OK) == 0) return usual;
  *looked = root + "/lib*/libptowsp_sim.so";
  // lib64, and lib/<architecture> of Debian. The root may hold characters that glob treats
  // specially, so only its last parts are matched.
  std::string escaped;
  for (const char c : root)
    escaped +=
        (c == '*' || c == '?' || c == '[' || c == '\\') ? std::string("\\") + c : std::string(1, c);
  for (const char* pattern : {"/lib*/libptowsp_sim.so", "/lib/*/libptowsp_sim.so"}) {
    glob_t matches = {};
    std::string found;
    if (glob((escaped + pattern).c_str(), 0, nullptr, &matches) == 0) found = matches.gl_pathv[0];
    globfree(&matches);
    if (!found.empty()) return found;
  }
  return {};
}

}  // namespace ptowsp::glue
