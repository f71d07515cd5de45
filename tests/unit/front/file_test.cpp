// SPDX-License-Identifier: MIT
#include "generator/base/file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <thread>

namespace ptowsp {
namespace {

namespace fs = std::filesystem;

class File : public testing::Test {
 protected:
  void SetUp() override {
    const char* name = testing::UnitTest::GetInstance()->current_test_info()->name();
    folder_ =
        fs::temp_directory_path() / ("ptowsp file é " + std::to_string(::getpid()) + " " + name);
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  size_t entries() const {
    return static_cast<size_t>(std::distance(fs::directory_iterator(folder_), {}));
  }

  fs::path folder_;
  std::string error_;
};

TEST_F(File, WritesReadsAndLeavesEqualBytesAlone) {
  std::string bytes("a\0b\r\n\xff", 6);
  EXPECT_EQ(writeFileIfChanged(path("f"), bytes, error_), WriteStatus::written);
  EXPECT_EQ(readFile(path("f"), error_), bytes);
  fs::file_time_type old = fs::last_write_time(path("f")) - std::chrono::hours(1);
  fs::last_write_time(path("f"), old);
  EXPECT_EQ(writeFileIfChanged(path("f"), bytes, error_), WriteStatus::unchanged);
  EXPECT_EQ(fs::last_write_time(path("f")), old);
  EXPECT_EQ(writeFileIfChanged(path("f"), "a", error_), WriteStatus::written);
  EXPECT_EQ(readFile(path("f"), error_), "a");
  EXPECT_EQ(writeFileIfChanged(path("f"), "", error_), WriteStatus::written);
  EXPECT_EQ(readFile(path("f"), error_), "");
  EXPECT_EQ(entries(), 1u) << "a temporary file is left";
}

TEST_F(File, MakesMissingFolders) {
  EXPECT_EQ(writeFileIfChanged(path("a/b/f"), "x", error_), WriteStatus::written);
  EXPECT_EQ(readFile(path("a/b/f"), error_), "x");
}

TEST_F(File, ReadErrorsNameFileAndReason) {
  EXPECT_EQ(readFile(path("none"), error_), std::nullopt);
  EXPECT_EQ(error_, "cannot read '" + path("none") + "': No such file or directory");
  EXPECT_EQ(readFile(folder_.string(), error_), std::nullopt);
  EXPECT_EQ(error_, "cannot read '" + folder_.string() + "': Is a directory");
}

TEST_F(File, ReadsFilesThatSaySizeZero) {
  EXPECT_THAT(readFile("/proc/self/status", error_).value_or(""), testing::HasSubstr("Pid:"));
}

TEST_F(File, WriteErrorsNameFileAndReasonAndLeaveNothing) {
  fs::create_directory(path("d"));
  EXPECT_EQ(writeFileIfChanged(path("d"), "x", error_), WriteStatus::failed);
  EXPECT_EQ(error_, "cannot write '" + path("d") + "': Is a directory");
  ASSERT_EQ(writeFileIfChanged(path("f"), "x", error_), WriteStatus::written);
  EXPECT_EQ(writeFileIfChanged(path("f/g"), "x", error_), WriteStatus::failed);
  EXPECT_THAT(error_, testing::HasSubstr(path("f")));
  EXPECT_EQ(entries(), 2u);
}

TEST_F(File, ConcurrentWritersLeaveOneWholeFile) {
  std::string a(100000, 'a'), b(100000, 'b');
  auto write = [&](const std::string& bytes) {
    std::string error;
    for (int i = 0; i < 50; ++i) {
      EXPECT_NE(writeFileIfChanged(path("f"), bytes, error), WriteStatus::failed) << error;
    }
  };
  std::thread first(write, a), second(write, b);
  first.join();
  second.join();
  std::optional<std::string> bytes = readFile(path("f"), error_);
  EXPECT_TRUE(bytes == a || bytes == b);
  EXPECT_EQ(entries(), 1u);
}

}  // namespace
}  // namespace ptowsp
