// SPDX-License-Identifier: MIT
#include "generator/analyze/split_kernel.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "generator/analyze/stage_plan.h"

namespace ptowsp {
namespace {

// Builder: the stages' kernels from a plan.
class Builder {
 public:
  explicit Builder(const StagePlan& plan) : plan_(plan), kernel_(plan.kernel) {
    for (const Value& value : kernel_.values) names_.insert(value.name);
  }

  KernelSplit build() {
    std::vector<int> levels;
    for (const std::set<int>& runs : plan_.runs) levels.insert(levels.end(), runs.begin(), runs.end());
    std::ranges::sort(levels);
    levels.erase(std::ranges::unique(levels).begin(), levels.end());
    findCrossings();
    KernelSplit split;
    for (const int level : levels) split.stages.push_back(stage(level));
    for (size_t i = 0; i < split.stages.size(); ++i) {
      Kernel& kernel = split.stages[i].kernel;
      kernel.user_kernel = kernel_.name;
      kernel.stage = static_cast<int>(i);
      kernel.stages = static_cast<int>(split.stages.size());
    }
    split.crossings = std::move(crossings_);
    return split;
  }

 private:
  const Value& valueAt(int value) const { return kernel_.values[static_cast<size_t>(value)]; }
  int userTiles() const { return static_cast<int>(kernel_.tiles.size()); }

  std::string unused(std::string name) {
    while (!names_.insert(name).second) name += '_';
    return name;
  }

  void findCrossings() {
    carrier_.assign(kernel_.values.size(), -1);
    for (size_t v = 0; v < kernel_.values.size(); ++v) {
      if (!plan_.crosses(static_cast<int>(v))) continue;
      const int op = plan_.definition[v];
      if (const std::optional<int> tile = plan_.carryingTile(static_cast<int>(v))) {
        carrier_[v] = *tile;
        continue;
      }
      const Value& value = kernel_.values[v];
      carrier_[v] = userTiles() + static_cast<int>(crossings_.size());
      crossings_.push_back({value.name, value.dtype, value.rows, value.cols,
                            kernel_.ops[static_cast<size_t>(op)].place});
    }
  }

  // StageBuilder: what one stage has so far. `map` is from the user's values to the stage's.
  struct Draft {
    Stage stage;
    std::map<int, int> map;
  };

  static int addValue(Kernel& kernel, Value value) {
    kernel.values.push_back(std::move(value));
    return static_cast<int>(kernel.values.size()) - 1;
  }

  Stage stage(int level) {
    Draft draft;
    Kernel& kernel = draft.stage.kernel;
    kernel.core = level % 2 ? CoreType::aic : CoreType::aiv;
    kernel.place = kernel_.place;
    addParameters(level, draft);
    for (size_t o = 0; o < kernel_.ops.size(); ++o) {
      if (!plan_.runs[o].contains(level)) continue;
      const KernelOp& op = kernel_.ops[o];
      KernelOp copy = op;
      for (int& arg : copy.args) arg = mapped(draft, arg);
      if (op.result >= 0) {
        copy.result = addValue(kernel, valueAt(op.result));
        draft.map[op.result] = copy.result;
      }
      kernel.ops.push_back(std::move(copy));
    }
    for (size_t v = 0; v < kernel_.values.size(); ++v)
      if (carrier_[v] >= userTiles() && plan_.home(static_cast<int>(v)) == level)
        addCrossingStore(static_cast<int>(v), draft);
    return std::move(draft.stage);
  }

