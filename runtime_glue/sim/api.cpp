// SPDX-License-Identifier: MIT
// The exported C functions: each finds the current device, keeps exceptions inside the library and
// reports what failed. Nothing is decided here.
#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

#include "runtime_glue/sim/crash_guard.h"
#include "runtime_glue/sim/device.h"

using ptowsp::sim::Device;
using ptowsp::sim::Error;
using ptowsp::sim::OrchestrationFunction;
using ptowsp::sim::RuntimeState;

struct ptowsp_sim_device {
  Device device;
};

#define PTOWSP_EXPORT extern "C" __attribute__((visibility("default")))

namespace {

thread_local ptowsp_sim_device* t_current = nullptr;  // null: the default device

ptowsp_sim_device* defaultDevice() {
  // Never destroyed: at exit other threads may still be inside it.
  static ptowsp_sim_device* const device = new ptowsp_sim_device;
  return device;
}

Device& current() { return (t_current != nullptr ? t_current : defaultDevice())->device; }

// Runs `call`, which returns an Error. C callers must see no exception.
template <typename Call>
int guarded(const Call& call) {
  try {
    try {
      // First the call: it may be one after which another device is the current one.
      Error error = call(current());
      return current().report(std::move(error));
    } catch (const std::bad_alloc&) {
      return current().report({PTOWSP_SIM_ERROR_OUT_OF_MEMORY, "out of memory"});
    } catch (const std::exception& exception) {
      return current().report({PTOWSP_SIM_ERROR_SYSTEM, exception.what()});
    }
  } catch (...) {
    return PTOWSP_SIM_ERROR_OUT_OF_MEMORY;  // not even the report could be made
  }
}

// For calls that need the device for themselves: from inside an orchestration or a kernel they
// would wait for their own end.
template <typename Call>
int exclusive(const char* name, const Call& call) {
  return guarded([&](Device& device) -> Error {
    if (Device::insideCall()) {
      return {PTOWSP_SIM_ERROR_REENTRANT,
              ptowsp::sim::formatText("%s: called from inside an orchestration or a kernel", name)};
    }
    return call(device);
  });
}

Error sizeError(const char* name) {
  return {PTOWSP_SIM_ERROR_ARGUMENT,
          ptowsp::sim::formatText("%s: null, or its member size is not set to the struct's size",
                                  name)};
}

// Hands out as much of `value` as the caller's struct has room for.
template <typename T>
Error handOut(const char* name, T* out, T value) {
  if (out == nullptr || out->size < sizeof out->size) return sizeError(name);
  value.size = static_cast<uint32_t>(std::min<size_t>(out->size, sizeof value));
  std::memcpy(static_cast<void*>(out), &value, value.size);
  return {};
}

// A result that the device fills in.
template <typename T>
int result(const char* name, T* out, Error (Device::*fill)(T*)) {
  return exclusive(name, [&](Device& device) -> Error {
    if (out == nullptr || out->size < sizeof out->size) return sizeError(name);
    T value = {};
    if (Error error = (device.*fill)(&value)) return error;
    return handOut(name, out, value);
  });
}

}  // namespace

// ---- the contract ----

PTOWSP_EXPORT size_t get_runtime_size(void) { return sizeof(Runtime); }

PTOWSP_EXPORT int set_device(int device_id) {
  return exclusive("set_device", [&](Device&) -> Error {
    if (device_id >= 0) return {};
    return {PTOWSP_SIM_ERROR_ARGUMENT,
            ptowsp::sim::formatText("set_device: device id %d; expected 0 or more", device_id)};
  });
}

PTOWSP_EXPORT int register_kernel(int func_id, const uint8_t* bin, size_t size) {
  return exclusive("register_kernel",
                   [&](Device& device) { return device.registerKernel(func_id, bin, size); });
}

PTOWSP_EXPORT void* device_malloc(size_t size) {
  void* address = nullptr;
  guarded([&](Device& device) -> Error {
    if (ptowsp::sim::onKernelThread()) {
      return {PTOWSP_SIM_ERROR_REENTRANT, "device_malloc: called from inside a kernel"};
    }
    address = device.allocate(size);
    if (address != nullptr) return {};
    return {PTOWSP_SIM_ERROR_OUT_OF_MEMORY,
            ptowsp::sim::formatText("device_malloc(%zu): out of memory", size)};
  });
  return address;
}

PTOWSP_EXPORT void device_free(void* dev_ptr) {
  guarded([&](Device& device) { return device.release(dev_ptr); });
}

