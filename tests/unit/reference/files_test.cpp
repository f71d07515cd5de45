// SPDX-License-Identifier: MIT
// What an evaluation leaves on disk: right, written only when changed, and nothing stale.
#include "generator/reference/files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstring>

#include "ptowsp/npy.h"
#include "tests/unit/reference/folder.h"
#include "tests/unit/reference/program_builder.h"

namespace ptowsp::reference {
namespace {

using ::testing::ElementsAre;

Elements elements(const std::vector<float>& numbers) {
  Elements elements(DType::f32, static_cast<int64_t>(numbers.size()));
  std::memcpy(elements.bytes.data(), numbers.data(), elements.bytes.size());
  return elements;
}

class Files : public ::testing::Test {
 protected:
  Files() {
    program_.tensors = {makeTensor("x", {2}, Role::input), makeTensor("t", {2}, Role::temporary),
                        makeTensor("z", {1, 2}, Role::inout), makeTensor("y", {2}, Role::output)};
    evaluation_.inputs = {elements({1, 2}), {}, elements({3, 4}), {}};
    evaluation_.expected = {{}, {}, elements({5, 6}), elements({7, 8})};
  }

  void write() {
    Diagnostics diagnostics;
    EXPECT_TRUE(writeEvaluation(program_, evaluation_, folder_ / "w", diagnostics));
    EXPECT_TRUE(diagnostics.all().empty());
  }

  std::vector<std::string> present() {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_ / "w")) {
      if (entry.is_regular_file())
        names.push_back(std::filesystem::relative(entry.path(), folder_ / "w").string());
    }
    std::sort(names.begin(), names.end());
    return names;
  }

  ino_t inode(const std::string& name) {
    struct stat info {};
    EXPECT_EQ(stat((folder_ / ("w/" + name)).c_str(), &info), 0) << name;
    return info.st_ino;
  }

  Folder folder_;
  Program program_;
  Evaluation evaluation_;
};

TEST_F(Files, EachTensorIsWhereItsRolePutsIt) {
  write();
  EXPECT_THAT(present(), ElementsAre("eval_list", "expected/y.npy", "expected/z.npy",
                                     "inputs/x.npy", "inputs/z.npy"));
  EXPECT_TRUE(
      npy::holds(folder_ / "w/inputs/x.npy", npy::Type::f32, {2}, evaluation_.inputs[0].bytes.data()));
  EXPECT_TRUE(
      npy::holds(folder_ / "w/inputs/z.npy", npy::Type::f32, {1, 2}, evaluation_.inputs[2].bytes.data()));
  EXPECT_TRUE(npy::holds(folder_ / "w/expected/z.npy", npy::Type::f32, {1, 2},
                         evaluation_.expected[2].bytes.data()));
  EXPECT_TRUE(npy::holds(folder_ / "w/expected/y.npy", npy::Type::f32, {2},
                         evaluation_.expected[3].bytes.data()));
  EXPECT_EQ(textOf(folder_ / "w/eval_list"),
            "inputs/x.npy\ninputs/z.npy\nexpected/z.npy\nexpected/y.npy\n");
}

// A file that is written gets a new inode, because writing renames.
TEST_F(Files, OnlyWhatChangedIsWritten) {
  write();
  const ino_t x = inode("inputs/x.npy"), y = inode("expected/y.npy"), list = inode("eval_list");
  evaluation_.expected[3] = elements({7, 9});
  write();
  EXPECT_EQ(inode("inputs/x.npy"), x);
  EXPECT_EQ(inode("eval_list"), list);
  EXPECT_NE(inode("expected/y.npy"), y);
  EXPECT_TRUE(npy::holds(folder_ / "w/expected/y.npy", npy::Type::f32, {2},
                         evaluation_.expected[3].bytes.data()));
}

TEST_F(Files, StaleFilesAreRemovedAndTheUsersStay) {
  write();
  writeText(folder_ / "w/inputs/mine.npy", "mine");
  writeText(folder_ / "w/expected/notes.txt", "mine");
  program_.tensors[0].declaration.name = "renamed";
  program_.tensors[2].declaration.role = Role::temporary;
  evaluation_.inputs[2] = {};
  evaluation_.expected[2] = {};
  write();
  EXPECT_THAT(present(), ElementsAre("eval_list", "expected/notes.txt", "expected/y.npy",
                                     "inputs/mine.npy", "inputs/renamed.npy"));
}

TEST_F(Files, ADamagedListRemovesNothingElse) {
  write();
  writeText(folder_ / "victim.npy", "");
  std::filesystem::create_directories(folder_ / "w/inputs/deep");
  writeText(folder_ / "w/inputs/deep/d.npy", "");
  writeText(folder_ / "w/manifest.json", "");
  writeText(folder_ / "w/eval_list",
            "../victim.npy\ninputs/../../victim.npy\ninputs/deep/d.npy\nmanifest.json\ninputs/\n"
            "inputs/.npy\n\ninputs/gone.npy\n" +
                folder_ / "victim.npy");
  write();
  EXPECT_TRUE(std::filesystem::exists(folder_ / "victim.npy"));
  EXPECT_THAT(present(),
              ElementsAre("eval_list", "expected/y.npy", "expected/z.npy", "inputs/deep/d.npy",
                          "inputs/x.npy", "inputs/z.npy", "manifest.json"));
}

TEST_F(Files, AFolderThatCannotBeMadeIsAnError) {
  writeText(folder_ / "w", "a file");
  Diagnostics diagnostics;
  EXPECT_FALSE(writeEvaluation(program_, evaluation_, folder_ / "w", diagnostics));
  ASSERT_EQ(diagnostics.all().size(), 1u);
  EXPECT_EQ(diagnostics.all()[0].rule, "write-failed");
  EXPECT_EQ(diagnostics.all()[0].message,
            folder_ / "w/inputs" + std::string(": cannot create the folder: Not a directory"));
}

TEST_F(Files, AFileThatCannotBeWrittenIsAnError) {
  std::filesystem::create_directories(folder_ / "w/inputs/x.npy/inside");
  Diagnostics diagnostics;
  EXPECT_FALSE(writeEvaluation(program_, evaluation_, folder_ / "w", diagnostics));
  ASSERT_EQ(diagnostics.all().size(), 1u);
  EXPECT_EQ(diagnostics.all()[0].message,
            folder_ / "w/inputs/x.npy" + std::string(": cannot write: Is a directory"));
}

}  // namespace
}  // namespace ptowsp::reference
