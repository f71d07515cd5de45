// SPDX-License-Identifier: MIT
// "did you mean": the nearest known name for a misspelt one.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ptowsp {

// The known name with the smallest edit distance (insert, delete, replace, swap neighbours; case
// counts half), or empty when none is near enough to be a plausible slip. Ties: the first.
std::string_view nearestName(std::string_view name, const std::vector<std::string_view>& known);

// The text of a fix: "did you mean 'exp'?" when a name is near, else "known <what>: a, b, c" (long
// lists are cut), else (nothing is known) empty.
std::string suggestion(std::string_view name, std::string_view what,
                       const std::vector<std::string_view>& known);

}  // namespace ptowsp
