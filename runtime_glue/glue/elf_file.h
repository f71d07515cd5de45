// SPDX-License-Identifier: MIT
// Looks at a library's file before dlopen does.
#pragma once

#include <string>

namespace ptowsp::glue {

// What is wrong with the file as a whole, or an empty text. dlopen maps a truncated library without
// complaint, and the process then dies of SIGBUS; so its ranges are looked at before.
std::string elfFault(const std::string& file);

}  // namespace ptowsp::glue
