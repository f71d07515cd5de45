// SPDX-License-Identifier: MIT
// Building a graph: what class Runtime tells about it, and every mistake in it.
#include <gmock/gmock.h>
#include <sys/resource.h>

#include <numeric>

#include "tests/sim/sim_fixture.h"

namespace ptowsp::sim_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

void nothing(int64_t*) {}

class GraphTest : public SimTest {
 protected:
  void SetUp() override {
    SimTest::SetUp();
    ASSERT_EQ(registerFunction(0, nothing), 0);
  }
};

TEST_F(GraphTest, TellsTasksAndEdges) {
  const auto build = [](Runtime& runtime) {
    uint64_t args[3] = {7, 8, 9};
    EXPECT_EQ(runtime.add_task(args, 3, 4, 1), 0);
    EXPECT_EQ(runtime.add_task(args, 1, 5), 1);
    EXPECT_EQ(runtime.add_task(nullptr, 0, 6, 1), 2);
    args[0] = 0;  // arguments were copied
    runtime.add_successor(0, 2);
    runtime.add_successor(1, 2);
    runtime.add_successor(0, 1);
    EXPECT_EQ(runtime.get_task_count(), 3);
    EXPECT_EQ(runtime.edge_count(), 3);

    Task* first = runtime.get_task(0);
    EXPECT_EQ(first->task_id, 0);
    EXPECT_EQ(first->func_id, 4);
    EXPECT_EQ(first->core_type, 1);
    EXPECT_THAT(std::vector<uint64_t>(first->args, first->args + first->num_args),
                ElementsAre(7, 8, 9));
    EXPECT_EQ(first->fanin.load(), 0);
    EXPECT_THAT(std::vector<int>(first->fanout, first->fanout + first->fanout_count),
                ElementsAre(2, 1));
    EXPECT_EQ(runtime.get_task(1)->core_type, 0);
    EXPECT_EQ(runtime.get_task(1)->fanin, 1);
    EXPECT_EQ(runtime.get_task(2)->fanin, 2);
    EXPECT_EQ(runtime.get_task(3), nullptr);
    EXPECT_EQ(runtime.get_task(-1), nullptr);

    // The graph may grow after a look at it.
    EXPECT_EQ(runtime.add_task(args, 1, 4), 3);
    runtime.add_successor(2, 3);
    EXPECT_EQ(runtime.get_task(3)->fanin, 1);
    EXPECT_EQ(runtime.get_task(2)->fanout_count, 1);
    int ready[4];
    EXPECT_EQ(runtime.get_initial_ready_tasks(nullptr), 1);
    EXPECT_EQ(runtime.get_initial_ready_tasks(ready), 1);
    EXPECT_EQ(ready[0], 0);
    return 0;
  };
  EXPECT_EQ(runtime_.init(build), 0) << lastMessage();
}

TEST_F(GraphTest, PrintsEveryTask) {
  ::testing::internal::CaptureStdout();
  ASSERT_EQ(runtime_.init([](Runtime& runtime) {
    uint64_t args[1] = {1};
    runtime.add_task(args, 1, 0, 1);
    runtime.add_task(args, 0, 3, 0);
    runtime.add_successor(0, 1);
    runtime.print_runtime();
    return 0;
  }),
            0);
  EXPECT_EQ(::testing::internal::GetCapturedStdout(),
            "Runtime: 2 tasks, 1 edges, 1 ready at once\n"
            "  task 0: func_id 0, AIV, 1 args, fanin 0, fanout [1]\n"
            "  task 1: func_id 3, AIC, 0 args, fanin 1, fanout []\n");
}

TEST_F(GraphTest, HasNoFixedLimits) {
  constexpr int kTasks = 20000;
  const auto build = [](Runtime& runtime) {
    std::vector<uint64_t> args(100);
    std::iota(args.begin(), args.end(), 0);
    runtime.add_task(args.data(), 100, 0, 1);
    for (int t = 1; t < kTasks; ++t) {
      runtime.add_task(args.data(), 2, 0, 1);
      runtime.add_successor(0, t);
    }
    EXPECT_EQ(runtime.get_task(0)->fanout_count, kTasks - 1);
    EXPECT_EQ(runtime.get_task(0)->args[99], 99u);
    return 0;
  };
  ASSERT_EQ(runtime_.init(build), 0);
  ASSERT_EQ(runtime_.launch(), 0);
  EXPECT_EQ(stats().completed, kTasks);
  EXPECT_EQ(stats().critical_path, 2);
}

