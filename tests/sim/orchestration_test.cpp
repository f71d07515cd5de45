// SPDX-License-Identifier: MIT
// Loading orchestrations from bytes: many in one process, compiled as pto-runtime does it, and
// libraries that are wrong in each possible way.
#include <gmock/gmock.h>

#include <fstream>
#include <iterator>

#include "tests/sim/sim_fixture.h"

namespace ptowsp::sim_test {
namespace {

using ::testing::HasSubstr;

std::vector<uint8_t> readFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file.is_open()) << path;
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

int initFrom(const RuntimeMemory& runtime, const std::vector<uint8_t>& library,
             const char* function, std::vector<uint64_t> args) {
  return init_runtime(runtime.get(), library.data(), library.size(), function, args.data(),
                      static_cast<int>(args.size()));
}

class OrchestrationTest : public SimTest {};

void addKernel(int64_t* args) {
  for (int64_t i = 0; i < args[3]; ++i) {
    pointer<float>(args[2])[i] = pointer<float>(args[0])[i] + pointer<float>(args[1])[i];
  }
}
void addScalarKernel(int64_t* args) {
  float scalar;
  std::memcpy(&scalar, &args[1], sizeof scalar);
  for (int64_t i = 0; i < args[3]; ++i) {
    pointer<float>(args[2])[i] = pointer<float>(args[0])[i] + scalar;
  }
}
void mulKernel(int64_t* args) {
  for (int64_t i = 0; i < args[3]; ++i) {
    pointer<float>(args[2])[i] = pointer<float>(args[0])[i] * pointer<float>(args[1])[i];
  }
}

void runDiamond(const std::string& path) {
  ASSERT_EQ(set_device(0), 0);
  ASSERT_EQ(registerFunction(0, addKernel), 0);
  ASSERT_EQ(registerFunction(1, addScalarKernel), 0);
  ASSERT_EQ(registerFunction(2, mulKernel), 0);
  std::vector<float> a(1000, 2.0f), b(1000, 3.0f), f(1000, 0.0f);
  RuntimeMemory runtime;
  ::testing::internal::CaptureStdout();
  const int built = initFrom(runtime, readFile(path), "build_diamond",
                             {word(a.data()), word(b.data()), word(f.data()), f.size()});
  EXPECT_THAT(::testing::internal::GetCapturedStdout(),
              HasSubstr("task 0: func_id 0, AIV, 4 args"));
  ASSERT_EQ(built, 0) << lastMessage();
  ASSERT_EQ(runtime.launch(3, 3), 0) << lastMessage();
  ASSERT_EQ(runtime.finalize(), 0) << lastMessage();
  EXPECT_EQ(f, std::vector<float>(1000, 42.0f));
  EXPECT_EQ(stats().live_allocations, 0);
}

TEST_F(OrchestrationTest, DiamondBuiltByCMake) { runDiamond(PTOWSP_TEST_DIAMOND); }
TEST_F(OrchestrationTest, DiamondBuiltWithThePinnedCompileLine) {
  runDiamond(PTOWSP_TEST_PINNED_DIAMOND);
}

TEST_F(OrchestrationTest, AnyNumberOfDifferentOnesInOneProcess) {
  registerFunction(0, [](int64_t*) {});
  const std::vector<std::pair<std::string, int>> libraries = {{PTOWSP_TEST_NUMBERED_1, 1},
                                                              {PTOWSP_TEST_NUMBERED_2, 2}};
  for (int round = 0; round < 5; ++round) {
    for (const auto& [path, number] : libraries) {
      int seen = 0;
      ASSERT_EQ(initFrom(runtime_, readFile(path), "build_numbered", {word(&seen)}), 0)
          << lastMessage();
      EXPECT_EQ(seen, number);
      ASSERT_EQ(runtime_.launch(), 0);
      EXPECT_EQ(stats().tasks, number);
      ASSERT_EQ(runtime_.finalize(), 0);
    }
  }
}

TEST_F(OrchestrationTest, TwoAtTheSameTime) {
  registerFunction(0, [](int64_t*) {});
  RuntimeMemory other;
  int first = 0, second = 0;
  ASSERT_EQ(initFrom(runtime_, readFile(PTOWSP_TEST_NUMBERED_1), "build_numbered", {word(&first)}),
            0);
  ASSERT_EQ(initFrom(other, readFile(PTOWSP_TEST_NUMBERED_2), "build_numbered", {word(&second)}),
            0);
  EXPECT_EQ(first, 1);
  EXPECT_EQ(second, 2);
  ASSERT_EQ(other.launch(), 0);
  ASSERT_EQ(runtime_.launch(), 0);
  EXPECT_EQ(stats().tasks, 1);
  ASSERT_EQ(runtime_.finalize(), 0);
  ASSERT_EQ(other.finalize(), 0);
}

TEST_F(OrchestrationTest, MissingFunctionIsNamed) {
  EXPECT_EQ(initFrom(runtime_, readFile(PTOWSP_TEST_NUMBERED_1), "build_other", {0}),
            PTOWSP_SIM_ERROR_SYMBOL);
  EXPECT_EQ(lastMessage(),
            "the orchestration library has no function build_other; define it as extern \"C\" int "
            "build_other(Runtime*, uint64_t*, int)");
  EXPECT_EQ(initFrom(runtime_, readFile(PTOWSP_TEST_NUMBERED_1), "", {0}),
            PTOWSP_SIM_ERROR_ARGUMENT);
}

TEST_F(OrchestrationTest, AnotherRuntimesHeaderIsTold) {
  for (const char* path : {PTOWSP_TEST_FOREIGN, PTOWSP_TEST_FOREIGN_CALLS}) {
    EXPECT_EQ(initFrom(runtime_, readFile(path), "build_foreign", {}), PTOWSP_SIM_ERROR_VERSION);
    EXPECT_THAT(lastMessage(), HasSubstr("compiled with a runtime.h of another runtime"));
  }
  EXPECT_EQ(initFrom(runtime_, readFile(PTOWSP_TEST_OTHER_VERSION), "build_foreign", {}),
            PTOWSP_SIM_ERROR_VERSION);
  EXPECT_THAT(lastMessage(), HasSubstr("compiled with version 999 of the built-in runtime.h"));
}

TEST_F(OrchestrationTest, BrokenLibrariesAreErrorsNotCrashes) {
  const std::vector<uint8_t> whole = readFile(PTOWSP_TEST_NUMBERED_1);
  for (const size_t size :
       {size_t{1}, size_t{63}, size_t{64}, size_t{1000}, whole.size() / 2, whole.size() - 1}) {
    const std::vector<uint8_t> part(whole.begin(), whole.begin() + static_cast<long>(size));
    EXPECT_EQ(initFrom(runtime_, part, "build_numbered", {0}), PTOWSP_SIM_ERROR_LOAD) << size;
  }
  EXPECT_THAT(lastMessage(), HasSubstr("it is truncated; build it again"));
  const std::string text =
      "int build_numbered(Runtime*, uint64_t*, int); // not a library at all ...";
  EXPECT_EQ(initFrom(runtime_, {text.begin(), text.end()}, "build_numbered", {0}),
            PTOWSP_SIM_ERROR_LOAD);
  EXPECT_THAT(lastMessage(), HasSubstr("it is not an ELF file"));
  std::vector<uint8_t> other_machine = whole;
  other_machine[18] = 0xF3;  // e_machine: RISC-V
  other_machine[19] = 0;
  EXPECT_EQ(initFrom(runtime_, other_machine, "build_numbered", {0}), PTOWSP_SIM_ERROR_LOAD);
  EXPECT_THAT(lastMessage(), HasSubstr("it is built for another machine"));
  EXPECT_EQ(init_runtime(runtime_.get(), nullptr, 0, "f", nullptr, 0), PTOWSP_SIM_ERROR_ARGUMENT);
}

}  // namespace
}  // namespace ptowsp::sim_test
