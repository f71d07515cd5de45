// SPDX-License-Identifier: MIT
// Running graphs: order, cores, parallelism, repetition, random schedules, trace and statistics.
#include <gmock/gmock.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <random>
#include <set>
#include <thread>

#include "tests/seed.h"
#include "tests/sim/sim_fixture.h"

namespace ptowsp::sim_test {
namespace {

class RunTest : public SimTest {};

// Dag: a random graph whose kernels check their dependences. The values are plain memory, so that a
// thread sanitizer sees a race where the scheduler lacks an ordering.
struct Dag {
  std::vector<std::vector<int>> predecessors;
  std::vector<int> core_types;
  std::vector<int64_t> depth;     // written by the task itself
  std::vector<int> runs;          // likewise
  std::vector<int64_t> expected;  // depth by definition
  std::atomic<int> violations{0};

  Dag(int tasks, int max_fanin, int reach, uint32_t seed) {
    std::mt19937 random(seed);
    predecessors.resize(tasks);
    core_types.resize(tasks);
    expected.assign(tasks, 0);
    for (int t = 0; t < tasks; ++t) {
      core_types[t] = static_cast<int>(random() % 3 != 0);
      const int fanin = t == 0 ? 0 : static_cast<int>(random() % (max_fanin + 1));
      for (int i = 0; i < fanin; ++i) {
        const int p = t - 1 - static_cast<int>(random() % std::min(t, reach));
        predecessors[t].push_back(p);
        expected[t] = std::max(expected[t], expected[p] + 1);
      }
    }
    reset();
  }
  void reset() {
    depth.assign(predecessors.size(), -1);
    runs.assign(predecessors.size(), 0);
  }
  int tasks() const { return static_cast<int>(predecessors.size()); }

