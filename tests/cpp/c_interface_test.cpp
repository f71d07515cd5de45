// SPDX-License-Identifier: MIT
// What the C interface says to callers who forget a size or give null pointers, with whole texts.
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "ptowsp/glue_c.h"
#include "tests/cpp/helpers.h"

namespace ptowsp::cpp_test {
namespace {

std::string lastText() {
  ptowsp_error_info info = {};
  info.size = sizeof info;
  EXPECT_EQ(ptowsp_last_error(&info), PTOWSP_OK);
  return info.text;
}

// A struct of a newer version of the header.
template <typename T>
struct Newer {
  T known = {};
  uint64_t option = 0;
  Newer() { known.size = sizeof *this; }
};

class CInterface : public testing::Test {
 protected:
  void SetUp() override {
    ptowsp_device_options options = {};
    options.size = sizeof options;
    ASSERT_EQ(ptowsp_device_open(&options, &device_), PTOWSP_OK);
    wanted_.size = sizeof wanted_;
    wanted_.device = device_;
    ASSERT_EQ(ptowsp_program_open(PTOWSP_ARTIFACT_cpp_scale, &wanted_, &program_), PTOWSP_OK);
  }
  void TearDown() override {
    ptowsp_program_close(program_);
    ptowsp_device_close(device_);
  }