TEST_F(GraphTest, ArgumentsCanBeChangedThroughTheView) {
  static uint64_t seen;
  registerFunction(1, [](int64_t* args) { seen = static_cast<uint64_t>(args[0]); });
  ASSERT_EQ(runtime_.init([](Runtime& runtime) {
    uint64_t args[1] = {1};
    runtime.add_task(args, 1, 1, 1);
    runtime.get_task(0)->args[0] = 5;
    return 0;
  }),
            0);
  ASSERT_EQ(runtime_.launch(), 0);
  EXPECT_EQ(seen, 5u);
}

struct BadGraph {
  const char* name;
  int code;
  const char* message;
  void (*build)(Runtime& runtime, uint64_t* args);
};

class BadGraphTest : public GraphTest, public ::testing::WithParamInterface<BadGraph> {};

TEST_P(BadGraphTest, MakesInitFail) {
  const auto build = [](Runtime& runtime) {
    uint64_t args[2] = {0, 0};
    EXPECT_EQ(runtime.add_task(args, 2, 0, 1), 0);
    GetParam().build(runtime, args);
    EXPECT_EQ(runtime.add_task(args, 2, 0, 1), 1) << "the graph stays usable";
    return 0;
  };
  EXPECT_EQ(runtime_.init(build), GetParam().code);
  EXPECT_EQ(lastMessage(),
            std::string("while the orchestration built the graph: ") + GetParam().message);
  EXPECT_EQ(runtime_.launch(), PTOWSP_SIM_ERROR_NOT_INITIALIZED);
  EXPECT_EQ(runtime_.finalize(), PTOWSP_SIM_ERROR_NOT_INITIALIZED);
  EXPECT_EQ(stats().live_allocations, 0);
}

INSTANTIATE_TEST_SUITE_P(
    Sim, BadGraphTest,
    ::testing::Values(
        BadGraph{"EdgeToUnknownTask", PTOWSP_SIM_ERROR_BAD_EDGE,
                 "add_successor(0, 1): there is no task 1, only 1 tasks so far; pass ids that "
                 "add_task returned",
                 [](Runtime& r, uint64_t*) { r.add_successor(0, 1); }},
        BadGraph{"EdgeFromMinusOne", PTOWSP_SIM_ERROR_BAD_EDGE,
                 "add_successor(-1, 0): there is no task -1, only 1 tasks so far; pass ids that "
                 "add_task returned",
                 [](Runtime& r, uint64_t*) { r.add_successor(-1, 0); }},
        BadGraph{"NegativeArgumentCount", PTOWSP_SIM_ERROR_BAD_TASK,
                 "add_task(args, -3, 0, 1), after 1 tasks: the number of arguments is negative",
                 [](Runtime& r, uint64_t* args) { EXPECT_EQ(r.add_task(args, -3, 0, 1), -1); }},
        BadGraph{"NullArguments", PTOWSP_SIM_ERROR_BAD_TASK,
                 "add_task(args, 2, 0, 1), after 1 tasks: the arguments are a null pointer",
                 [](Runtime& r, uint64_t*) { EXPECT_EQ(r.add_task(nullptr, 2, 0, 1), -1); }},
        BadGraph{"NegativeFunction", PTOWSP_SIM_ERROR_BAD_TASK,
                 "add_task(args, 1, -1, 1), after 1 tasks: func_id is negative",
                 [](Runtime& r, uint64_t* args) { EXPECT_EQ(r.add_task(args, 1, -1, 1), -1); }},
        BadGraph{"WrongCoreType", PTOWSP_SIM_ERROR_BAD_TASK,
                 "add_task(args, 1, 0, 2), after 1 tasks: the core type is neither 0 (AIC) nor 1 "
                 "(AIV)",
                 [](Runtime& r, uint64_t* args) { EXPECT_EQ(r.add_task(args, 1, 0, 2), -1); }},
        BadGraph{
            "FirstMistakeCounts", PTOWSP_SIM_ERROR_BAD_TASK,
            "add_task(args, 1, -2, 1), after 1 tasks: func_id is negative",
            [](Runtime& r, uint64_t* args) { r.add_successor(0, r.add_task(args, 1, -2, 1)); }},
        BadGraph{
            "PairOutsideDeviceMemory", PTOWSP_SIM_ERROR_BAD_PAIR,
            "record_tensor_pair: 9 bytes at offset 0 of device allocation 0, which has 8 bytes",
            [](Runtime& r, uint64_t* args) {
              r.record_tensor_pair(args, r.host_api.device_malloc(8), 9);
            }},
        BadGraph{"PairWithoutHost", PTOWSP_SIM_ERROR_BAD_PAIR,
                 "record_tensor_pair: the host pointer is null",
                 [](Runtime& r, uint64_t*) {
                   r.record_tensor_pair(nullptr, r.host_api.device_malloc(8), 8);
                 }},
        BadGraph{"IgnoredCopyError", PTOWSP_SIM_ERROR_BAD_COPY,
                 "copy_to_device: 16 bytes at offset 0 of device allocation 0, which has 8 bytes",
                 [](Runtime& r, uint64_t* args) {
                   r.host_api.copy_to_device(r.host_api.device_malloc(8), args, 16);
                 }}),
    [](const auto& test) { return test.param.name; });

