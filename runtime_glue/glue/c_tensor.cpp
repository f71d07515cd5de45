// SPDX-License-Identifier: MIT
// The functions of ptowsp/glue_c.h about tensors on the device.
#include "runtime_glue/glue/c_error.h"
#include "runtime_glue/glue/c_program.h"
#include "runtime_glue/glue/text.h"

using ptowsp::glue::ChipScope;
using ptowsp::glue::format;
using ptowsp::glue::guarded;
using ptowsp::glue::Status;
using ptowsp::glue::Turn;

void ptowsp_tensor::release() {
  // acq_rel: whoever deletes it sees what the others did before they let go.
  if (references.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  ptowsp_device* const on = device;
  {
    const Turn turn(on->turns);
    delete this;
  }
  on->release();
}

namespace {

Status checkArray(const ptowsp_tensor* given, const void* host, uint64_t bytes) {
  if (!given)
    return Status::badArtifact("device tensor", "found a null pointer, expected a tensor");
  const ptowsp_tensor& tensor = *given;
  if (host && bytes == tensor.tensor.bytes()) return {};
  return Status::badArtifact(
      "device tensor", format("found an array of %llu bytes at %p, expected %llu bytes",
                              static_cast<unsigned long long>(bytes), host,
                              static_cast<unsigned long long>(tensor.tensor.bytes())));
}

// `copy` on the device's turn.
template <typename Copy>
int transfer(ptowsp_tensor* tensor, const void* host, uint64_t bytes, const Copy& copy) {
  return guarded([&]() -> Status {
    if (Status status = checkArray(tensor, host, bytes); !status.ok()) return status;
    const Turn turn(tensor->device->turns);
    const ChipScope scope(tensor->device->chip);
    return copy();
  });
}

}  // namespace

PTOWSP_EXPORT int ptowsp_tensor_create(ptowsp_device* device, uint64_t bytes,
                                       ptowsp_tensor** tensor) {
  if (tensor) *tensor = nullptr;
  const int outcome = guarded([&]() -> Status {
    if (!device || !tensor || bytes == 0)
      return Status::badArtifact("ptowsp_tensor_create",
                                 bytes == 0 ? "found 0 bytes, expected at least 1"
                                            : "found a null pointer, expected a device and a place "
                                              "for the tensor");
    *tensor = new ptowsp_tensor(device, bytes);
    const Turn turn(device->turns);
    const ChipScope scope(device->chip);
    if (Status status = device->chip.use(); !status.ok()) return status;
    return (*tensor)->tensor.makeRoom();
  });
  if (outcome != PTOWSP_OK && tensor) {
    ptowsp_tensor_release(*tensor);
    *tensor = nullptr;
  }
  return outcome;
}

PTOWSP_EXPORT void ptowsp_tensor_release(ptowsp_tensor* tensor) {
  if (tensor) tensor->release();
}

PTOWSP_EXPORT uint64_t ptowsp_tensor_bytes(const ptowsp_tensor* tensor) {
  return tensor ? tensor->tensor.bytes() : 0;
}

PTOWSP_EXPORT int ptowsp_tensor_upload(ptowsp_tensor* tensor, const void* host, uint64_t bytes) {
  return transfer(tensor, host, bytes, [&] { return tensor->tensor.upload(host); });
}

PTOWSP_EXPORT int ptowsp_tensor_download(ptowsp_tensor* tensor, void* host, uint64_t bytes) {
  return transfer(tensor, host, bytes, [&] { return tensor->tensor.download(host); });
}