PTOWSP_EXPORT int copy_to_device(void* dev_ptr, const void* host_ptr, size_t size) {
  return guarded([&](Device& device) { return device.copyIn(dev_ptr, host_ptr, size); });
}

PTOWSP_EXPORT int copy_from_device(void* host_ptr, const void* dev_ptr, size_t size) {
  return guarded([&](Device& device) { return device.copyOut(host_ptr, dev_ptr, size); });
}

namespace {
const HostApi kHostApi = {device_malloc, device_free, copy_to_device, copy_from_device};
}

PTOWSP_EXPORT int init_runtime(void* runtime, const uint8_t* orch_so, size_t orch_size,
                               const char* func_name, uint64_t* args, int n_args) {
  return exclusive("init_runtime", [&](Device& device) -> Error {
    if (orch_so == nullptr || orch_size == 0 || func_name == nullptr || *func_name == '\0') {
      return {PTOWSP_SIM_ERROR_ARGUMENT,
              "init_runtime: the orchestration's bytes and its function's name are needed"};
    }
    const auto load = [&](RuntimeState& state, OrchestrationFunction* function) {
      Error error = state.orchestration.load(orch_so, orch_size, func_name);
      *function = state.orchestration.function();
      return error;
    };
    return device.init(runtime, kHostApi, load, args, n_args);
  });
}

PTOWSP_EXPORT int launch_runtime(void* runtime, int aicpu_thread_num, int block_dim, int device_id,
                                 const uint8_t*, size_t, const uint8_t*, size_t) {
  return exclusive("launch_runtime", [&](Device& device) {
    return device.launch(runtime, aicpu_thread_num, block_dim, device_id);
  });
}

PTOWSP_EXPORT int finalize_runtime(void* runtime) {
  return exclusive("finalize_runtime", [&](Device& device) { return device.finalize(runtime); });
}

// ---- extensions ----

PTOWSP_EXPORT const char* ptowsp_sim_status_name(int status) {
  switch (status) {
    case PTOWSP_SIM_OK:
      return "ok";
    case PTOWSP_SIM_ERROR_ARGUMENT:
      return "argument";
    case PTOWSP_SIM_ERROR_NOT_INITIALIZED:
      return "not-initialized";
    case PTOWSP_SIM_ERROR_REENTRANT:
      return "reentrant";
    case PTOWSP_SIM_ERROR_OUT_OF_MEMORY:
      return "out-of-memory";
    case PTOWSP_SIM_ERROR_DEVICE_DEAD:
      return "device-dead";
    case PTOWSP_SIM_ERROR_DEVICE_RESET:
      return "device-reset";
    case PTOWSP_SIM_ERROR_NOT_RUN:
      return "not-run";
    case PTOWSP_SIM_ERROR_SYSTEM:
      return "system";
    case PTOWSP_SIM_ERROR_LOAD:
      return "load";
    case PTOWSP_SIM_ERROR_SYMBOL:
      return "symbol";
    case PTOWSP_SIM_ERROR_VERSION:
      return "version";
    case PTOWSP_SIM_ERROR_ORCHESTRATION:
      return "orchestration";
    case PTOWSP_SIM_ERROR_BAD_TASK:
      return "bad-task";
    case PTOWSP_SIM_ERROR_BAD_EDGE:
      return "bad-edge";
    case PTOWSP_SIM_ERROR_BAD_PAIR:
      return "bad-pair";
    case PTOWSP_SIM_ERROR_BAD_SCHEDULE:
      return "bad-schedule";
    case PTOWSP_SIM_ERROR_BAD_COPY:
      return "bad-copy";
    case PTOWSP_SIM_ERROR_BAD_FREE:
      return "bad-free";
    case PTOWSP_SIM_ERROR_GUARD:
      return "guard";
    case PTOWSP_SIM_ERROR_UNREGISTERED_KERNEL:
      return "unregistered-kernel";
    case PTOWSP_SIM_ERROR_CORE_TYPE:
      return "core-type";
    case PTOWSP_SIM_ERROR_CYCLE:
      return "cycle";
    case PTOWSP_SIM_ERROR_CRASH:
      return "crash";
    case PTOWSP_SIM_ERROR_TIMEOUT:
      return "timeout";
    case PTOWSP_SIM_ERROR_DEADLOCK:
      return "deadlock";
    case PTOWSP_SIM_ERROR_CANCELLED:
      return "cancelled";
    case PTOWSP_SIM_ERROR_WINDOW:
      return "window";
    default:
      return "unknown";
  }
}

