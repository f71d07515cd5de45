// SPDX-License-Identifier: MIT
#include "generator/analyze/stage_plan.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <string>

#include "generator/analyze/accumulators.h"

namespace ptowsp {
namespace {

bool isStore(const KernelOp& op) { return op.op->form == ops::Form::store; }

int64_t bytesOf(const Value& value) {
  return value.rows * value.cols * ir::elementSize(value.dtype);
}

std::vector<int> definitions(const Kernel& kernel) {
  std::vector<int> definition(kernel.values.size(), -1);
  for (size_t o = 0; o < kernel.ops.size(); ++o)
    if (kernel.ops[o].result >= 0)
      definition[static_cast<size_t>(kernel.ops[o].result)] = static_cast<int>(o);
  return definition;
}

// Leaves the last store to each tile, and what the stores need.
void removeDeadOps(Kernel& kernel) {
  std::vector<bool> needed(kernel.values.size());
  std::set<int> stored;
  std::vector<KernelOp> live;
  for (size_t o = kernel.ops.size(); o-- > 0;) {
    KernelOp& op = kernel.ops[o];
    if (isStore(op) ? !stored.insert(op.args[0]).second
                    : !needed[static_cast<size_t>(op.result)])
      continue;
    for (size_t a = isStore(op) ? 1 : 0; a < op.args.size(); ++a)
      needed[static_cast<size_t>(op.args[a])] = true;
    live.push_back(std::move(op));
  }
  std::ranges::reverse(live);
  kernel.ops = std::move(live);
}

class Planner {
 public:
  explicit Planner(const Kernel& kernel) {
    plan_.kernel = kernel;
    removeDeadOps(plan_.kernel);
    groups_ = groupAccumulators(plan_.kernel);
    plan_.definition = definitions(plan_.kernel);
    findConstants();
    findStoredTiles();
  }

  StagePlan plan() {
    assignLevels();
    computeRuns();
    sinkOps();
    repeatBroadcasts();
    delayStores();
    computeRuns();
    return std::move(plan_);
  }

 private:
  const Value& valueAt(int value) const { return plan_.kernel.values[static_cast<size_t>(value)]; }
  const KernelOp* definitionOf(int value) const {
    const int op = plan_.definition[static_cast<size_t>(value)];
    return op < 0 ? nullptr : &plan_.kernel.ops[static_cast<size_t>(op)];
  }
  bool isConstant(int value) const {
    const Value::Kind kind = valueAt(value).kind;
    if (kind == Value::Kind::literal || kind == Value::Kind::scalar) return true;
    const int op = plan_.definition[static_cast<size_t>(value)];
    return op >= 0 && constant_[static_cast<size_t>(op)];
  }

  // Ops that follow from numbers alone are computed wherever they are needed.
  void findConstants() {
    for (const KernelOp& op : plan_.kernel.ops) {
      const bool cheap = op.op->form == ops::Form::constant || op.op->form == ops::Form::elementwise ||
                         op.op->form == ops::Form::cast;
      constant_.push_back(cheap && std::ranges::all_of(op.args, [&](int v) { return isConstant(v); }));
    }
    repeated_ = constant_;
  }

  // Tiles that are read and stored to: whoever reads them has to run before the store.
  void findStoredTiles() {
    std::set<int> stored;
    for (const KernelOp& op : plan_.kernel.ops)
      if (isStore(op)) stored.insert(op.args[0]);
    for (const KernelOp& op : plan_.kernel.ops)
      pinned_.push_back(std::ranges::any_of(op.args, [&](int v) { return stored.contains(v); }));
  }

  // The lowest level at which an op can read the value.
  int readyAt(const KernelOp& reader, size_t arg) const {
    const int value = reader.args[arg];
    const KernelOp* source = definitionOf(value);
    const bool cube = reader.op->cube;
    if (!source) return cube ? 1 : 0;
    const size_t index = static_cast<size_t>(plan_.definition[static_cast<size_t>(value)]);
    if (constant_[index] && !(cube && arg < 2)) return cube ? 1 : 0;
    const int level = plan_.level[index];
    if (isStore(reader)) return level;  // by the core that made it
    if (!cube) return source->op->cube ? level + 1 : level;
    if (!source->op->cube) return level + 1;
    const size_t self = static_cast<size_t>(&reader - plan_.kernel.ops.data());
    return groups_[self] == groups_[index] ? level : level + 2;
  }

  // The earliest level of each op; matmuls that accumulate into one another share theirs.
  void assignLevels() {
    const std::vector<KernelOp>& ops = plan_.kernel.ops;
    plan_.level.resize(ops.size());
    for (size_t o = 0; o < ops.size(); ++o) plan_.level[o] = ops[o].op->cube ? 1 : 0;
    for (bool changed = true; changed;) {
      changed = false;
      for (size_t o = 0; o < ops.size(); ++o) {
        int level = plan_.level[o];
        for (size_t a = isStore(ops[o]) ? 1 : 0; a < ops[o].args.size(); ++a)
          level = std::max(level, readyAt(ops[o], a));
        if (constant_[o]) level = 0;
        for (size_t other = 0; other < ops.size(); ++other) {
          if (other != o && (groups_[o] < 0 || groups_[other] != groups_[o])) continue;
          changed |= plan_.level[other] < level;
          plan_.level[other] = std::max(plan_.level[other], level);
        }
      }
    }
  }

