// SPDX-License-Identifier: MIT
// What a build compiles for the device: a list for each of the user's kernels, known by that name alone
// before anything was analyzed.
#pragma once

#include <string>
#include <string_view>

#include "generator/verify/program.h"

namespace ptowsp {

// kernels/device/kernel_<user's kernel>.list, of the relay kernel likewise.
std::string deviceListPath(std::string_view kernel);

// DeviceStage: a kernel for one core with its emitted source's path and text.
struct DeviceStage {
  CoreType core;
  std::string name, path;
  std::string_view text;
};

// A line "<core type> <kernel> <path> <hash of the text>" for each stage of one user's kernel. With the
// hash in it the list changes whenever a source does, so that a build that depends on the list needs to
// know no source by name.
std::string deviceListLine(const DeviceStage& stage);

}  // namespace ptowsp
