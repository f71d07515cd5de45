// SPDX-License-Identifier: MIT
// Which names a user may give: C identifiers that mean nothing else in emitted code.
#pragma once

#include <string>
#include <string_view>

namespace ptowsp {

// Kernel names live in a namespace of their own in emitted code and as kernel_<name> outside it;
// the others are local variables, where a C library's name would hide what the code calls.
enum class NameUse { kernel, variable, artifact };

// Why `name` cannot be used, as the end of a sentence that begins with the name ("is a C++
// keyword"); empty when it can. `artifact` is the name of a whole workload (ptowsp-gen --name),
// which is a CMake target as well.
std::string problemOfName(std::string_view name, NameUse use);

}  // namespace ptowsp
