#include "generator/emit/sim_plan.h"

#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <utility>

namespace ptowsp {
namespace {

// Level of a one-row store that must wait until all other loops have read the parameter.
constexpr int kAfterAll = std::numeric_limits<int>::max();

// An op that costs no more than a load and a store is computed again instead of kept, and so are two.
constexpr int kRecomputeAtMost = 2;

bool isCheap(const ops::OpInfo& op) {
  static const std::set<std::string_view> cheap = {"add", "sub", "mul", "max", "min", "neg", "abs"};
  return cheap.contains(op.name);
}

class Planner {
 public:
  explicit Planner(const Kernel& kernel) : kernel_(kernel) {
    plan_.values = kernel.values;
    plan_.definition.assign(kernel.values.size(), -1);
    plan_.stored.assign(kernel.tiles.size(), -1);
    plan_.live.assign(kernel.values.size(), false);
  }

  SimPlan plan() {
    findLiveValues();
    std::set<int64_t> heights = usedHeights();
    for (const int64_t rows : heights)
      if (rows > 1 && isOneLongRow(rows)) flatten(rows);
    findLevels();
    findRowVectors();
    heights = usedHeights();
    heights.insert(1);
    SimRowLoop last;
    for (const int64_t rows : heights) {  // ascending, so that values of one row come first
      SimRowLoop loop = planLoop(rows, rows == 1 ? &last : nullptr);
      plan_.loops.push_back(std::move(loop));
    }
    if (!last.stages.empty()) plan_.loops.push_back(std::move(last));
    for (const SimRowLoop& loop : plan_.loops)
      for (const int value : loop.kept) plan_.temporary_bytes += 4 * at(value).cols;
    return std::move(plan_);
  }

 private:
  // PassKey: a level, and a number of columns.
  using PassKey = std::pair<int, int64_t>;
  struct Draft {
    std::set<int> loads, computes, folds, keeps, stores;
  };

  const Value& at(int value) const { return plan_.values[value]; }
  const KernelOp* definitionOf(int value) const {
    return plan_.definition[value] < 0 ? nullptr : &kernel_.ops[plan_.definition[value]];
  }
  bool isTile(int value) const { return at(value).kind == Value::Kind::tile; }
  bool reduces(const KernelOp& op) const {
    return op.op->form == ops::Form::row_reduction && at(op.args[0]).cols > 1;
  }
  const Value& tileValue(int tile) const { return at(kernel_.tiles[tile].value); }

  void markLive(int value) {
    if (plan_.live[value]) return;
    plan_.live[value] = true;
    if (const KernelOp* op = definitionOf(value))
      for (const int arg : op->args) markLive(arg);
  }

  // The last store to a tile is the one that counts; what no store needs is not computed.
  void findLiveValues() {
    for (size_t i = 0; i < kernel_.ops.size(); ++i) {
      const KernelOp& op = kernel_.ops[i];
      if (op.op->form == ops::Form::store)
        plan_.stored[at(op.args[0]).index] = op.args[1];
      else
        plan_.definition[op.result] = static_cast<int>(i);
    }
    for (const int value : plan_.stored)
      if (value >= 0) markLive(value);
  }

  std::set<int64_t> usedHeights() const {
    std::set<int64_t> heights;
    for (size_t value = 0; value < plan_.values.size(); ++value)
      if (plan_.live[value]) heights.insert(at(value).rows);
    for (size_t tile = 0; tile < plan_.stored.size(); ++tile)
      if (plan_.stored[tile] >= 0) heights.insert(tileValue(tile).rows);
    return heights;
  }

