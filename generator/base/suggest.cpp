// SPDX-License-Identifier: MIT
#include "generator/base/suggest.h"

#include <algorithm>
#include <cctype>

namespace ptowsp {
namespace {

// Distances are counted in halves, so that a slip of case costs less than a wrong letter.
int replaceCost(char a, char b) {
  if (a == b) return 0;
  auto lower = [](char c) { return std::tolower(static_cast<unsigned char>(c)); };
  return lower(a) == lower(b) ? 1 : 2;
}

// Optimal string alignment distance.
int distance(std::string_view a, std::string_view b) {
  std::vector<int> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) last[j] = static_cast<int>(2 * j);
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = static_cast<int>(2 * i);
    for (size_t j = 1; j <= b.size(); ++j) {
      row[j] =
          std::min({last[j] + 2, row[j - 1] + 2, last[j - 1] + replaceCost(a[i - 1], b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before[j - 2] + 2);
      }
    }
    std::swap(before, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

}  // namespace

std::string_view nearestName(std::string_view name, const std::vector<std::string_view>& known) {
  constexpr size_t kLongest = 64;  // nobody misspells more than that; keeps the search cheap
  if (name.empty() || name.size() > kLongest) return {};
  // A third of the letters may be wrong, at least one: `ad` is `add`, `x` is not `y`.
  int best = static_cast<int>(2 * std::max<size_t>(1, name.size() / 3)) + 1;
  std::string_view nearest;
  for (std::string_view candidate : known) {
    if (candidate.size() > kLongest) continue;
    int d = distance(name, candidate);
    if (name.size() == candidate.size() &&
        std::equal(name.begin(), name.end(), candidate.begin(),
                   [](char a, char b) { return replaceCost(a, b) < 2; })) {
      d = std::min(d, 1);  // the same word in other case: `ADD` for `add`
    }
    // A word cut short or drawn out: `in` for `input`, `output` for `out`.
    if (std::min(name.size(), candidate.size()) >= 2 &&
        (name.starts_with(candidate) || candidate.starts_with(name))) {
      d = std::min(d, 2);
    }
    bool shares_nothing = d >= static_cast<int>(2 * std::max(name.size(), candidate.size()));
    if (d < best && !shares_nothing) {
      best = d;
      nearest = candidate;
    }
  }
  return nearest;
}

std::string suggestion(std::string_view name, std::string_view what,
                       const std::vector<std::string_view>& known) {
  if (known.empty()) return {};
  if (std::string_view nearest = nearestName(name, known); !nearest.empty()) {
    return "did you mean '" + std::string(nearest) + "'?";
  }
  constexpr size_t kMost = 24;
  std::string text = "known " + std::string(what) + ": ";
  for (size_t i = 0; i < known.size() && i < kMost; ++i) {
    text += (i ? ", " : "") + std::string(known[i]);
  }
  if (known.size() > kMost) text += ", ...";
  return text;
}

}  // namespace ptowsp
