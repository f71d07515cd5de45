// SPDX-License-Identifier: MIT
// The checks of the whole graph, each with inputs that pass and inputs that fail, and its totals.
#include "generator/analyze/analyze.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <random>

#include "program_builder.h"
#include "tests/seed.h"

namespace ptowsp {
namespace {

using namespace test;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

constexpr Access kIn = Access::in, kOut = Access::out, kInout = Access::inout;

// One line for each diagnostic: rule, place, message; then its related places.
std::vector<std::string> mistakes(const Program& p, AnalyzeOptions options = {}) {
  Diagnostics diagnostics;
  const auto analysis = analyze(p, options, diagnostics);
  EXPECT_EQ(analysis.has_value(), !diagnostics.hasErrors());
  std::vector<std::string> lines;
  for (const Diagnostic& d : diagnostics.all()) {
    EXPECT_FALSE(d.fix.empty());
    lines.push_back(d.rule + " " + d.place + " " + d.message);
    for (const Related& r : d.related) lines.push_back("  " + r.place + " " + r.message);
  }
  return lines;
}

Analysis analyzed(const Program& p, AnalyzeOptions options = {}) {
  Diagnostics diagnostics;
  options.keep_graph = true;
  auto analysis = analyze(p, options, diagnostics);
  for (const Diagnostic& d : diagnostics.all()) ADD_FAILURE() << d.rule << ": " << d.message;
  return analysis.value_or(Analysis{});
}

Kernel copyKernel(int64_t rows, int64_t cols) {
  return kernel("copy", {{"x", kIn, rows, cols}, {"y", kOut, rows, cols}});
}
Kernel fillKernel(int64_t rows, int64_t cols) { return kernel("fill", {{"y", kOut, rows, cols}}); }

// y[8*r:...] = copy(x[8*r:...]) over `extent` parallel iterations.
Program rowMap(int64_t extent, int64_t step, bool parallel = true) {
  return program({tensor("x", Role::input, {64, 16}), tensor("y", Role::output, {64, 16})},
                 {copyKernel(8, 16)},
                 {loop("r", extent, parallel, {task(0, {{0, {0, {8}}}, {1, {0, {step}}}})})});
}

TEST(Analyze, parallelMapHasNoEdges) {
  const Analysis a = analyzed(rowMap(8, 8));
  EXPECT_EQ(a.totals.tasks, 8u);
  EXPECT_EQ(a.totals.edges, 0u);
  EXPECT_EQ(a.critical_path, 1);
  EXPECT_EQ(a.max_fan_in, 0);
  EXPECT_EQ(a.max_fan_out, 0);
}

TEST(Analyze, wavefrontHasItsTwoNeighbours) {
  constexpr int64_t n = 6;
  // (i, j) reads (i-1, j) and (i, j-1) of a frame with one more tile to the top and left.
  const Program p =
      program({tensor("a", Role::inout, {2 * n + 2, 2 * n + 2})},
              {kernel("step", {{"up", kIn, 2, 2}, {"left", kIn, 2, 2}, {"own", kOut, 2, 2}})},
              {loop("i", n, false,
                    {loop("j", n, false,
                          {task(0, {{0, {0, {2, 0}}, {2, {0, 2}}},
                                    {0, {2, {2, 0}}, {0, {0, 2}}},
                                    {0, {2, {2, 0}}, {2, {0, 2}}}})})})});
  const Analysis a = analyzed(p);
  EXPECT_EQ(a.totals.edges, static_cast<uint64_t>(2 * n * (n - 1)));
  EXPECT_EQ(a.critical_path, 2 * n - 1);
  EXPECT_EQ(a.max_fan_in, 2);
  EXPECT_EQ(a.max_fan_out, 2);
  EXPECT_THAT(a.graph.predecessorsOf(0), SizeIs(0));
  EXPECT_THAT(a.graph.predecessorsOf(n + 1), ElementsAre(1, n));
}

TEST(Analyze, programOrderChainsTasksAndStillChecks) {
  const Analysis a = analyzed(rowMap(8, 8), {.dependences = Dependences::program_order});
  EXPECT_EQ(a.totals.edges, 7u);
  EXPECT_EQ(a.critical_path, 8);
  EXPECT_EQ(a.max_fan_out, 1);
  EXPECT_EQ(a.dependences, Dependences::program_order);
  EXPECT_THAT(a.graph.predecessorsOf(5), ElementsAre(4));
  EXPECT_THAT(mistakes(rowMap(8, 7), {.dependences = Dependences::program_order}), Not(SizeIs(0)));
}

TEST(Analyze, asWrittenHasTheEdgesOfDataflowAndNoRaces) {
  const AnalyzeOptions as_written = {.dependences = Dependences::as_written, .allow_races = true};
  Program ordered = rowMap(8, 7, false), racing = rowMap(8, 7);
  ordered.tensors[1].declaration.role = racing.tensors[1].declaration.role = Role::inout;
  const Analysis a = analyzed(ordered, as_written);
  EXPECT_EQ(a.totals.edge_hash, analyzed(ordered).totals.edge_hash);
  EXPECT_EQ(a.totals.edges, 7u);
  EXPECT_EQ(nameOf(a.dependences), "explicit");
  EXPECT_THAT(mistakes(racing, {.allow_races = true}), SizeIs(0));
  EXPECT_THAT(mistakes(racing, as_written), Not(SizeIs(0)));
}

TEST(Analyze, emptyProgramIsFine) {
  const Analysis a = analyzed(program({tensor("x", Role::input, {4, 4})}, {}, {}));
  EXPECT_EQ(a.totals.tasks, 0u);
  EXPECT_EQ(a.critical_path, 0);
}

TEST(Race, namesBothTasksTheRegionAndThePlaces) {
  // The last row of one iteration is the first of the next.
  Program p = rowMap(8, 7);
  p.tensors[1].declaration.role = Role::inout;
  EXPECT_THAT(
      mistakes(p),
      ElementsAre(
          "race /program/0/body/0/args/y task copy[r=0] writes y[7:8, 0:16], task copy[r=1] writes "
          "it too, and they may run at the same time: both are in different iterations of the "
          "parallel loop over r (6 more such conflicts)",
          "  /program/0/body/0/args/y task copy[r=0] writes it here",
          "  /program/0 the parallel loop"));
  EXPECT_THAT(mistakes(p, {.allow_races = true}), SizeIs(0));
}

TEST(Race, sequentialLoopsAndListsAreOrdered) {
  Program p = rowMap(8, 7, false);
  p.tensors[1].declaration.role = Role::inout;
  EXPECT_THAT(mistakes(p), SizeIs(0));
}

TEST(Race, readsOfOneElementAreNoRace) {
  EXPECT_THAT(mistakes(program(
                  {tensor("x", Role::input, {8, 16}), tensor("y", Role::output, {64, 16})},
                  {copyKernel(8, 16)}, {loop("r", 8, true, {task(0, {{0, {0}}, {1, {0, {8}}}})})})),
              SizeIs(0));
}

TEST(Race, innermostCommonNodeDecides) {
  // Parallel over i, sequential over j inside: tasks of one i may share elements, of two may not.
  const auto nest = [](int64_t by_i) {
    return program({tensor("a", Role::inout, {32, 8})}, {kernel("add", {{"a", kInout, 8, 8}})},
                   {loop("i", 4, true, {loop("j", 3, false, {task(0, {{0, {0, {by_i, 0}}}})})})});
  };
  EXPECT_THAT(mistakes(nest(8)), SizeIs(0));
  EXPECT_THAT(mistakes(nest(0)), Not(SizeIs(0)));
  // Sequential over i, parallel over j inside.
  const auto other = [](int64_t by_j) {
    return program({tensor("a", Role::inout, {32, 8})}, {kernel("add", {{"a", kInout, 8, 8}})},
                   {loop("i", 4, false, {loop("j", 3, true, {task(0, {{0, {0, {0, by_j}}}})})})});
  };
  EXPECT_THAT(mistakes(other(8)), SizeIs(0));
  EXPECT_THAT(mistakes(other(0)), Not(SizeIs(0)));
}

TEST(Race, childrenOfCombineAreParallelThoseOfSequentialAreNot) {
  const auto two = [](Node::Kind kind, int64_t second) {
    return program({tensor("a", Role::inout, {16, 8})},
                   {kernel("first", {{"a", kInout, 8, 8}}),
                    kernel("second", {{"a", kIn, 8, 8}, {"b", kOut, 8, 8}})},
                   {group(kind, {task(0, {{0, {0}}}), task(1, {{0, {0}}, {0, {second}}})})});
  };
  EXPECT_THAT(mistakes(two(Node::Kind::sequential, 8)), SizeIs(0));
  EXPECT_THAT(
      mistakes(two(Node::Kind::combine, 8)),
      ElementsAre(
          "race /program/0/combine/1/args/a task first writes a[0:8, 0:8], task second reads it "
          "too, "
          "and they may run at the same time: both are in different children of a combine node",
          "  /program/0/combine/0/args/a task first writes it here",
          "  /program/0 the combine node"));
}

TEST(Race, tasksInsideOneChildOfCombineAreOrdered) {
  const Kernel add = kernel("add", {{"a", kInout, 8, 8}});
  EXPECT_THAT(
      mistakes(program({tensor("a", Role::inout, {16, 8})}, {add},
                       {combine({sequential({task(0, {{0, {0}}}), task(0, {{0, {0}}})}),
                                 sequential({task(0, {{0, {8}}}), task(0, {{0, {8}}})})})})),
      SizeIs(0));
}

TEST(Race, twoBodyStatementsOfAParallelLoop) {
  // r writes its tile; the second statement reads the next iteration's tile.
  const Program p = program(
      {tensor("a", Role::inout, {72, 16}), tensor("y", Role::output, {64, 16})},
      {kernel("put", {{"a", kInout, 8, 16}}), copyKernel(8, 16)},
      {loop("r", 8, true, {task(0, {{0, {0, {8}}}}), task(1, {{0, {8, {8}}}, {1, {0, {8}}}})})});
  const auto lines = mistakes(p);
  ASSERT_THAT(lines, SizeIs(3));
  EXPECT_THAT(
      lines[0],
      HasSubstr("task copy[r=0] reads a[8:16, 0:16], task put[r=1] reads and writes it too"));
  EXPECT_THAT(lines[1], HasSubstr("/program/0/body/1/args/x task copy[r=0] reads it here"));
}

TEST(Race, stopsAfterFiveAndCountsTheOthers) {
  std::vector<Node> children;
  for (int i = 0; i < 8; ++i) children.push_back(task(0, {{0, {0}}}));
  const auto lines =
      mistakes(program({tensor("a", Role::inout, {8, 8})}, {kernel("add", {{"a", kInout, 8, 8}})},
                       {combine(std::move(children))}));
  EXPECT_EQ(std::count_if(lines.begin(), lines.end(),
                          [](const std::string& l) { return l.starts_with("race"); }),
            5);
  EXPECT_THAT(lines.back(), HasSubstr("at least 2 more conflicts"));
}

TEST(UninitializedRead, temporaryReadBeforeItIsWritten) {
  const auto pipeline = [](int64_t written_tasks) {
    return program({tensor("x", Role::input, {64, 16}), tensor("t", Role::temporary, {64, 16}),
                    tensor("y", Role::output, {64, 16})},
                   {copyKernel(8, 16)},
                   {loop("r", written_tasks, true, {task(0, {{0, {0, {8}}}, {1, {0, {8}}}})}),
                    loop("s", 8, true, {task(0, {{1, {0, {8}}}, {2, {0, {8}}}})})});
  };
  EXPECT_THAT(mistakes(pipeline(8)), SizeIs(0));
  EXPECT_THAT(
      mistakes(pipeline(6)),
      ElementsAre(
          "uninitialized-read /program/1/body/0/args/x task copy[s=6] reads t[48:56, 0:16], but no "
          "earlier task has written t[48:56, 0:16] (1 more tasks of this place read such "
          "elements)"));
}

TEST(UninitializedRead, isExactToTheElement) {
  const auto frame = [](int64_t first_row) {
    return program({tensor("t", Role::temporary, {10, 10}), tensor("y", Role::output, {8, 8})},
                   {kernel("fill", {{"t", kOut, 5, 10}}), copyKernel(8, 8)},
                   {sequential({task(0, {{0, {0}}}), task(0, {{0, {first_row}}})}),
                    task(1, {{0, {1}, {1}}, {1, {0}}})});
  };
  EXPECT_THAT(mistakes(frame(5)), SizeIs(0));
  const auto lines = mistakes(frame(2));
  ASSERT_THAT(lines, SizeIs(1));
  EXPECT_THAT(lines[0],
              HasSubstr("reads t[1:9, 1:9], but no earlier task has written t[7:9, 1:9]"));
}

TEST(UninitializedRead, inoutOfAnOutputAndNeverWrittenTensors) {
  EXPECT_THAT(
      mistakes(program({tensor("y", Role::output, {8, 8})}, {kernel("add", {{"y", kInout, 8, 8}})},
                       {task(0, {{0, {0}}})})),
      ElementsAre(HasSubstr("uninitialized-read /program/0/args/y task add reads y[0:8, 0:8]")));
  EXPECT_THAT(mistakes(program({tensor("y", Role::output, {8, 8})},
                               {fillKernel(8, 8), kernel("add", {{"y", kInout, 8, 8}})},
                               {task(0, {{0, {0}}}), task(1, {{0, {0}}})})),
              SizeIs(0));
  EXPECT_THAT(
      mistakes(program({tensor("t", Role::temporary, {8, 8}), tensor("y", Role::output, {8, 8})},
                       {copyKernel(8, 8)}, {task(0, {{0, {0}}, {1, {0}}})})),
      ElementsAre(HasSubstr("no earlier task has written t[0:8, 0:8]")));
  EXPECT_THAT(mistakes(program({tensor("a", Role::inout, {8, 8})},
                               {kernel("add", {{"a", kInout, 8, 8}})}, {task(0, {{0, {0}}})})),
              SizeIs(0));
}

TEST(OutputNotComplete, namesWhatIsMissing) {
  EXPECT_THAT(mistakes(rowMap(7, 8)),
              ElementsAre("output-not-complete /tensors/1 output y is not written completely: no "
                          "task writes y[56:64, 0:16]"));
  EXPECT_THAT(mistakes(program({tensor("y", Role::output, {8, 8})}, {}, {})),
              ElementsAre("output-not-complete /tensors/0 no task writes output y"));
  Program inout = rowMap(7, 8);
  inout.tensors[1].declaration.role = Role::inout;
  EXPECT_THAT(mistakes(inout), SizeIs(0));
}

TEST(OutputNotComplete, planesOfHigherRanks) {
  const auto planes = [](int64_t extent) {
    return program(
        {tensor("y", Role::output, {2, 3, 4, 5})}, {fillKernel(4, 5)},
        {loop("b", 2, true, {loop("t", extent, true, {task(0, {{0, {0}, {0}, {0, {3, 1}}}})})})});
  };
  EXPECT_THAT(mistakes(planes(3)), SizeIs(0));
  EXPECT_THAT(mistakes(planes(2)), ElementsAre(HasSubstr("no task writes y[0, 2, 0:4, 0:5]")));
}

TEST(Analyze, twoReadsMayOverlap) {
  EXPECT_THAT(
      mistakes(program({tensor("a", Role::inout, {16, 16}), tensor("y", Role::output, {8, 16})},
                       {kernel("f", {{"p", kIn, 8, 16}, {"q", kIn, 8, 16}, {"y", kOut, 8, 16}})},
                       {task(0, {{0, {0}}, {0, {4}}, {1, {0}}})})),
      SizeIs(0));
}

TEST(Analyze, refusesWrittenTensorsItCannotTrack) {
  EXPECT_THAT(mistakes(program({tensor("y", Role::output, {int64_t{1} << 32, 1})},
                               {fillKernel(1, 1)}, {task(0, {{0, {0}}})})),
              ElementsAre(HasSubstr("tensor-too-large /tensors/0")));
  EXPECT_THAT(mistakes(program({tensor("x", Role::input, {int64_t{1} << 32, 1}),
                                tensor("y", Role::output, {1, 1})},
                               {copyKernel(1, 1)}, {task(0, {{0, {int64_t{1} << 31}}, {1, {0}}})})),
              SizeIs(0));
}

TEST(Analyze, reportsEveryKindAtOnce) {
  const Program p =
      program({tensor("t", Role::temporary, {16, 16}), tensor("y", Role::output, {16, 16}),
               tensor("a", Role::inout, {16, 16})},
              {copyKernel(8, 16), kernel("add", {{"a", kInout, 8, 16}})},
              {task(0, {{0, {0}}, {1, {0}}}), loop("r", 2, true, {task(1, {{2, {0}}})})});
  std::map<std::string, int> rules;
  for (const std::string& line : mistakes(p)) {
    if (line[0] != ' ') ++rules[line.substr(0, line.find(' '))];
  }
  EXPECT_EQ(rules, (std::map<std::string, int>{{"output-not-complete", 1},
                                               {"race", 1},
                                               {"uninitialized-read", 1}}));
}

// Random nests: analyze finds a race, an uninitialised read or an incomplete output exactly when
// brute force over all elements and all pairs of tasks does. Tasks that touch an element twice and write it
// do not come as far as that.
struct BruteForce {
  struct Step {
    std::vector<std::array<int64_t, 4>> path;  // node id, iteration or child, parallel
    const Node* node;
    std::vector<int64_t> indices;
  };
  const Program& p;
  std::vector<Step> steps = {};

