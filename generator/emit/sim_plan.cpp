// SPDX-License-Identifier: MIT
#include "generator/emit/sim_plan.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "generator/emit/element.h"

namespace ptowsp {
namespace {

// An op that costs no more than a load and a store is computed again instead of kept, and so are two.
constexpr int kRecomputeAtMost = 2;

bool isCheap(const ops::OpInfo& op) {
  static const std::set<std::string_view> cheap = {"add", "sub", "mul", "max",
                                                   "min", "neg", "abs", "relu"};
  return cheap.contains(op.name);
}

// Place: where in the kernel something happens. Phases order row loops, levels order their passes.
struct Place {
  int phase = 0, level = 0;
  auto operator<=>(const Place&) const = default;
};

class Planner {
 public:
  explicit Planner(const Kernel& kernel) : kernel_(kernel) {
    plan_.values = kernel.values;
    plan_.ops = kernel.ops;
    plan_.definition.assign(kernel.values.size(), -1);
    plan_.stored.assign(kernel.tiles.size(), -1);
    plan_.live.assign(kernel.values.size(), false);
    plan_.kept_whole.assign(kernel.values.size(), false);
  }

  SimPlan plan() {
    placeConstants();
    findLiveValues();
    for (const int64_t rows : usedHeights())
      if (rows > 1 && isOneLongRow(rows)) flatten(rows);
    findPlaces();
    findRowVectors();
    std::set<int64_t> heights = usedHeights();
    heights.insert(1);
    for (const int64_t rows : heights) planHeight(rows);
    for (auto& [key, loop] : loops_) plan_.loops.push_back(std::move(loop));
    countBytes();
    return std::move(plan_);
  }

 private:
  // PassKey: a place, and a number of columns.
  using PassKey = std::pair<Place, int64_t>;
  struct Draft {
    std::set<int> loads, computes, folds, column_folds, keeps, stores;
  };

  const Value& at(int value) const { return plan_.values[value]; }
  const KernelOp* definitionOf(int value) const { return plan_.definitionOf(value); }
  bool isTile(int value) const { return at(value).kind == Value::Kind::tile; }
  const Value& tileValue(int tile) const { return at(kernel_.tiles[tile].value); }

  // An operand that broadcasts may as well be the number of which a constant is made.
  void placeConstants() {
    std::map<int, int> number;
    for (const KernelOp& op : plan_.ops)
      if (op.op->form == ops::Form::constant) number[op.result] = op.args[0];
    for (KernelOp& op : plan_.ops) {
      if (op.op->form == ops::Form::row_reduction || op.op->form == ops::Form::col_reduction)
        continue;
      for (int& arg : op.args)
        if (const auto found = number.find(arg); found != number.end()) arg = found->second;
    }
  }

  void markLive(int value) {
    if (plan_.live[value]) return;
    plan_.live[value] = true;
    if (const KernelOp* op = definitionOf(value))
      for (const int arg : op->args) markLive(arg);
  }

