// SPDX-License-Identifier: MIT
// Random task graphs on a runtime with very small limits, in several launches with relays and argument
// blocks, leave what they leave in one launch: bit for bit. And what an orchestration refuses.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/seed.h"
#include "tests/unit/analyze/strict_runtime.h"
// It needs class Runtime.
#include "ptowsp/orchestration.h"

namespace ptowsp {
namespace {

constexpr int kTensors = 6, kCols = 4, kTask = 0, kRelay = 1;

struct Tile {
  Block block;
  int64_t rows;
  graph::Access access;
};

struct Workload {
  TensorInfo tensors[kTensors] = {};
  std::vector<std::vector<Tile>> tasks;
  Expected expected = {{}, 0, kRelay};
  Dependences dependences = Dependences::dataflow;
};

const Workload* current = nullptr;  // addTasks has no argument for it

// A task's arguments: how many tiles, address, rows and access of each tile, ledger slot, stamp.
int addTasks(Graph& graph) {
  for (const std::vector<Tile>& tiles : current->tasks) {
    graph.begin();
    std::vector<uint64_t> args = {tiles.size()};
    for (const Tile& tile : tiles) {
      graph.access(tile.block, tile.rows, kCols, tile.access);
      args.insert(args.end(), {graph.address(tile.block), static_cast<uint64_t>(tile.rows),
                               static_cast<uint64_t>(tile.access)});
    }
    args.insert(args.end(), {graph.ledgerSlot(), graph.stamp()});
    const auto add = args.size() > limits::kArguments ? &Graph::addWithBlock : &Graph::add;
    if (int error = (graph.*add)("mix", args.data(), static_cast<int>(args.size()), kTask, kCoreAiv))
      return error;
  }
  return 0;
}

// Every element written depends on all that was read, and on the task.
void mix(const Runtime::Task& task) {
  if (task.func_id == kRelay) return;
  std::vector<uint64_t> args = task.args;
  const size_t tiles = args[0], count = 3 * tiles + 3;
  if (count > limits::kArguments) {
    const uint64_t* block = reinterpret_cast<const uint64_t*>(args.back());
    args.pop_back();
    args.insert(args.end(), block, block + count - args.size());
  }
  uint64_t hash = args.back();
  for (int writing = 0; writing < 2; ++writing) {
    for (size_t t = 0; t < tiles; ++t) {
      uint64_t* elements = reinterpret_cast<uint64_t*>(args[3 * t + 1]);
      const auto access = static_cast<graph::Access>(args[3 * t + 3]);
      if (access == (writing ? graph::Access::in : graph::Access::out)) continue;
      for (uint64_t i = 0; i < args[3 * t + 2] * kCols; ++i) {
        if (writing)
          elements[i] = graph::mix64(hash + i);
        else
          hash = graph::mix64(hash ^ elements[i]);
      }
    }
  }
  if (args[args.size() - 2]) *reinterpret_cast<uint64_t*>(args[args.size() - 2]) += args.back();
}

Workload randomWorkload(std::mt19937& rng) {
  const auto below = [&](int64_t n) { return static_cast<int64_t>(rng() % static_cast<uint64_t>(n)); };
  static const char* const names[kTensors] = {"x", "s", "t", "u", "y", "z"};
  constexpr Role roles[kTensors] = {Role::input,     Role::temporary, Role::temporary,
                                    Role::temporary, Role::output,    Role::inout};
  Workload w;
  bool ready[kTensors] = {true, false, false, false, false, true};
  for (int i = 0; i < kTensors; ++i)
    w.tensors[i] = {names[i], roles[i], 1 + below(6), kCols, sizeof(uint64_t), i > 0};
  const int64_t tasks = 1 + below(60);
  for (int64_t task = 0; task < tasks; ++task) {
    std::vector<Tile> tiles;
    for (int i = 0; i < kTensors; ++i) {
      if (below(2)) continue;
      const int64_t all = w.tensors[i].rows, row = below(all);
      auto access = static_cast<graph::Access>(i == 0 ? 0 : below(3));
      if (!ready[i]) {
        tiles.push_back({{i, 0, 0}, all, graph::Access::out});
        ready[i] = true;
      } else {
        // Fans: most tasks read the first row of something.
        if (below(2)) access = graph::Access::in;
        tiles.push_back({{i, row, 0}, 1 + below(all - row), access});
      }
    }
    w.tasks.push_back(tiles);
  }
  w.dependences = below(5) ? Dependences::dataflow : Dependences::program_order;
  return w;
}

// Plan: what the generator computes.
struct Plan {
  int segments = 0;
  std::vector<int> spills;
  bool fits = false;
};

Plan analyze(Workload& w, const limits::LaunchLimits& limits) {
  uint64_t launch_bytes = 0;
  for (const TensorInfo& tensor : w.tensors)
    launch_bytes += tensor.role == Role::temporary ? 0
                    : tensor.role == Role::input   ? bytesOf(tensor)
                                                   : 2 * bytesOf(tensor);
  graph::SegmentPlanner planner(limits, launch_bytes, 3);
  graph::DependenceTracker tracker;
  for (const TensorInfo& tensor : w.tensors) {
    tracker.addTensor(tensor.rows, tensor.cols, tensor.written);
    planner.addTensor(tensor.role == Role::temporary ? bytesOf(tensor) : 0);
  }
  std::map<int32_t, int64_t> fan_out;
  w.expected.totals = {};
  for (const std::vector<Tile>& tiles : w.tasks) {
    tracker.begin();
    for (const Tile& tile : tiles)
      tracker.access(tile.block.tensor, tile.block.row, 0, tile.rows, kCols, tile.access,
                     [&](int32_t earlier, bool wrote, const graph::Rect&) {
                       if (wrote && tile.access != graph::Access::out)
                         planner.flow(tile.block.tensor, earlier);
                     });
    const int32_t previous = static_cast<int32_t>(w.expected.totals.tasks) - 1;
    graph::Predecessors p = tracker.end();
    if (w.dependences == Dependences::program_order) p = {&previous, previous >= 0};
    for (int32_t i = 0; i < p.count; ++i) ++fan_out[p.tasks[i]];
    planner.add(p.tasks, p.count);
    w.expected.totals.add(p.tasks, p.count);
  }
  w.expected.max_fan_out = 0;
  for (const auto& [task, count] : fan_out)
    w.expected.max_fan_out = std::max(w.expected.max_fan_out, count);
  planner.cut();
  Plan plan;
  plan.fits = planner.status() == graph::PlanStatus::ok;
  if (!plan.fits) return plan;
  plan.segments = planner.segments();
  for (int i = 0; i < kTensors; ++i)
    if (planner.spills(i)) plan.spills.push_back(i);
  return plan;
}

// Host: what a runner owns.
struct Host {
  std::vector<std::vector<uint64_t>> arrays, spills;
  std::vector<uint64_t> ledger;

