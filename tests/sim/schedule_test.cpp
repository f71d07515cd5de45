// SPDX-License-Identifier: MIT
// Schedule directives on the built-in runtime: which AICPU scheduler runs a task, and the task
// window. What is expected follows from the directives' definitions and from what kernels see.
#include <gmock/gmock.h>

#include <atomic>
#include <numeric>
#include <random>
#include <set>
#include <thread>

#include "tests/sim/sim_fixture.h"

namespace ptowsp::sim_test {
namespace {

using ptowsp_sim::kWindowAbort;
using ptowsp_sim::kWindowBenchmark;
using ptowsp_sim::kWindowStall;
using ::testing::HasSubstr;

class ScheduleTest : public SimTest {
 protected:
  // Initialises, launches and gives the trace; the runtime is finalised by the next call.
  std::vector<ptowsp_sim_event> runTraced(const Builder& builder, int block_dim, int aicpus) {
    EXPECT_EQ(runtime_.init(builder), 0) << lastMessage();
    EXPECT_EQ(runtime_.launch(block_dim, aicpus), 0) << lastMessage();
    auto trace = sized<ptowsp_sim_trace>();
    EXPECT_EQ(ptowsp_sim_get_trace(&trace), 0);
    std::vector<ptowsp_sim_event> events(trace.events, trace.events + trace.count);
    EXPECT_EQ(runtime_.finalize(), 0);
    return events;
  }
};

void nothing(int64_t*) {}

// Graph: random edges to later tasks; kernels check that what they wait for is done, in plain
// memory, so that a thread sanitizer sees where the scheduler lacks an ordering.
struct Graph {
  std::vector<std::vector<int>> predecessors;
  std::vector<int> core_types, aicpus, done;
  std::atomic<int> violations{0};

