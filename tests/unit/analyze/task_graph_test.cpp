// SPDX-License-Identifier: MIT
// Dependence inference against brute force: every element remembers every access of every task.
#include "ptowsp/task_graph.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <functional>
#include <numeric>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "tests/seed.h"

namespace ptowsp::graph {
namespace {

struct Touch {
  int32_t tensor;
  Rect rect;
  Access access;
};
using Task = std::vector<Touch>;

struct Case {
  std::vector<std::array<int32_t, 2>> tensors;  // rows, cols
  std::vector<Task> tasks;
};

using Row = std::vector<uint64_t>;  // a set of tasks, 64 in a word

bool has(const Row& row, size_t i) { return (row[i / 64] >> (i % 64)) & 1; }
void put(Row& row, size_t i) { row[i / 64] |= uint64_t{1} << (i % 64); }

// The tasks before each task on some path.
std::vector<Row> closure(const std::vector<std::vector<int32_t>>& edges) {
  std::vector<Row> reach(edges.size(), Row(edges.size() / 64 + 1));
  for (size_t task = 0; task < edges.size(); ++task) {
    for (const int32_t from : edges[task]) {
      put(reach[task], static_cast<size_t>(from));
      for (size_t w = 0; w < reach[task].size(); ++w) {
        reach[task][w] |= reach[static_cast<size_t>(from)][w];
      }
    }
  }
  return reach;
}

// Element: the classical record, last writer and readers since, beside the whole history.
struct Element {
  int32_t writer = -1;
  std::vector<int32_t> readers;
  std::vector<std::pair<int32_t, bool>> history;
};

bool inside(const Rect& a, const Rect& b) {
  return a.row0 >= b.row0 && a.row1 <= b.row1 && a.col0 >= b.col0 && a.col1 <= b.col1 &&
         a.row0 < a.row1 && a.col0 < a.col1;
}

template <class AnyTracker>
std::vector<std::vector<int32_t>> edgesOf(const Case& c, AnyTracker& tracker) {
  for (const auto& [rows, cols] : c.tensors) tracker.addTensor(rows, cols, true);
  std::vector<std::vector<int32_t>> edges;
  for (const Task& task : c.tasks) {
    tracker.begin();
    for (const Touch& touch : task) {
      const Rect& r = touch.rect;
      tracker.access(touch.tensor, r.row0, r.col0, r.row1 - r.row0, r.col1 - r.col0, touch.access);
    }
    const Predecessors found = tracker.end();
    edges.emplace_back(found.tasks, found.tasks + found.count);
  }
  return edges;
}

// Tracker<true> finds the edges, or says that it cannot.
void checkOnlyCells(const Case& c, const std::vector<std::vector<int32_t>>& expected, bool can) {
  Tracker<true> tracker;
  const std::vector<std::vector<int32_t>> edges = edgesOf(c, tracker);
  EXPECT_EQ(tracker.status(), can ? Status::ok : Status::not_a_cell);
  if (can) {
    EXPECT_EQ(edges, expected);
  }
}

// Of a grid's cells, up to `dense_cells` have their slots at once; with 0 layers begin as hash tables.
void checkWith(const Case& c, std::optional<int64_t> dense_cells, bool left_whole) {
  std::vector<std::vector<Element>> elements;
  DependenceTracker tracker =
      dense_cells ? DependenceTracker(*dense_cells) : DependenceTracker();
  for (const auto& [rows, cols] : c.tensors) {
    elements.emplace_back(static_cast<size_t>(rows) * static_cast<size_t>(cols));
    tracker.addTensor(rows, cols, true);
  }
  GraphTotals totals;
  std::vector<std::vector<int32_t>> inferred, all;
  std::vector<Row> conflicts;
  for (size_t t = 0; t < c.tasks.size(); ++t) {
    const auto task = static_cast<int32_t>(t);
    Row conflict(c.tasks.size() / 64 + 1);
    tracker.begin();
    for (const Touch& touch : c.tasks[t]) {
      const int32_t cols = c.tensors[static_cast<size_t>(touch.tensor)][1];
      const Rect& r = touch.rect;
      const bool writes = touch.access != Access::in;
      // What must be shown at each element; what is shown must be a conflict.
      std::set<std::tuple<int32_t, int32_t, bool, int32_t>> expected, shown;
      for (int32_t row = r.row0; row < r.row1; ++row) {
        for (int32_t col = r.col0; col < r.col1; ++col) {
          Element& e =
              elements[static_cast<size_t>(touch.tensor)][static_cast<size_t>(row * cols + col)];
          for (const auto& [other, wrote] : e.history) {
            if (other != task && (wrote || writes)) put(conflict, static_cast<size_t>(other));
          }
          if (e.writer >= 0 && e.writer != task) expected.emplace(row, col, true, e.writer);
          if (writes) {
            for (const int32_t reader : e.readers) {
              if (reader != task) expected.emplace(row, col, false, reader);
            }
            e.writer = task;
            e.readers.clear();
          } else {
            e.readers.push_back(task);
          }
        }
      }
      tracker.access(touch.tensor, r.row0, r.col0, r.row1 - r.row0, r.col1 - r.col0, touch.access,
                     [&](int32_t other, bool wrote, const Rect& common) {
                       EXPECT_LT(other, task);
                       EXPECT_TRUE(wrote || writes);
                       EXPECT_TRUE(inside(common, r));
                       const Task& before = c.tasks[static_cast<size_t>(other)];
                       EXPECT_TRUE(std::any_of(before.begin(), before.end(), [&](const Touch& b) {
                         return b.tensor == touch.tensor && (b.access != Access::in) == wrote &&
                                inside(common, b.rect);
                       }));
                       for (int32_t row = common.row0; row < common.row1; ++row) {
                         for (int32_t col = common.col0; col < common.col1; ++col) {
                           shown.emplace(row, col, wrote, other);
                         }
                       }
                     });
      ASSERT_TRUE(std::includes(shown.begin(), shown.end(), expected.begin(), expected.end()));
    }
    for (const Touch& touch : c.tasks[t]) {
      const int32_t cols = c.tensors[static_cast<size_t>(touch.tensor)][1];
      for (int32_t row = touch.rect.row0; row < touch.rect.row1; ++row) {
        for (int32_t col = touch.rect.col0; col < touch.rect.col1; ++col) {
          elements[static_cast<size_t>(touch.tensor)][static_cast<size_t>(row * cols + col)]
              .history.emplace_back(task, touch.access != Access::in);
        }
      }
    }
    const Predecessors found = tracker.end();
    ASSERT_EQ(tracker.status(), Status::ok);
    inferred.emplace_back(found.tasks, found.tasks + found.count);
    totals.add(found.tasks, found.count);
    ASSERT_TRUE(std::is_sorted(inferred.back().begin(), inferred.back().end()));
    ASSERT_EQ(std::adjacent_find(inferred.back().begin(), inferred.back().end()),
              inferred.back().end());
    all.emplace_back();
    for (size_t other = 0; other < t; ++other) {
      if (has(conflict, other)) all.back().push_back(static_cast<int32_t>(other));
    }
    // Every edge is a conflict.
    for (const int32_t from : inferred.back())
      ASSERT_TRUE(has(conflict, static_cast<size_t>(from)));
  }
  ASSERT_EQ(closure(inferred), closure(all));

  // The live writes are the last writers of all elements.
  for (size_t i = 0; i < c.tensors.size(); ++i) {
    const auto [rows, cols] = c.tensors[i];
    std::vector<std::vector<int32_t>> writers(elements[i].size());
    tracker.liveWrites(static_cast<int32_t>(i), {0, 0, rows, cols},
                       [&](int32_t task, const Rect& rect) {
                         for (int32_t row = rect.row0; row < rect.row1; ++row) {
                           for (int32_t col = rect.col0; col < rect.col1; ++col) {
                             writers[static_cast<size_t>(row * cols + col)].push_back(task);
                           }
                         }
                       });
    for (size_t e = 0; e < writers.size(); ++e) {
      ASSERT_TRUE(writers[e].size() <= 1 || tracker.writesOverlap(static_cast<int32_t>(i)));
      const int32_t last =
          writers[e].empty() ? -1 : *std::max_element(writers[e].begin(), writers[e].end());
      ASSERT_EQ(last, elements[i][e].writer);
    }
  }

  EXPECT_TRUE(!left_whole || tracker.writesOverlap(0));

  // The totals are those of the edges, in whatever order.
  GraphTotals again;
  for (size_t t = 0; t < inferred.size(); ++t) {
    std::reverse(inferred[t].begin(), inferred[t].end());
    again.add(inferred[t].data(), static_cast<int32_t>(inferred[t].size()));
  }
  EXPECT_EQ(totals.tasks, again.tasks);
  EXPECT_EQ(totals.edges, again.edges);
  EXPECT_EQ(totals.edge_hash, again.edge_hash);
  for (std::vector<int32_t>& edges : inferred) std::reverse(edges.begin(), edges.end());
  if (!dense_cells) checkOnlyCells(c, inferred, tracker.onlyCells());
}

void check(const Case& c, bool left_whole = false) {
  checkWith(c, {}, left_whole);
  checkWith(c, 0, left_whole);
}

using Random = std::mt19937_64;
int32_t pick(Random& random, int32_t low, int32_t high) {
  return std::uniform_int_distribution<int32_t>(low, high)(random);
}
Access pickAccess(Random& random) { return static_cast<Access>(pick(random, 0, 2)); }

Rect place(Random& random, const std::array<int32_t, 2>& tensor, int32_t rows, int32_t cols,
           int32_t align) {
  rows = std::min(rows, tensor[0]);
  cols = std::min(cols, tensor[1]);
  const int32_t row = pick(random, 0, (tensor[0] - rows) / align) * align;
  const int32_t col = pick(random, 0, (tensor[1] - cols) / align) * align;
  return {row, col, row + rows, col + cols};
}

// A case of one of several kinds: anything, a few shapes, aligned tiles beside whole-tensor tiles,
// tiles with halos, crossing strips, and aligned tiles alone.
Case randomCase(Random& random, int32_t size, int32_t tasks) {
  Case c;
  for (int i = pick(random, 1, 2); i > 0; --i)
    c.tensors.push_back({pick(random, 1, size), pick(random, 1, size)});
  const int kind = pick(random, 0, 5);
  const int32_t tile = pick(random, 1, std::max(1, size / 3));
  std::vector<std::array<int32_t, 2>> shapes;
  for (int i = 0; i < 3; ++i) shapes.push_back({pick(random, 1, size), pick(random, 1, size)});
  for (int32_t t = 0; t < tasks; ++t) {
    Task task;
    for (int i = pick(random, 1, 3); i > 0; --i) {
      const int32_t tensor = pick(random, 0, static_cast<int32_t>(c.tensors.size()) - 1);
      const std::array<int32_t, 2>& of = c.tensors[static_cast<size_t>(tensor)];
      Access access = pickAccess(random);
      Rect rect = {};
      switch (kind) {
        case 0:
          rect = place(random, of, pick(random, 1, of[0]), pick(random, 1, of[1]), 1);
          break;
        case 1: {
          const auto& shape = shapes[static_cast<size_t>(pick(random, 0, 2))];
          rect = place(random, of, shape[0], shape[1], pick(random, 1, 2));
          break;
        }
        case 2:
          rect = pick(random, 0, 7) == 0 ? Rect{0, 0, of[0], of[1]}
                                         : place(random, of, tile, tile, tile);
          break;
        case 3: {
          rect = place(random, of, tile, tile, tile);
          if (access == Access::in) {
            rect = {std::max(0, rect.row0 - 1), std::max(0, rect.col0 - 1),
                    std::min(of[0], rect.row1 + 1), std::min(of[1], rect.col1 + 1)};
          }
          break;
        }
        case 4:
          rect = place(random, of, tile, tile, tile);
          break;
        default:
          rect = pick(random, 0, 1) == 0 ? place(random, of, 1, of[1], 1)
                                         : place(random, of, of[0], 1, 1);
      }
      task.push_back({tensor, rect, access});
    }
    c.tasks.push_back(task);
  }
  return c;
}

void checkRandom(int cases, int32_t size, int32_t tasks) {
  const uint64_t seed = test::testSeed();
  for (int i = 0; i < cases; ++i) {
    SCOPED_TRACE("case " + std::to_string(i));
    Random random(seed + static_cast<uint64_t>(i));
    check(randomCase(random, size, pick(random, 1, tasks)));
    if (testing::Test::HasFailure()) return;
  }
}

TEST(DependenceTracker, agreesWithBruteForceOnSmallTensors) { checkRandom(4000, 9, 30); }
TEST(DependenceTracker, agreesWithBruteForceOnMediumTensors) { checkRandom(300, 24, 120); }
// Sparse enough for hashed layers, long enough for them to grow, turn dense and drop dead records.
TEST(DependenceTracker, agreesWithBruteForceOnManyCells) {
  std::vector<uint64_t> seeds = {17565800922921362764u};  // found mistakes before
  const uint64_t first = test::testSeed();
  for (uint64_t i = 0; i < 30; ++i) seeds.push_back(first + i);
  for (const uint64_t seed : seeds) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    Case c;
    c.tensors = {{pick(random, 40, 90), pick(random, 40, 90)}};
    const std::array<int32_t, 2>& of = c.tensors[0];
    const int32_t tile = pick(random, 1, 4), align = pick(random, 0, 1) ? tile : 1;
    for (int t = 0; t < 900; ++t) {
      const bool large = pick(random, 0, 60) == 0;
      Task task = {{0, place(random, of, tile, tile, align), pickAccess(random)}};
      if (large)
        task = {{0, place(random, of, pick(random, 1, of[0]), pick(random, 1, of[1]), 1),
                 pickAccess(random)}};
      c.tasks.push_back(task);
    }
    check(c);
    if (testing::Test::HasFailure()) return;
  }
}

// The bound on live accesses: crossing strips leave more pieces than there are accesses.
TEST(DependenceTracker, staysRightWhereAccessesAreLeftWhole) {
  constexpr int32_t n = 40;
  Case c;
  c.tensors = {{2 * n, 2 * n}};
  c.tasks.push_back({{0, {0, 0, 2 * n, 2 * n}, Access::out}});
  c.tasks.push_back({{0, {0, 0, 2 * n, 2 * n}, Access::in}});
  for (int32_t i = 0; i < n; ++i)
    c.tasks.push_back({{0, {2 * i, 0, 2 * i + 1, 2 * n}, Access::out}});
  for (int32_t i = 0; i < n; ++i)
    c.tasks.push_back({{0, {0, 2 * i, 2 * n, 2 * i + 1}, Access::out}});
  for (int32_t i = 0; i < n; ++i)
    c.tasks.push_back({{0, {0, 2 * i, 2 * n, 2 * i + 1}, Access::in}});
  c.tasks.push_back({{0, {0, 0, 1, 1}, Access::inout}});
  check(c, true);
}

std::vector<std::vector<int32_t>> edgesOf(const Case& c) {
  DependenceTracker tracker;
  return edgesOf(c, tracker);
}

TEST(DependenceTracker, leavesOutEdgesThatFollowFromReaders) {
  const Rect tile = {0, 0, 4, 4};
  const Case c = {{{4, 4}},
                  {{{0, tile, Access::out}},
                   {{0, tile, Access::in}},
                   {{0, tile, Access::in}},
                   {{0, tile, Access::inout}},
                   {{0, tile, Access::out}}}};
  EXPECT_EQ(edgesOf(c), (std::vector<std::vector<int32_t>>{{}, {0}, {0}, {1, 2}, {3}}));
}

TEST(DependenceTracker, readersDoNotWaitForReaders) {
  const Case c = {{{8, 8}},
                  {{{0, {0, 0, 8, 8}, Access::in}},
                   {{0, {0, 0, 4, 4}, Access::in}},
                   {{0, {4, 4, 8, 8}, Access::out}}}};
  EXPECT_EQ(edgesOf(c), (std::vector<std::vector<int32_t>>{{}, {}, {0}}));
}

TEST(DependenceTracker, saysWhetherAllTilesAreCellsOfOneGrid) {
  const auto onlyCells = [](const Task& task, const Task& next) {
    DependenceTracker tracker;
    const Case c = {{{8, 8}, {8, 8}}, {task, next}};
    const std::vector<std::vector<int32_t>> edges = edgesOf(c, tracker);
    checkOnlyCells(c, edges, tracker.onlyCells());
    return tracker.onlyCells();
  };
  const Rect tile = {0, 4, 4, 8};
  EXPECT_TRUE(onlyCells({{0, tile, Access::in}}, {{0, tile, Access::out}}));
  EXPECT_TRUE(onlyCells({{0, tile, Access::inout}}, {{0, tile, Access::in}, {0, tile, Access::in}}));
  EXPECT_TRUE(onlyCells({{0, tile, Access::out}}, {{0, {4, 4, 8, 8}, Access::in}}));
  EXPECT_TRUE(onlyCells({{0, tile, Access::out}}, {{1, {0, 0, 8, 8}, Access::out}}));
  // Larger, smaller, beside the grid, for one access or for all.
  EXPECT_FALSE(onlyCells({{0, tile, Access::out}}, {{0, {0, 0, 8, 8}, Access::in}}));
  EXPECT_FALSE(onlyCells({{0, tile, Access::in}}, {{0, {0, 0, 2, 2}, Access::out}}));
  EXPECT_FALSE(onlyCells({{0, tile, Access::in}}, {{0, {1, 4, 5, 8}, Access::in}}));
  EXPECT_FALSE(onlyCells({{0, {1, 4, 5, 8}, Access::out}}, {{0, {1, 4, 5, 8}, Access::in}}));
}

// One task reads a tile twice and writes it: it does not wait for itself, and what it wrote is the last.
TEST(DependenceTracker, aTaskDoesNotWaitForItsOwnReads) {
  const Rect tile = {4, 0, 8, 4};
  const Case c = {{{8, 8}},
                  {{{0, tile, Access::out}},
                   {{0, tile, Access::in}, {0, tile, Access::in}, {0, tile, Access::out}},
                   {{0, tile, Access::in}, {0, tile, Access::in}},
                   {{0, tile, Access::in}},
                   {{0, tile, Access::out}}}};
  EXPECT_EQ(edgesOf(c), (std::vector<std::vector<int32_t>>{{}, {0}, {1}, {1}, {2, 3}}));
}

TEST(DependenceTracker, touchingTilesAreIndependent) {
  const Case c = {{{8, 8}},
                  {{{0, {0, 0, 4, 4}, Access::out}},
                   {{0, {0, 4, 4, 8}, Access::out}},
                   {{0, {4, 0, 8, 4}, Access::out}}}};
  EXPECT_EQ(edgesOf(c), (std::vector<std::vector<int32_t>>{{}, {}, {}}));
}

TEST(DependenceTracker, saysWhatItCannotTrack) {
  const auto after = [](auto&& use) {
    DependenceTracker tracker;
    tracker.addTensor(4, 4, true);
    tracker.addTensor(int64_t{1} << 40, 4, false);
    tracker.begin();
    use(tracker);
    const Predecessors found = tracker.end();
    EXPECT_EQ(found.count, 0);
    return tracker.status();
  };
  EXPECT_EQ(after([](auto& t) { t.access(1, int64_t{1} << 39, 0, 4, 4, Access::in); }), Status::ok);
  EXPECT_EQ(after([](auto& t) { t.access(0, 1, 0, 4, 4, Access::in); }), Status::bad_access);
  EXPECT_EQ(after([](auto& t) { t.access(0, 0, -1, 4, 4, Access::in); }), Status::bad_access);
  EXPECT_EQ(after([](auto& t) { t.access(0, 0, 0, 0, 4, Access::in); }), Status::bad_access);
  EXPECT_EQ(after([](auto& t) { t.access(0, INT64_MAX, 0, 4, 4, Access::in); }),
            Status::bad_access);
  EXPECT_EQ(after([](auto& t) { t.access(2, 0, 0, 4, 4, Access::in); }), Status::bad_access);
  EXPECT_EQ(after([](auto& t) { t.access(1, 0, 0, 4, 4, Access::out); }), Status::bad_access);
  EXPECT_EQ(after([](auto& t) { t.addTensor(int64_t{1} << 31, 1, true); }), Status::too_large);
}

TEST(DependenceTracker, handlesTheLargestDimensions) {
  constexpr int32_t most = 0x7FFFFFFF;
  DependenceTracker tracker;
  tracker.addTensor(most, most, true);
  const auto run = [&](int64_t row, int64_t col, int64_t rows, int64_t cols, Access access) {
    tracker.begin();
    tracker.access(0, row, col, rows, cols, access);
    const Predecessors found = tracker.end();
    EXPECT_EQ(tracker.status(), Status::ok);
    return std::vector<int32_t>(found.tasks, found.tasks + found.count);
  };
  using List = std::vector<int32_t>;
  EXPECT_EQ(run(0, 0, most, most, Access::out), List());
  EXPECT_EQ(run(most - 1, most - 1, 1, 1, Access::out), List({0}));
  EXPECT_EQ(run(most - 8, most - 8, 8, 8, Access::in), List({0, 1}));
  EXPECT_EQ(run(0, 0, 1, 1, Access::in), List({0}));
  EXPECT_EQ(run(0, 0, most, most, Access::out), List({2, 3}));
}

// Each of these has a number of edges in proportion to its tasks; anything quadratic would take
// minutes.
void expectQuick(const char* what, const std::function<void()>& run) {
  const auto start = std::chrono::steady_clock::now();
  run();
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  EXPECT_LT(seconds, 20) << what;
}

struct Builder {
  DependenceTracker& tracker;
  GraphTotals totals = {};
  void task(std::initializer_list<Touch> touches) {
    tracker.begin();
    for (const Touch& touch : touches) {
      const Rect& r = touch.rect;
      tracker.access(touch.tensor, r.row0, r.col0, r.row1 - r.row0, r.col1 - r.col0, touch.access);
    }
    const Predecessors found = tracker.end();
    totals.add(found.tasks, found.count);
  }
};

constexpr int32_t kGrid = 400;
constexpr Rect kWhole = {0, 0, kGrid * 4, kGrid * 4};
Rect tileAt(int32_t i) {
  return {i / kGrid * 4, i % kGrid * 4, i / kGrid * 4 + 4, i % kGrid * 4 + 4};
}

TEST(DependenceTrackerSpeed, manyReadersOfOneTile) {
  expectQuick("readers", [] {
    DependenceTracker tracker;
    tracker.addTensor(8, 8, true);
    Builder run{tracker};
    for (int i = 0; i < 300000; ++i) run.task({{0, {0, 0, 8, 8}, Access::in}});
    run.task({{0, {0, 0, 8, 8}, Access::out}});
    EXPECT_EQ(run.totals.edges, 300000u);
  });
}

TEST(DependenceTrackerSpeed, wholeTensorWritersAfterTiles) {
  expectQuick("whole writers", [] {
    DependenceTracker tracker;
    tracker.addTensor(kGrid * 4, kGrid * 4, true);
    Builder run{tracker};
    for (int i = 0; i < kGrid * kGrid; ++i) run.task({{0, tileAt(i), Access::out}});
    for (int i = 0; i < kGrid * kGrid; ++i) run.task({{0, kWhole, Access::inout}});
    EXPECT_EQ(run.totals.edges, 2u * kGrid * kGrid - 1);
  });
}

TEST(DependenceTrackerSpeed, tilesAndWholeTensorInTurn) {
  expectQuick("in turn", [] {
    DependenceTracker tracker;
    tracker.addTensor(kGrid * 4, kGrid * 4, true);
    Builder run{tracker};
    for (int i = 0; i < kGrid * kGrid; ++i) {
      run.task({{0, kWhole, Access::out}});
      run.task({{0, tileAt(i), Access::inout}});
    }
    EXPECT_EQ(tracker.status(), Status::ok);
  });
}

TEST(DependenceTrackerSpeed, sweepsOverAWholeWriteInAnyOrder) {
  for (const bool shuffled : {false, true}) {
    expectQuick("sweeps", [&] {
      DependenceTracker tracker;
      tracker.addTensor(kGrid * 4, kGrid * 4, true);
      Builder run{tracker};
      std::vector<int32_t> order(kGrid * kGrid);
      std::iota(order.begin(), order.end(), 0);
      if (shuffled) std::shuffle(order.begin(), order.end(), Random(1));
      for (int sweep = 0; sweep < 3; ++sweep) {
        run.task({{0, kWhole, Access::inout}});
        for (const int32_t i : order) run.task({{0, tileAt(i), Access::inout}});
      }
      EXPECT_EQ(run.totals.edges, 5u * kGrid * kGrid);
    });
  }
}

TEST(DependenceTrackerSpeed, haloStepsDoNotGatherOldReaders) {
  expectQuick("halo", [] {
    constexpr int32_t n = 60;
    DependenceTracker tracker;
    tracker.addTensor(n * 8 + 2, n * 8 + 2, true);
    tracker.addTensor(n * 8 + 2, n * 8 + 2, true);
    Builder run{tracker};
    uint64_t first = 0, last = 0;
    for (int step = 0; step < 40; ++step) {
      const uint64_t before = run.totals.edges;
      for (int32_t i = 0; i < n * n; ++i) {
        const int32_t row = i / n * 8, col = i % n * 8;
        run.task({{step & 1, {row, col, row + 10, col + 10}, Access::in},
                  {1 - (step & 1), {row + 1, col + 1, row + 9, col + 9}, Access::out}});
      }
      if (step == 3) first = run.totals.edges - before;
      last = run.totals.edges - before;
    }
    EXPECT_EQ(first, last);
  });
}

// What is read again and again but never written must not slow down writes beside it.
TEST(DependenceTrackerSpeed, readersPileUpBesideWhatIsWritten) {
  expectQuick("beside", [] {
    DependenceTracker tracker;
    tracker.addTensor(66, 66, true);
    tracker.addTensor(66, 66, true);
    Builder run{tracker};
    for (int i = 0; i < 200000; ++i) {
      run.task({{i & 1, {0, 0, 66, 66}, Access::in}, {1 - (i & 1), {1, 1, 65, 65}, Access::out}});
    }
    EXPECT_EQ(run.totals.edges, 199999u);
  });
}

}  // namespace
}  // namespace ptowsp::graph
