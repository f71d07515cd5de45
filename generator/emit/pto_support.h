// SPDX-License-Identifier: MIT
// Text of generator/emit/support/ptowsp_pto.h, embedded when the generator is built.
#pragma once

#include <string_view>

namespace ptowsp::support {

std::string_view ptoHeader();

}  // namespace ptowsp::support