  // An op that is repeated runs where its value is used; for a cube core's operands it has to be
  // stored, so it also runs at its own level.
  void computeRuns() {
    const std::vector<KernelOp>& ops = plan_.kernel.ops;
    plan_.runs.assign(ops.size(), {});
    plan_.uses.assign(plan_.kernel.values.size(), {});
    std::vector<std::set<int>> loaded(plan_.kernel.values.size());  // uses as a cube op's operand
    for (size_t o = ops.size(); o-- > 0;) {
      std::set<int>& runs = plan_.runs[o];
      runs = {plan_.level[o]};
      if (repeated_[o] && ops[o].result >= 0) {
        const auto result = static_cast<size_t>(ops[o].result);
        if (loaded[result].empty()) runs.clear();
        for (const int level : plan_.uses[result])
          if (!loaded[result].contains(level)) runs.insert(level);
      }
      for (size_t a = isStore(ops[o]) ? 1 : 0; a < ops[o].args.size(); ++a) {
        const auto arg = static_cast<size_t>(ops[o].args[a]);
        plan_.uses[arg].insert(runs.begin(), runs.end());
        if (ops[o].op->cube && (a < 2 || !isConstant(ops[o].args[a])))
          loaded[arg].insert(runs.begin(), runs.end());
      }
    }
  }

  // Cost: stages, then bytes between global memory and the cores.
  struct Cost {
    size_t stages;
    int64_t bytes;
    auto operator<=>(const Cost&) const = default;
  };

  Cost cost() {
    computeRuns();
    std::set<int> stages;
    for (const std::set<int>& runs : plan_.runs) stages.insert(runs.begin(), runs.end());
    int64_t bytes = 0;
    for (size_t v = 0; v < plan_.kernel.values.size(); ++v) {
      const Value& value = plan_.kernel.values[v];
      const auto readers = static_cast<int64_t>(plan_.uses[v].size());
      if (value.kind == Value::Kind::tile) bytes += readers * bytesOf(value);
      const int index = static_cast<int>(v);
      if (value.kind != Value::Kind::result || plan_.definition[v] < 0 || !plan_.crosses(index))
        continue;
      const auto foreign = std::ranges::count_if(
          plan_.uses[v], [&](int level) { return !plan_.isMadeAt(index, level); });
      bytes += (foreign + (plan_.carryingTile(index) ? 0 : 1)) * bytesOf(value);
    }
    return {stages.size(), bytes};
  }

  // A vector op runs later where that costs no more: what only a later stage uses need not be
  // stored before.
  void sinkOps() {
    Cost best = cost();
    for (size_t o = plan_.kernel.ops.size(); o-- > 0;) {
      const KernelOp& op = plan_.kernel.ops[o];
      if (op.op->cube || isStore(op) || pinned_[o] || repeated_[o]) continue;
      const std::set<int>& uses = plan_.uses[static_cast<size_t>(op.result)];
      const int before = plan_.level[o], last = *uses.begin() - *uses.begin() % 2;
      if (last <= before) continue;
      plan_.level[o] = last;
      const Cost now = cost();
      if (now > best) plan_.level[o] = before;
      best = std::min(best, now);
      computeRuns();
    }
  }

  // An elementwise op whose result is larger than all its operands is computed again by each stage
  // that uses it, where that costs less.
  void repeatBroadcasts() {
    Cost best = cost();
    for (size_t o = plan_.kernel.ops.size(); o-- > 0;) {
      const KernelOp& op = plan_.kernel.ops[o];
      if (op.op->form != ops::Form::elementwise || pinned_[o] || repeated_[o]) continue;
      int64_t operands = 0;
      for (const int v : op.args) operands += bytesOf(valueAt(v));
      if (operands >= bytesOf(valueAt(op.result))) continue;
      repeated_[o] = true;
      const Cost now = cost();
      repeated_[o] = now < best;
      best = std::min(best, now);
    }
    computeRuns();
  }

  // Every stage reads a tile as it was on entry, so its store waits for the last of them.
  void delayStores() {
    for (size_t o = 0; o < plan_.kernel.ops.size(); ++o) {
      const KernelOp& op = plan_.kernel.ops[o];
      if (!isStore(op)) continue;
      const std::set<int>& reads = plan_.uses[static_cast<size_t>(op.args[0])];
      if (reads.empty() || *reads.rbegin() <= plan_.level[o]) continue;
      plan_.level[o] = *reads.rbegin() + *reads.rbegin() % 2;
      // The store may itself read a tile that another store replaces.
      computeRuns();
      o = static_cast<size_t>(-1);
    }
  }

  StagePlan plan_;
  std::vector<int> groups_;      // for each op the first matmul of its accumulation, or -1
  std::vector<bool> constant_;   // for each op
  std::vector<bool> repeated_;   // for each op: computed by each stage that uses it
  std::vector<bool> pinned_;     // for each op: reads or writes a tile that is stored to
};

}  // namespace

bool StagePlan::crosses(int value) const {
  const auto v = static_cast<size_t>(value);
  return definition[v] >= 0 &&
         std::ranges::any_of(uses[v], [&](int at) { return !isMadeAt(value, at); });
}

std::optional<int> StagePlan::carryingTile(int value) const {
  for (size_t o = 0; o < kernel.ops.size(); ++o) {
    const KernelOp& op = kernel.ops[o];
    if (op.op->form == ops::Form::store && op.args[1] == value && level[o] == home(value))
      return kernel.values[static_cast<size_t>(op.args[0])].index;
  }
  return std::nullopt;
}

StagePlan planStages(const Kernel& kernel) { return Planner(kernel).plan(); }

}  // namespace ptowsp
