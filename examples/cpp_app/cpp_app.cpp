// SPDX-License-Identifier: MIT
// Two workloads of the examples as functions: y = 2 * (a + b + 1) * (a + b + 2). What the first one
// writes stays on the device, where the second one reads it.
#include <diamond.h>
#include <scale.h>

#include <cmath>
#include <cstdio>
#include <vector>

namespace {

constexpr std::size_t kSize = 64 * 64;

double expected(double a, double b) { return 2 * (a + b + 1) * (a + b + 2); }

double largestError(const std::vector<float>& a, const std::vector<float>& b,
                    const std::vector<float>& y) {
  double largest = 0;
  for (std::size_t i = 0; i < kSize; ++i)
    largest = std::fmax(largest, std::fabs(y[i] - expected(a[i], b[i])));
  return largest;
}

int run() {
  ptowsp::Device device;
  diamond::Workload diamond(device);
  scale::Workload scale(device);

  std::vector<float> a(kSize), b(kSize), y(kSize);
  for (std::size_t i = 0; i < kSize; ++i) {
    a[i] = static_cast<float>(i % 64) / 64;
    b[i] = static_cast<float>(i / 64) / 64;
  }

  ptowsp::DeviceTensor<float, 64, 64> product(device);
  const ptowsp::Statistics first = diamond(a, b, product);
  const ptowsp::Statistics second = scale(product, y);
  std::printf("diamond: %lld tasks, %lld edges; scale: %lld tasks\n",
              static_cast<long long>(first.tasks), static_cast<long long>(first.edges),
              static_cast<long long>(second.tasks));

  // The same once more, started and not waited for until the result is needed.
  const ptowsp::Call started = diamond.start(a, b, product);
  const ptowsp::Call last = scale.start(product, y);
  last.get();

  const double error = largestError(a, b, y);
  std::printf("largest error %.3g\n", error);
  return error < 1e-5 ? 0 : 1;
}

}  // namespace

int main() {
  try {
    return run();
  } catch (const ptowsp::Error& error) {
    std::fprintf(stderr, "cpp_app: %s\n", error.what());
    return 2;
  }
}
