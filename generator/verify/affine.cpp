// SPDX-License-Identifier: MIT
#include "generator/verify/affine.h"

#include <algorithm>

#include "generator/base/checked.h"

namespace ptowsp {
namespace {

Wide floorDivide(Wide a, Wide b) {
  Wide quotient = a / b;
  return a % b != 0 && (a < 0) != (b < 0) ? quotient - 1 : quotient;
}

Wide ceilDivide(Wide a, Wide b) { return -floorDivide(-a, b); }

class Search {
 public:
  Search(const std::vector<Constraint>& constraints, const std::vector<Loop>& loops)
      : constraints_(constraints), loops_(loops), iteration_(loops.size(), 0) {
    // rest_[c][d]: the range that loops d and deeper can add to constraint c.
    for (const Constraint& constraint : constraints) {
      std::vector<Range>& rest = rest_.emplace_back(loops.size() + 1);
      for (size_t d = loops.size(); d-- > 0;) {
        Wide reach =
            static_cast<Wide>(constraint.expression.coefficients[d]) * (loops[d].extent - 1);
        rest[d] = {rest[d + 1].low + std::min<Wide>(reach, 0),
                   rest[d + 1].high + std::max<Wide>(reach, 0)};
      }
      base_.push_back(constraint.expression.constant);
    }
  }

  bool from(size_t depth) {
    Wide first = 0, last = depth < loops_.size() ? loops_[depth].extent - 1 : 0;
    for (size_t c = 0; c < constraints_.size(); ++c) {
      // Wanted: low <= base + k * v + rest <= high for some rest within its range.
      Wide k = depth < loops_.size() ? constraints_[c].expression.coefficients[depth] : 0;
      Range rest = rest_[c][std::min(depth + 1, loops_.size())];
      Wide low = constraints_[c].low - base_[c] - rest.high;
      Wide high = constraints_[c].high - base_[c] - rest.low;
      if (k == 0) {
        if (low > 0 || high < 0) return false;
      } else {
        first = std::max(first, k > 0 ? ceilDivide(low, k) : ceilDivide(high, k));
        last = std::min(last, k > 0 ? floorDivide(high, k) : floorDivide(low, k));
      }
    }
    if (first > last) return false;
    if (depth == loops_.size()) return true;
    // A loop that no expression depends on cannot change the answer.
    bool idle = std::all_of(constraints_.begin(), constraints_.end(), [&](const Constraint& c) {
      return c.expression.coefficients[depth] == 0;
    });
    if (idle) last = first;
    for (Wide value = first; value <= last; ++value) {
      iteration_[depth] = static_cast<int64_t>(value);
      move(depth, value);
      bool found = from(depth + 1);
      move(depth, -value);
      if (found) return true;
    }
    return false;
  }

  std::vector<int64_t> iteration() const { return iteration_; }

 private:
  struct Range {
    Wide low = 0, high = 0;
  };

  void move(size_t depth, Wide value) {
    for (size_t c = 0; c < constraints_.size(); ++c) {
      base_[c] += value * constraints_[c].expression.coefficients[depth];
    }
  }

  const std::vector<Constraint>& constraints_;
  const std::vector<Loop>& loops_;
  std::vector<int64_t> iteration_;
  std::vector<std::vector<Range>> rest_;
  std::vector<Wide> base_;  // each expression's value from the constant and the outer loops
};

}  // namespace

std::optional<std::vector<int64_t>> firstIteration(const std::vector<Constraint>& constraints,
                                                   const std::vector<Loop>& loops) {
  Search search(constraints, loops);
  if (!search.from(0)) return std::nullopt;
  return search.iteration();
}

std::string iterationText(const std::vector<Constraint>& constraints,
                          const std::vector<Loop>& loops, const std::vector<int64_t>& iteration) {
  std::string text;
  for (size_t d = 0; d < loops.size(); ++d) {
    bool used = std::any_of(constraints.begin(), constraints.end(),
                            [&](const Constraint& c) { return c.expression.coefficients[d] != 0; });
    if (!used) continue;
    text += (text.empty() ? "" : ", ") + loops[d].variable + "=" + std::to_string(iteration[d]);
  }
  return text;
}

std::optional<Affine> difference(const Affine& a, const Affine& b) {
  Affine result;
  std::optional<int64_t> constant = checkedSub(a.constant, b.constant);
  if (!constant) return std::nullopt;
  result.constant = *constant;
  for (size_t d = 0; d < a.coefficients.size(); ++d) {
    std::optional<int64_t> k = checkedSub(a.coefficients[d], b.coefficients[d]);
    if (!k) return std::nullopt;
    result.coefficients.push_back(*k);
  }
  return result;
}

Wide valueAt(const Affine& expression, const std::vector<int64_t>& iteration) {
  Wide value = expression.constant;
  for (size_t d = 0; d < expression.coefficients.size(); ++d) {
    value += static_cast<Wide>(expression.coefficients[d]) * iteration[d];
  }
  return value;
}

}  // namespace ptowsp
