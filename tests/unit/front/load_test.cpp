// SPDX-License-Identifier: MIT
#include "generator/verify/load.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "generator/base/file.h"

namespace ptowsp {
namespace {

namespace fs = std::filesystem;

class Load : public testing::Test {
 protected:
  void SetUp() override {
    const char* name = testing::UnitTest::GetInstance()->current_test_info()->name();
    folder_ =
        fs::temp_directory_path() / ("ptowsp load " + std::to_string(::getpid()) + " " + name);
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string write(const std::string& name, std::string_view text) {
    std::string error;
    std::string path = (folder_ / name).string();
    EXPECT_EQ(writeFileIfChanged(path, text, error), WriteStatus::written) << error;
    return path;
  }

  fs::path folder_;
  Diagnostics diagnostics_;
};

constexpr const char* kGood = R"({"ptowsp": 1, "name": "n",
  "tensors": [{"name": "y", "dtype": "f32", "shape": [8], "role": "output"}],
  "kernels": [{"name": "k", "params": [{"name": "b", "tile": [1, 8], "dtype": "f32", "access": "out"}],
    "body": [{"op": "store", "args": ["b", "b"]}]}],
  "program": [{"task": "k", "args": {"b": "y"}}]})";

TEST_F(Load, FilesThatCannotBeReadAreErrors) {
  Loaded loaded = load((folder_ / "none.json").string(), diagnostics_);
  EXPECT_FALSE(loaded.program || loaded.workload);
  ASSERT_EQ(diagnostics_.all().size(), 1u);
  EXPECT_EQ(diagnostics_.all()[0].rule, "unreadable-file");
}

TEST_F(Load, FormErrorsGiveNoWorkloadAndRuleErrorsNoProgram) {
  Loaded form = loadText("{}", "w.json", diagnostics_);
  EXPECT_FALSE(form.workload || form.program);
  EXPECT_TRUE(diagnostics_.hasErrors());
  Diagnostics rules;
  Loaded rule = loadText(kGood, "w.json", rules);
  EXPECT_TRUE(rule.workload);
  EXPECT_FALSE(rule.program);
  ASSERT_EQ(rules.all().size(), 1u);
  EXPECT_EQ(rules.all()[0].rule, "read-before-store");
}

TEST_F(Load, TheSidecarIsReadAndListed) {
  std::string path = write("w.json", kGood);
  std::string sidecar =
      write("w.locations.json",
            R"({"ptowsp_locations": 1, "files": ["w.py"], "nodes": {"/kernels/0": [0, 3]}})");
  Loaded loaded = load(path, diagnostics_);
  EXPECT_EQ(loaded.text, kGood);
  EXPECT_EQ(loaded.files, (std::vector<std::string>{path, sidecar}));
  Loaded moved = std::move(loaded);
  EXPECT_NE(
      format(diagnostics_, moved.locate()).find("  from " + (folder_ / "w.py:3").string() + "\n"),
      std::string::npos);
}

TEST_F(Load, WithoutSidecarTheWorkloadIsAllThatIsRead) {
  std::string path = write("w.json", kGood);
  EXPECT_EQ(load(path, diagnostics_).files, std::vector<std::string>{path});
}

}  // namespace
}  // namespace ptowsp