  // Parameters in the user's order, then values from other stages, then values for them.
  void addParameters(int level, Draft& draft) {
    std::set<int> read, written;  // tiles as the stage's `tiles` numbers them
    std::map<int, int> meaning;   // tile -> value that it stands for
    std::set<int> scalars;
    const auto reads = [&](int v) {
      const Value& value = valueAt(v);
      if (value.kind == Value::Kind::scalar) scalars.insert(value.index);
      if (value.kind == Value::Kind::tile) {
        read.insert(value.index);
        meaning[value.index] = v;
      }
      if (value.kind == Value::Kind::result && !plan_.isMadeAt(v, level)) {
        const int tile = carrier_[static_cast<size_t>(v)];
        read.insert(tile);
        meaning[tile] = v;
      }
    };
    for (size_t o = 0; o < kernel_.ops.size(); ++o) {
      if (!plan_.runs[o].contains(level)) continue;
      const KernelOp& op = kernel_.ops[o];
      const bool store = op.op->form == ops::Form::store;
      for (size_t a = store ? 1 : 0; a < op.args.size(); ++a) reads(op.args[a]);
      if (store) written.insert(valueAt(op.args[0]).index);
    }
    std::set<int> tiles = read;
    tiles.insert(written.begin(), written.end());
    for (const int tile : tiles) {
      TileParameter parameter = tileOf(tile);
      const bool in = read.contains(tile), out = written.contains(tile);
      parameter.access = in && out ? Access::inout : out ? Access::out : Access::in;
      const int user_value = tile < userTiles() ? kernel_.tiles[static_cast<size_t>(tile)].value : -1;
      addTile(draft, std::move(parameter), tile);
      if (in) draft.map[meaning.at(tile)] = draft.stage.kernel.tiles.back().value;
      if (user_value >= 0) draft.map.emplace(user_value, draft.stage.kernel.tiles.back().value);
    }
    for (const int scalar : scalars) {
      const ScalarParameter& user = kernel_.scalars[static_cast<size_t>(scalar)];
      Kernel& kernel = draft.stage.kernel;
      Value value = valueAt(user.value);
      value.index = static_cast<int>(kernel.scalars.size());
      ScalarParameter parameter = user;
      parameter.value = draft.map[user.value] = addValue(kernel, std::move(value));
      kernel.scalars.push_back(std::move(parameter));
      draft.stage.scalars.push_back(scalar);
    }
  }

  TileParameter tileOf(int tile) const {
    if (tile < userTiles()) return kernel_.tiles[static_cast<size_t>(tile)];
    const Crossing& crossing = crossings_[static_cast<size_t>(tile - userTiles())];
    TileParameter parameter;
    parameter.name = crossing.name;
    parameter.dtype = crossing.dtype;
    parameter.rows = crossing.rows;
    parameter.cols = crossing.cols;
    return parameter;
  }

  static void addTile(Draft& draft, TileParameter parameter, int source) {
    Kernel& kernel = draft.stage.kernel;
    Value value;
    value.kind = Value::Kind::tile;
    value.name = parameter.name;
    value.dtype = parameter.dtype;
    value.rows = parameter.rows;
    value.cols = parameter.cols;
    value.index = static_cast<int>(kernel.tiles.size());
    parameter.value = addValue(kernel, std::move(value));
    kernel.tiles.push_back(std::move(parameter));
    draft.stage.tiles.push_back(source);
  }

  int mapped(Draft& draft, int value) {
    const auto found = draft.map.find(value);
    if (found != draft.map.end()) return found->second;
    return draft.map[value] = addValue(draft.stage.kernel, valueAt(value));  // a literal
  }

  void addCrossingStore(int v, Draft& draft) {
    TileParameter parameter = tileOf(carrier_[static_cast<size_t>(v)]);
    std::string& name = out_names_[v];
    if (name.empty()) name = unused(parameter.name + "_out");
    parameter.name = name;
    parameter.access = Access::out;
    addTile(draft, std::move(parameter), carrier_[static_cast<size_t>(v)]);
    KernelOp store;
    store.op = ops::findOp("store");
    store.args = {draft.stage.kernel.tiles.back().value, draft.map.at(v)};
    store.place = kernel_.ops[static_cast<size_t>(plan_.definition[static_cast<size_t>(v)])].place;
    draft.stage.kernel.ops.push_back(std::move(store));
  }

  const StagePlan& plan_;
  const Kernel& kernel_;
  std::set<std::string> names_;
  std::vector<Crossing> crossings_;
  std::vector<int> carrier_;  // for each value that crosses, the tile it crosses in; else -1
  std::map<int, std::string> out_names_;
};

}  // namespace

KernelSplit splitKernel(const Kernel& kernel) {
  const auto isCube = [](const KernelOp& op) { return op.op->cube; };
  Stage whole;
  whole.kernel = kernel;
  whole.kernel.core = CoreType::aiv;
  if (std::ranges::any_of(kernel.ops, isCube)) {
    const StagePlan plan = planStages(kernel);
    KernelSplit split = Builder(plan).build();
    if (split.stages.size() > 1) return split;
    whole.kernel.ops = plan.kernel.ops;  // a matmul that nothing needs does not ask for a cube core
    whole.kernel.core = split.stages[0].kernel.core;
  }
  for (size_t t = 0; t < kernel.tiles.size(); ++t) whole.tiles.push_back(static_cast<int>(t));
  for (size_t s = 0; s < kernel.scalars.size(); ++s) whole.scalars.push_back(static_cast<int>(s));
  KernelSplit split;
  split.stages.push_back(std::move(whole));
  return split;
}

}  // namespace ptowsp
