// SPDX-License-Identifier: MIT
#include "generator/analyze/accumulators.h"

#include <algorithm>
#include <set>
#include <string>

namespace ptowsp {
namespace {

class Accumulators {
 public:
  explicit Accumulators(Kernel& kernel) : kernel_(kernel) {
    definition_.assign(kernel.values.size(), -1);
    uses_.assign(kernel.values.size(), 0);
    for (const Value& value : kernel.values) names_.insert(value.name);
    for (size_t o = 0; o < kernel.ops.size(); ++o) {
      const KernelOp& op = kernel.ops[o];
      if (op.result >= 0) definition_[static_cast<size_t>(op.result)] = static_cast<int>(o);
      for (size_t a = op.op->form == ops::Form::store ? 1 : 0; a < op.args.size(); ++a)
        ++uses_[static_cast<size_t>(op.args[a])];
    }
  }

  std::vector<int> run() {
    for (size_t o = 0; o < kernel_.ops.size(); ++o) {
      const KernelOp& op = kernel_.ops[o];
      groups_.push_back(op.op->cube ? static_cast<int>(o) : -1);
      if (!op.op->cube || op.args.size() < 3 || mayStay(o)) continue;
      taken_out_.insert(o);
    }
    return addInstead();
  }

 private:
  bool mayStay(size_t o) {
    const int accumulator = kernel_.ops[o].args[2];
    const Value& value = kernel_.values[static_cast<size_t>(accumulator)];
    const int source = definition_[static_cast<size_t>(accumulator)];
    if (value.kind == Value::Kind::literal) return true;
    if (value.kind == Value::Kind::tile) return isAddedToMemory(o, accumulator);
    if (source < 0) return false;
    const KernelOp& made = kernel_.ops[static_cast<size_t>(source)];
    if (made.op->form == ops::Form::constant) return true;
    // A matmul whose own accumulator is added later does not hold that sum itself.
    if (!made.op->cube || taken_out_.contains(static_cast<size_t>(source))) return false;
    if (!continued_.insert(source).second) return false;
    const int group = groups_[static_cast<size_t>(source)];
    if (dependsOnGroup(kernel_.ops[o], group)) return false;
    groups_[o] = group;
    return true;
  }

  bool isAddedToMemory(size_t o, int tile) const {
    const int sum = kernel_.ops[o].result;
    if (uses_[static_cast<size_t>(tile)] != 1 || uses_[static_cast<size_t>(sum)] != 1) return false;
    return std::ranges::any_of(kernel_.ops, [&](const KernelOp& op) {
      return op.op->form == ops::Form::store && op.args[0] == tile && op.args[1] == sum;
    });
  }

  // Whether the factors follow, by whatever way, from a matmul of the group: then they cannot be in
  // one stage.
  bool dependsOnGroup(const KernelOp& matmul, int group) const {
    std::vector<int> open = {matmul.args[0], matmul.args[1]};
    std::set<size_t> seen;
    const auto visit = [&](size_t op) {
      if (seen.insert(op).second)
        open.insert(open.end(), kernel_.ops[op].args.begin(), kernel_.ops[op].args.end());
    };
    while (!open.empty()) {
      const int source = definition_[static_cast<size_t>(open.back())];
      open.pop_back();
      if (source < 0) continue;
      const auto op = static_cast<size_t>(source);
      if (groups_[op] == group) return true;
      visit(op);
      // What is computed together waits for all that any part of it needs.
      for (size_t other = 0; groups_[op] >= 0 && other < groups_.size(); ++other)
        if (groups_[other] == groups_[op]) visit(other);
    }
    return false;
  }

  // The changed kernel, and the groups with the numbers that its ops have.
  std::vector<int> addInstead() {
    std::vector<KernelOp> ops;
    std::vector<int> groups, moved;
    for (size_t o = 0; o < kernel_.ops.size(); ++o) {
      KernelOp& op = kernel_.ops[o];
      moved.push_back(static_cast<int>(ops.size()));
      groups.push_back(groups_[o] < 0 ? -1 : moved[static_cast<size_t>(groups_[o])]);
      if (!taken_out_.contains(o)) {
        ops.push_back(std::move(op));
        continue;
      }
      Value product = kernel_.values[static_cast<size_t>(op.result)];
      product.name += "_product";
      while (!names_.insert(product.name).second) product.name += '_';
      KernelOp add;
      add.op = ops::findOp("add");
      add.place = op.place;
      add.args = {op.args[2], static_cast<int>(kernel_.values.size())};
      add.result = op.result;
      op.result = add.args[1];
      op.args.pop_back();
      kernel_.values.push_back(std::move(product));
      ops.push_back(std::move(op));
      ops.push_back(std::move(add));
      groups.push_back(-1);
    }
    kernel_.ops = std::move(ops);
    return groups;
  }

  Kernel& kernel_;
  std::vector<int> definition_, uses_, groups_;
  std::set<std::string> names_;
  std::set<int> continued_;       // matmuls that another one accumulates into
  std::set<size_t> taken_out_;  // matmuls whose accumulator an add takes instead
};

}  // namespace

std::vector<int> groupAccumulators(Kernel& kernel) { return Accumulators(kernel).run(); }

}  // namespace ptowsp
