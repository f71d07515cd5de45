// Emitted kernels, built as every workload's are, against plain loops. Both run by turns inside
// each iteration and are measured by the time this thread had a processor, so that whatever else
// the machine does hits them alike and their ratio means something.
#include <benchmark/benchmark.h>
#include <dlfcn.h>
#include <time.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <functional>
#include <new>
#include <random>
#include <string>
#include <vector>

#include "tests/bench/plain_kernels.h"

namespace ptowsp::bench {
namespace {

using Entry = void (*)(int64_t*);

Entry load(const std::string& kernel) {
  const std::string file = PTOWSP_KERNEL_FOLDER "/kernel_" + kernel + ".so";
  void* library = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  return library ? reinterpret_cast<Entry>(dlsym(library, ("kernel_" + kernel).c_str())) : nullptr;
}

// Buffer: 64-byte aligned, as device memory is.
class Buffer {
 public:
  explicit Buffer(size_t count) : data_(new (std::align_val_t{64}) float[count]()), count_(count) {}
  ~Buffer() { operator delete[](data_, std::align_val_t{64}); }
  Buffer(const Buffer&) = delete;

  void fill(unsigned seed) {
    std::mt19937 random(seed);
    std::uniform_real_distribution<float> uniform(-1, 1);
    for (size_t i = 0; i < count_; ++i) data_[i] = uniform(random);
  }
  float* data() { return data_; }
  size_t size() const { return count_; }
  int64_t address() const { return std::bit_cast<int64_t>(data_); }

 private:
  float* data_;
  size_t count_;
};

double secondsOfThisThread() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

bool close(Buffer& got, Buffer& expected) {
  for (size_t i = 0; i < got.size(); ++i) {
    const float allowed = 1e-5f + 1e-4f * std::abs(expected.data()[i]);
    if (!(std::abs(got.data()[i] - expected.data()[i]) <= allowed)) return false;
  }
  return true;
}

// Kernel: how to run one kernel in both forms. `arguments` are those before the element count,
// given the input, the weights and the output.
struct Kernel {
  const char* name;
  int rows, cols;
  int calls;  // in one turn, so that a turn is long against the clock's resolution
  std::function<std::vector<int64_t>(Buffer& x, Buffer& w, Buffer& y)> arguments;
  std::function<void(Buffer& x, Buffer& w, Buffer& y)> plain;
};

void measure(benchmark::State& state, const Kernel& kernel) {
  const auto count = static_cast<size_t>(kernel.rows) * static_cast<size_t>(kernel.cols);
  Buffer x(count), w(static_cast<size_t>(kernel.cols)), y(count), plain(count);
  x.fill(1);
  w.fill(2);
  const Entry entry = load(kernel.name);
  if (!entry) {
    state.SkipWithError("the emitted kernel cannot be loaded");
    return;
  }
  std::vector<int64_t> arguments = kernel.arguments(x, w, y);
  uint64_t slot = 0;
  for (int64_t last : {static_cast<int64_t>(count), std::bit_cast<int64_t>(&slot), int64_t{1}})
    arguments.push_back(last);
  entry(arguments.data());
  kernel.plain(x, w, plain);
  if (slot != 1 || !close(y, plain)) {
    state.SkipWithError("the emitted kernel's result is wrong");
    return;
  }
  double emitted_seconds = 0, plain_seconds = 0;
  for (auto _ : state) {
    const double start = secondsOfThisThread();
    for (int i = 0; i < kernel.calls; ++i) {
      entry(arguments.data());
      benchmark::ClobberMemory();
    }
    const double middle = secondsOfThisThread();
    for (int i = 0; i < kernel.calls; ++i) {
      kernel.plain(x, w, plain);
      benchmark::ClobberMemory();
    }
    const double end = secondsOfThisThread();
    state.SetIterationTime((middle - start) / kernel.calls);
    emitted_seconds += middle - start;
    plain_seconds += end - middle;
  }
  state.counters["plain us"] =
      plain_seconds * 1e6 / kernel.calls / static_cast<double>(state.iterations());
  state.counters["plain/emitted"] = plain_seconds / emitted_seconds;
}

const Kernel kKernels[] = {
    {"scale_tile", 64, 64, 256,
     [](Buffer& x, Buffer&, Buffer& y) {
       return std::vector<int64_t>{x.address(), y.address(), std::bit_cast<uint32_t>(2.0f)};
     },
     [](Buffer& x, Buffer&, Buffer& y) { plainScale(x.data(), y.data(), 64 * 64, 2); }},
    {"exp_tile", 64, 64, 64,
     [](Buffer& x, Buffer&, Buffer& y) {
       return std::vector<int64_t>{x.address(), y.address()};
     },
     [](Buffer& x, Buffer&, Buffer& y) { plainExp(x.data(), y.data(), 64 * 64); }},
    {"softmax_tile", 64, 256, 16,
     [](Buffer& x, Buffer&, Buffer& y) {
       return std::vector<int64_t>{x.address(), y.address()};
     },
     [](Buffer& x, Buffer&, Buffer& y) { plainSoftmax(x.data(), y.data(), 64, 256); }},
    {"rmsnorm_tile", 64, 256, 32,
     [](Buffer& x, Buffer& w, Buffer& y) {
       return std::vector<int64_t>{x.address(), w.address(), y.address()};
     },
     [](Buffer& x, Buffer& w, Buffer& y) { plainRmsnorm(x.data(), w.data(), y.data(), 64, 256); }},
};

double smallest(const std::vector<double>& values) {
  return *std::min_element(values.begin(), values.end());
}
double largest(const std::vector<double>& values) {
  return *std::max_element(values.begin(), values.end());
}

const bool kRegistered = [] {
  for (const Kernel& kernel : kKernels) {
    const std::string name = "kernel/" + std::string(kernel.name) + "_" +
                             std::to_string(kernel.rows) + "x" + std::to_string(kernel.cols);
    benchmark::RegisterBenchmark(name.c_str(),
                                 [&kernel](benchmark::State& state) { measure(state, kernel); })
        ->UseManualTime()
        ->Unit(benchmark::kMicrosecond)
        ->Iterations(20)
        ->Repetitions(15)
        ->ComputeStatistics("min", smallest)
        ->ComputeStatistics("max", largest)
        ->ReportAggregatesOnly();
  }
  return true;
}();

}  // namespace
}  // namespace ptowsp::bench
