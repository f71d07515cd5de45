// SPDX-License-Identifier: MIT
#include "generator/emit/device_list.h"

#include <fmt/format.h>

#include "generator/emit/names.h"
#include "ptowsp/hash.h"

namespace ptowsp {

std::string deviceListPath(std::string_view kernel) {
  return fmt::format("kernels/device/kernel_{}.list", kernel);
}

std::string deviceListLine(const DeviceStage& stage) {
  return fmt::format("{} {} {} {}\n", coreTypeName(stage.core), stage.name, stage.path,
                     hex16(fnv1a64(stage.text)));
}

}  // namespace ptowsp