TEST_F(GraphTest, AnOrchestrationsOwnErrorIsInDetail) {
  EXPECT_EQ(runtime_.init([](Runtime&) { return -7; }), PTOWSP_SIM_ERROR_ORCHESTRATION);
  EXPECT_EQ(lastError().detail, -7);
  EXPECT_EQ(lastMessage(), "the orchestration function returned error -7");
  EXPECT_EQ(runtime_.init([](Runtime&) -> int { throw std::runtime_error("no luck"); }),
            PTOWSP_SIM_ERROR_ORCHESTRATION);
  EXPECT_THAT(lastMessage(), HasSubstr("threw an exception: no luck"));
}

Builder chainWithEdges(std::vector<std::pair<int, int>> edges, int tasks) {
  return [=](Runtime& runtime) {
    uint64_t args[1] = {0};
    for (int t = 0; t < tasks; ++t) runtime.add_task(args, 1, 0, 1);
    for (const auto& [from, to] : edges) runtime.add_successor(from, to);
    return 0;
  };
}

TEST_F(GraphTest, CycleIsNamed) {
  // 0 -> 1 -> 2 -> 3 -> 1, and 4 behind the cycle.
  ASSERT_EQ(runtime_.init(chainWithEdges({{0, 1}, {1, 2}, {2, 3}, {3, 1}, {3, 4}}, 5)), 0);
  EXPECT_EQ(runtime_.launch(), PTOWSP_SIM_ERROR_CYCLE);
  const ptowsp_sim_error error = lastError();
  EXPECT_STREQ(error.message,
               "3 tasks wait for each other in a cycle: 1 -> 2 -> 3 -> 1; nothing was run");
  EXPECT_THAT(std::vector<int>(error.tasks, error.tasks + error.task_count), ElementsAre(1, 2, 3));
  EXPECT_EQ(error.task, 1);
  EXPECT_EQ(error.func_id, 0);
  EXPECT_EQ(runtime_.finalize(), PTOWSP_SIM_ERROR_NOT_RUN);

  // Nothing ran, so the device is as good as before.
  ASSERT_EQ(runtime_.init(chainWithEdges({{2, 1}, {1, 0}}, 3)), 0);
  EXPECT_EQ(runtime_.launch(), 0) << "backward edges alone are no cycle";
}