  ptowsp_device* device_ = nullptr;
  ptowsp_program* program_ = nullptr;
  ptowsp_program_options wanted_ = {};
  std::vector<float> x_ = counted(64 * 64), y_ = std::vector<float>(64 * 64, -1);
  ptowsp_argument arguments_[2] = {{x_.data(), 64 * 64 * 4, nullptr}, {y_.data(), 64 * 64 * 4, nullptr}};
};

TEST_F(CInterface, OptionsWithoutTheirSize) {
  ptowsp_device* device = nullptr;
  ptowsp_device_options options = {};
  options.workers = 1;
  const std::string rest = ", expected sizeof(ptowsp_device_options), 48\n  fix: set the member size before the call";
  for (const uint32_t size : {0u, 3u, 0x7FFF0000u}) {
    options.size = size;
    EXPECT_EQ(ptowsp_device_open(&options, &device), PTOWSP_BAD_ARTIFACT);
    EXPECT_EQ(device, nullptr);
    EXPECT_EQ(lastText(), "ptowsp_device_options: found " + std::to_string(size) + " as its size" + rest);
  }
  ptowsp_program* program = nullptr;
  ptowsp_program_options forgotten = {};
  forgotten.device = device_;
  EXPECT_EQ(ptowsp_program_open(PTOWSP_ARTIFACT_cpp_scale, &forgotten, &program), PTOWSP_BAD_ARTIFACT);
  EXPECT_EQ(lastText(),
            "ptowsp_program_options: found 0 as its size, expected sizeof(ptowsp_program_options), 80\n"
            "  fix: set the member size before the call");
  ptowsp_program_close(program);
}

TEST_F(CInterface, OptionsOfAnotherVersion) {
  Newer<ptowsp_device_options> newer;
  ptowsp_device* device = nullptr;
  EXPECT_EQ(ptowsp_device_open(&newer.known, &device), PTOWSP_OK);
  ptowsp_device_close(device);
  newer.option = uint64_t{1} << 63;
  EXPECT_EQ(ptowsp_device_open(&newer.known, &device), PTOWSP_BAD_ARTIFACT);
  EXPECT_EQ(lastText(), std::string("ptowsp_device_options: found options behind the 48 bytes that this "
                                    "library, version ") +
                            ptowsp_glue_version() +
                            ", knows\n  fix: leave them out, or use the library that belongs to the header");
  ptowsp_device_options older = {};  // without `runtime`, which comes last
  older.size = offsetof(ptowsp_device_options, runtime);
  older.runtime = "/nowhere";
  EXPECT_EQ(ptowsp_device_open(&older, &device), PTOWSP_OK);
  ptowsp_device_close(device);
}

TEST_F(CInterface, StatisticsWithoutTheirSize) {
  ptowsp_program_stats stats = {};
  const std::string text =
      "ptowsp_program_stats: found 0 as its size, expected sizeof(ptowsp_program_stats), 96\n"
      "  fix: set the member size before the call";
  EXPECT_EQ(ptowsp_program_call(program_, arguments_, 2, &stats), PTOWSP_BAD_ARTIFACT);
  EXPECT_EQ(lastText(), text);
  EXPECT_EQ(y_[1], -1) << "it ran";
  EXPECT_EQ(ptowsp_program_get_stats(program_, &stats), PTOWSP_BAD_ARTIFACT);
  ptowsp_call* call = nullptr;
  ASSERT_EQ(ptowsp_program_start(program_, arguments_, 2, &call), PTOWSP_OK);
  EXPECT_EQ(ptowsp_call_wait(call, std::numeric_limits<double>::quiet_NaN(), nullptr), PTOWSP_OK);
  EXPECT_EQ(ptowsp_call_wait(call, -1, &stats), PTOWSP_BAD_ARTIFACT);
  EXPECT_EQ(lastText(), text);
  // An older caller's, up to `edges`.
  stats.size = offsetof(ptowsp_program_stats, critical_path);
  stats.critical_path = -1;
  EXPECT_EQ(ptowsp_call_wait(call, -1, &stats), PTOWSP_OK);
  EXPECT_EQ(stats.size, offsetof(ptowsp_program_stats, critical_path));
  EXPECT_EQ(stats.tasks, 1);
  EXPECT_EQ(stats.critical_path, -1);
  ptowsp_call_release(call);
  EXPECT_EQ(y_[1], 2);
}

TEST_F(CInterface, NullPointers) {
  ptowsp_call* call = nullptr;
  const auto refused = [](int outcome) {
    EXPECT_EQ(outcome, PTOWSP_BAD_ARTIFACT);
    return lastText();
  };
  EXPECT_EQ(refused(ptowsp_program_call(nullptr, arguments_, 2, nullptr)),
            "ptowsp_program_call: found a null pointer, expected a program");
  EXPECT_EQ(refused(ptowsp_program_call(program_, nullptr, 2, nullptr)),
            "ptowsp_program_call: found a null pointer, expected one to the arguments");
  EXPECT_EQ(refused(ptowsp_program_run(program_, nullptr, nullptr, 2)),
            "ptowsp_program_run: found a null pointer, expected one to the arguments");
  EXPECT_EQ(refused(ptowsp_program_start(nullptr, arguments_, 2, &call)),
            "ptowsp_program_start: found a null pointer, expected a program");
  EXPECT_EQ(refused(ptowsp_program_start(program_, arguments_, 2, nullptr)),
            "ptowsp_program_start: found a null pointer, expected one to a ptowsp_call*");
  EXPECT_EQ(refused(ptowsp_program_start(program_, nullptr, 2, &call)),
            "ptowsp_program_start: found a null pointer, expected one to the arguments");
  EXPECT_EQ(call, nullptr);
  EXPECT_EQ(refused(ptowsp_call_wait(nullptr, 0, nullptr)),
            "ptowsp_call_wait: found a null pointer, expected a call");
  EXPECT_EQ(refused(ptowsp_tensor_upload(nullptr, x_.data(), 4)),
            "device tensor: found a null pointer, expected a tensor");
  EXPECT_EQ(refused(ptowsp_program_get_stats(program_, nullptr)),
            "ptowsp_program_get_stats: found a null pointer, expected one to a ptowsp_program_stats");
  EXPECT_EQ(refused(ptowsp_program_total_cycles(nullptr, 1, nullptr)),
            "ptowsp_program_total_cycles: found a null pointer, expected a program");
  EXPECT_EQ(ptowsp_tensor_bytes(nullptr), 0u);
  // Nothing to be done.
  ptowsp_device_cancel(nullptr);
  ptowsp_device_close(nullptr);
  ptowsp_program_cancel(nullptr);
  ptowsp_program_close(nullptr);
  ptowsp_call_cancel(nullptr);
  ptowsp_call_release(nullptr);
  ptowsp_tensor_release(nullptr);
}

// It is there, to be asked for the error and to be closed, and cannot be called.
TEST_F(CInterface, AProgramThatCouldNotBeOpened) {
  for (const char* artifact : {static_cast<const char*>(nullptr), "/nowhere"}) {
    ptowsp_program* program = nullptr;
    EXPECT_EQ(ptowsp_program_open(artifact, nullptr, &program), PTOWSP_BAD_ARTIFACT);
    ASSERT_NE(program, nullptr);
    const std::string text = ": the program could not be opened";
    ptowsp_call* call = nullptr;
    EXPECT_EQ(ptowsp_program_start(program, arguments_, 2, &call), PTOWSP_BAD_ARTIFACT);
    EXPECT_EQ(lastText(), "ptowsp_program_start" + text);
    EXPECT_EQ(ptowsp_program_call(program, arguments_, 2, nullptr), PTOWSP_BAD_ARTIFACT);
    EXPECT_EQ(lastText(), "ptowsp_program_call" + text);
    void* const arrays[] = {x_.data(), y_.data()};
    const uint64_t bytes[] = {64 * 64 * 4, 64 * 64 * 4};
    EXPECT_EQ(ptowsp_program_run(program, arrays, bytes, 2), PTOWSP_BAD_ARTIFACT);
    EXPECT_EQ(ptowsp_program_error(program), "ptowsp_program_run" + text);
    ptowsp_program_cancel(program);
    ptowsp_program_close(program);
  }
}

}  // namespace
}  // namespace ptowsp::cpp_test
