// SPDX-License-Identifier: MIT
// A string as a JSON literal, for the small documents that this stage writes.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

namespace ptowsp {

inline std::string jsonQuote(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      quoted += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      quoted += c;
    }
  }
  return quoted + "\"";
}

}  // namespace ptowsp