TEST_F(GraphTest, TaskThatWaitsForItselfAndLongCycle) {
  ASSERT_EQ(runtime_.init(chainWithEdges({{1, 1}}, 3)), 0);
  EXPECT_EQ(runtime_.launch(), PTOWSP_SIM_ERROR_CYCLE);
  EXPECT_THAT(lastMessage(), HasSubstr("1 -> 1;"));

  constexpr int kTasks = 1000;
  std::vector<std::pair<int, int>> ring;
  for (int t = 0; t < kTasks; ++t) ring.push_back({t, (t + 1) % kTasks});
  ASSERT_EQ(runtime_.init(chainWithEdges(ring, kTasks)), 0);
  EXPECT_EQ(runtime_.launch(), PTOWSP_SIM_ERROR_CYCLE);
  EXPECT_EQ(lastError().task_count, 1000u);
  EXPECT_THAT(lastMessage(), HasSubstr("15 -> ... -> 0; nothing was run"));
}

TEST_F(GraphTest, SuccessorListingIsTheGraph) {
  ASSERT_EQ(runtime_.init(chainWithEdges({{2, 0}, {0, 1}, {2, 1}}, 3)), 0);
  auto graph = sized<ptowsp_sim_graph>();
  EXPECT_EQ(ptowsp_sim_get_graph(&graph), PTOWSP_SIM_ERROR_NOT_INITIALIZED) << "before a launch";
  ASSERT_EQ(runtime_.launch(), 0);
  ASSERT_EQ(ptowsp_sim_get_graph(&graph), 0);
  ASSERT_EQ(graph.tasks, 3);
  EXPECT_EQ(graph.edges, 3);
  EXPECT_THAT(std::vector<uint32_t>(graph.offsets, graph.offsets + 4), ElementsAre(0, 1, 1, 3));
  EXPECT_THAT(std::vector<int>(graph.successors, graph.successors + 3), ElementsAre(1, 0, 1));
  EXPECT_THAT(std::vector<int>(graph.fanin, graph.fanin + 3), ElementsAre(1, 2, 0));
  EXPECT_EQ(runtime_.finalize(), 0);
  EXPECT_EQ(ptowsp_sim_get_graph(&graph), PTOWSP_SIM_ERROR_NOT_INITIALIZED);
}

TEST_F(GraphTest, TensorPairsAreListedAndCleared) {
  static float host[4];
  const auto build = [](Runtime& runtime) {
    void* device = runtime.host_api.device_malloc(sizeof host);
    runtime.record_tensor_pair(host, device, sizeof host);
    EXPECT_EQ(runtime.get_tensor_pair_count(), 1);
    EXPECT_EQ(runtime.get_tensor_pairs()[0].host_ptr, host);
    EXPECT_EQ(runtime.get_tensor_pairs()[0].dev_ptr, device);
    EXPECT_EQ(runtime.get_tensor_pairs()[0].size, sizeof host);
    runtime.clear_tensor_pairs();
    EXPECT_EQ(runtime.get_tensor_pair_count(), 0);
    for (int i = 0; i < 100; ++i) {
      runtime.record_tensor_pair(host, runtime.host_api.device_malloc(4), 4);
    }
    EXPECT_EQ(runtime.get_tensor_pair_count(), 100);
    return 0;
  };
  EXPECT_EQ(runtime_.init(build), 0);
}

TEST_F(GraphTest, RunningOutOfMemoryIsAnError) {
#if defined(PTOWSP_TEST_TSAN) || defined(PTOWSP_TEST_ASAN)
  GTEST_SKIP() << "a sanitizer's shadow memory does not fit a limit on the address space";
#endif
  ::testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(
      {
        rlimit limit = {};
        limit.rlim_cur = limit.rlim_max = rlim_t{1} << 30;
        setrlimit(RLIMIT_AS, &limit);
        const int code = runtime_.init([](Runtime& runtime) {
          uint64_t args[16] = {};
          for (int t = 0; t < 20'000'000; ++t) {
            if (runtime.add_task(args, 16, 0, 1) < 0) break;
          }
          return 0;
        });
        std::fprintf(stderr, "%s\n", lastError().message);
        std::_Exit(code == PTOWSP_SIM_ERROR_OUT_OF_MEMORY ? 0 : 1);
      },
      ::testing::ExitedWithCode(0), "add_task: no memory for more than [0-9]+ tasks");
}

}  // namespace
}  // namespace ptowsp::sim_test