  // The last store to a tile is the one that counts; what no store needs is not computed.
  void findLiveValues() {
    for (size_t i = 0; i < plan_.ops.size(); ++i) {
      const KernelOp& op = plan_.ops[i];
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
      if (!op || !plan_.live[value]) continue;
      if (plan_.reducesColumns(static_cast<int>(value)) && at(op->args[0]).rows == rows) return false;
      if (at(value).rows != rows) continue;
      if (op->op->form == ops::Form::row_reduction || !fits(at(value))) return false;
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

  // places_: the first pass in which a value can be computed, or a scalar of a row used. What comes
  // from another loop or an earlier phase is there before the first.
  void findPlaces() {
    places_.assign(plan_.values.size(), {});
    for (const KernelOp& op : plan_.ops) {
      if (op.result < 0) continue;
      Place& place = places_[op.result];
      if (plan_.reducesColumns(op.result)) {
        place.phase = places_[op.args[0]].phase + 1;
        last_phase_ = std::max(last_phase_, place.phase);
        continue;
      }
      for (const int arg : op.args) place.phase = std::max(place.phase, places_[arg].phase);
      for (const int arg : op.args)
        if (at(arg).rows == at(op.result).rows && places_[arg].phase == place.phase)
          place.level = std::max(place.level, places_[arg].level);
      if (plan_.reducesRow(op.result)) ++place.level;
    }
  }

  // row_vectors_: values of one row that loops over several rows read column by column.
  void findRowVectors() {
    const auto use = [&](int value, int64_t rows) {
      if (at(value).rows == 1 && at(value).cols > 1 && rows != 1) row_vectors_.insert(value);
    };
    for (size_t value = 0; value < plan_.values.size(); ++value) {
      const KernelOp* op = definitionOf(static_cast<int>(value));
      if (!op || !plan_.live[value] || plan_.reducesColumns(static_cast<int>(value))) continue;
      for (const int arg : op->args) use(arg, at(value).rows);
    }
    for (size_t tile = 0; tile < plan_.stored.size(); ++tile)
      if (plan_.stored[tile] >= 0) use(plan_.stored[tile], tileValue(tile).rows);
  }

  // Ops to compute a value from what lies in memory, or more than anyone would.
  int costAgain(int value) const {
    const KernelOp* op = definitionOf(value);
    if (at(value).cols == 1 || !op || plan_.reducesColumns(value)) return 0;
    if (op->op->form == ops::Form::constant) return 0;
    if (!isCheap(*op->op)) return kRecomputeAtMost + 1;
    int cost = 1;
    for (const int arg : op->args) cost += costAgain(arg);
    return std::min(cost, kRecomputeAtMost + 1);
  }

  // A scalar that a row of the loop of that phase uses.
  void requireScalar(int value, int64_t rows, int phase) {
    if (rows == 1 || at(value).rows != rows) return;  // known to the whole function
    const bool here = places_[value].phase == phase && !isTile(value);
    if (here) return;
    scalar_loads_[phase].insert(value);
    if (!isTile(value)) plan_.kept_whole[value] = true;
  }

  // Enters into `draft`, a pass at `place` in the loops over `rows` rows, what it takes to have
  // `value` there.
  void require(int value, int64_t rows, Place place, Draft& draft) {
    if (at(value).cols == 1) return requireScalar(value, rows, place.phase);
    if (at(value).rows != rows || isTile(value) || plan_.reducesColumns(value)) {
      draft.loads.insert(value);
      if (isTile(value)) {
        Place& last = last_read_[at(value).index];
        last = std::max(last, place);
      }
      return;
    }
    const bool whole = places_[value].phase != place.phase && rows > 1;
    const bool kept = whole ? plan_.kept_whole[value] : kept_.contains(value);
    if (places_[value] != place && (kept || costAgain(value) > kRecomputeAtMost)) {
      if (whole)
        plan_.kept_whole[value] = true;
      else
        kept_.insert(value);
      drafts_[{places_[value], at(value).cols}].keeps.insert(value);
      draft.loads.insert(value);
      return;
    }
    if (!draft.computes.insert(value).second) return;
    for (const int arg : definitionOf(value)->args) require(arg, rows, place, draft);
  }

  bool isMadeIn(int value, int64_t rows) const {
    return definitionOf(value) && plan_.live[value] && at(value).rows == rows;
  }

  // One sweep from the last pass to the first: a pass that needs an earlier value makes an earlier
  // pass keep it.
  void sweep(int64_t rows, const std::map<int, Place>& store_places) {
    drafts_.clear();
    kept_.clear();
    last_read_.clear();
    scalar_loads_.clear();
    for (size_t i = 0; i < plan_.values.size(); ++i) {
      const int value = static_cast<int>(i);
      if (at(value).rows == rows) plan_.kept_whole[i] = false;
      const KernelOp* op = definitionOf(value);
      if (!op || !plan_.live[i]) continue;
      const int arg = op->args[0];
      if (plan_.reducesColumns(value) && at(arg).rows == rows) {
        if (at(arg).cols == 1)
          requireScalar(arg, rows, places_[arg].phase);
        else
          drafts_[{places_[arg], at(arg).cols}].column_folds.insert(value);
      }
      if (at(value).rows != rows || plan_.reducesColumns(value)) continue;
      if (plan_.reducesRow(value)) {
        drafts_[{places_[arg], at(arg).cols}].folds.insert(value);
      } else if (at(value).cols == 1) {
        for (const int scalar : op->args) requireScalar(scalar, rows, places_[value].phase);
      }
      if (row_vectors_.contains(value)) {
        kept_.insert(value);
        drafts_[{places_[value], at(value).cols}].keeps.insert(value);
      }
    }
    for (const auto& [tile, place] : store_places) {
      if (tileValue(tile).cols == 1)
        requireScalar(plan_.stored[tile], rows, place.phase);
      else
        drafts_[{place, tileValue(tile).cols}].stores.insert(tile);
    }
    for (auto it = drafts_.end(); it != drafts_.begin();) {
      --it;
      Draft& draft = it->second;
      const Place place = it->first.first;
      for (const int fold : draft.folds) require(definitionOf(fold)->args[0], rows, place, draft);
      for (const int fold : draft.column_folds)
        require(definitionOf(fold)->args[0], rows, place, draft);
      for (const int keep : draft.keeps) require(keep, rows, place, draft);
      for (const int tile : draft.stores) require(plan_.stored[tile], rows, place, draft);
    }
    for (const auto& [phase, values] : scalar_loads_)
      for (const int value : values)
        if (isTile(value)) {
          Place& last = last_read_[at(value).index];
          last = std::max(last, Place{phase, 0});
        }
  }

  // Where each tile of `rows` rows is stored: not before the last pass that reads the parameter as it
  // was on entry. Waiting may make that pass read another stored parameter, so this repeats until
  // nothing moves.
  std::map<int, Place> draftPasses(int64_t rows) {
    std::map<int, Place> store_places;
    for (size_t i = 0; i < plan_.stored.size(); ++i) {
      const int tile = static_cast<int>(i), value = plan_.stored[i];
      if (value < 0 || tileValue(tile).rows != rows) continue;
      Place& place = store_places[tile];
      place = places_[value];
      if (at(value).rows != rows) place.level = 0;
      if (row_vectors_.contains(kernel_.tiles[tile].value)) place = {last_phase_ + 1, 0};
    }
    for (bool moved = true; moved;) {
      sweep(rows, store_places);
      moved = false;
      for (auto& [tile, place] : store_places) {
        const auto read = last_read_.find(tile);
        if (read == last_read_.end() || read->second <= place) continue;
        place = read->second;
        moved = true;
      }
    }
    return store_places;
  }

  SimPass finish(int64_t columns, const Draft& draft) const {
    SimPass pass;
    pass.columns = columns;
    for (const int value : draft.loads) pass.steps.push_back({value, true});
    for (const int value : draft.computes) pass.steps.push_back({value, false});
    std::sort(pass.steps.begin(), pass.steps.end(),
              [](const SimStep& a, const SimStep& b) { return a.value < b.value; });
    pass.folds.assign(draft.folds.begin(), draft.folds.end());
    pass.column_folds.assign(draft.column_folds.begin(), draft.column_folds.end());
    pass.keeps.assign(draft.keeps.begin(), draft.keeps.end());
    pass.stores.assign(draft.stores.begin(), draft.stores.end());
    return pass;
  }

  SimRowLoop& loopAt(int phase, int64_t rows) {
    SimRowLoop& loop = loops_[{phase, rows}];
    loop.rows = rows;
    return loop;
  }
  SimStage& stageAt(int64_t rows, Place place) {
    SimRowLoop& loop = loopAt(place.phase, rows);
    if (loop.stages.size() <= static_cast<size_t>(place.level)) loop.stages.resize(place.level + 1);
    return loop.stages[place.level];
  }

  void planHeight(int64_t rows) {
    const std::map<int, Place> store_places = draftPasses(rows);
    for (const auto& [key, draft] : drafts_) {
      stageAt(rows, key.first).passes.push_back(finish(key.second, draft));
      for (const int fold : draft.column_folds) loopAt(key.first.phase, rows).columns.push_back(fold);
    }
    for (const int value : kept_)
      if (!plan_.kept_whole[value]) loopAt(places_[value].phase, rows).kept.push_back(value);
    for (const auto& [phase, values] : scalar_loads_)
      loopAt(phase, rows).scalar_loads.assign(values.begin(), values.end());
    for (size_t i = 0; i < plan_.values.size(); ++i) {
      const int value = static_cast<int>(i);
      const KernelOp* op = definitionOf(value);
      if (!plan_.live[i]) continue;
      if (op && plan_.reducesColumns(value) && at(op->args[0]).rows == rows &&
          at(op->args[0]).cols == 1) {
        SimRowLoop& loop = loopAt(places_[op->args[0]].phase, rows);
        loop.columns.push_back(value);
        loop.scalar_folds.push_back(value);
      }
      if (at(value).rows != rows || at(value).cols != 1) continue;
      if (isTile(value) && rows == 1) loopAt(0, 1).scalar_loads.push_back(value);
      if (!op) continue;
      if (!plan_.reducesRow(value)) stageAt(rows, places_[value]).scalars.push_back(value);
      if (plan_.kept_whole[i]) loopAt(places_[value].phase, rows).scalar_keeps.push_back(value);
    }
    for (const auto& [tile, place] : store_places)
      if (tileValue(tile).cols == 1) loopAt(place.phase, rows).scalar_stores.push_back(tile);
  }

  void countBytes() {
    for (const SimRowLoop& loop : plan_.loops) {
      for (const int value : loop.kept)
        plan_.temporary_bytes += at(value).cols * elementOf(at(value).dtype).bytes;
      for (const int value : loop.columns) plan_.temporary_bytes += at(value).cols * 4;
    }
    for (size_t i = 0; i < plan_.values.size(); ++i)
      if (plan_.kept_whole[i])
        plan_.temporary_bytes +=
            plan_.values[i].rows * plan_.values[i].cols * elementOf(plan_.values[i].dtype).bytes;
  }

  const Kernel& kernel_;
  SimPlan plan_;
  std::vector<Place> places_;
  int last_phase_ = 0;
  std::set<int> row_vectors_;
  std::map<std::pair<int, int64_t>, SimRowLoop> loops_;  // by phase and rows
  // Of the height that is being planned:
  std::map<PassKey, Draft> drafts_;
  std::set<int> kept_;
  std::map<int, std::set<int>> scalar_loads_;  // by phase
  std::map<int, Place> last_read_;  // by tile: the last place that reads it as it was on entry
};

}  // namespace

bool SimPlan::reducesRow(int value) const {
  const KernelOp* op = definitionOf(value);
  return op && op->op->form == ops::Form::row_reduction && values[op->args[0]].cols > 1;
}

bool SimPlan::reducesColumns(int value) const {
  const KernelOp* op = definitionOf(value);
  return op && op->op->form == ops::Form::col_reduction && values[op->args[0]].rows > 1;
}

SimPlan planSimKernel(const Kernel& kernel) { return Planner(kernel).plan(); }

}  // namespace ptowsp
