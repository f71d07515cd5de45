// SPDX-License-Identifier: MIT
// StagePlan: which op of a mixed kernel runs in which stage. Pure decisions; split_kernel turns them
// into kernels.
//
// Stages have levels: even ones run on a vector core, odd ones on a cube core, in ascending order.
// A level in which nothing runs becomes no stage.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <vector>

#include "generator/verify/program.h"

namespace ptowsp {

struct StagePlan {
  // The kernel without dead ops and overwritten stores, and with accumulators that a cube core can
  // have.
  Kernel kernel;
  std::vector<int> definition;      // for each value the op that makes it, or -1
  std::vector<int> level;           // for each op where its value is stored from, if it crosses
  std::vector<std::set<int>> runs;  // for each op the levels at which it is computed
  std::vector<std::set<int>> uses;  // for each value the levels at which it is an operand

  int home(int value) const {
    return level[static_cast<size_t>(definition[static_cast<size_t>(value)])];
  }
  bool isMadeAt(int value, int at) const {
    return runs[static_cast<size_t>(definition[static_cast<size_t>(value)])].contains(at);
  }
  // Some stage uses the value and does not compute it.
  bool crosses(int value) const;
  // The user's tile in which the value crosses, where it is stored to one by the stage that
  // computes it.
  std::optional<int> carryingTile(int value) const;
};

// Plan of a kernel that has a cube op.
StagePlan planStages(const Kernel& kernel);

}  // namespace ptowsp
