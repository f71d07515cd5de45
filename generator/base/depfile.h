// SPDX-License-Identifier: MIT
// Depfiles: what a build tool must watch besides what it was told of.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ptowsp {

// "target: dependency..." in the form that make and ninja read, with blanks, '#' and '$' escaped.
std::string depfileText(std::string_view target, const std::vector<std::string>& dependencies);

}  // namespace ptowsp
