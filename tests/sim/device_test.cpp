// SPDX-License-Identifier: MIT
// Devices: several at once, from several threads, the default one shared, reset, and calls from
// inside an orchestration or a kernel.
#include <gmock/gmock.h>

#include <atomic>
#include <thread>

#include "tests/sim/sim_fixture.h"

namespace ptowsp::sim_test {
namespace {

using ::testing::HasSubstr;

// Adds 1 to each of `steps` numbers in a chain on the device and brings the last one back.
int64_t runChain(RuntimeMemory& runtime, int steps) {
  int64_t host = 0;
  const int built = runtime.init([&](Runtime& graph) {
    auto* device = static_cast<int64_t*>(graph.host_api.device_malloc(sizeof host));
    graph.host_api.copy_to_device(device, &host, sizeof host);
    graph.record_tensor_pair(&host, device, sizeof host);
    for (int t = 0; t < steps; ++t) {
      uint64_t args[1] = {word(device)};
      graph.add_task(args, 1, 0, t % 2);
      if (t != 0) graph.add_successor(t - 1, t);
    }
    return 0;
  });
  if (built != 0 || runtime.launch() != 0 || runtime.finalize() != 0) return -1;
  return host;
}

void addOne(int64_t* args) { ++*pointer<int64_t>(args[0]); }

TEST(DeviceTest, SeveralDevicesRunAtOnce) {
  std::vector<std::thread> threads;
  std::atomic<int> right{0};
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&right, i] {
      ptowsp_sim_device* device = ptowsp_sim_device_create();
      ptowsp_sim_device_use(device);
      auto options = sized<ptowsp_sim_options>();
      options.workers = testWorkers();
      ptowsp_sim_set_options(&options);
      registerFunction(0, addOne);
      for (int repeat = 0; repeat < 10; ++repeat) {
        RuntimeMemory runtime;
        right += runChain(runtime, 100 + i) == 100 + i;
      }
      ptowsp_sim_device_use(nullptr);
      ptowsp_sim_device_destroy(device);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(right, 40);
}

TEST(DeviceTest, TheDefaultDeviceIsShared) {
  ASSERT_EQ(ptowsp_sim_device_use(nullptr), 0);
  registerFunction(0, addOne);
  std::vector<std::thread> threads;
  std::atomic<int> right{0};
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&right, i] {
      for (int repeat = 0; repeat < 10; ++repeat) {
        RuntimeMemory runtime;
        right += runChain(runtime, 50 + i) == 50 + i;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(right, 40);
  EXPECT_EQ(stats().live_allocations, 0);
  EXPECT_EQ(ptowsp_sim_device_reset(), 0);
  EXPECT_EQ(ptowsp_sim_device_destroy(ptowsp_sim_device_current()), PTOWSP_SIM_ERROR_ARGUMENT);
}

class OwnDeviceTest : public SimTest {};

TEST_F(OwnDeviceTest, DevicesShareNothing) {
  registerFunction(0, addOne);
  void* here = device_malloc(8);
  ptowsp_sim_device* other = ptowsp_sim_device_create();
  ASSERT_EQ(ptowsp_sim_device_use(other), 0);
  EXPECT_EQ(ptowsp_sim_device_current(), other);
  auto options = sized<ptowsp_sim_options>();
  options.flags = PTOWSP_SIM_QUIET;
  ASSERT_EQ(ptowsp_sim_set_options(&options), 0);
  int64_t host = 0;
  EXPECT_EQ(copy_to_device(here, &host, 8), PTOWSP_SIM_ERROR_BAD_COPY);
  RuntimeMemory runtime;
  EXPECT_EQ(runChain(runtime, 1), -1) << "no kernel is registered here";
  EXPECT_EQ(lastError().code, PTOWSP_SIM_ERROR_UNREGISTERED_KERNEL);
  ASSERT_EQ(ptowsp_sim_device_use(device_), 0);
  EXPECT_EQ(lastError().code, 0);
  EXPECT_EQ(runtime_.launch(), PTOWSP_SIM_ERROR_NOT_INITIALIZED);
  EXPECT_EQ(ptowsp_sim_device_destroy(other), 0) << "with a runtime that was not finalised";
  device_free(here);
}

TEST_F(OwnDeviceTest, DestroyingTheCurrentDeviceLeadsToTheDefaultOne) {
  ptowsp_sim_device* other = ptowsp_sim_device_create();
  ASSERT_EQ(ptowsp_sim_device_use(other), 0);
  device_malloc(100);  // released with the device
  ASSERT_EQ(ptowsp_sim_device_destroy(other), 0);
  EXPECT_NE(ptowsp_sim_device_current(), other);
  ASSERT_EQ(ptowsp_sim_device_use(device_), 0);
}

TEST_F(OwnDeviceTest, ResetTakesResultsAway) {
  registerFunction(0, addOne);
  int64_t host = 77;
  ASSERT_EQ(runtime_.init([&](Runtime& graph) {
    void* device = graph.host_api.device_malloc(8);
    graph.record_tensor_pair(&host, device, 8);
    return 0;
  }),
            0);
  ASSERT_EQ(runtime_.launch(), 0);
  ASSERT_EQ(ptowsp_sim_device_reset(), 0);
  EXPECT_EQ(stats().live_allocations, 0);
  EXPECT_EQ(runtime_.launch(), PTOWSP_SIM_ERROR_DEVICE_RESET);
  EXPECT_EQ(runtime_.finalize(), PTOWSP_SIM_ERROR_DEVICE_RESET);
  EXPECT_EQ(host, 77);
  EXPECT_EQ(runChain(runtime_, 1), -1) << "kernels are forgotten";
  registerFunction(0, addOne);
  EXPECT_EQ(runChain(runtime_, 3), 3);
  auto options = sized<ptowsp_sim_options>();
  ASSERT_EQ(ptowsp_sim_get_options(&options), 0);
  EXPECT_EQ(options.workers, testWorkers()) << "options stay";
}

TEST_F(OwnDeviceTest, ARuntimeObjectMayBeDroppedAndItsMemoryUsedAgain) {
  registerFunction(0, addOne);
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(runtime_.init([](Runtime& graph) {
      graph.host_api.device_malloc(64);
      return 0;
    }),
              0);
  }
  EXPECT_EQ(stats().live_allocations, 1);
  ASSERT_EQ(runtime_.launch(), 0);
  ASSERT_EQ(runtime_.finalize(), 0);
}

TEST_F(OwnDeviceTest, MemoryAsBindingsAllocateItIsEnough) {
  // ctypes buffers are 16-byte aligned at best.
  std::vector<char> buffer(get_runtime_size() + 128);
  auto address = reinterpret_cast<uintptr_t>(buffer.data());
  void* memory = reinterpret_cast<void*>((address + 63) / 64 * 64 + 16);
  const auto function = [](void*, uint64_t*, int) { return 0; };
  ASSERT_EQ(ptowsp_sim_init_function(memory, function, nullptr, 0), 0);
  ASSERT_EQ(launch_runtime(memory, 1, 1, 0, nullptr, 0, nullptr, 0), 0);
  ASSERT_EQ(finalize_runtime(memory), 0);
}

TEST_F(OwnDeviceTest, CallsFromInsideAnOrchestrationAreRefused) {
  RuntimeMemory other;
  const auto build = [&](Runtime&) {
    EXPECT_EQ(other.init([](Runtime&) { return 0; }), PTOWSP_SIM_ERROR_REENTRANT);
    EXPECT_EQ(runtime_.launch(), PTOWSP_SIM_ERROR_REENTRANT);
    EXPECT_EQ(registerFunction(0, addOne), PTOWSP_SIM_ERROR_REENTRANT);
    EXPECT_EQ(ptowsp_sim_device_use(nullptr), PTOWSP_SIM_ERROR_REENTRANT);
    EXPECT_EQ(ptowsp_sim_device_reset(), PTOWSP_SIM_ERROR_REENTRANT);
    return 0;
  };
  EXPECT_EQ(runtime_.init(build), 0);
}

TEST_F(OwnDeviceTest, CallsFromInsideAKernelAreRefused) {
  static std::atomic<int> code, memory;
  registerFunction(0, [](int64_t*) {
    // The worker's current device is the default one; the refusal must not depend on it.
    code = ptowsp_sim_device_reset();
    memory = device_malloc(8) == nullptr;
  });
  ASSERT_EQ(runtime_.init([](Runtime& graph) {
    uint64_t args[1] = {0};
    graph.add_task(args, 1, 0, 1);
    return 0;
  }),
            0);
  ASSERT_EQ(runtime_.launch(), 0);
  EXPECT_EQ(code, PTOWSP_SIM_ERROR_REENTRANT);
  EXPECT_EQ(memory, 1);
}

TEST_F(OwnDeviceTest, ErrorsArePrintedUnlessQuiet) {
  ::testing::internal::CaptureStderr();
  runtime_.launch();
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
  auto options = sized<ptowsp_sim_options>();
  ASSERT_EQ(ptowsp_sim_set_options(&options), 0);
  ::testing::internal::CaptureStderr();
  set_device(-4);
  EXPECT_EQ(::testing::internal::GetCapturedStderr(),
            "ptowsp-sim: error: set_device: device id -4; expected 0 or more [argument]\n");
}

TEST_F(OwnDeviceTest, StructsOfOlderAndNewerCallersWork) {
  struct {
    ptowsp_sim_stats known;
    uint64_t later;
  } newer = {};
  newer.known.size = sizeof newer;
  newer.later = 9;
  ASSERT_EQ(ptowsp_sim_get_stats(&newer.known), 0);
  EXPECT_EQ(newer.known.size, sizeof(ptowsp_sim_stats)) << "what was filled in";
  EXPECT_EQ(newer.later, 9u);

  ptowsp_sim_stats older = {};
  older.size = 8;
  older.tasks = 123;
  ASSERT_EQ(ptowsp_sim_get_stats(&older), 0);
  EXPECT_EQ(older.tasks, 123) << "not written beyond size";
  EXPECT_EQ(ptowsp_sim_get_stats(nullptr), PTOWSP_SIM_ERROR_ARGUMENT);
  older.size = 0;
  EXPECT_EQ(ptowsp_sim_get_stats(&older), PTOWSP_SIM_ERROR_ARGUMENT);
  EXPECT_EQ(ptowsp_sim_last_error(nullptr), PTOWSP_SIM_ERROR_ARGUMENT);
}

TEST(StatusTest, NamesAreDistinct) {
  std::vector<std::string> names;
  for (int code = -1100; code <= 0; ++code) {
    const std::string name = ptowsp_sim_status_name(code);
    if (name == "unknown") continue;
    EXPECT_EQ(std::count(names.begin(), names.end(), name), 0) << name;
    names.push_back(name);
  }
  EXPECT_GE(names.size(), 25u) << "the codes above -1100 are those of this library";
  EXPECT_THAT(ptowsp_sim_version(), HasSubstr("."));
}

}  // namespace
}  // namespace ptowsp::sim_test
