// SPDX-License-Identifier: MIT
// Texts of generator/emit/support, embedded when the generator is built.
#pragma once

#include <string_view>

namespace ptowsp::support {

std::string_view doubleHeader();
std::string_view elementwiseHeader();
std::string_view float16Header();
std::string_view mathHeader();
std::string_view matmulHeader();
std::string_view reduceHeader();
std::string_view vectorHeader();

}  // namespace ptowsp::support
