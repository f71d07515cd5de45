// SPDX-License-Identifier: MIT
// One device from several threads, and several devices: the preset tsan builds and runs this, too.
#include <thread>
#include <vector>

#include "cpp_scale.h"
#include "cpp_steps.h"
#include "tests/cpp/helpers.h"

namespace ptowsp::cpp_test {
namespace {

constexpr int kThreads = 4, kRounds = 25;

template <typename Work>
void inThreads(const Work& work) {
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) threads.emplace_back([&work, t] { work(t); });
  for (std::thread& thread : threads) thread.join();
}

void expectTwice(const std::vector<float>& x, const std::vector<float>& y) {
  for (size_t i = 0; i < x.size(); ++i) ASSERT_EQ(y[i], 2 * x[i]) << i;
}

TEST(Threads, OneWorkloadForAll) {
  Device device;
  cpp_scale::Workload twice(device);
  inThreads([&](int t) {
    const std::vector<float> x = counted(64 * 64, static_cast<float>(1000 * t));
    std::vector<float> y(x.size());
    for (int i = 0; i < kRounds; ++i) {
      twice(x, y);
      expectTwice(x, y);
    }
  });
}

TEST(Threads, WorkloadsOfTheirOwnOnOneDevice) {
  Device device;
  inThreads([&](int t) {
    cpp_scale::Workload twice(device);
    cpp_steps::Workload steps(device);
    const std::vector<float> x = counted(64 * 64, static_cast<float>(1000 * t));
    const std::vector<float> planes = counted(4 * 8 * 48);
    std::vector<float> y(x.size()), out(planes.size()), sum(8 * 48);
    DeviceTensor<float, 64, 64> a(device), b(device);
    for (int i = 0; i < kRounds; ++i) {
      a.upload(x);
      twice(a, b);
      steps(planes, out, sum);
      b.download(y);
      expectTwice(x, y);
      ASSERT_EQ(out[77], 3 * 78);
    }
  });
}

TEST(Threads, DevicesOfTheirOwn) {
  inThreads([](int t) {
    Device device;
    cpp_steps::Workload steps(device);
    const std::vector<float> x = counted(4 * 8 * 48, static_cast<float>(t));
    std::vector<float> y(x.size()), sum(8 * 48);
    for (int i = 0; i < kRounds; ++i) steps(x, y, sum);
    for (size_t i = 0; i < x.size(); ++i) ASSERT_EQ(y[i], 3 * (x[i] + 1));
  });
}

TEST(Threads, StartedCalls) {
  Device device;
  cpp_scale::Workload twice(device);
  inThreads([&](int t) {
    const std::vector<float> x = counted(64 * 64, static_cast<float>(1000 * t));
    std::vector<float> y(x.size()), z(x.size());
    for (int i = 0; i < kRounds; ++i) {
      const Call first = twice.start(x, y), second = twice.start(x, z);
      EXPECT_EQ(second.get().tasks, 1);
      expectTwice(x, z);
      first.wait();
      expectTwice(x, y);
    }
  });
}

// A call is waited for and cancelled while its device's tensors are written and others come and go. Whoever
// finds the device new after a cancelled run is told that there is nothing to read.
TEST(Threads, WhoWaitsWhoCancelsAndWhoUploads) {
  Device device;
  cpp_scale::Workload twice(device);
  const std::vector<float> x = counted(64 * 64);
  std::vector<float> y(x.size());
  DeviceTensor<float, 64, 64> a(device);
  for (int i = 0; i < kRounds; ++i) {
    a.upload(x);
    Call call = twice.start(a, y);
    inThreads([&](int t) {
      std::vector<float> z(x.size(), -1);
      if (t == 0) call.wait();
      if (t == 1) call.cancel();
      if (t == 2) a.upload(x);
      if (t == 3) {
        DeviceTensor<float, 64, 64> b(device, x);
        if (thrown([&] { b.download(z); }) == "nothing") {
          EXPECT_EQ(z, x);
        }
      }
    });
    const Result result = call.result();
    if (result) expectTwice(x, y);
    if (!result) {
      EXPECT_EQ(result.outcome(), Outcome::cancelled) << result.error().what();
    }
  }
}

TEST(Threads, WorkloadsThatComeAndGo) {
  Device device;
  inThreads([&](int) {
    const std::vector<float> x = counted(64 * 64);
    std::vector<float> y(x.size());
    for (int i = 0; i < kRounds; ++i) {
      cpp_scale::Workload twice(device);
      const Call call = twice.start(x, y);
      call.wait();
      expectTwice(x, y);
    }
  });
}

}  // namespace
}  // namespace ptowsp::cpp_test
