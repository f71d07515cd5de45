// SPDX-License-Identifier: MIT
// What a value on a command line has to look like, and whether what a command printed has arrived. A
// problemOf...() gives the reason for which a value cannot be taken, empty where it can: the
// library that reads command lines would take -1 for 2^64 - 1, 010 for 8, and a path that a
// script's variable left empty for an option that is not there.
#pragma once

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace ptowsp::command_line {

// For paths, and other texts that are never empty on purpose.
inline std::string problemOfEmpty(const std::string& text) {
  return text.empty() ? "found an empty text; leave the option out, or give it a value" : std::string();
}

// A whole number below 2^64, in decimal.
inline std::string problemOfSeed(const std::string& text) {
  const std::string most = "18446744073709551615";
  const bool digits = !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
  const bool small = text.size() < most.size() || (text.size() == most.size() && text <= most);
  if (digits && small && (text.size() == 1 || text[0] != '0')) return {};
  return "found '" + text + "', expected a whole number from 0 to " + most + ", without leading zeros";
}

// A finite number of 0 or more: nothing is within a tolerance that is NaN.
inline std::string problemOfTolerance(const std::string& text) {
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  if (!text.empty() && *end == 0 && std::isfinite(value) && value >= 0) return {};
  return "found '" + text + "', expected a number of 0 or more, like 0.001 or 1e-3";
}

// Whether something that was printed did not get to where standard output leads: a full disk, a closed
// descriptor. To be asked when all is printed.
inline bool isOutputLost() { return std::fflush(stdout) != 0 || std::ferror(stdout) != 0; }

}  // namespace ptowsp::command_line
