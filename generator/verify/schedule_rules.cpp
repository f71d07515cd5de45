// SPDX-License-Identifier: MIT
// Rules of the schedule: what the dispatch policy gives for every task, in all iterations.
#include <algorithm>

#include "generator/base/checked.h"
#include "generator/base/suggest.h"
#include "generator/ir/view.h"
#include "generator/verify/rules.h"
#include "ptowsp/dispatch.h"

namespace ptowsp {
namespace {

using Policy = Schedule::Policy;

const Wide kFar = static_cast<Wide>(1) << 120;  // beyond every value of an expression

// KeyBuilder gives each task node the key that its expression, or its place in the table, is.
class KeyBuilder {
 public:
  KeyBuilder(const ir::Dispatch& dispatch, Program& program, Diagnostics& diagnostics)
      : dispatch_(dispatch), program_(program), diagnostics_(diagnostics) {}

  void build() {
    Affine place;
    visit(program_.root, place, 0);
    const ir::TaskFunction& function = dispatch_.function;
    if (!function.for_each_node || function.expressions.size() == nodes_) return;
    diagnostics_.error("bad-schedule", function.place,
                       "expected one expression for each task node, of which the program has " +
                           std::to_string(nodes_) + ", found " +
                           std::to_string(function.expressions.size()),
                       "list them in the order of the file, or give a single string for all");
  }

 private:
  // `number`: that of the first task below the node, over the loops around it.
  void visit(Node& node, const Affine& number, int64_t offset) {
    if (node.kind == Node::Kind::task) {
      Affine task = number;
      task.constant += offset;
      buildKey(node, task);
      ++nodes_;
      return;
    }
    Affine inner = number;
    inner.constant += offset;
    const bool is_loop = node.kind == Node::Kind::loop;
    int64_t below = 0;
    for (const Node& child : node.body) below += child.tasks;
    if (is_loop) {
      loops_.push_back({node.variable, node.extent});
      inner.coefficients.push_back(below);
    }
    int64_t before = 0;
    for (Node& child : node.body) {
      visit(child, inner, before);
      before += child.tasks;
    }
    if (is_loop) loops_.pop_back();
  }

  void buildKey(Node& node, const Affine& number) {
    if (dispatch_.function.is_table) {
      node.key.value = number;
      return;
    }
    const auto& expressions = dispatch_.function.expressions;
    if (dispatch_.function.for_each_node && nodes_ >= expressions.size()) return;  // said by build
    const ir::TaskFunction::Expression& written =
        expressions[dispatch_.function.for_each_node ? nodes_ : 0];
    node.key.value.coefficients.assign(loops_.size(), 0);
    node.key.value.constant = written.affine.constant;
    node.key.modulus = written.modulus;
    if (resolve(written, node)) checkRange(written, node);
  }

  Diagnostic& error(std::string_view rule, const ir::TaskFunction::Expression& at, const Node& node,
                    std::string message, std::string fix) {
    Diagnostic& found =
        diagnostics_.error(rule, at.place, "expression '" + ir::print(at) + "': " + message,
                           std::move(fix));
    found.related.push_back({node.place, "the task is here"});
    return found;
  }

  bool resolve(const ir::TaskFunction::Expression& written, Node& node) {
    for (const auto& [variable, coefficient] : written.affine.coefficients) {
      const auto loop = std::find_if(loops_.begin(), loops_.end(),
                                     [&](const Loop& l) { return l.variable == variable; });
      if (loop == loops_.end()) {
        std::vector<std::string_view> known;
        for (const Loop& l : loops_) known.push_back(l.variable);
        error("unknown-name", written, node,
              inQuotes(variable) + " is not the variable of a loop around the task",
              suggestion(variable, "loop variables", known));
        return false;
      }
      node.key.value.coefficients[static_cast<size_t>(loop - loops_.begin())] = coefficient;
    }
    // Every partial sum fits, so that the emitted code's arithmetic does.
    std::optional<int64_t> most = checkedMul(node.key.value.constant < 0 ? -1 : 1,
                                             node.key.value.constant);
    for (size_t i = 0; i < loops_.size() && most; ++i) {
      const int64_t k = node.key.value.coefficients[i];
      const std::optional<int64_t> reach = checkedMul(k < 0 ? -k : k, loops_[i].extent - 1);
      most = reach ? checkedAdd(*most, *reach) : std::nullopt;
    }
    if (most) return true;
    error("integer-overflow", written, node, "its value does not fit 64 bits",
          "use smaller coefficients");
    return false;
  }

