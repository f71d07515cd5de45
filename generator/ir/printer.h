// SPDX-License-Identifier: MIT
// Prints a workload as canonical JSON: one spelling for each workload, so that two files can be
// compared. print(read(print(read(x)))) == print(read(x)).
#pragma once

#include <string>

#include "generator/ir/workload.h"

namespace ptowsp::ir {

std::string print(const Workload& workload);

}  // namespace ptowsp::ir