  Graph(int tasks, int schedulers, uint32_t seed) {
    std::mt19937 random(seed);
    predecessors.resize(static_cast<size_t>(tasks));
    done.assign(static_cast<size_t>(tasks), 0);
    for (int t = 0; t < tasks; ++t) {
      core_types.push_back(static_cast<int>(random() % 3 != 0));
      aicpus.push_back(static_cast<int>(random() % static_cast<uint32_t>(schedulers)));
      for (int i = static_cast<int>(random() % 3); i > 0 && t > 0; --i)
        predecessors[t].push_back(t - 1 - static_cast<int>(random() % std::min(t, 40)));
    }
  }
  static void kernel(int64_t* args) {
    auto& graph = *pointer<Graph>(args[0]);
    for (const int p : graph.predecessors[args[1]])
      if (!graph.done[p]) ++graph.violations;
    ++graph.done[args[1]];
  }
  void addTo(Runtime& runtime) {
    for (int t = 0; t < static_cast<int>(done.size()); ++t) {
      uint64_t args[] = {word(this), static_cast<uint64_t>(t)};
      EXPECT_EQ(runtime.add_task(args, 2, core_types[t], core_types[t]), t);
      for (const int p : predecessors[t]) runtime.add_successor(p, t);
    }
  }
  void expectAllRanOnce() {
    EXPECT_EQ(violations, 0);
    EXPECT_EQ(done, std::vector<int>(done.size(), 1));
  }
};

TEST_F(ScheduleTest, TasksRunOnCoresOfTheirScheduler) {
  for (const int schedulers : {1, 2, 3, 4, 8}) {
    for (const int blocks_each : {1, 3}) {
      for (const bool random_order : {false, true}) {
        SCOPED_TRACE(testing::Message() << schedulers << " schedulers, " << blocks_each
                                        << " blocks each, random order " << random_order);
        const int block_dim = schedulers * blocks_each;
        Graph graph(600, schedulers, static_cast<uint32_t>(schedulers + blocks_each));
        uint32_t flags = PTOWSP_SIM_TRACE;
        if (random_order) flags |= PTOWSP_SIM_SCHEDULE_SEED;
        setOptions(flags, 0, 7);
        registerFunction(0, Graph::kernel);
        registerFunction(1, Graph::kernel);
        const auto events = runTraced(
            [&](Runtime& runtime) {
              runtime.set_dispatch(schedulers, false);
              graph.addTo(runtime);
              for (int t = 0; t < 600; ++t) runtime.set_task_aicpu(t, graph.aicpus[t]);
              return 0;
            },
            block_dim, schedulers);
        graph.expectAllRanOnce();
        ASSERT_EQ(events.size(), 600u);
        for (int t = 0; t < 600; ++t) {
          ASSERT_EQ(events[t].aicpu, graph.aicpus[t]) << "task " << t;
          // AIC cores come first, one a block; then the AIV cores, two a block. A scheduler's blocks
          // are neighbours.
          const int core = events[t].core;
          const int block = core < block_dim ? core : (core - block_dim) / 2;
          ASSERT_EQ(core < block_dim ? 0 : 1, graph.core_types[t]);
          ASSERT_EQ(block / blocks_each, graph.aicpus[t]) << "task " << t << " on core " << core;
        }
      }
    }
  }
}

TEST_F(ScheduleTest, TasksWithoutSchedulerBelongToTheFirst) {
  setOptions(PTOWSP_SIM_TRACE);
  registerFunction(0, nothing);
  const auto events = runTraced(
      [](Runtime& runtime) {
        runtime.set_dispatch(2, false);
        for (int t = 0; t < 5; ++t) EXPECT_EQ(runtime.add_task(nullptr, 0, 0, 1), t);
        runtime.set_task_aicpu(1, 1);
        return 0;
      },
      2, 2);
  ASSERT_EQ(events.size(), 5u);
  for (int t = 0; t < 5; ++t) EXPECT_EQ(events[t].aicpu, t == 1 ? 1 : 0);
}

// A graph without policy that follows one with a policy uses all cores again.
TEST_F(ScheduleTest, APolicyEndsWithItsGraph) {
  setOptions(PTOWSP_SIM_TRACE);
  registerFunction(0, nothing);
  for (const bool dispatched : {true, false}) {
    const auto events = runTraced(
        [&](Runtime& runtime) {
          if (dispatched) runtime.set_dispatch(2, false);
          for (int t = 0; t < 64; ++t) runtime.add_task(nullptr, 0, 0, 1);
          for (int t = 0; t < 64 && dispatched; ++t) runtime.set_task_aicpu(t, 1);
          return 0;
        },
        2, 2);
    std::set<int> schedulers;
    for (const auto& event : events) schedulers.insert(event.aicpu);
    if (dispatched) {
      EXPECT_EQ(schedulers, std::set<int>{1});
    } else if (testWorkers() == 1) {
      EXPECT_EQ(schedulers, (std::set<int>{0, 1}));
    }
  }
}

// Meeting: kernels that end only when two of them run at the same time.
std::atomic<int> meeting{0};
void meet(int64_t*) {
  ++meeting;
  while (meeting.load() < 2) std::this_thread::yield();
}

TEST_F(ScheduleTest, WorkStealTakesTasksOfOtherSchedulers) {
  if (testWorkers() < 2) GTEST_SKIP() << "one worker serves all schedulers";
  meeting = 0;
  setOptions(PTOWSP_SIM_TRACE, 20);
  registerFunction(0, meet);
  // Two AIV tasks of scheduler 0, which has the workers of one group: with two workers only one.
  const auto events = runTraced(
      [](Runtime& runtime) {
        runtime.set_dispatch(2, true);
        for (int t = 0; t < 2; ++t) runtime.add_task(nullptr, 0, 0, 1);
        return 0;
      },
      2, 2);
  ASSERT_EQ(events.size(), 2u);
  if (testWorkers() == 2) {
    EXPECT_EQ(events[0].aicpu + events[1].aicpu, 1);
  }
}

TEST_F(ScheduleTest, WorkStealKeepsOrderAndRunsEachTaskOnce) {
  for (const int schedulers : {2, 4, 8}) {
    Graph graph(2000, 1, 5);  // all tasks belong to scheduler 0
    setOptions(PTOWSP_SIM_TRACE);
    registerFunction(0, Graph::kernel);
    registerFunction(1, Graph::kernel);
    const auto events = runTraced(
        [&](Runtime& runtime) {
          runtime.set_dispatch(schedulers, true);
          graph.addTo(runtime);
          return 0;
        },
        schedulers, schedulers);
    graph.expectAllRanOnce();
    for (const auto& event : events) {
      const int block = event.core < schedulers ? event.core : (event.core - schedulers) / 2;
      ASSERT_EQ(block, event.aicpu);
    }
  }
}

TEST_F(ScheduleTest, DispatchMistakes) {
  registerFunction(0, nothing);
  const auto message = [&](const Builder& builder, int aicpus = 1) {
    if (runtime_.init([&](Runtime& runtime) {
          builder(runtime);
          return 0;
        }) == 0) {
      EXPECT_NE(runtime_.launch(aicpus, aicpus), 0);
      const std::string text = lastMessage();
      EXPECT_EQ(lastError().code, PTOWSP_SIM_ERROR_BAD_SCHEDULE);
      runtime_.finalize();
      return text;
    }
    EXPECT_EQ(lastError().code, PTOWSP_SIM_ERROR_BAD_SCHEDULE);
    return lastMessage();
  };
  const std::string building = "while the orchestration built the graph: ";
  EXPECT_EQ(message([](Runtime& runtime) {
              runtime.add_task(nullptr, 0, 0, 1);
              runtime.set_task_aicpu(0, 0);
              return 0;
            }),
            building + "set_task_aicpu(0, 0): call set_dispatch first");
  EXPECT_EQ(message([](Runtime& runtime) {
              runtime.set_dispatch(2, false);
              runtime.add_task(nullptr, 0, 0, 1);
              runtime.set_task_aicpu(0, 2);
              return 0;
            }),
            building + "set_task_aicpu(0, 2): expected one of 1 tasks and one of 2 AICPU schedulers");
  EXPECT_EQ(message([](Runtime& runtime) {
              runtime.set_dispatch(2, false);
              runtime.set_task_aicpu(0, 0);
              return 0;
            }),
            building + "set_task_aicpu(0, 0): expected one of 0 tasks and one of 2 AICPU schedulers");
  EXPECT_EQ(message([](Runtime& runtime) {
              runtime.set_dispatch(65, false);
              return 0;
            }),
            building + "set_dispatch(65): expected 1 to 64 AICPU schedulers");
  EXPECT_EQ(message([](Runtime& runtime) {
              runtime.set_dispatch(2, false);
              runtime.set_dispatch(4, false);
              return 0;
            }),
            building + "set_dispatch(4): a policy for 2 AICPU schedulers was set before");
  EXPECT_EQ(message([](Runtime& runtime) {
              runtime.set_task_window(0, kWindowStall);
              return 0;
            }),
            building + "set_task_window(0, 0): expected at least 1 task and a mode from 0 to 2");
  EXPECT_EQ(message(
                [](Runtime& runtime) {
                  runtime.set_dispatch(4, false);
                  runtime.add_task(nullptr, 0, 0, 1);
                  return 0;
                },
                2),
            "the graph's tasks are dealt to 4 AICPU schedulers, launch_runtime was called with 2; "
            "call it with 4");
}

// Ring: kernels look whether all tasks before the window of theirs have ended.
struct Ring {
  int window;
  std::vector<std::atomic<int>> ended;
  std::atomic<int> violations{0};

