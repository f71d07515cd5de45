// SPDX-License-Identifier: MIT
// RuntimeLibrary: a shared library with pto-runtime's C API, found by dlopen, and, where it is the
// built-in runtime, its extensions; or the folder of an external runtime. The one place that knows
// symbols.
#pragma once

#include <optional>
#include <string>

#include "ptowsp/sim_api.h"
#include "runtime_glue/glue/external_runtime.h"
#include "runtime_glue/glue/status.h"

namespace ptowsp::glue {

// ContractApi: what every runtime of the contract exports.
struct ContractApi {
  decltype(&::get_runtime_size) get_runtime_size;
  decltype(&::set_device) set_device;
  decltype(&::register_kernel) register_kernel;
  decltype(&::init_runtime) init_runtime;
  decltype(&::launch_runtime) launch_runtime;
  decltype(&::finalize_runtime) finalize_runtime;
};

// SimApi: the built-in runtime's extensions as far as glue uses them.
struct SimApi {
  decltype(&::ptowsp_sim_version) version;
  decltype(&::ptowsp_sim_status_name) status_name;
  decltype(&::ptowsp_sim_device_create) device_create;
  decltype(&::ptowsp_sim_device_destroy) device_destroy;
  decltype(&::ptowsp_sim_device_use) device_use;
  decltype(&::ptowsp_sim_device_cancel) device_cancel;
  decltype(&::ptowsp_sim_device_reset) device_reset;
  decltype(&::ptowsp_sim_set_options) set_options;
  decltype(&::ptowsp_sim_describe_kernel) describe_kernel;
  decltype(&::ptowsp_sim_init_function) init_function;
  decltype(&::ptowsp_sim_last_error) last_error;
  decltype(&::ptowsp_sim_guard_damages) guard_damages;
  decltype(&::ptowsp_sim_get_trace) get_trace;
  decltype(&::ptowsp_sim_get_stats) get_stats;
  decltype(&::ptowsp_sim_get_graph) get_graph;
  // Of the contract, which only the built-in runtime is asked for outside of an orchestration.
  decltype(&::device_malloc) device_malloc;
  decltype(&::device_free) device_free;
};

class RuntimeLibrary {
 public:
  RuntimeLibrary() = default;
  RuntimeLibrary(const RuntimeLibrary&) = delete;
  RuntimeLibrary& operator=(const RuntimeLibrary&) = delete;

  // Never closed again: kernels of a failed run may still be running in it.
  Status open(const std::string& path);

  const std::string& path() const { return path_; }
  const ContractApi& contract() const { return contract_; }
  // Null when the library is not the built-in runtime.
  const SimApi* sim() const { return is_sim_ ? &sim_ : nullptr; }
  // Where the path is a folder: a runtime that runs in processes of its own; contract() is empty
  // then.
  const ExternalRuntime* external() const { return external_ ? &*external_ : nullptr; }

 private:
  std::string path_;
  ContractApi contract_ = {};
  SimApi sim_ = {};
  bool is_sim_ = false;
  std::optional<ExternalRuntime> external_;
};

// The built-in runtime that belongs to the running program: lib/libptowsp_sim.so beside its bin/.
// Empty when there is none; `looked` then says where it was looked for.
std::string findBuiltinRuntime(std::string* looked);

}  // namespace ptowsp::glue
