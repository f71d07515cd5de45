// SPDX-License-Identifier: MIT
// Registering kernels: functions, machine code, replacement, and what is refused.
#include <gmock/gmock.h>

#include "tests/sim/sim_fixture.h"

namespace ptowsp::sim_test {
namespace {

using ::testing::HasSubstr;

class KernelTableTest : public SimTest {
 protected:
  // Runs one task of func_id 0 with the address of `value_`.
  int run() {
    const int code = runtime_.init([this](Runtime& runtime) {
      uint64_t args[1] = {word(&value_)};
      runtime.add_task(args, 1, 0, 1);
      return 0;
    });
    return code != 0 ? code : runtime_.launch();
  }
  int32_t value_ = 0;
};

TEST_F(KernelTableTest, RegisteringAgainReplaces) {
  ASSERT_EQ(registerFunction(0, [](int64_t* args) { *pointer<int32_t>(args[0]) = 1; }), 0);
  ASSERT_EQ(run(), 0);
  EXPECT_EQ(value_, 1);
  ASSERT_EQ(registerFunction(0, [](int64_t* args) { *pointer<int32_t>(args[0]) = 2; }), 0);
  ASSERT_EQ(run(), 0);
  EXPECT_EQ(value_, 2);
  EXPECT_EQ(runtime_.finalize(), 0);
  ASSERT_EQ(run(), 0) << "kernels stay registered after finalize";
}

TEST_F(KernelTableTest, MachineCodeIsMappedAndReplaced) {
#if !defined(__x86_64__)
  GTEST_SKIP() << "the machine code below is x86-64";
#endif
  // mov rax, [rdi]; mov dword [rax], 42; ret
  uint8_t code[] = {0x48, 0x8b, 0x07, 0xc7, 0x00, 42, 0, 0, 0, 0xc3};
  ASSERT_EQ(register_kernel(0, code, sizeof code), 0);
  ASSERT_EQ(run(), 0);
  EXPECT_EQ(value_, 42);
  code[5] = 43;
  ASSERT_EQ(register_kernel(0, code, sizeof code), 0);
  ASSERT_EQ(run(), 0);
  EXPECT_EQ(value_, 43);
  std::vector<uint8_t> large(10000, 0x90);  // nops over several pages, then the same code
  large.insert(large.end(), code, code + sizeof code);
  large[large.size() - 5] = 44;
  ASSERT_EQ(register_kernel(0, large.data(), large.size()), 0);
  ASSERT_EQ(run(), 0);
  EXPECT_EQ(value_, 44);
}

TEST_F(KernelTableTest, RefusesEmptyNullAndBadIds) {
  const uint8_t zeros[8] = {};
  EXPECT_EQ(register_kernel(0, nullptr, 8), PTOWSP_SIM_ERROR_ARGUMENT);
  EXPECT_EQ(register_kernel(0, zeros, 0), PTOWSP_SIM_ERROR_ARGUMENT);
  EXPECT_EQ(register_kernel(0, zeros, 8), PTOWSP_SIM_ERROR_ARGUMENT);
  EXPECT_THAT(lastMessage(), HasSubstr("the function's address is null"));
  const uint8_t ones[8] = {1};
  EXPECT_EQ(register_kernel(-1, ones, 8), PTOWSP_SIM_ERROR_ARGUMENT);
  EXPECT_EQ(register_kernel(1 << 20, ones, 8), PTOWSP_SIM_ERROR_ARGUMENT);
}

TEST_F(KernelTableTest, UnregisteredKernelIsAnError) {
  EXPECT_EQ(run(), PTOWSP_SIM_ERROR_UNREGISTERED_KERNEL);
  EXPECT_EQ(lastMessage(),
            "task 0 needs the kernel with func_id 0, which is not registered; call "
            "register_kernel(0, ...) before launch_runtime");
  EXPECT_EQ(lastError().task, 0);
  EXPECT_EQ(lastError().func_id, 0);
  // Also one that no table could hold, behind many tasks of a known one.
  registerFunction(0, [](int64_t*) {});
  ASSERT_EQ(runtime_.init([](Runtime& runtime) {
    uint64_t args[1] = {0};
    for (int t = 0; t < 100; ++t) runtime.add_task(args, 1, 0, 1);
    runtime.add_task(args, 1, 2000000000, 1);
    return 0;
  }),
            0);
  EXPECT_EQ(runtime_.launch(), PTOWSP_SIM_ERROR_UNREGISTERED_KERNEL);
  EXPECT_EQ(lastError().task, 100);
  EXPECT_EQ(runtime_.finalize(), PTOWSP_SIM_ERROR_NOT_RUN);
}

TEST_F(KernelTableTest, TaskOnTheWrongCoreTypeIsAnError) {
  registerFunction(0, [](int64_t*) {});
  ASSERT_EQ(ptowsp_sim_describe_kernel(0, "matmul", 0), 0);
  EXPECT_EQ(run(), PTOWSP_SIM_ERROR_CORE_TYPE);
  EXPECT_EQ(
      lastMessage(),
      "task 0 puts the kernel matmul (func_id 0) on an AIV core, but it is made for AIC cores; "
      "pass core type 0 to add_task");
  ASSERT_EQ(ptowsp_sim_describe_kernel(0, "matmul", 1), 0);
  EXPECT_EQ(run(), 0);
  EXPECT_EQ(ptowsp_sim_describe_kernel(0, nullptr, 2), PTOWSP_SIM_ERROR_ARGUMENT);
  EXPECT_EQ(ptowsp_sim_describe_kernel(-5, "x", 1), PTOWSP_SIM_ERROR_ARGUMENT);
}

}  // namespace
}  // namespace ptowsp::sim_test
