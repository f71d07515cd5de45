// SPDX-License-Identifier: MIT
// Error: why a call failed, as ptowsp_sim_last_error() tells it. Functions of the built-in runtime
// return one by value; code 0 is success.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "ptowsp/sim_api.h"

namespace ptowsp::sim {

struct [[nodiscard]] Error {
  int code = PTOWSP_SIM_OK;
  int task = -1;
  int func_id = -1;
  int core = -1;
  int core_type = -1;
  int detail = 0;
  std::string message;
  std::vector<int32_t> tasks;

  Error() = default;
  Error(int error_code, std::string text) : code(error_code), message(std::move(text)) {}
  explicit operator bool() const { return code != PTOWSP_SIM_OK; }
};

inline const char* coreTypeName(int core_type) { return core_type == 0 ? "AIC" : "AIV"; }

// formatText: printf into a string, so that the library depends on nothing but libstdc++.
std::string formatText(const char* format, ...) __attribute__((format(printf, 1, 2)));

}  // namespace ptowsp::sim
