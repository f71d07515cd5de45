// SPDX-License-Identifier: MIT
// Text: printf into a std::string. glue is linked into users' programs, so it brings no formatting
// library along, and no iostream, whose start-up would cost a test more than its run.
#pragma once

#include <string>

namespace ptowsp::glue {

[[gnu::format(printf, 1, 2)]] std::string format(const char* pattern, ...);

// "8 tasks", "1 task".
std::string counted(long long count, const char* noun);

}  // namespace ptowsp::glue
