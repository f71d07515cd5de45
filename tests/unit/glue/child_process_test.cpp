// SPDX-License-Identifier: MIT
// Processes that cannot be started, and memory that cannot be shared with one.
#include "runtime_glue/glue/child_process.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include "runtime_glue/glue/shared_arrays.h"

namespace ptowsp::glue {
namespace {

class ChildProcessTest : public testing::Test {
 protected:
  ~ChildProcessTest() override { close(memory_); }
  std::string start(const std::string& program) {
    return process_.start({program}, "request", memory_, 60, {});
  }

  const int memory_ = open("/dev/null", O_RDWR | O_CLOEXEC);
  ChildProcess process_;
};

TEST_F(ChildProcessTest, EndsAsItsProgramDoes) {
  EXPECT_EQ(start("/bin/true"), "");
  EXPECT_EQ(process_.finish(), 0);
  EXPECT_EQ(start("/bin/false"), "");
  EXPECT_EQ(process_.finish(), 1 << 8);
}

TEST_F(ChildProcessTest, SaysWhyItCannotBeStarted) {
  EXPECT_EQ(start("/nowhere"), "No such file or directory");
  EXPECT_EQ(start("/dev/null"), "Permission denied");
}

// A program that found other files than its own would read and write what is not meant for it.
TEST_F(ChildProcessTest, IsNotStartedWithoutItsFiles) {
  rlimit before = {};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit few = before;
  few.rlim_cur = 16;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &few), 0);
  const std::string error = start("/bin/true");
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_EQ(error, "Invalid argument");
}

TEST(SharedArraysTest, SayWhyThereIsNoRoom) {
  SharedArrays arrays;
  errno = 0;
  const Status status = arrays.open({uint64_t{INT64_MAX}});
  EXPECT_EQ(status.place, "shared memory");
  EXPECT_EQ(status.message, "found no room for 9223372036854775808 bytes: Invalid argument");
  EXPECT_EQ(arrays.count(), 0u);
  ASSERT_TRUE(arrays.open({5, 0}).ok());
  arrays.data(0)[4] = 1;
}

}  // namespace
}  // namespace ptowsp::glue
