// SPDX-License-Identifier: MIT
// The cutter against brute force: every way of cutting small random graphs is tried.
#include "ptowsp/segments.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <utility>
#include <vector>

#include "tests/seed.h"

namespace ptowsp::graph {
namespace {

struct Flow {
  int tensor, from, to;
};

struct Case {
  limits::LaunchLimits limits;
  uint64_t launch_bytes = 0;
  int64_t pairs = 1;
  std::vector<uint64_t> bytes;                 // of each tensor
  std::vector<std::vector<int>> predecessors;  // of each task
  std::vector<Flow> flows;

  int tasks() const { return static_cast<int>(predecessors.size()); }
};

// How many relays it takes: each has `fanout` places and takes one.
int64_t relaysFor(int64_t successors, int64_t fanout) {
  int64_t relays = 0;
  while ((relays + 1) * fanout - relays < successors) ++relays;
  return relays;
}

bool fits(const Case& c, int begin, int end) {
  std::map<int, int64_t> fan_out;
  for (int task = begin; task < end; ++task) {
    for (const int from : c.predecessors[task]) fan_out[from] += from >= begin;
  }
  int64_t count = end - begin;
  for (const auto& [task, successors] : fan_out) count += relaysFor(successors, c.limits.fanout);
  return count <= c.limits.tasks;
}

bool crosses(const Case& c, int tensor, int cut) {
  return c.bytes[tensor] > 0 && std::any_of(c.flows.begin(), c.flows.end(), [&](const Flow& flow) {
           return flow.tensor == tensor && flow.from < cut && cut <= flow.to;
         });
}

constexpr uint64_t kImpossible = UINT64_MAX;

// Cost of these cuts, ascending; kImpossible when a launch does not fit.
uint64_t costOf(const Case& c, const std::vector<int>& cuts) {
  if (c.pairs > c.limits.pairs) return kImpossible;
  uint64_t cost = 0;
  int begin = 0;
  for (const int cut : cuts) {
    if (!fits(c, begin, cut)) return kImpossible;
    int64_t pairs = c.pairs;
    cost += c.launch_bytes + 1;
    for (size_t tensor = 0; tensor < c.bytes.size(); ++tensor) {
      if (!crosses(c, static_cast<int>(tensor), cut)) continue;
      cost += 2 * c.bytes[tensor];
      ++pairs;
    }
    if (pairs > c.limits.pairs) return kImpossible;
    begin = cut;
  }
  return fits(c, begin, c.tasks()) ? cost : kImpossible;
}

uint64_t cheapest(const Case& c) {
  uint64_t best = kImpossible;
  for (unsigned set = 0; set < 1u << (c.tasks() - 1); ++set) {
    std::vector<int> cuts;
    for (int i = 1; i < c.tasks(); ++i) {
      if (set >> (i - 1) & 1) cuts.push_back(i);
    }
    best = std::min(best, costOf(c, cuts));
  }
  return best;
}

Case randomCase(std::mt19937& rng) {
  const auto below = [&](int n) { return static_cast<int>(rng() % static_cast<unsigned>(n)); };
  Case c;
  c.limits = {2 + below(6), 2 + below(3), 2 + below(4)};
  c.launch_bytes = static_cast<uint64_t>(below(3) * 10);
  c.pairs = 1 + below(2);
  for (int i = below(5); i >= 0; --i) c.bytes.push_back(below(4) ? 1 + below(40) : 0);
  const int tasks = 1 + below(11);
  for (int task = 0; task < tasks; ++task) {
    c.predecessors.emplace_back();
    for (int from = 0; from < task; ++from) {
      if (from < 2 ? below(2) : !below(4)) c.predecessors[task].push_back(from);
    }
    for (int tensor = 0; tensor < static_cast<int>(c.bytes.size()); ++tensor) {
      for (int more = below(3); task > 0 && more > 0; --more)
        if (!below(3)) c.flows.push_back({tensor, below(task), task});
    }
  }
  return c;
}

TEST(SegmentPlanner, CutsAsCheaplyAsAnyWayOfCutting) {
  std::mt19937 rng(static_cast<uint32_t>(test::testSeed()));
  std::map<std::string, int> seen;
  for (int i = 0; i < 20000; ++i) {
    const Case c = randomCase(rng);
    SegmentPlanner planner(c.limits, c.launch_bytes, c.pairs);
    for (const uint64_t bytes : c.bytes) planner.addTensor(bytes);
    for (int task = 0; task < c.tasks(); ++task) {
      for (const Flow& flow : c.flows) {
        if (flow.to == task) planner.flow(flow.tensor, flow.from);
      }
      std::vector<int32_t> predecessors(c.predecessors[task].begin(), c.predecessors[task].end());
      planner.add(predecessors.data(), static_cast<int32_t>(predecessors.size()));
    }
    planner.cut();
    const uint64_t best = cheapest(c);
    ASSERT_EQ(planner.status(), best == kImpossible ? PlanStatus::too_many_pairs : PlanStatus::ok)
        << "case " << i;
    ++seen[best == kImpossible ? "impossible" : planner.segments() == 1 ? "whole" : "cut"];
    if (best == kImpossible) continue;
    std::vector<int> cuts;
    for (int32_t s = 1; s < planner.segments(); ++s) cuts.push_back(planner.start(s));
    ASSERT_EQ(planner.start(0), 0);
    ASSERT_EQ(planner.start(planner.segments()), c.tasks());
    ASSERT_EQ(costOf(c, cuts), best) << i;
    for (int tensor = 0; tensor < static_cast<int>(c.bytes.size()); ++tensor) {
      bool any = false;
      for (int cut = 1; cut < c.tasks(); ++cut)
        ASSERT_EQ(planner.crosses(tensor, cut), crosses(c, tensor, cut)) << i;
      for (const int cut : cuts) any = any || crosses(c, tensor, cut);
      ASSERT_EQ(planner.spills(tensor), any) << i;
    }
  }
  EXPECT_GT(seen["impossible"], 500);
  EXPECT_GT(seen["whole"], 500);
  EXPECT_GT(seen["cut"], 500);
}

TEST(SegmentPlanner, NoLimitsMeanOneSegment) {
  SegmentPlanner planner({}, 0, 1);
  planner.addTensor(8);
  for (int32_t task = 0; task < 5000; ++task) {
    const int32_t from = 0;
    if (task > 0) planner.flow(0, 0);
    planner.add(&from, task > 0);
  }
  planner.cut();
  ASSERT_EQ(planner.status(), PlanStatus::ok);
  EXPECT_EQ(planner.segments(), 1);
  EXPECT_FALSE(planner.spills(0));
}

TEST(SegmentPlanner, AnEmptyGraphIsOneSegment) {
  SegmentPlanner planner(limits::kPinned, 0, 1);
  planner.cut();
  ASSERT_EQ(planner.status(), PlanStatus::ok);
  EXPECT_EQ(planner.segments(), 0) << "of no tasks";
}

TEST(RelayTree, ReachesEverySuccessorThroughFullNodes) {
  for (int64_t fanout = 2; fanout <= 9; ++fanout) {
    for (int64_t successors = 0; successors < 200; ++successors) {
      const RelayTree tree(successors, fanout);
      ASSERT_EQ(tree.relays, relaysFor(successors, fanout)) << successors << " over " << fanout;
      std::vector<int64_t> used(static_cast<size_t>(tree.relays) + 1), depth(used.size());
      for (int64_t node = 1; node <= tree.relays; ++node) {
        const int64_t parent = tree.parentOfRelay(node);
        ASSERT_LT(parent, node) << "a relay follows what it waits for";
        ++used[parent];
        depth[node] = depth[parent] + 1;
      }
      int64_t deepest = 0, reach = fanout;
      for (int64_t i = 0; i < successors; ++i) {
        const int64_t parent = tree.parentOfSuccessor(i);
        ASSERT_LE(parent, tree.relays);
        ++used[parent];
        deepest = std::max(deepest, depth[parent] + 1);
      }
      for (const int64_t places : used) ASSERT_LE(places, fanout);
      int64_t needed = 1;
      for (; reach < successors; ++needed) reach *= fanout;
      if (successors > 0) {
        EXPECT_EQ(deepest, needed) << successors << " over " << fanout;
      }
    }
  }
}

}  // namespace
}  // namespace ptowsp::graph
