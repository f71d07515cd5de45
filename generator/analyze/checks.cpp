// SPDX-License-Identifier: MIT
#include "generator/analyze/checks.h"

#include <fmt/format.h>

#include <algorithm>

#include "generator/analyze/coverage.h"
#include "generator/analyze/naming.h"

namespace ptowsp {
namespace {

using graph::Rect;

bool overlap(const Rect& a, const Rect& b) {
  return a.row0 < b.row1 && b.row0 < a.row1 && a.col0 < b.col1 && b.col0 < a.col1;
}

const char* verb(Access access) {
  if (access == Access::in) return "reads";
  return access == Access::out ? "writes" : "reads and writes";
}

// The view of a task through which it touches the region in the given way.
const TileView& viewOf(const Program& program, const TaskLocation& task, int tensor, bool writes,
                       const Rect& region) {
  const Kernel& kernel = program.kernels[static_cast<size_t>(task.node->kernel)];
  const TileView* found = nullptr;
  for (size_t v = 0; v < task.node->views.size(); ++v) {
    const TileView& view = task.node->views[v];
    if (view.tensor != tensor || (kernel.tiles[v].access != Access::in) != writes) continue;
    found = &view;
    if (overlap(regionOf(program.tensors[static_cast<size_t>(tensor)], view, task.indices), region))
      break;
  }
  return *found;
}

const Kernel& kernelOf(const Program& program, const Node& statement) {
  return program.kernels[static_cast<size_t>(statement.kernel)];
}

}  // namespace

void RaceCheck::remember(Race race) {
  if (!race.earlier_statement) race.earlier_statement = locateTask(program_, race.earlier).node;
  const auto tensorOf = [](const Race& r) {
    return r.statement->views[static_cast<size_t>(r.view)].tensor;
  };
  for (Race& known : races_) {
    if (known.parallel == race.parallel && known.statement == race.statement &&
        known.earlier_statement == race.earlier_statement && tensorOf(known) == tensorOf(race)) {
      ++known.more;
      return;
    }
  }
  if (races_.size() < kShown) {
    races_.push_back(race);
  } else {
    ++others_;
  }
}

const Node* RaceCheck::concurrent(const NetworkWalk& network, int32_t earlier, int32_t task) {
  const Node* node = &network.processOf(task);
  if (node != &network.processOf(earlier)) {
    return network.before(earlier) ? nullptr : &network.connect();
  }
  // Of two tasks of one process the innermost node above both says whether they are ordered.
  int64_t a = network.numberOf(earlier), b = network.numberOf(task);
  while (node->kind != Node::Kind::task) {
    if (node->kind == Node::Kind::loop) {
      const int64_t per_iteration = node->tasks / node->extent;
      if (a / per_iteration != b / per_iteration) return node->parallel ? node : nullptr;
      a %= per_iteration;
      b %= per_iteration;
    }
    const Node* child = node->body.data();
    for (; b >= child->tasks; ++child) {
      if (a < child->tasks) return node->kind == Node::Kind::combine ? node : nullptr;
      a -= child->tasks;
      b -= child->tasks;
    }
    if (a >= child->tasks) return nullptr;  // program order: the earlier task has the smaller number
    node = child;
  }
  return nullptr;
}

std::string RaceCheck::whereText(const Race& race) {
  if (race.parallel->kind == Node::Kind::connect) {
    return fmt::format("they are in processes {} and {}, and no channel orders them",
                       race.earlier_process->name, race.process->name);
  }
  if (race.parallel->kind == Node::Kind::loop) {
    return fmt::format("both are in different iterations of the parallel loop over {}",
                       race.parallel->variable);
  }
  return "both are in different children of a combine node";
}

void RaceCheck::report(Diagnostics& diagnostics) const {
  for (const Race& race : races_) {
    const TileView& view = race.statement->views[static_cast<size_t>(race.view)];
    const Access access =
        kernelOf(program_, *race.statement).tiles[static_cast<size_t>(race.view)].access;
    const std::string region =
        regionText(program_.tensors[static_cast<size_t>(view.tensor)], race.region);
    const TaskLocation earlier = locateTask(program_, race.earlier);
    const bool loop = race.parallel->kind == Node::Kind::loop;
    const bool connect = race.parallel->kind == Node::Kind::connect;
    std::string message = fmt::format(
        "task {} {} {}, task {} {} it too, and they may run at the same time: {}",
        taskName(program_, race.earlier), race.earlier_wrote ? "writes" : "reads", region,
        taskName(program_, race.task), verb(access), whereText(race));
    if (race.more > 0) message += fmt::format(" ({} more such conflicts)", race.more);
    Diagnostic& diagnostic = diagnostics.error(
        "race", view.place, std::move(message),
        loop ? "let the iterations touch different elements, or make the loop sequential"
        : connect
            ? "let the processes touch different elements, or let a channel order the two tasks"
            : "let the children touch different elements, or put them into a sequential node");
    diagnostic.related.push_back(
        {viewOf(program_, earlier, view.tensor, race.earlier_wrote, race.region).place,
         fmt::format("task {} {} it here", taskName(program_, race.earlier),
                     race.earlier_wrote ? "writes" : "reads")});
    diagnostic.related.push_back(
        {race.parallel->place, loop      ? "the parallel loop"
                               : connect ? "the connect node"
                                         : "the combine node"});
    if (&race == &races_.back() && others_ > 0) {
      diagnostic.related.push_back(
          {program_.root.place,
           fmt::format("at least {} more conflicts between other tasks are races too", others_)});
    }
  }
}

InitialisationCheck::InitialisationCheck(const Program& program, const Walk& walk)
    : program_(program), index_of_view_(walk.views().size(), -1) {
  for (const ViewAt& view : walk.views()) {
    const Role role = program.tensors[static_cast<size_t>(view.tensor)].declaration.role;
    concerns_.push_back(view.access != Access::out &&
                        (role == Role::output || role == Role::temporary));
  }
}

void InitialisationCheck::read(int32_t task, const Statement& statement, int view, const ViewAt& at,
                               const std::vector<Rect>& written, bool may_overlap) {
  int64_t area = 0;
  for (const Rect& rect : written) area += areaOf(rect);
  if (area == at.rows * at.cols && !may_overlap) return;
  const Rect region = {static_cast<int32_t>(at.row), static_cast<int32_t>(at.col),
                       static_cast<int32_t>(at.row + at.rows),
                       static_cast<int32_t>(at.col + at.cols)};
  int& index = index_of_view_[static_cast<size_t>(statement.first_view + view)];
  if (index >= 0 && area < at.rows * at.cols) {
    ++reads_[static_cast<size_t>(index)].more;
    return;
  }
  const auto missing = uncoveredPart(region, written);
  if (!missing) return;
  if (index >= 0) {
    ++reads_[static_cast<size_t>(index)].more;
    return;
  }
  index = static_cast<int>(reads_.size());
  reads_.push_back({task, statement.node, view, *missing});
}

void InitialisationCheck::report(graph::DependenceTracker& tracker,
                                 Diagnostics& diagnostics) const {
  for (const Read& read : reads_) {
    const TileView& view = read.statement->views[static_cast<size_t>(read.view)];
    const Tensor& tensor = program_.tensors[static_cast<size_t>(view.tensor)];
    const TaskLocation task = locateTask(program_, read.task);
    std::string message = fmt::format(
        "task {} reads {}, but no earlier task has written {}", taskName(program_, read.task),
        regionText(tensor, regionOf(tensor, view, task.indices)), regionText(tensor, read.missing));
    if (read.more > 0)
      message += fmt::format(" ({} more tasks of this place read such elements)", read.more);
    diagnostics.error("uninitialized-read", view.place, std::move(message),
                      tensor.declaration.role == Role::temporary
                          ? "write these elements in an earlier task"
                          : "write these elements in an earlier task, or make the tensor inout");
  }
  for (size_t t = 0; t < program_.tensors.size(); ++t) {
    const Tensor& tensor = program_.tensors[t];
    if (tensor.declaration.role != Role::output) continue;
    const std::string& name = tensor.declaration.name;
    const std::string fix = "write all of it, or make it inout, which keeps what was there before";
    if (!tensor.written) {
      diagnostics.error("output-not-complete", tensor.declaration.place,
                        fmt::format("no task writes output {}", name), fix);
      continue;
    }
    const Rect whole = {0, 0, static_cast<int32_t>(tensor.planes * tensor.rows),
                        static_cast<int32_t>(tensor.cols)};
    int64_t area = 0;
    std::vector<Rect> written;
    const int index = static_cast<int>(t);
    tracker.liveWrites(index, whole, [&](int32_t, const Rect& rect) { area += areaOf(rect); });
    if (area == tensor.elements && !tracker.writesOverlap(index)) continue;
    tracker.liveWrites(index, whole, [&](int32_t, const Rect& rect) { written.push_back(rect); });
    if (const auto missing = uncoveredPart(whole, std::move(written))) {
      diagnostics.error("output-not-complete", tensor.declaration.place,
                        fmt::format("output {} is not written completely: no task writes {}", name,
                                    regionText(tensor, *missing)),
                        fix);
    }
  }
}

}  // namespace ptowsp
