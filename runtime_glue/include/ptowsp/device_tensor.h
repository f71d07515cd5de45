// SPDX-License-Identifier: MIT
// ptowsp::DeviceTensor: an array that stays on a device and is handed from one workload to the next. C++17.
#pragma once

#include <cstddef>

#include "ptowsp/device.h"
#include "ptowsp/tensor_view.h"

namespace ptowsp {

// DeviceTensor: T and extents as for TensorView. It has no contents until it is uploaded or a workload has
// written it, and loses them when a run on the device fails or is cancelled: reading it then is an
// ptowsp::Error. It keeps what it needs of the device. Uploads and downloads have their turn among the
// device's calls; all members may be called from any threads.
template <typename T, std::size_t... Extents>
class DeviceTensor {
  using Shape = detail::Shape<T, Extents...>;

 public:
  // Throws ptowsp::Error when the device has no memory for it.
  explicit DeviceTensor(Device& device) {
    ptowsp_tensor* tensor = nullptr;
    detail::check(ptowsp_tensor_create(device.handle(), bytes(), &tensor));
    handle_.reset(tensor);
  }
  DeviceTensor(Device& device, TensorView<const T, Extents...> host) : DeviceTensor(device) {
    upload(host);
  }

  static constexpr std::size_t rank() { return Shape::rank; }
  static constexpr std::size_t size() { return Shape::size; }
  static constexpr std::size_t bytes() { return Shape::size * sizeof(T); }

  void upload(TensorView<const T, Extents...> host) {
    detail::check(ptowsp_tensor_upload(handle_.get(), host.data(), bytes()));
  }
  void download(TensorView<T, Extents...> host) const {
    detail::check(ptowsp_tensor_download(handle_.get(), host.data(), bytes()));
  }
  // For the C interface.
  ptowsp_tensor* handle() const noexcept { return handle_.get(); }

 private:
  detail::Handle<ptowsp_tensor, ptowsp_tensor_release> handle_;
};

}  // namespace ptowsp
