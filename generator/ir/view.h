// SPDX-License-Identifier: MIT
// The text of a view, "x[b, 8*r:8*r+8, :]": parsed to affine subscripts, and printed.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "generator/ir/workload.h"

namespace ptowsp::ir {

// The view that `text` writes down, or nothing, and then `error` says what was found where and what
// was expected. Integer constants and coefficients are checked against overflow.
std::optional<View> parseView(std::string_view text, std::string& error);

// "b + 8*t" or "(b + 8*t) % 4": an affine expression, or its remainder; likewise.
std::optional<TaskFunction::Expression> parseExpression(std::string_view text, std::string& error);

// One spelling for each meaning: "x[b, 8*r:8*r+8, :]", variables by name, constant last.
std::string print(const AffineText& affine);
std::string print(const View& view);
std::string print(const TaskFunction::Expression& expression);

}  // namespace ptowsp::ir
