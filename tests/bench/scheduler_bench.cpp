// The built-in runtime's own cost: a 316 x 316 wavefront of tasks with an empty body, as an
// orchestration builds it, through the C interface that the runner uses.
#include <benchmark/benchmark.h>
#include <runtime.h>

#include <chrono>
#include <cstdlib>
#include <memory>

#include "ptowsp/sim_api.h"

namespace {

using Clock = std::chrono::steady_clock;

constexpr int kSide = 316;
constexpr int kTasks = kSide * kSide;
constexpr int kVectorCore = 1;

void emptyKernel(int64_t*) {}

// Task (row, col) waits for the tasks above it and to its left.
int buildWavefront(void* object, uint64_t*, int) {
  Runtime& runtime = *static_cast<Runtime*>(object);
  for (int row = 0; row < kSide; ++row) {
    for (int col = 0; col < kSide; ++col) {
      uint64_t args[] = {0, static_cast<uint64_t>(row * kSide + col) + 1};
      const int task = runtime.add_task(args, 2, 0, kVectorCore);
      if (task < 0) return -1;
      if (row > 0) runtime.add_successor(task - kSide, task);
      if (col > 0) runtime.add_successor(task - 1, task);
    }
  }
  return 0;
}

// Device: one of its own for each benchmark, with the kernel registered and a runtime object.
class Device {
 public:
  explicit Device(int workers)
      : device_(ptowsp_sim_device_create()), runtime_(std::aligned_alloc(64, size()), std::free) {
    ptowsp_sim_device_use(device_);
    ptowsp_sim_options options = {};
    options.size = sizeof options;
    options.workers = workers;
    const auto entry = reinterpret_cast<uint64_t>(&emptyKernel);
    good_ = device_ && runtime_ && ptowsp_sim_set_options(&options) == 0 && set_device(0) == 0 &&
            register_kernel(0, reinterpret_cast<const uint8_t*>(&entry), sizeof entry) == 0;
  }
  ~Device() {
    ptowsp_sim_device_use(nullptr);
    ptowsp_sim_device_destroy(device_);
  }
  Device(const Device&) = delete;

  bool good() const { return good_; }
  bool build() { return ptowsp_sim_init_function(runtime_.get(), buildWavefront, nullptr, 0) == 0; }
  bool run() { return launch_runtime(runtime_.get(), 1, 1, 0, nullptr, 0, nullptr, 0) == 0; }
  bool finish() { return finalize_runtime(runtime_.get()) == 0; }
  bool completed() const {
    ptowsp_sim_stats stats = {};
    stats.size = sizeof stats;
    return ptowsp_sim_get_stats(&stats) == 0 && stats.completed == kTasks;
  }

 private:
  static size_t size() { return (get_runtime_size() + 63) / 64 * 64; }

  ptowsp_sim_device* device_;
  std::unique_ptr<void, decltype(&std::free)> runtime_;
  bool good_ = false;
};

double secondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

double nanosecondsPerTask(double seconds, const benchmark::State& state) {
  return seconds * 1e9 / kTasks / static_cast<double>(state.iterations());
}

// Graph built and run each time.
void wavefront(benchmark::State& state) {
  Device device(static_cast<int>(state.range(0)));
  double building = 0, running = 0;
  for (auto _ : state) {
    const auto start = Clock::now();
    bool good = device.good() && device.build();
    const double built = secondsSince(start);
    good = good && device.run();
    const double done = secondsSince(start);
    state.SetIterationTime(done);
    building += built;
    running += done - built;
    if (!good || !device.completed() || !device.finish()) {
      state.SkipWithError("the runtime failed");
      return;
    }
  }
  state.counters["ns/task"] = nanosecondsPerTask(building + running, state);
  state.counters["build ns/task"] = nanosecondsPerTask(building, state);
  state.counters["run ns/task"] = nanosecondsPerTask(running, state);
}

// The same graph run again and again.
void wavefrontAgain(benchmark::State& state) {
  Device device(static_cast<int>(state.range(0)));
  if (!device.good() || !device.build() || !device.run()) {
    state.SkipWithError("the runtime failed");
    return;
  }
  double running = 0;
  for (auto _ : state) {
    const auto start = Clock::now();
    const bool good = device.run();
    const double seconds = secondsSince(start);
    state.SetIterationTime(seconds);
    running += seconds;
    if (!good || !device.completed()) {
      state.SkipWithError("the runtime failed");
      return;
    }
  }
  state.counters["ns/task"] = nanosecondsPerTask(running, state);
}

void atOneAndTwoWorkers(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgName("workers")
      ->Arg(1)
      ->Arg(2)
      ->UseManualTime()
      ->MeasureProcessCPUTime()
      ->Unit(benchmark::kMillisecond)
      ->Repetitions(9)
      ->ReportAggregatesOnly();
}

BENCHMARK(wavefront)->Name("scheduler/wavefront_316x316")->Apply(atOneAndTwoWorkers);
BENCHMARK(wavefrontAgain)->Name("scheduler/wavefront_316x316_again")->Apply(atOneAndTwoWorkers);

}  // namespace