  // dispatch_by gives the number of a scheduler that there is.
  void checkRange(const ir::TaskFunction::Expression& written, const Node& node) {
    if (dispatch_.policy != Policy::dispatch_by) return;
    const int64_t aicpus = dispatch_.aicpus;
    const std::string fix =
        "take the remainder: (" + ir::print(written.affine) + ") % " + std::to_string(aicpus);
    if (node.key.modulus > aicpus) {
      error("bad-schedule", written, node,
            "a remainder by " + std::to_string(node.key.modulus) + ", but there are only " +
                std::to_string(aicpus) + " AICPU schedulers",
            fix);
    }
    if (node.key.modulus != 0) return;
    std::vector<Constraint> outside = {{node.key.value, -kFar, -1}};
    auto iteration = firstIteration(outside, loops_);
    if (!iteration) {
      outside = {{node.key.value, static_cast<Wide>(aicpus), kFar}};
      iteration = firstIteration(outside, loops_);
    }
    if (!iteration) return;
    const std::string where = iterationText(outside, loops_, *iteration);
    const auto value = static_cast<long long>(valueAt(node.key.value, *iteration));
    error("bad-schedule", written, node,
          "a task would belong to AICPU scheduler " + std::to_string(value) +
              (where.empty() ? "" : ", at " + where) + "; there are 0 to " +
              std::to_string(aicpus - 1),
          fix);
  }

  const ir::Dispatch& dispatch_;
  Program& program_;
  Diagnostics& diagnostics_;
  std::vector<Loop> loops_;
  size_t nodes_ = 0;
};

}  // namespace

void setDispatchTable(Program& program, const std::vector<int64_t>& values,
                      const std::string& place, Diagnostics& diagnostics) {
  const int64_t tasks = program.taskCount();
  Schedule& schedule = program.schedule;
  if (static_cast<int64_t>(values.size()) != tasks) {
    diagnostics.error("bad-schedule", place,
                      "expected a number for each task, of which the program has " +
                          std::to_string(tasks) + ", found " + std::to_string(values.size()),
                      "list them in program order");
    return;
  }
  schedule.table.reserve(values.size());
  for (size_t i = 0; i < values.size(); ++i) {
    int aicpu = 0;
    switch (schedule.policy) {
      case Policy::hash:
        aicpu = dispatch::hash(values[i], schedule.aicpus);
        break;
      case Policy::affinity:
        aicpu = dispatch::affinity(values[i], schedule.aicpus);
        break;
      default:
        if (values[i] < 0 || values[i] >= schedule.aicpus) {
          diagnostics.error("bad-schedule", place,
                            "task " + std::to_string(i) + " would belong to AICPU scheduler " +
                                std::to_string(values[i]) + "; there are 0 to " +
                                std::to_string(schedule.aicpus - 1),
                            "take the remainder by " + std::to_string(schedule.aicpus));
          return;
        }
        aicpu = static_cast<int>(values[i]);
    }
    schedule.table.push_back(static_cast<uint8_t>(aicpu));
  }
}

void buildSchedule(const ir::Workload& workload, Program& program, Diagnostics& diagnostics) {
  Schedule& schedule = program.schedule;
  if (const auto& window = workload.schedule.task_window) {
    schedule.window = window->tasks;
    schedule.mode = window->mode;
    schedule.window_place = window->place;
  }
  const auto& dispatch = workload.schedule.dispatch;
  if (!dispatch) return;
  schedule.policy = dispatch->policy;
  schedule.aicpus = static_cast<int>(dispatch->aicpus);
  schedule.dispatch_place = dispatch->place;
  if (!schedule.hasKeys()) return;
  KeyBuilder(*dispatch, program, diagnostics).build();
  if (dispatch->function.is_table && dispatch->function.file.empty()) {
    setDispatchTable(program, dispatch->function.table, dispatch->function.place + "/table",
                     diagnostics);
  }
}

}  // namespace ptowsp