  Host(const Workload& w, const Plan& plan) : ledger(w.tasks.size()) {
    for (const TensorInfo& tensor : w.tensors) {
      if (tensor.role == Role::temporary) continue;
      arrays.emplace_back(bytesOf(tensor) / 8, 0xABCD);
      for (size_t i = 0; i < arrays.back().size(); ++i) arrays.back()[i] += i * arrays.size();
    }
    for (const int tensor : plan.spills) spills.emplace_back(bytesOf(w.tensors[tensor]) / 8);
  }
  std::vector<uint64_t> args(int segment) {
    std::vector<uint64_t> args;
    for (auto& array : arrays)
      args.insert(args.end(), {reinterpret_cast<uint64_t>(array.data()), array.size() * 8});
    if (segment < 0) return args;
    args.insert(args.end(),
                {static_cast<uint64_t>(segment), reinterpret_cast<uint64_t>(ledger.data())});
    for (auto& spill : spills) args.push_back(reinterpret_cast<uint64_t>(spill.data()));
    return args;
  }
};

// Builds one launch and runs it; the orchestration's return code. `real`: what the runtime holds, where
// that is less than the orchestration was compiled for.
int launch(const Workload& w, const limits::LaunchLimits& limits, const std::vector<uint64_t>& args,
           std::mt19937& rng, int* relays = nullptr, const limits::LaunchLimits* real = nullptr) {
  Runtime runtime(real ? *real : limits);
  current = &w;
  Graph graph(&runtime, w.tensors, w.expected, w.dependences, limits);
  const int code = graph.build(args.data(), static_cast<int>(args.size()), addTasks);
  if (code != 0) return code;
  for (int i = 0; relays && i < runtime.get_task_count(); ++i)
    *relays += runtime.get_task(i)->func_id == kRelay;
  runtime.run(rng, mix);
  return 0;
}

TEST(SegmentedRun, LeavesWhatOneLaunchLeaves) {
  std::mt19937 rng(static_cast<uint32_t>(test::testSeed()));
  int cut = 0, spilled = 0, relayed = 0, refused = 0;
  for (int i = 0; i < 3000; ++i) {
    SCOPED_TRACE("case " + std::to_string(i));
    Workload w = randomWorkload(rng);
    const limits::LaunchLimits limits = {3 + static_cast<int64_t>(rng() % 20),
                                         2 + static_cast<int64_t>(rng() % 4),
                                         4 + static_cast<int64_t>(rng() % 3)};
    const Plan plan = analyze(w, limits);
    if (!plan.fits) {
      ++refused;
      continue;
    }
    Host whole(w, {}), parts(w, plan);
    ASSERT_EQ(launch(w, {}, whole.args(0), rng), 0);
    int relays = 0;
    for (int segment = 0; segment < plan.segments; ++segment)
      ASSERT_EQ(launch(w, limits, parts.args(segment), rng, &relays), 0) << segment;
    ASSERT_EQ(whole.arrays[0], parts.arrays[0]);
    ASSERT_EQ(whole.arrays[1], parts.arrays[1]);
    ASSERT_EQ(whole.arrays[2], parts.arrays[2]);
    for (size_t task = 0; task < w.tasks.size(); ++task) {
      ASSERT_EQ(whole.ledger[task], task + 1);
      ASSERT_EQ(parts.ledger[task], task + 1);
    }
    cut += plan.segments > 1;
    spilled += !plan.spills.empty();
    relayed += relays > 0;
  }
  EXPECT_GT(cut, 500);
  EXPECT_GT(spilled, 300);
  EXPECT_GT(relayed, 300);
  EXPECT_GT(refused, 20);
}

// Refused: what the orchestration returns and says.
class Refused : public ::testing::Test {
 protected:
  // A chain of three steps over four rows, x -> s -> t -> y, in launches of six tasks.
  void SetUp() override {
    const char* const names[kTensors] = {"x", "s", "t", "u", "y", "z"};
    for (int i = 0; i < kTensors; ++i)
      w_.tensors[i] = {names[i], i == 0 ? Role::input : i == 4 ? Role::output : Role::temporary,
                       4, kCols, sizeof(uint64_t), i > 0};
    for (const auto& [from, to] : {std::pair(0, 1), {1, 2}, {2, 4}}) {
      for (int64_t row = 0; row < 4; ++row)
        w_.tasks.push_back({{{from, row, 0}, 1, graph::Access::in}, {{to, row, 0}, 1, graph::Access::out}});
    }
    plan_ = analyze(w_, limits_);
    ASSERT_EQ(plan_.segments, 2);
    ASSERT_FALSE(plan_.spills.empty());
  }
  void expect(int code, const std::string& text, const std::vector<uint64_t>& args) {
    ::testing::internal::CaptureStderr();
    EXPECT_EQ(launch(w_, limits_, args, rng_, nullptr, &real_), code);
    EXPECT_EQ(::testing::internal::GetCapturedStderr(), "ptowsp: " + text + "\n");
  }