  void list(const Node& node, Step step) {
    if (node.kind == Node::Kind::task) {
      step.node = &node;
      steps.push_back(step);
      return;
    }
    const bool is_loop = node.kind == Node::Kind::loop;
    for (int64_t i = 0; i < (is_loop ? node.extent : 1); ++i) {
      Step inside = step;
      if (is_loop) {
        inside.indices.push_back(i);
        inside.path.push_back({i, node.parallel});
      }
      for (size_t c = 0; c < node.body.size(); ++c) {
        Step child = inside;
        child.path.push_back({static_cast<int64_t>(c), node.kind == Node::Kind::combine});
        list(node.body[c], child);
      }
    }
  }
  static int64_t value(const Affine& a, const std::vector<int64_t>& indices) {
    int64_t v = a.constant;
    for (size_t d = 0; d < indices.size(); ++d) v += a.coefficients[d] * indices[d];
    return v;
  }
  bool parallel(const Step& a, const Step& b) const {
    for (size_t i = 0; i < a.path.size(); ++i) {
      if (a.path[i] != b.path[i]) return a.path[i][1] != 0;
    }
    return false;
  }
  std::optional<std::map<std::string, bool>> rules() {
    list(p.root, {});
    std::map<std::string, bool> found;
    using Touches = std::vector<std::pair<size_t, bool>>;
    std::map<std::array<int64_t, 3>, Touches> elements;
    for (size_t s = 0; s < steps.size(); ++s) {
      const Node& node = *steps[s].node;
      const Kernel& kernel = p.kernels[static_cast<size_t>(node.kernel)];
      std::map<std::array<int64_t, 3>, std::vector<bool>> own;
      for (size_t v = 0; v < node.views.size(); ++v) {
        const TileView& view = node.views[v];
        const int64_t row0 = value(view.row, steps[s].indices),
                      col0 = value(view.col, steps[s].indices);
        for (int64_t r = row0; r < row0 + view.rows; ++r) {
          for (int64_t c = col0; c < col0 + view.cols; ++c) {
            const std::array<int64_t, 3> e = {view.tensor, r, c};
            const Access access = kernel.tiles[v].access;
            own[e].push_back(access != kIn);
            const Touches& before = elements[e];
            const Role role = p.tensors[static_cast<size_t>(view.tensor)].declaration.role;
            const bool must = role == Role::output || role == Role::temporary;
            if (access != kOut && must &&
                std::none_of(before.begin(), before.end(), [](auto& t) { return t.second; })) {
              found["uninitialized-read"] = true;
            }
            for (const auto& [other, wrote] : before) {
              if ((wrote || access != kIn) && parallel(steps[other], steps[s]))
                found["race"] = true;
            }
          }
        }
      }
      for (const auto& [e, writes] : own) {
        if (writes.size() > 1 && std::count(writes.begin(), writes.end(), true) > 0)
          return std::nullopt;
        elements[e].emplace_back(s, std::count(writes.begin(), writes.end(), true) > 0);
      }
    }
    for (size_t t = 0; t < p.tensors.size(); ++t) {
      if (p.tensors[t].declaration.role != Role::output) continue;
      int64_t written = 0;
      for (const auto& [e, touches] : elements) {
        written += e[0] == static_cast<int64_t>(t) &&
                   std::any_of(touches.begin(), touches.end(), [](auto& x) { return x.second; });
      }
      if (written < p.tensors[t].elements) found["output-not-complete"] = true;
    }
    return found;
  }
};

Program randomProgram(std::mt19937_64& random) {
  const auto pick = [&](int64_t low, int64_t high) {
    return std::uniform_int_distribution<int64_t>(low, high)(random);
  };
  std::vector<Tensor> tensors;
  const Role roles[] = {Role::inout, Role::output, Role::temporary};
  for (int t = 0; t < 2; ++t)
    tensors.push_back(
        tensor(std::string(1, static_cast<char>('a' + t)), roles[pick(0, 2)], {6, 6}));
  std::vector<Kernel> kernels;
  for (int k = 0; k < 3; ++k) {
    std::vector<Tile> tiles;
    const int64_t count = pick(1, 2);
    for (int64_t i = 0; i < count; ++i) {
      tiles.push_back({std::string(1, static_cast<char>('p' + i)), static_cast<Access>(pick(0, 2)),
                       pick(1, 6), pick(1, 6)});
    }
    kernels.push_back(kernel("k" + std::to_string(k), tiles));
  }
  std::vector<int64_t> extents;
  std::function<Node(int)> node = [&](int budget) -> Node {
    const int64_t kind = budget == 0 ? 0 : pick(0, 4);
    if (kind == 0) {
      const int64_t k = pick(0, 2);
      std::vector<At> views;
      for (const TileParameter& tile : kernels[static_cast<size_t>(k)].tiles) {
        // A start in bounds for all iterations.
        const auto start = [&](int64_t room) {
          Pos pos;
          for (const int64_t extent : extents) {
            int64_t coefficient = pick(0, 1) ? pick(0, 3) : 0;
            while (coefficient * (extent - 1) > room) --coefficient;
            room -= coefficient * (extent - 1);
            pos.coefficients.push_back(coefficient);
          }
          pos.constant = pick(0, room);
          return pos;
        };
        views.push_back({static_cast<int>(pick(0, 1)), start(6 - tile.rows), start(6 - tile.cols)});
      }
      return task(static_cast<int>(k), views);
    }
    std::vector<Node> body;
    if (kind <= 2) extents.push_back(pick(1, 3));
    const int64_t extent = kind <= 2 ? extents.back() : 0;
    for (int64_t i = pick(1, 2); i > 0; --i) body.push_back(node(budget - 1));
    if (kind <= 2) extents.pop_back();
    if (kind <= 2)
      return loop("v" + std::to_string(extents.size()), extent, kind == 1, std::move(body));
    return group(kind == 3 ? Node::Kind::sequential : Node::Kind::combine, std::move(body));
  };
  std::vector<Node> body;
  for (int64_t i = pick(1, 3); i > 0; --i) body.push_back(node(3));
  return program(std::move(tensors), std::move(kernels), std::move(body));
}

TEST(Analyze, findsEachRuleExactlyWhenBruteForceDoes) {
  std::map<std::string, int> seen;
  const uint64_t seed = test::testSeed();
  for (int i = 0; i < 4000; ++i) {
    SCOPED_TRACE("case " + std::to_string(i));
    std::mt19937_64 random(seed + static_cast<uint64_t>(i));
    const Program p = randomProgram(random);
    const std::optional<std::map<std::string, bool>> expected = BruteForce{p}.rules();
    if (!expected) continue;
    std::map<std::string, bool> found;
    Diagnostics diagnostics;
    analyze(p, {}, diagnostics);
    for (const Diagnostic& d : diagnostics.all())
      if (d.severity == Severity::error) found[d.rule] = true;
    ASSERT_EQ(found, *expected);
    for (const auto& [rule, yes] : found) ++seen[rule];
    if (found.empty()) ++seen["none"];
  }
  // The cases are worth something: each rule is broken by some of them, and some break none.
  for (const char* rule : {"race", "uninitialized-read", "output-not-complete", "none"}) {
    EXPECT_GT(seen[rule], 20) << rule;
  }
}

TEST(Summary, saysWhatThereIs) {
  const Program p = rowMap(8, 8);
  const Analysis a = analyzed(p);
  EXPECT_EQ(summaryText(p, a),
            "test\n"
            "  tensors        2\n"
            "  kernels        1\n"
            "  tasks          8\n"
            "  edges          0 (dataflow), hash 0000000000000000\n"
            "  critical path  1 task\n"
            "  fan-in         at most 0\n"
            "  fan-out        at most 0\n"
            "  one task on its core:\n"
            "    copy           aiv, 500 cycles, unified buffer 0 of 188416 bytes\n"
            "  one launch of pto-runtime G1:\n"
            "    tasks          8 of 1024\n"
            "    task arguments 5 of 16\n"
            "    fan-out        0 of 512\n"
            "    tensor pairs   2 of 64\n");
  EXPECT_THAT(summaryJson(p, a), HasSubstr("\"limits\": [\n    {\"name\": \"tasks\", \"found\": 8, "
                                           "\"limit\": 1024, \"fits\": true, \"instead\": null}"));
}

TEST(Summary, saysHowALargeGraphRuns) {
  const Program p = program({tensor("y", Role::output, {2000, 4})}, {fillKernel(1, 4)},
                            {loop("r", 2000, true, {task(0, {{0, {0, {1}}}})})});
  EXPECT_THAT(summaryText(p, analyzed(p)),
              HasSubstr("tasks          2000 of 1024: 2 launches\n"));
}

TEST(Summary, marksWhatDoesNotFit) {
  std::vector<Tensor> tensors;
  std::vector<Node> tasks;
  for (int i = 0; i < 64; ++i) {
    tensors.push_back(tensor("y" + std::to_string(i), Role::output, {1, 4}));
    tasks.push_back(task(0, {{i, {0, {}}}}));
  }
  const Program p = program(tensors, {fillKernel(1, 4)}, tasks);
  EXPECT_THAT(summaryText(p, analyzed(p)), HasSubstr("tensor pairs   65 of 64: does not fit\n"));
}

}  // namespace
}  // namespace ptowsp