  Builder builder() {
    return [this](Runtime& runtime) {
      for (int t = 0; t < tasks(); ++t) {
        uint64_t args[2] = {word(this), static_cast<uint64_t>(t)};
        EXPECT_EQ(runtime.add_task(args, 2, core_types[t], core_types[t]), t);
        for (const int p : predecessors[t]) runtime.add_successor(p, t);
      }
      return 0;
    };
  }
  static void kernel(int64_t* args) {
    auto& dag = *pointer<Dag>(args[0]);
    const int task = static_cast<int>(args[1]);
    int64_t depth = 0;
    for (const int p : dag.predecessors[task]) {
      if (dag.runs[p] == 0) ++dag.violations;
      depth = std::max(depth, dag.depth[p] + 1);
    }
    dag.depth[task] = depth;
    ++dag.runs[task];
  }
  void expectRight() {
    EXPECT_EQ(violations, 0);
    EXPECT_EQ(depth, expected);
    EXPECT_TRUE(std::all_of(runs.begin(), runs.end(), [](int n) { return n == 1; }));
  }
};

TEST_F(RunTest, RandomGraphsKeepTheirOrder) {
  registerFunction(0, Dag::kernel);
  registerFunction(1, Dag::kernel);
  std::mt19937 random(static_cast<uint32_t>(test::testSeed()));
  for (int round = 0; round < 12; ++round) {
    const int blocks = 1 << random() % 6;
    Dag dag(1500, 1 + static_cast<int>(random() % 4), 1 + static_cast<int>(random() % 200),
            random());
    const bool random_order = round % 2 == 1;
    setOptions(random_order ? PTOWSP_SIM_SCHEDULE_SEED : 0, 60, random());
    ASSERT_EQ(runtime_.init(dag.builder()), 0);
    for (int repeat = 0; repeat < 3; ++repeat) {
      dag.reset();
      ASSERT_EQ(runtime_.launch(blocks), 0) << lastMessage();
      dag.expectRight();
      EXPECT_EQ(stats().completed, dag.tasks());
    }
    EXPECT_EQ(runtime_.finalize(), 0);
  }
}

TEST_F(RunTest, AnEmptyGraphIsDoneAtOnce) {
  ASSERT_EQ(runtime_.init([](Runtime&) { return 0; }), 0);
  EXPECT_EQ(runtime_.launch(), 0);
  EXPECT_EQ(stats().completed, 0);
  EXPECT_EQ(runtime_.finalize(), 0);
}

TEST_F(RunTest, OneTaskManyTimes) {
  static int runs;
  runs = 0;
  registerFunction(0, [](int64_t*) { ++runs; });
  ASSERT_EQ(runtime_.init([](Runtime& runtime) {
    uint64_t args[1] = {0};
    runtime.add_task(args, 1, 0);
    return 0;
  }),
            0);
  for (int i = 0; i < 500; ++i) ASSERT_EQ(runtime_.launch(1 + i % 3), 0);
  EXPECT_EQ(runs, 500);
}

// Rendezvous: `count` tasks that each wait until all of them run.
struct Rendezvous {
  int count;
  std::atomic<int> arrived{0};
  static void kernel(int64_t* args) {
    auto& all = *pointer<Rendezvous>(args[0]);
    ++all.arrived;
    while (all.arrived < all.count) std::this_thread::yield();
  }
};

TEST_F(RunTest, AsManyTasksRunAtOnceAsThereAreWorkersAndCores) {
  setOptions(0, 60);
  registerFunction(0, Rendezvous::kernel);
  registerFunction(1, [](int64_t*) {});
  for (const int blocks : {1, 3, 32}) {
    for (const bool behind_one_task : {false, true}) {
      SCOPED_TRACE(blocks);
      Rendezvous all{std::min(testWorkers(), 2 * blocks)};
      ASSERT_EQ(runtime_.init([&](Runtime& runtime) {
        uint64_t args[1] = {word(&all)};
        // Behind one task all become ready on one worker, and the others must come for them.
        if (behind_one_task) runtime.add_task(args, 1, 1, 1);
        for (int t = 0; t < all.count; ++t) {
          const int task = runtime.add_task(args, 1, 0, 1);
          if (behind_one_task) runtime.add_successor(0, task);
        }
        return 0;
      }),
                0);
      ASSERT_EQ(runtime_.launch(blocks), 0) << lastMessage();
      EXPECT_EQ(stats().workers, std::min(testWorkers(), 3 * blocks));
    }
  }
}

struct Crowd {
  std::atomic<int> inside[2] = {};
  std::atomic<int> most[2] = {};
  static void kernel(int64_t* args) {
    auto& crowd = *pointer<Crowd>(args[0]);
    const auto type = static_cast<size_t>(args[1]);
    const int now = ++crowd.inside[type];
    int most = crowd.most[type];
    while (most < now && !crowd.most[type].compare_exchange_weak(most, now)) {
    }
    std::this_thread::yield();
    --crowd.inside[type];
  }
};

TEST_F(RunTest, NoMoreTasksAtOnceThanCoresOfTheirType) {
  registerFunction(0, Crowd::kernel);
  for (const int blocks : {1, 2}) {
    Crowd crowd;
    ASSERT_EQ(runtime_.init([&](Runtime& runtime) {
      for (int t = 0; t < 600; ++t) {
        const int type = t % 2;
        uint64_t args[2] = {word(&crowd), static_cast<uint64_t>(type)};
        runtime.add_task(args, 2, 0, type);
      }
      return 0;
    }),
              0);
    ASSERT_EQ(runtime_.launch(blocks), 0);
    EXPECT_LE(crowd.most[0], blocks);
    EXPECT_LE(crowd.most[1], 2 * blocks);
  }
}

std::vector<int> g_order;
void recordOrder(int64_t* args) { g_order.push_back(static_cast<int>(args[0])); }

Builder independentTasks(int tasks) {
  return [=](Runtime& runtime) {
    for (int t = 0; t < tasks; ++t) {
      uint64_t args[1] = {static_cast<uint64_t>(t)};
      runtime.add_task(args, 1, 0, 1);
    }
    return 0;
  };
}

TEST_F(RunTest, SeedDecidesTheOrderOfOneWorker) {
  registerFunction(0, recordOrder);
  std::map<uint64_t, std::vector<int>> orders;
  auto options = sized<ptowsp_sim_options>();
  options.workers = 1;
  ASSERT_EQ(runtime_.init(independentTasks(50)), 0);
  std::vector<int> ascending(50);
  for (int t = 0; t < 50; ++t) ascending[t] = t;
  for (const uint64_t seed : {1, 2, 1, 2}) {
    options.flags = PTOWSP_SIM_SCHEDULE_SEED | PTOWSP_SIM_QUIET;
    options.schedule_seed = seed;
    ASSERT_EQ(ptowsp_sim_set_options(&options), 0);
    g_order.clear();
    ASSERT_EQ(runtime_.launch(), 0);
    EXPECT_NE(g_order, ascending);
    EXPECT_EQ(orders.emplace(seed, g_order).first->second, g_order);
  }
  EXPECT_NE(orders[1], orders[2]);
  options.flags = PTOWSP_SIM_QUIET;
  ASSERT_EQ(ptowsp_sim_set_options(&options), 0);
  g_order.clear();
  ASSERT_EQ(runtime_.launch(), 0);
  EXPECT_EQ(g_order, ascending) << "without a seed, tasks added first run first";
}

TEST_F(RunTest, SeedsReachEveryOrder) {
  registerFunction(0, recordOrder);
  ASSERT_EQ(runtime_.init(independentTasks(4)), 0);
  auto options = sized<ptowsp_sim_options>();
  options.workers = 1;
  options.flags = PTOWSP_SIM_SCHEDULE_SEED | PTOWSP_SIM_QUIET;
  std::set<std::vector<int>> orders;
  for (uint64_t seed = 0; seed < 400; ++seed) {
    options.schedule_seed = seed;
    ASSERT_EQ(ptowsp_sim_set_options(&options), 0);
    g_order.clear();
    ASSERT_EQ(runtime_.launch(), 0);
    orders.insert(g_order);
  }
  EXPECT_EQ(orders.size(), 24u);
}

TEST_F(RunTest, TraceTellsCoreSchedulerAndTimes) {
  setOptions(PTOWSP_SIM_TRACE, 60);
  registerFunction(0, Dag::kernel);
  registerFunction(1, Dag::kernel);
  Dag dag(400, 2, 30, 7);
  ASSERT_EQ(runtime_.init(dag.builder()), 0);
  constexpr int kBlocks = 6, kSchedulers = 3;
  ASSERT_EQ(runtime_.launch(kBlocks, kSchedulers), 0);

  auto trace = sized<ptowsp_sim_trace>();
  ASSERT_EQ(ptowsp_sim_get_trace(&trace), 0);
  ASSERT_EQ(trace.count, 400u);
  std::map<int, std::vector<const ptowsp_sim_event*>> by_core;
  std::map<int, int> worker_of_core;
  for (int t = 0; t < 400; ++t) {
    const ptowsp_sim_event& event = trace.events[t];
    EXPECT_EQ(event.task, t);
    EXPECT_EQ(event.func_id, dag.core_types[t]);
    EXPECT_EQ(event.core_type, dag.core_types[t]);
    EXPECT_EQ(event.core_type, event.core < kBlocks ? 0 : 1);
    ASSERT_GE(event.core, 0);
    ASSERT_LT(event.core, 3 * kBlocks);
    const int block = event.core < kBlocks ? event.core : (event.core - kBlocks) / 2;
    EXPECT_EQ(event.aicpu, block / (kBlocks / kSchedulers));
    EXPECT_LE(event.dispatch_ns, event.start_ns);
    EXPECT_LE(event.start_ns, event.end_ns);
    for (const int p : dag.predecessors[t]) EXPECT_LE(trace.events[p].end_ns, event.start_ns);
    by_core[event.core].push_back(&event);
    EXPECT_EQ(worker_of_core.emplace(event.core, event.worker).first->second, event.worker);
    EXPECT_LT(event.worker, stats().workers);
  }
  uint64_t all_busy = 0, kernel_time = 0;
  for (auto& [core, events] : by_core) {
    std::sort(events.begin(), events.end(),
              [](const auto* a, const auto* b) { return a->start_ns < b->start_ns; });
    for (size_t i = 0; i + 1 < events.size(); ++i) {
      EXPECT_LE(events[i]->end_ns, events[i + 1]->start_ns) << "core " << core;
    }
    for (const auto* event : events) kernel_time += event->end_ns - event->start_ns;
  }
  const ptowsp_sim_stats s = stats();
  ASSERT_NE(s.core_busy_ns, nullptr);
  for (int core = 0; core < s.cores; ++core) all_busy += s.core_busy_ns[core];
  EXPECT_EQ(all_busy, kernel_time);
  EXPECT_EQ(s.cores, 3 * kBlocks);
  EXPECT_EQ(s.aicpus, kSchedulers);
  EXPECT_EQ(s.critical_path, 1 + *std::max_element(dag.expected.begin(), dag.expected.end()));
  EXPECT_GT(s.critical_path_ns, 0u);
  EXPECT_LE(s.critical_path_ns, s.wall_ns);
  EXPECT_EQ(s.tasks, 400);

  setOptions(0);
  dag.reset();
  ASSERT_EQ(runtime_.launch(), 0);
  ASSERT_EQ(ptowsp_sim_get_trace(&trace), 0);
  EXPECT_EQ(trace.count, 0u);
}

TEST_F(RunTest, OutputsComeBackAtFinalize) {
  registerFunction(0, [](int64_t* args) {
    for (int i = 0; i < 64; ++i) pointer<float>(args[1])[i] = 2 * pointer<float>(args[0])[i];
  });
  float input[64], output[64] = {};
  for (int i = 0; i < 64; ++i) input[i] = static_cast<float>(i);
  ASSERT_EQ(runtime_.init([&](Runtime& runtime) {
    void* x = runtime.host_api.device_malloc(sizeof input);
    void* y = runtime.host_api.device_malloc(sizeof output);
    runtime.host_api.copy_to_device(x, input, sizeof input);
    runtime.record_tensor_pair(output, y, sizeof output);
    uint64_t args[2] = {word(x), word(y)};
    runtime.add_task(args, 2, 0, 1);
    return 0;
  }),
            0);
  ASSERT_EQ(runtime_.launch(), 0);
  EXPECT_EQ(output[1], 0) << "device memory is not host memory";
  ASSERT_EQ(runtime_.finalize(), 0);
  for (int i = 0; i < 64; ++i) EXPECT_EQ(output[i], 2.0f * static_cast<float>(i));
  EXPECT_EQ(stats().live_allocations, 0);
  EXPECT_EQ(stats().unrecorded_allocations, 1) << "x was neither freed nor recorded";
}

TEST_F(RunTest, FinalizeReleasesWhatWasAllocatedBeforeToo) {
  void* mine = device_malloc(8);
  void* recorded = device_malloc(8);
  int64_t host = 0;
  ASSERT_EQ(runtime_.init([&](Runtime& runtime) {
    runtime.record_tensor_pair(&host, recorded, 8);
    runtime.record_tensor_pair(&host, static_cast<char*>(recorded) + 4, 4);
    return 0;
  }),
            0);
  ASSERT_EQ(runtime_.launch(), 0);
  ASSERT_EQ(runtime_.finalize(), 0);
  EXPECT_EQ(stats().live_allocations, 1) << "recorded memory is freed, the caller's own stays";
  device_free(mine);
}

}  // namespace
}  // namespace ptowsp::sim_test
