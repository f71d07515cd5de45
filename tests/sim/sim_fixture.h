// SPDX-License-Identifier: MIT
// What the tests of the built-in runtime share: a device of its own for each test, graphs built by
// a lambda, kernels that are functions of the test program. Only the exported C API is used.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "ptowsp/sim_api.h"
#include "runtime.h"

#if defined(__SANITIZE_THREAD__)
#define PTOWSP_TEST_TSAN 1
#endif
#if defined(__SANITIZE_ADDRESS__)
#define PTOWSP_TEST_ASAN 1
#endif
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define PTOWSP_TEST_TSAN 1
#endif
#if __has_feature(address_sanitizer)
#define PTOWSP_TEST_ASAN 1
#endif
#endif

namespace ptowsp::sim_test {

using Kernel = void (*)(int64_t* args);
using Builder = std::function<int(Runtime&)>;

// ctest runs the whole program once for each number of workers.
inline int testWorkers() {
  const char* text = std::getenv("PTOWSP_TEST_WORKERS");
  return text != nullptr ? std::atoi(text) : 2;
}

inline int registerFunction(int func_id, Kernel kernel) {
  uint8_t image[sizeof kernel];
  std::memcpy(image, &kernel, sizeof kernel);
  return register_kernel(func_id, image, sizeof image);
}

template <typename T>
T* pointer(int64_t argument) {
  return reinterpret_cast<T*>(argument);
}
inline uint64_t word(const void* address) { return reinterpret_cast<uint64_t>(address); }

// Memory for one Runtime object, as a caller of the C API provides it.
class RuntimeMemory {
 public:
  RuntimeMemory() : memory_(std::aligned_alloc(64, (get_runtime_size() + 63) / 64 * 64)) {}
  ~RuntimeMemory() { std::free(memory_); }
  RuntimeMemory(const RuntimeMemory&) = delete;
  RuntimeMemory& operator=(const RuntimeMemory&) = delete;

  int init(const Builder& builder) {
    uint64_t args[] = {word(&builder)};
    return ptowsp_sim_init_function(memory_, orchestrate, args, 1);
  }
  int launch(int block_dim = 1, int aicpus = 1) {
    return launch_runtime(memory_, aicpus, block_dim, 0, nullptr, 0, nullptr, 0);
  }
  int finalize() { return finalize_runtime(memory_); }
  void* get() const { return memory_; }

 private:
  static int orchestrate(void* runtime, uint64_t* args, int) {
    return (*reinterpret_cast<const Builder*>(args[0]))(*static_cast<Runtime*>(runtime));
  }
  void* memory_;
};

template <typename T>
T sized() {
  T value = {};
  value.size = sizeof value;
  return value;
}

inline ptowsp_sim_error lastError() {
  auto error = sized<ptowsp_sim_error>();
  EXPECT_EQ(ptowsp_sim_last_error(&error), 0);
  return error;
}
inline std::string lastMessage() { return lastError().message; }

inline ptowsp_sim_stats stats() {
  auto result = sized<ptowsp_sim_stats>();
  EXPECT_EQ(ptowsp_sim_get_stats(&result), 0);
  return result;
}

class SimTest : public ::testing::Test {
 protected:
  void SetUp() override {
    device_ = ptowsp_sim_device_create();
    ASSERT_NE(device_, nullptr);
    ASSERT_EQ(ptowsp_sim_device_use(device_), 0);
    setOptions(0);
  }
  void TearDown() override {
    EXPECT_EQ(ptowsp_sim_device_use(nullptr), 0);
    EXPECT_EQ(ptowsp_sim_device_destroy(device_), 0);
  }

  void setOptions(uint32_t flags, double timeout_seconds = 0, uint64_t seed = 0) {
    auto options = sized<ptowsp_sim_options>();
    options.flags = flags | PTOWSP_SIM_QUIET;
    options.workers = testWorkers();
    options.timeout_seconds = timeout_seconds;
    options.schedule_seed = seed;
    ASSERT_EQ(ptowsp_sim_set_options(&options), 0);
  }

  ptowsp_sim_device* device_ = nullptr;
  RuntimeMemory runtime_;
};

}  // namespace ptowsp::sim_test
