// SPDX-License-Identifier: MIT
// After the first call nothing is allocated: every allocation of the process is counted, those of the
// runtime's threads included. And what happens when there is no memory: each allocation fails in turn.
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "cpp_scale.h"
#include "cpp_steps.h"
#include "tests/cpp/helpers.h"

namespace {
std::atomic<bool> counting{false};
std::atomic<int> allocations{0};
// While counting, the allocation of this number fails; -1: none does.
std::atomic<int> failing{-1};
// Blocks that were given and not given back.
std::atomic<int64_t> live{0};

[[maybe_unused]] bool fails() {
  if (!counting.load(std::memory_order_relaxed)) return false;
  return allocations.fetch_add(1, std::memory_order_relaxed) == failing.load(std::memory_order_relaxed);
}
[[maybe_unused]] void* given(void* memory) {
  if (memory) live.fetch_add(1, std::memory_order_relaxed);
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

void __libc_free(void* memory);

void free(void* memory) {
  if (memory) live.fetch_sub(1, std::memory_order_relaxed);
  __libc_free(memory);
}
void* malloc(size_t size) { return fails() ? nullptr : given(__libc_malloc(size)); }
void* calloc(size_t count, size_t size) {
  return fails() ? nullptr : given(__libc_calloc(count, size));
}
void* realloc(void* memory, size_t size) {
  if (fails()) return nullptr;
  return memory ? __libc_realloc(memory, size) : given(__libc_realloc(memory, size));
}
void* aligned_alloc(size_t alignment, size_t size) {
  return fails() ? nullptr : given(__libc_memalign(alignment, size));
}
void* memalign(size_t alignment, size_t size) {
  return fails() ? nullptr : given(__libc_memalign(alignment, size));
}
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

// What one allocation that fails does to a first use of the C interface, which does not need memory to tell
// of errors as exceptions do.
class WithoutMemory : public Memory {
 public:
  using Use = int (WithoutMemory::*)();

  ~WithoutMemory() override { close(); }

  void open() {
    ptowsp_program_options options = {};
    options.size = sizeof options;
    ASSERT_EQ(ptowsp_device_open(nullptr, &shared_), PTOWSP_OK);
    options.device = shared_;
    ASSERT_EQ(ptowsp_program_open(PTOWSP_ARTIFACT_cpp_steps, &options, &program_), PTOWSP_OK);
    out_.assign(out_.size(), -1);
    sum_.assign(sum_.size(), 100);
  }
  void close() {
    ptowsp_tensor_release(tensor_);
    ptowsp_program_close(program_);
    ptowsp_device_close(shared_);
    tensor_ = nullptr;
    program_ = nullptr;
    shared_ = nullptr;
  }

  int call() { return ptowsp_program_call(program_, arguments_, 3, nullptr); }
  int start() {
    ptowsp_call* call = nullptr;
    int outcome = ptowsp_program_start(program_, arguments_, 3, &call);
    if (outcome == PTOWSP_OK) outcome = ptowsp_call_wait(call, -1, nullptr);
    ptowsp_call_release(call);
    return outcome;
  }
  // With an output that stays on the device.
  int tensor() {
    int outcome = tensor_ ? PTOWSP_OK : ptowsp_tensor_create(shared_, arguments_[1].bytes, &tensor_);
    const ptowsp_argument arguments[] = {arguments_[0], {nullptr, 0, tensor_}, arguments_[2]};
    if (outcome == PTOWSP_OK) outcome = ptowsp_program_call(program_, arguments, 3, nullptr);
    if (outcome == PTOWSP_OK)
      outcome = ptowsp_tensor_download(tensor_, out_.data(), arguments_[1].bytes);
    return outcome;
  }

  // Whether the use came to the allocation of that number, which failed.
  bool fails(Use use, int allocation) {
    allocations = 0;
    failing = allocation;
    counting = true;
    const int outcome = (this->*use)();
    counting = false;
    failing = -1;
    const bool failed = allocations > allocation;
    ptowsp_error_info info = {};
    info.size = sizeof info;
    EXPECT_EQ(ptowsp_last_error(&info), PTOWSP_OK);
    if (outcome != PTOWSP_OK) {
      EXPECT_TRUE(failed && outcome == PTOWSP_RUN_FAILURE) << info.text;
      EXPECT_STRNE(info.text, "");
      EXPECT_EQ(out_, std::vector<float>(out_.size(), -1)) << "a run that failed writes nothing";
      const int again = (this->*use)();
      ptowsp_last_error(&info);
      EXPECT_EQ(again, PTOWSP_OK) << info.text;
    }
    std::vector<float> sum(sum_.size(), 100), out;
    for (size_t i = 0; i < planes_.size(); ++i) {
      out.push_back(3 * (planes_[i] + 1));
      sum[i % sum.size()] += planes_[i] + 1;
    }
    EXPECT_TRUE(out == out_ && sum == sum_) << "results";
    return failed;
  }

  void check(Use use) {
    bool failed = true;
    int allocation = 0;
    for (; failed && !HasFailure(); ++allocation) {
      SCOPED_TRACE(testing::Message() << "allocation " << allocation);
      int64_t after[2] = {};
      for (int64_t& blocks : after) {
        open();
        failed = fails(use, allocation);
        close();
        blocks = live;
      }
      EXPECT_EQ(after[0], after[1]) << "memory that nobody gives back";
    }
    EXPECT_GT(allocation, 50);
  }

  ptowsp_device* shared_ = nullptr;
  ptowsp_program* program_ = nullptr;
  ptowsp_tensor* tensor_ = nullptr;
  const ptowsp_argument arguments_[3] = {{planes_.data(), 4 * planes_.size(), nullptr},
                                         {out_.data(), 4 * out_.size(), nullptr},
                                         {sum_.data(), 4 * sum_.size(), nullptr}};
};

TEST_F(WithoutMemory, ACall) { check(&WithoutMemory::call); }
TEST_F(WithoutMemory, ACallThatIsStarted) { check(&WithoutMemory::start); }
TEST_F(WithoutMemory, ADeviceTensor) { check(&WithoutMemory::tensor); }

}  // namespace
}  // namespace ptowsp::cpp_test