  // Whether the loop over `rows` rows can be one long row: equal shapes, adjacent rows, and nothing
  // that differs between rows or between columns only.
  bool isOneLongRow(int64_t rows) const {
    int64_t cols = 0;
    const auto fits = [&](const Value& value) {
      if (cols == 0) cols = value.cols;
      return value.rows == rows && value.cols == cols;
    };
    const auto isOperand = [&](int value) {
      return (at(value).rows == 1 && at(value).cols == 1) || fits(at(value));
    };
    for (size_t tile = 0; tile < kernel_.tiles.size(); ++tile) {
      const int value = kernel_.tiles[tile].value;
      const int stored = plan_.stored[tile];
      if (at(value).rows != rows || (stored < 0 && !plan_.live[value])) continue;
      if (kernel_.tiles[tile].strided || !fits(at(value))) return false;
      if (stored >= 0 && !isOperand(stored)) return false;
    }
    for (size_t value = 0; value < plan_.values.size(); ++value) {
      const KernelOp* op = definitionOf(static_cast<int>(value));
      if (!op || !plan_.live[value] || at(value).rows != rows) continue;
      if (op->op->form != ops::Form::elementwise || !fits(at(value))) return false;
      if (!std::all_of(op->args.begin(), op->args.end(), isOperand)) return false;
    }
    return true;
  }

  void flatten(int64_t rows) {
    for (Value& value : plan_.values) {
      if (value.rows != rows) continue;
      value.cols *= value.rows;
      value.rows = 1;
    }
  }

  // level_: the first pass in which a value can be computed, or a scalar of a row used. What comes
  // from a loop of one row is there before the first.
  void findLevels() {
    level_.assign(plan_.values.size(), 0);
    for (const KernelOp& op : kernel_.ops) {
      if (op.result < 0) continue;
      int level = 0;
      for (const int arg : op.args)
        if (at(arg).rows == at(op.result).rows) level = std::max(level, level_[arg]);
      level_[op.result] = level + (reduces(op) ? 1 : 0);
    }
  }

  // row_vectors_: values of one row that loops over several rows read column by column.
  void findRowVectors() {
    const auto use = [&](int value, int64_t rows) {
      if (at(value).rows == 1 && at(value).cols > 1 && rows != 1) row_vectors_.insert(value);
    };
    for (size_t value = 0; value < plan_.values.size(); ++value) {
      const KernelOp* op = definitionOf(static_cast<int>(value));
      if (!op || !plan_.live[value]) continue;
      for (const int arg : op->args) use(arg, at(value).rows);
    }
    for (size_t tile = 0; tile < plan_.stored.size(); ++tile)
      if (plan_.stored[tile] >= 0) use(plan_.stored[tile], tileValue(tile).rows);
  }

  // Ops to compute a value from what lies in memory, or more than anyone would.
  int costAgain(int value) const {
    const KernelOp* op = definitionOf(value);
    if (at(value).cols == 1 || !op) return 0;
    if (!isCheap(*op->op)) return kRecomputeAtMost + 1;
    int cost = 1;
    for (const int arg : op->args) cost += costAgain(arg);
    return std::min(cost, kRecomputeAtMost + 1);
  }

  // Enters into `draft`, a pass of level `level` in the loop over `rows` rows, what it takes to have
  // `value` there.
  void require(int value, int64_t rows, int level, Draft& draft) {
    if (at(value).cols == 1) return;  // a scalar
    if (at(value).rows != rows || isTile(value)) {
      draft.loads.insert(value);
      if (isTile(value)) {
        int& last = last_read_[at(value).index];
        last = std::max(last, level);
      }
      return;
    }
    const bool here = level_[value] == level;
    if (!here && (kept_.contains(value) || costAgain(value) > kRecomputeAtMost)) {
      kept_.insert(value);
      drafts_[{level_[value], at(value).cols}].keeps.insert(value);
      draft.loads.insert(value);
      return;
    }
    if (!draft.computes.insert(value).second) return;
    for (const int arg : definitionOf(value)->args) require(arg, rows, level, draft);
  }

  // One sweep from the last pass to the first: a pass that needs an earlier value makes an earlier
  // pass keep it.
  void sweep(int64_t rows, const std::map<int, int>& store_level) {
    drafts_.clear();
    kept_.clear();
    last_read_.clear();
    for (size_t i = 0; i < plan_.values.size(); ++i) {
      const int value = static_cast<int>(i);
      const KernelOp* op = definitionOf(value);
      if (!op || !plan_.live[i] || at(value).rows != rows) continue;
      if (reduces(*op)) {
        const int arg = op->args[0];
        drafts_[{level_[arg], at(arg).cols}].folds.insert(value);
      }
      if (row_vectors_.contains(value)) {
        kept_.insert(value);
        drafts_[{level_[value], at(value).cols}].keeps.insert(value);
      }
    }
    for (const auto& [tile, level] : store_level)
      drafts_[{level, tileValue(tile).cols}].stores.insert(tile);
    for (auto it = drafts_.end(); it != drafts_.begin();) {
      --it;
      Draft& draft = it->second;
      const int level = it->first.first;
      for (const int fold : draft.folds) require(definitionOf(fold)->args[0], rows, level, draft);
      for (const int keep : draft.keeps) require(keep, rows, level, draft);
      for (const int tile : draft.stores) require(plan_.stored[tile], rows, level, draft);
    }
  }

