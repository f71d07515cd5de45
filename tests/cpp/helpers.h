// SPDX-License-Identifier: MIT
// What the tests of the C++ interface share.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "ptowsp/error.h"

namespace ptowsp::cpp_test {

// first, first + 1, ...
inline std::vector<float> counted(size_t size, float first = 0) {
  std::vector<float> values(size);
  for (size_t i = 0; i < size; ++i) values[i] = first + static_cast<float>(i);
  return values;
}

// The whole text of what `call` throws, or a word that it threw nothing.
inline std::string thrown(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing";
}

}  // namespace ptowsp::cpp_test
