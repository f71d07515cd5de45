// SPDX-License-Identifier: MIT
// After the first call nothing is allocated: every allocation of the process is counted, those of the
// runtime's threads included.
#include <atomic>
#include <cstdlib>
#include <vector>

#include "cpp_scale.h"
#include "cpp_steps.h"
#include "tests/cpp/helpers.h"

namespace {
std::atomic<bool> counting{false};
std::atomic<int> allocations{0};

[[maybe_unused]] void* counted(void* memory) {
  if (counting.load(std::memory_order_relaxed)) allocations.fetch_add(1, std::memory_order_relaxed);
  return memory;
}
}  // namespace

// Sanitizers have an allocator of their own, which cannot be replaced.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(__GLIBC__)
#define PTOWSP_COUNTS_ALLOCATIONS 0
#else
#define PTOWSP_COUNTS_ALLOCATIONS 1
extern "C" {
void* __libc_malloc(size_t size);
void* __libc_calloc(size_t count, size_t size);
void* __libc_realloc(void* memory, size_t size);
void* __libc_memalign(size_t alignment, size_t size);

void* malloc(size_t size) { return counted(__libc_malloc(size)); }
void* calloc(size_t count, size_t size) { return counted(__libc_calloc(count, size)); }
void* realloc(void* memory, size_t size) { return counted(__libc_realloc(memory, size)); }
void* aligned_alloc(size_t alignment, size_t size) {
  return counted(__libc_memalign(alignment, size));
}
void* memalign(size_t alignment, size_t size) { return counted(__libc_memalign(alignment, size)); }
}
#endif

namespace ptowsp::cpp_test {
namespace {

// Allocations of ten calls, after one.
template <typename Run>
int allocationsOf(const Run& run) {
  run();
  allocations = 0;
  counting = true;
  for (int i = 0; i < 10; ++i) run();
  counting = false;
  return allocations;
}

class Memory : public testing::Test {
 protected:
  void SetUp() override {
    if (!PTOWSP_COUNTS_ALLOCATIONS) GTEST_SKIP() << "a sanitizer's allocator cannot be replaced";
  }
  Device device_;
  cpp_scale::Workload twice_{device_};
  cpp_steps::Workload steps_{device_};
  std::vector<float> x_ = cpp_test::counted(64 * 64), y_ = x_;
  std::vector<float> planes_ = cpp_test::counted(4 * 8 * 48), out_ = planes_, sum_ = std::vector<float>(8 * 48);
};

TEST_F(Memory, AllocationsAreCounted) {
  EXPECT_GE(allocationsOf([] { delete new std::vector<float>(9); }), 10);
}

TEST_F(Memory, OfOneTask) {
  EXPECT_EQ(allocationsOf([&] { twice_(x_, y_); }), 0);
}

TEST_F(Memory, OfSeveralTasksOnWorkers) {
  EXPECT_EQ(allocationsOf([&] { steps_(planes_, out_, sum_); }), 0);
}

TEST_F(Memory, OfTwoWorkloadsByTurns) {
  EXPECT_EQ(allocationsOf([&] {
              twice_(x_, y_);
              steps_(planes_, out_, sum_);
            }),
            0);
}

TEST_F(Memory, OfDeviceTensors) {
  DeviceTensor<float, 64, 64> a(device_, x_), b(device_);
  EXPECT_EQ(allocationsOf([&] {
              twice_(a, b);
              twice_(b, a);
              twice_(x_, b);
              a.upload(x_);
              b.download(y_);
            }),
            0);
}

TEST_F(Memory, OfCallsThatAreStarted) {
  EXPECT_EQ(allocationsOf([&] {
              const Call first = twice_.start(x_, y_);
              const Call second = steps_.start(planes_, out_, sum_);
              first.get();
              second.get();
            }),
            0);
}

TEST_F(Memory, OfResults) {
  EXPECT_EQ(allocationsOf([&] { EXPECT_TRUE(twice_.run(x_, y_)); }), 0);
}

}  // namespace
}  // namespace ptowsp::cpp_test
