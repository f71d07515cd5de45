// SPDX-License-Identifier: MIT
// Warm calls through the C++ interface (docs/cpp.md) of a workload of one task, 64 x 64 f32, and the task's
// kernel called as a function on the same arrays, which is the floor.
#include <benchmark/benchmark.h>
#include <dlfcn.h>

#include <cstdint>
#include <cstdio>
#include <vector>

#include "bench_one_task.h"

namespace {

using Kernel = void (*)(int64_t* args);
constexpr size_t kSize = 64 * 64;

struct Arrays {
  std::vector<float> x = std::vector<float>(kSize, 1.5f), y = std::vector<float>(kSize);
  bool isRight() const { return y.front() == 3 && y.back() == 3; }
};

void finish(benchmark::State& state, const Arrays& arrays) {
  if (!arrays.isRight()) state.SkipWithError("the result is wrong");
}

void kernelAlone(benchmark::State& state) {
  void* const library = dlopen(PTOWSP_ARTIFACT_bench_one_task "/kernel_twice.so", RTLD_NOW | RTLD_LOCAL);
  const auto kernel = library ? reinterpret_cast<Kernel>(dlsym(library, "kernel_twice")) : nullptr;
  if (!kernel) return state.SkipWithError(dlerror());
  Arrays arrays;
  uint64_t ledger = 0;
  int64_t args[] = {reinterpret_cast<int64_t>(arrays.x.data()), reinterpret_cast<int64_t>(arrays.y.data()),
                    static_cast<int64_t>(kSize), reinterpret_cast<int64_t>(&ledger), 1};
  for (auto _ : state) {
    kernel(args);
    benchmark::ClobberMemory();
  }
  finish(state, arrays);
}

void fromTheHost(benchmark::State& state) {
  ptowsp::Device device;
  bench_one_task::Workload twice(device);
  Arrays arrays;
  twice(arrays.x, arrays.y);
  for (auto _ : state) twice(arrays.x, arrays.y);
  finish(state, arrays);
}

void onTheDevice(benchmark::State& state) {
  ptowsp::Device device;
  bench_one_task::Workload twice(device);
  Arrays arrays;
  ptowsp::DeviceTensor<float, 64, 64> x(device, arrays.x), y(device);
  twice(x, y);
  for (auto _ : state) twice(x, y);
  y.download(arrays.y);
  finish(state, arrays);
}

// Started on another thread, and waited for.
void started(benchmark::State& state) {
  ptowsp::Device device;
  bench_one_task::Workload twice(device);
  Arrays arrays;
  twice(arrays.x, arrays.y);
  for (auto _ : state) twice.start(arrays.x, arrays.y).get();
  finish(state, arrays);
}

BENCHMARK(kernelAlone)->Name("call/kernel")->UseRealTime();
BENCHMARK(fromTheHost)->Name("call/one_task")->UseRealTime();
BENCHMARK(onTheDevice)->Name("call/one_task_on_device")->UseRealTime();
BENCHMARK(started)->Name("call/one_task_started")->UseRealTime();

}  // namespace

BENCHMARK_MAIN();
