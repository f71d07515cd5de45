// SPDX-License-Identifier: MIT
// Calls that are started and not waited for; devices, options, statistics.
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "cpp_scale.h"
#include "cpp_steps.h"
#include "tests/cpp/helpers.h"

namespace ptowsp::cpp_test {
namespace {

using namespace std::chrono_literals;

TEST(Calls, RunInTheOrderInWhichTheyWereMade) {
  Device device;
  cpp_scale::Workload twice(device);
  std::vector<float> x = counted(64 * 64), y(x.size());
  DeviceTensor<float, 64, 64> a(device, x), b(device);
  std::vector<Call> calls;
  for (int i = 0; i < 5; ++i) {
    calls.push_back(twice.start(a, b));
    calls.push_back(twice.start(b, a));
  }
  twice(a, y);  // its turn comes after theirs
  for (size_t i = 0; i < x.size(); ++i) ASSERT_EQ(y[i], 2048 * x[i]) << i;
  for (const Call& call : calls) {
    EXPECT_TRUE(call.ready());
    EXPECT_EQ(call.get().tasks, 1);
    EXPECT_EQ(call.result().statistics().tasks, 1) << "asked again";
  }
}

TEST(Calls, AreOverWhenTheyAreDestroyed) {
  Device device;
  cpp_steps::Workload steps(device);
  const std::vector<float> x = counted(4 * 8 * 48);
  std::vector<float> sum(8 * 48);
  for (int i = 0; i < 20; ++i) {
    std::vector<float> y(x.size());
    { const Call call = steps.start(x, y, sum); }
    ASSERT_EQ(y[100], 303);
  }
}

TEST(Calls, OutliveTheirWorkloadAndItsTensors) {
  Device device;
  std::vector<float> x = counted(64 * 64), y(x.size());
  std::optional<Call> call;
  {
    cpp_scale::Workload twice(device);
    DeviceTensor<float, 64, 64> a(device, x);
    call = twice.start(a, y);
  }
  EXPECT_EQ(call->get().tasks, 1);
  EXPECT_EQ(y[9], 18);
}

TEST(Calls, TellTheirErrorsAtTheEnd) {
  Device device;
  cpp_scale::Workload twice(device);
  std::vector<float> y(64 * 64);
  DeviceTensor<float, 64, 64> empty(device);
  const Call call = twice.start(empty, y);
  const std::string text =
      "tensor x: found a device tensor without contents: it was not written yet, or not since the device "
      "was made new after a run that failed\n"
      "  fix: upload it, or let a workload write it, before";
  EXPECT_EQ(thrown([&] { call.get(); }), text);
  EXPECT_EQ(thrown([&] { call.get(); }), text) << "as often as it is asked";
  EXPECT_EQ(call.result().outcome(), Outcome::bad_input);
  EXPECT_EQ(thrown([&] { twice.start(std::vector<float>(64 * 64), y); }),
            "tensor x: found a temporary array, which is gone before the run is over, expected one of 64 x "
            "64 of f32 that stays\n"
            "  fix: give the array a name, and keep it until the call is over");
}

TEST(Devices, OptionsThatDoNotFitTogether) {
  const auto opening = [](const DeviceOptions& options) {
    return thrown([&] { Device device(options); });
  };
  DeviceOptions options;
  options.platform = "a3";
  EXPECT_EQ(opening(options),
            "device: found platform a3, expected that of the runtime: a2a3sim\n"
            "  fix: leave the platform out, or give a runtime for it");
  options = {};
  options.block_dim = 3;
  options.aicpu_threads = 2;
  EXPECT_EQ(opening(options),
            "block_dim: found 3, expected a positive multiple of aicpu_threads, 2\n"
            "  fix: change block_dim and aicpu_threads of the device's options, or leave them out");
  options = {};
  options.workers = -1;
  EXPECT_EQ(opening(options), "workers: found -1, expected 0 (one for each CPU) or more");
  options = {};
  options.timeout = -1s;
  EXPECT_EQ(opening(options), "timeout: found -1 s, expected 0 (none) or more");
  options = {};
  options.device_id = -2;
  EXPECT_EQ(opening(options), "device_id: found -2, expected 0 or more");
  options = {};
  options.runtime = "/nowhere/libruntime.so";
  EXPECT_EQ(opening(options),
            "/nowhere/libruntime.so: found no such runtime library\n"
            "  fix: leave the runtime out of the device's options for the built-in one, or give the folder "
            "of an external one's libraries");
}

TEST(Devices, OptionsAreWhatRunsHave) {
  DeviceOptions options;
  options.platform = "a2a3sim";
  options.block_dim = 4;
  options.aicpu_threads = 2;
  options.workers = 3;
  options.timeout = 30s;
  Device device(options);
  cpp_steps::Workload steps(device);
  const std::vector<float> x = counted(4 * 8 * 48);
  std::vector<float> y(x.size()), sum(8 * 48);
  const Statistics run = steps(x, y, sum);
  EXPECT_EQ(run.workers, 3);
  EXPECT_EQ(run.cores, 12);
  EXPECT_EQ(run.aicpus, 2);
  EXPECT_EQ(run.tasks, 12);
  EXPECT_EQ(run.edges, 4 + 4 + 3);
  EXPECT_EQ(run.critical_path, 5);
  EXPECT_GT(run.build_ns, 0u);
  EXPECT_GT(run.wall_ns, 0u);
  EXPECT_GE(run.call_ns, run.wall_ns);
}

}  // namespace
}  // namespace ptowsp::cpp_test