  Ring(int tasks, int window_size) : window(window_size), ended(static_cast<size_t>(tasks)) {}
  static void kernel(int64_t* args) {
    auto& ring = *pointer<Ring>(args[0]);
    const int task = static_cast<int>(args[1]);
    for (int t = 0; t <= task - ring.window; ++t)
      if (ring.ended[t].load() == 0) ++ring.violations;
    ++ring.ended[task];
  }
  void addTask(Runtime& runtime, int t) {
    uint64_t args[] = {word(this), static_cast<uint64_t>(t)};
    EXPECT_EQ(runtime.add_task(args, 2, t % 2, t % 2), t);
  }
};

TEST_F(ScheduleTest, WindowHoldsTasksBack) {
  registerFunction(0, Ring::kernel);
  registerFunction(1, Ring::kernel);
  for (const int window : {1, 2, 7, 64, 399, 400, 1000}) {
    for (const int aicpus : {0, 1, 2}) {  // 0: no policy
      SCOPED_TRACE(testing::Message() << "window " << window << ", schedulers " << aicpus);
      Ring ring(400, window);
      ASSERT_EQ(runtime_.init([&](Runtime& runtime) {
        runtime.set_task_window(window, kWindowStall);
        if (aicpus != 0) runtime.set_dispatch(aicpus, false);
        for (int t = 0; t < 400; ++t) ring.addTask(runtime, t);
        for (int t = 0; t < 400 && aicpus != 0; ++t) runtime.set_task_aicpu(t, t % 3 % aicpus);
        return 0;
      }),
                0);
      ASSERT_EQ(runtime_.launch(2, std::max(aicpus, 1)), 0) << lastMessage();
      EXPECT_EQ(ring.violations, 0);
      EXPECT_EQ(stats().completed, 400);
      EXPECT_EQ(stats().window, window);
      EXPECT_LE(stats().window_high_water, std::min(window, 400));
      EXPECT_GE(stats().window_high_water, 1);
      // All tasks are ready at once, so each one that was not in the first window was stalled.
      EXPECT_EQ(stats().window_stalls, std::max(0, 400 - window));
      EXPECT_EQ(runtime_.finalize(), 0);
    }
  }
}

TEST_F(ScheduleTest, WindowAndEdges) {
  for (const int window : {1, 3, 16, 100}) {
    Graph graph(1000, 3, static_cast<uint32_t>(window));
    registerFunction(0, Graph::kernel);
    registerFunction(1, Graph::kernel);
    setOptions(PTOWSP_SIM_TRACE | PTOWSP_SIM_SCHEDULE_SEED, 0, 3);
    const auto events = runTraced(
        [&](Runtime& runtime) {
          runtime.set_task_window(window, kWindowStall);
          runtime.set_dispatch(3, false);
          graph.addTo(runtime);
          for (int t = 0; t < 1000; ++t) runtime.set_task_aicpu(t, graph.aicpus[t]);
          return 0;
        },
        3, 3);
    graph.expectAllRanOnce();
    for (int t = window; t < 1000; ++t) {
      for (int before = 0; before <= t - window; ++before)
        ASSERT_LE(events[before].end_ns, events[t].start_ns) << before << " and " << t;
    }
  }
}

Builder chainOf(int tasks, int window, ptowsp_sim::WindowMode mode) {
  return [=](Runtime& runtime) {
    runtime.set_task_window(window, mode);
    for (int t = 0; t < tasks; ++t) {
      runtime.add_task(nullptr, 0, 0, 1);
      if (t > 0) runtime.add_successor(t - 1, t);
    }
    return 0;
  };
}

TEST_F(ScheduleTest, AChainNeverNeedsMoreThanOnePlace) {
  registerFunction(0, nothing);
  for (const auto mode : {kWindowStall, kWindowAbort, kWindowBenchmark}) {
    ASSERT_EQ(runtime_.init(chainOf(300, 1, mode)), 0);
    ASSERT_EQ(runtime_.launch(), 0) << lastMessage();
    EXPECT_EQ(stats().completed, 300);
    EXPECT_EQ(stats().window_high_water, 1);
    EXPECT_EQ(stats().window_stalls, 0);
    EXPECT_EQ(runtime_.finalize(), 0);
  }
}

// Task 0, then many tasks that wait for it alone.
Builder fanOut(int tasks, int window, ptowsp_sim::WindowMode mode) {
  return [=](Runtime& runtime) {
    runtime.set_task_window(window, mode);
    for (int t = 0; t < tasks; ++t) {
      runtime.add_task(nullptr, 0, 0, 1);
      if (t > 0) runtime.add_successor(0, t);
    }
    return 0;
  };
}

TEST_F(ScheduleTest, AbortFailsBeyondTheWindow) {
  registerFunction(0, nothing);
  ptowsp_sim_describe_kernel(0, "fan", 1);
  ASSERT_EQ(runtime_.init(fanOut(10, 4, kWindowAbort)), 0);
  EXPECT_EQ(runtime_.launch(), PTOWSP_SIM_ERROR_WINDOW);
  // Task 0 has ended, so tasks 1 to 4 are in the window.
  EXPECT_EQ(lastError().task, 5);
  EXPECT_EQ(lastMessage(),
            "task 5, kernel fan (func_id 0), is ready, but lies beyond the task window: task 1 is "
            "not finished, and the window is 4 tasks; make it larger, or use the mode stall, in "
            "which tasks wait");
  EXPECT_NE(runtime_.finalize(), 0);
  ASSERT_EQ(ptowsp_sim_device_reset(), 0);
  registerFunction(0, nothing);
  ASSERT_EQ(runtime_.init(fanOut(10, 9, kWindowAbort)), 0);
  EXPECT_EQ(runtime_.launch(), 0) << lastMessage();
  EXPECT_EQ(runtime_.finalize(), 0);
}

TEST_F(ScheduleTest, AbortAtTheBeginning) {
  registerFunction(0, nothing);
  ASSERT_EQ(runtime_.init([](Runtime& runtime) {
    runtime.set_task_window(3, kWindowAbort);
    for (int t = 0; t < 5; ++t) runtime.add_task(nullptr, 0, 0, 1);
    return 0;
  }),
            0);
  EXPECT_EQ(runtime_.launch(), PTOWSP_SIM_ERROR_WINDOW);
  EXPECT_EQ(lastError().task, 3);
  EXPECT_EQ(stats().completed, 0);
}

TEST_F(ScheduleTest, BenchmarkCountsAndHoldsNothing) {
  registerFunction(0, nothing);
  ASSERT_EQ(runtime_.init(fanOut(10, 4, kWindowBenchmark)), 0);
  EXPECT_EQ(runtime_.launch(), 0) << lastMessage();
  EXPECT_EQ(stats().completed, 10);
  EXPECT_EQ(stats().window_stalls, 5);  // tasks 5 to 9
  EXPECT_EQ(runtime_.finalize(), 0);
}

// Task t waits for task t + 3, as processes that wait for later ones do.
Builder backward(int window) {
  return [=](Runtime& runtime) {
    runtime.set_task_window(window, kWindowStall);
    for (int t = 0; t < 8; ++t) runtime.add_task(nullptr, 0, 0, 1);
    for (int t = 0; t < 5; ++t) runtime.add_successor(t + 3, t);
    return 0;
  };
}

TEST_F(ScheduleTest, AWindowThatCannotMoveOnIsRefused) {
  registerFunction(0, nothing);
  // Task 0 waits for 3, which waits for 6; so does task 1 for 4 and 7.
  ASSERT_EQ(runtime_.init(backward(6)), 0);
  EXPECT_EQ(runtime_.launch(), PTOWSP_SIM_ERROR_BAD_SCHEDULE);
  EXPECT_EQ(lastMessage(),
            "a task window of 6 tasks can never move on: some task waits for one 6 places after it; "
            "the smallest window of this graph is 7 tasks");
  EXPECT_NE(runtime_.finalize(), 0);
  ASSERT_EQ(runtime_.init(backward(7)), 0);
  EXPECT_EQ(runtime_.launch(), 0) << lastMessage();
  EXPECT_EQ(stats().completed, 8);
  EXPECT_EQ(runtime_.finalize(), 0);
}

}  // namespace
}  // namespace ptowsp::sim_test