  limits::LaunchLimits limits_ = {6, 4, 8};
  limits::LaunchLimits real_ = limits_;  // of the runtime
  Workload w_;
  Plan plan_;
  std::mt19937 rng_{1};
};

TEST_F(Refused, TheWholeGraphWhereItDoesNotFit) {
  expect(kErrorTooManyTasks,
         "the whole graph was asked for: its 12 tasks take 2 launches of this runtime, each with a "
         "segment number",
         Host(w_, plan_).args(-1));
}

TEST_F(Refused, ASegmentThatThereIsNot) {
  Host host(w_, plan_);
  expect(kErrorSegment, "this graph has no segment 2, it has 2", host.args(2));
}

TEST_F(Refused, AMissingSpillPointer) {
  Host host(w_, plan_);
  std::vector<uint64_t> args = host.args(0);
  args.pop_back();
  expect(kErrorArguments,
         "orchestration got " + std::to_string(args.size()) +
             " arguments, expected 4, segment, ledger, and its spill pointers",
         args);
}

TEST_F(Refused, ANullSpillPointer) {
  Host host(w_, plan_);
  std::vector<uint64_t> args = host.args(0);
  args.back() = 0;
  expect(kErrorArguments,
         std::string("temporary ") + w_.tensors[plan_.spills.back()].name + ": the spill pointer is null",
         args);
}

TEST_F(Refused, AWrongSize) {
  Host host(w_, plan_);
  std::vector<uint64_t> args = host.args(0);
  args[1] = 8;
  expect(kErrorArguments, "tensor x: got 8 bytes, expected 128", args);
}

TEST_F(Refused, WrongCounts) {
  Host host(w_, plan_);
  ++w_.expected.totals.tasks;
  expect(kErrorTotals, "the graph has 12 tasks, the generator counted 13", host.args(0));
  w_.expected.totals.tasks -= 2;
  expect(kErrorTotals, "task of mix: the generator counted 11 tasks only", host.args(0));
  ++w_.expected.totals.tasks;
  ++w_.expected.totals.edges;
  expect(kErrorTotals, "the graph has 8 edges, the generator counted 9", host.args(0));
}

TEST_F(Refused, WhatTheRuntimeDropped) {
  Host host(w_, plan_);
  real_ = {3, 4, 8};
  expect(kErrorAddTask, "task of mix: the runtime refused task 3, or gave it an id out of order",
         host.args(0));
  real_ = {6, 4, 1};
  expect(kErrorTooManyTensors, "tensor t: the runtime records only 1 tensors to bring back",
         host.args(0));
  real_ = {6, 0, 8};
  expect(kErrorTotals, "the runtime lost an edge of task 0", host.args(0));
}

TEST_F(Refused, ARelayWithoutItsKernel) {
  w_.tasks.clear();
  for (int64_t i = 0; i < 5; ++i)
    w_.tasks.push_back({{{1, 0, 0}, 1, i ? graph::Access::in : graph::Access::out},
                        {{4, i % 4, 0}, 1, graph::Access::out}});
  limits_ = {20, 2, 8};
  plan_ = analyze(w_, limits_);
  w_.expected.relay = -1;
  Host host(w_, plan_);
  expect(kErrorRelay,
         "the graph: tasks have more successors than the 2 that the runtime keeps, and the workload was "
         "emitted without a relay kernel",
         host.args(0));
}

}  // namespace
}  // namespace ptowsp