  // Stores wait until the last pass that reads the parameter as it was on entry. Waiting may make
  // that pass read another stored parameter, so this repeats until nothing moves.
  void draftPasses(int64_t rows) {
    std::map<int, int> store_level;
    for (size_t i = 0; i < plan_.stored.size(); ++i) {
      const int tile = static_cast<int>(i), value = plan_.stored[i];
      if (value < 0 || tileValue(tile).rows != rows || tileValue(tile).cols == 1) continue;
      store_level[tile] = at(value).rows == rows ? level_[value] : 0;
      if (row_vectors_.contains(kernel_.tiles[tile].value)) store_level[tile] = kAfterAll;
    }
    for (bool moved = true; moved;) {
      sweep(rows, store_level);
      moved = false;
      for (auto& [tile, level] : store_level) {
        const auto read = last_read_.find(tile);
        if (read == last_read_.end() || read->second <= level) continue;
        level = read->second;
        moved = true;
      }
    }
  }

  static SimPass finish(int64_t columns, const Draft& draft) {
    SimPass pass;
    pass.columns = columns;
    for (const int value : draft.loads) pass.steps.push_back({value, true});
    for (const int value : draft.computes) pass.steps.push_back({value, false});
    std::sort(pass.steps.begin(), pass.steps.end(),
              [](const SimStep& a, const SimStep& b) { return a.value < b.value; });
    pass.folds.assign(draft.folds.begin(), draft.folds.end());
    pass.keeps.assign(draft.keeps.begin(), draft.keeps.end());
    pass.stores.assign(draft.stores.begin(), draft.stores.end());
    return pass;
  }

  // `last` takes the passes that come after all loops.
  SimRowLoop planLoop(int64_t rows, SimRowLoop* last) {
    SimRowLoop loop;
    loop.rows = rows;
    draftPasses(rows);
    loop.kept.assign(kept_.begin(), kept_.end());
    const auto stage = [&](int level) -> SimStage& {
      if (loop.stages.size() <= static_cast<size_t>(level)) loop.stages.resize(level + 1);
      return loop.stages[level];
    };
    for (size_t i = 0; i < plan_.values.size(); ++i) {
      const int value = static_cast<int>(i);
      if (!plan_.live[i] || at(value).rows != rows || at(value).cols != 1) continue;
      const KernelOp* op = definitionOf(value);
      if (isTile(value)) loop.scalar_loads.push_back(value);
      if (op && !reduces(*op)) stage(level_[value]).scalars.push_back(value);
    }
    for (const auto& [key, draft] : drafts_) {
      const auto& [level, columns] = key;
      if (level != kAfterAll)
        stage(level).passes.push_back(finish(columns, draft));
      else if (last->stages.empty())
        last->stages.push_back({{}, {finish(columns, draft)}});
      else
        last->stages[0].passes.push_back(finish(columns, draft));
    }
    for (size_t tile = 0; tile < plan_.stored.size(); ++tile)
      if (plan_.stored[tile] >= 0 && tileValue(tile).rows == rows && tileValue(tile).cols == 1)
        loop.scalar_stores.push_back(static_cast<int>(tile));
    return loop;
  }

  const Kernel& kernel_;
  SimPlan plan_;
  std::vector<int> level_;
  std::set<int> row_vectors_;
  // Of the loop that is being planned:
  std::map<PassKey, Draft> drafts_;
  std::set<int> kept_;
  std::map<int, int> last_read_;  // by tile: the last level that reads it as it was on entry
};

}  // namespace

SimPlan planSimKernel(const Kernel& kernel) { return Planner(kernel).plan(); }

}  // namespace ptowsp
