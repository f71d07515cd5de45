// SPDX-License-Identifier: MIT
#include "runtime_glue/glue/c_device.h"

#include <dlfcn.h>

#include "runtime_glue/glue/c_error.h"
#include "runtime_glue/glue/c_struct.h"
#include "runtime_glue/glue/text.h"

namespace ptowsp::glue {
namespace {

// The built-in runtime lies beside this library, in a build tree and installed.
std::string runtimeBeside() {
  Dl_info info = {};
  if (!dladdr(reinterpret_cast<const void*>(&ptowsp_glue_version), &info) || !info.dli_fname)
    return {};
  std::string path = info.dli_fname;
  path.erase(path.find('/') == std::string::npos ? 0 : path.find_last_of('/') + 1);
  return path + "libptowsp_sim.so";
}

}  // namespace

Status openDevice(const ptowsp_device_options& options, ptowsp_device* device) {
  if (options.device_id < 0)
    return Status::badArtifact("device_id",
                               format("found %d, expected 0 or more", options.device_id));
  if (options.workers < 0)
    return Status::badArtifact("workers", format("found %d, expected 0 (one for each CPU) or more",
                                                 options.workers));
  if (!(options.timeout_seconds >= 0))
    return Status::badArtifact("timeout", format("found %g s, expected 0 (none) or more",
                                                 options.timeout_seconds));
  device->options.device_id = options.device_id;
  device->options.block_dim = options.block_dim;
  device->options.aicpu_threads = options.aicpu_threads;
  device->options.workers = options.workers;
  device->options.timeout = options.timeout_seconds;
  const bool given = options.runtime && *options.runtime;
  if (Status status = device->library.open(given ? options.runtime : runtimeBeside());
      !status.ok()) {
    if (given)
      status.fix =
          "leave the runtime out of the device's options for the built-in one, or give the folder of an "
          "external one's libraries";
    return status;
  }
  const ExternalRuntime* external = device->library.external();
  device->platform = external ? external->platform : "a2a3sim";
  if (options.platform && *options.platform && options.platform != device->platform)
    return Status::badArtifact("device",
                               std::string("found platform ") + options.platform +
                                   ", expected that of the runtime: " + device->platform,
                               "leave the platform out, or give a runtime for it");
  // What holds without a workload is checked now.
  if (Status status = Device().open(device->library, device->options, &device->chip); !status.ok()) {
    status.fix = kDeviceFix;
    return status;
  }
  return device->chip.open(device->library);
}

}  // namespace ptowsp::glue

void ptowsp_device::cancel(const void* who) {
  const std::lock_guard<std::mutex> lock(running_mutex);
  if (running && (!who || who == running_for)) running->cancel();
}

PTOWSP_EXPORT int ptowsp_device_open(const ptowsp_device_options* options,
                                     ptowsp_device** device) {
  if (!device)
    return ptowsp::glue::failed(ptowsp::glue::Status::badArtifact(
        "ptowsp_device_open", "found a null pointer, expected one to a ptowsp_device*"));
  *device = nullptr;
  ptowsp_device* opened = nullptr;
  const int outcome = ptowsp::glue::guarded([&] {
    ptowsp_device_options wanted;
    ptowsp::glue::Status status =
        ptowsp::glue::takeStruct("ptowsp_device_options", options, &wanted);
    if (!status.ok()) return status;
    opened = new ptowsp_device;
    return ptowsp::glue::openDevice(wanted, opened);
  });
  if (outcome == PTOWSP_OK)
    *device = opened;
  else
    ptowsp_device_close(opened);
  return outcome;
}

PTOWSP_EXPORT void ptowsp_device_close(ptowsp_device* device) {
  if (device) device->release();
}

PTOWSP_EXPORT void ptowsp_device_cancel(ptowsp_device* device) {
  if (device) device->cancel(nullptr);
}
