// SPDX-License-Identifier: MIT
// The rules that need every task: races, uninitialised reads, incomplete outputs, aliased
// arguments. They see the walk and the conflicts that dependence inference meets, and remember
// mistakes, one of each kind with a count; report() turns them into diagnostics.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "generator/analyze/naming.h"
#include "generator/analyze/walk.h"
#include "generator/base/diagnostic.h"
#include "generator/verify/program.h"
#include "ptowsp/task_graph.h"

namespace ptowsp {

// RaceCheck: two tasks conflict, and the innermost node above both lets them run at the same time.
//
// Dependence inference shows each conflict with the last write of an element and the reads after
// it, not with what an earlier write replaced. That hides no race altogether: let a < b be the
// closest pair of racing tasks on some element. If a's access were replaced there before b came, a
// task w between them wrote the element. w lies below the same parallel node as a and b, because
// that node's tasks are consecutive; it differs in iteration from a or from b, so it races with one
// of them, and is closer to it than a is to b. Likewise in processes: if a happened before w, and w
// before b, then a happened before b; parallel nodes of a process hold no channel operations, so
// what another process does is ordered with all of their tasks or with none.
class [[gnu::visibility("hidden")]] RaceCheck {
 public:
  RaceCheck(const Program& program, const Walk& walk) : program_(program), walk_(walk) {}

  // The current task, of `statement`, conflicts through its view with an earlier task in `region`.
  void conflict(int32_t earlier, bool earlier_wrote, const Statement& statement, int32_t task,
                int view, const graph::Rect& region) {
    for (const Walk::Level& level : walk_.levels()) {
      if (earlier >= level.begin) continue;
      if (level.parallel) {
        remember({level.node, statement.node, nullptr, earlier, task, view, earlier_wrote, region});
      }
      return;
    }
    if (const NetworkWalk* network = walk_.network()) {
      if (const Node* parallel = concurrent(*network, earlier, task)) {
        remember({parallel, statement.node,
                  locateInProcess(network->processOf(earlier), network->numberOf(earlier)), earlier,
                  task, view, earlier_wrote, region, &network->processOf(earlier),
                  &network->processOf(task)});
      }
    }
  }
  void report(Diagnostics& diagnostics) const;

 private:
  struct Race {
    const Node* parallel;
    const Node* statement;
    const Node* earlier_statement;
    int32_t earlier, task;
    int view;
    bool earlier_wrote;
    graph::Rect region;
    const Node* earlier_process = nullptr;  // where `parallel` is a connect node
    const Node* process = nullptr;
    int64_t more = 0;  // further conflicts of the same statements on the same tensor
  };
  static constexpr size_t kShown = 5;

  const Program& program_;
  const Walk& walk_;
  std::vector<Race> races_;
  int64_t others_ = 0;

  void remember(Race race);
  // The node that lets two tasks of one run of processes run at the same time, or null.
  static const Node* concurrent(const NetworkWalk& network, int32_t earlier, int32_t task);
  static std::string whereText(const Race& race);
};

// InitialisationCheck: tasks read only elements that were given or written before, and outputs are
// written completely. The tracker's live writes are all elements written so far.
class InitialisationCheck {
 public:
  InitialisationCheck(const Program& program, const Walk& walk);

  // Whether reads of this view must have been written (its tensor is an output or a temporary).
  bool concerns(int view) const { return concerns_[static_cast<size_t>(view)]; }
  // The current task reads `at`; `written` are the parts of it in earlier live writes, which
  // overlap one another only when `may_overlap`.
  void read(int32_t task, const Statement& statement, int view, const ViewAt& at,
            const std::vector<graph::Rect>& written, bool may_overlap);
  void report(graph::DependenceTracker& tracker, Diagnostics& diagnostics) const;

 private:
  struct Read {
    int32_t task;
    const Node* statement;
    int view;
    graph::Rect missing;
    int64_t more = 0;  // further tasks of the statement
  };

  const Program& program_;
  std::vector<bool> concerns_;
  std::vector<int> index_of_view_;  // into reads_, or -1
  std::vector<Read> reads_;
};

}  // namespace ptowsp
