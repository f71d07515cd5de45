// SPDX-License-Identifier: MIT
// Walk: every task of a program, in the order of the task index, with its views evaluated. Affine
// positions are kept up to date by adding coefficients as the loops advance; nothing is allocated
// for a task. Below a connect node the network says whose turn it is (network_walk.h).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "generator/analyze/network_walk.h"
#include "generator/verify/program.h"

namespace ptowsp {

// ViewAt: one tile of one task. `row` is a flat row of the tensor.
struct ViewAt {
  int tensor = -1;
  Access access = Access::in;
  int64_t row = 0, col = 0, rows = 1, cols = 1;
};

// Statement: one task node of the program; its views are those of Walk::views() from first_view on.
struct Statement {
  int index = 0;
  const Node* node = nullptr;
  int first_view = 0;
};

class [[gnu::visibility("hidden")]] Walk {
 public:
  // Level: a node above the current task. Tasks from `begin` on are in the same iteration (of a
  // loop) or the same child (of a list) as the current one; earlier tasks below the node are in
  // another.
  struct Level {
    int32_t begin = 0;
    bool parallel = false;  // different iterations, or children, may run at the same time
    const Node* node = nullptr;
  };

  explicit Walk(const Program& program);

  // The run of processes in which the current task is, or null.
  const NetworkWalk* network() const { return network_ ? &*network_ : nullptr; }
  // Tasks that the current one waits for because of channels.
  std::span<const int32_t> waits() const { return network_ ? network_->waits() : std::span<const int32_t>(); }

  const std::vector<Statement>& statements() const { return statements_; }
  // The levels above the task being visited, outermost first; of a task in a process those above
  // the connect node.
  std::span<const Level> levels() const { return levels_; }
  // The views of all statements, where the walk stands; before it, those of each first task.
  const std::vector<ViewAt>& views() const { return views_; }

  // Calls visit(int32_t task, const Statement&, std::span<const ViewAt>) for every task. May be
  // called once: the walk keeps its position.
  template <class Visit>
  void run(Visit&& visit) {
    step(0, visit);
  }

 private:
  // Item: a node in program order; those below it follow it, up to `end`. A loop's deltas say how
  // far each view below it moves from one iteration to the next.
  struct Item {
    const Node* node;
    int end;
    int statement;  // task: its statement
    int first_view, end_view;
    int first_delta;
  };
  struct Delta {
    int64_t row, col;
  };

  std::vector<Item> items_;
  std::vector<Statement> statements_;
  std::vector<ViewAt> views_;
  std::vector<Delta> deltas_;
  std::vector<Level> levels_;
  std::optional<NetworkWalk> network_;
  const Program* program_;
  int32_t task_ = 0;

  void add(const Program& program, const Node& node);

  template <class Visit>
  void step(int index, Visit& visit) {
    const Item& item = items_[static_cast<size_t>(index)];
    const Node& node = *item.node;
    if (node.kind == Node::Kind::task) {
      const Statement& statement = statements_[static_cast<size_t>(item.statement)];
      visit(task_, statement,
            std::span<const ViewAt>(views_).subspan(static_cast<size_t>(item.first_view),
                                                    node.views.size()));
      ++task_;
      return;
    }
    if (node.kind == Node::Kind::connect) return stepNetwork(index, visit);
    if (node.kind != Node::Kind::loop) {
      stepChildren(item, index, node.kind == Node::Kind::combine, visit);
      return;
    }
    const size_t level = levels_.size();
    levels_.push_back({task_, node.parallel, &node});
    for (int64_t i = 0; i < node.extent; ++i) {
      levels_[level].begin = task_;
      stepChildren(item, index, false, visit);
      move(item, 1);
    }
    move(item, -node.extent);
    levels_.pop_back();
  }

  template <class Visit>
  void stepChildren(const Item& item, int index, bool parallel, Visit& visit) {
    if (item.node->body.size() == 1) {
      step(index + 1, visit);
      return;
    }
    const size_t level = levels_.size();
    levels_.push_back({task_, parallel, item.node});
    for (int child = index + 1; child < item.end; child = items_[static_cast<size_t>(child)].end) {
      levels_[level].begin = task_;
      step(child, visit);
    }
    levels_.pop_back();
  }

  // Scripts number items, which stand in program order from the connect node on.
  template <class Visit>
  void stepNetwork(int index, Visit& visit) {
    const Node& connect = *items_[static_cast<size_t>(index)].node;
    const auto isNumbered = [](const Node& node) {
      return node.kind == Node::Kind::task || node.kind == Node::Kind::loop ||
             node.kind == Node::Kind::send;
    };
    int at = index;
    network_.emplace(*program_, connect, task_, [&](const Node&) {
      do ++at;
      while (!isNumbered(*items_[static_cast<size_t>(at)].node));
      return at;
    });
    struct Visitor : NetworkWalk::Visitor {
      Walk* walk;
      Visit* visit;
      int32_t task(int item) {
        NetworkWalk::Visitor::add();
        walk->step(item, *visit);
        return walk->task_ - 1;
      }
      void nextIteration(int item) { walk->move(walk->items_[static_cast<size_t>(item)], 1); }
      void leaveLoop(int item, int64_t extent) {
        walk->move(walk->items_[static_cast<size_t>(item)], -extent);
      }
    } visitor;
    visitor.walk = this;
    visitor.visit = &visit;
    network_->run(visitor);
    network_.reset();
  }

  void move(const Item& loop, int64_t iterations) {
    const Delta* delta = deltas_.data() + loop.first_delta;
    for (int v = loop.first_view; v < loop.end_view; ++v, ++delta) {
      views_[static_cast<size_t>(v)].row += iterations * delta->row;
      views_[static_cast<size_t>(v)].col += iterations * delta->col;
    }
  }
};

}  // namespace ptowsp