PTOWSP_EXPORT const char* ptowsp_sim_version(void) { return PTOWSP_VERSION; }

PTOWSP_EXPORT ptowsp_sim_device* ptowsp_sim_device_create(void) {
  try {
    return new ptowsp_sim_device;
  } catch (const std::exception&) {
    return nullptr;
  }
}

PTOWSP_EXPORT int ptowsp_sim_device_destroy(ptowsp_sim_device* device) {
  return exclusive("ptowsp_sim_device_destroy", [&](Device&) -> Error {
    if (device == nullptr || device == defaultDevice()) {
      return {PTOWSP_SIM_ERROR_ARGUMENT,
              "ptowsp_sim_device_destroy: the default device cannot be destroyed; reset it"};
    }
    if (t_current == device) t_current = nullptr;
    delete device;
    return {};
  });
}

PTOWSP_EXPORT int ptowsp_sim_device_use(ptowsp_sim_device* device) {
  return exclusive("ptowsp_sim_device_use", [&](Device&) -> Error {
    t_current = device;
    return {};
  });
}

PTOWSP_EXPORT ptowsp_sim_device* ptowsp_sim_device_current(void) {
  return t_current != nullptr ? t_current : defaultDevice();
}

PTOWSP_EXPORT int ptowsp_sim_device_cancel(ptowsp_sim_device* device) {
  (device != nullptr ? device : defaultDevice())->device.cancel();
  return PTOWSP_SIM_OK;
}

PTOWSP_EXPORT int ptowsp_sim_device_reset(void) {
  return exclusive("ptowsp_sim_device_reset", [](Device& device) { return device.reset(); });
}

PTOWSP_EXPORT int ptowsp_sim_set_options(const ptowsp_sim_options* options) {
  return exclusive("ptowsp_sim_set_options", [&](Device& device) -> Error {
    if (options == nullptr || options->size < sizeof options->size) {
      return sizeError("ptowsp_sim_set_options");
    }
    ptowsp_sim_options wanted = {};
    std::memcpy(&wanted, options, std::min<size_t>(options->size, sizeof wanted));
    return device.setOptions(wanted);
  });
}

PTOWSP_EXPORT int ptowsp_sim_get_options(ptowsp_sim_options* options) {
  return exclusive("ptowsp_sim_get_options", [&](Device& device) {
    return handOut("ptowsp_sim_get_options", options, device.options());
  });
}

PTOWSP_EXPORT int ptowsp_sim_describe_kernel(int func_id, const char* name, int core_type) {
  return exclusive("ptowsp_sim_describe_kernel",
                   [&](Device& device) { return device.describeKernel(func_id, name, core_type); });
}

PTOWSP_EXPORT int ptowsp_sim_init_function(void* runtime, int (*function)(void*, uint64_t*, int),
                                           uint64_t* args, int n_args) {
  return exclusive("ptowsp_sim_init_function", [&](Device& device) -> Error {
    if (function == nullptr) {
      return {PTOWSP_SIM_ERROR_ARGUMENT, "ptowsp_sim_init_function: the function is null"};
    }
    const auto take = [&](RuntimeState&, OrchestrationFunction* result) -> Error {
      *result = reinterpret_cast<OrchestrationFunction>(function);
      return {};
    };
    return device.init(runtime, kHostApi, take, args, n_args);
  });
}

PTOWSP_EXPORT int ptowsp_sim_last_error(ptowsp_sim_error* error) {
  if (error == nullptr || error->size < sizeof error->size) return PTOWSP_SIM_ERROR_ARGUMENT;
  return guarded(
      [&](Device& device) { return handOut("ptowsp_sim_last_error", error, device.lastError()); });
}

PTOWSP_EXPORT int ptowsp_sim_guard_damages(ptowsp_sim_guard_report* report) {
  return result("ptowsp_sim_guard_damages", report, &Device::guardReport);
}

PTOWSP_EXPORT int ptowsp_sim_get_trace(ptowsp_sim_trace* trace) {
  return result("ptowsp_sim_get_trace", trace, &Device::trace);
}

PTOWSP_EXPORT int ptowsp_sim_get_stats(ptowsp_sim_stats* stats) {
  return result("ptowsp_sim_get_stats", stats, &Device::stats);
}

PTOWSP_EXPORT int ptowsp_sim_get_graph(ptowsp_sim_graph* graph) {
  return result("ptowsp_sim_get_graph", graph, &Device::graph);
}
