// SPDX-License-Identifier: MIT
#include "runtime_glue/glue/task_names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime_glue/glue/manifest_reader.h"
#include "tests/unit/glue/manifest_samples.h"

namespace ptowsp::glue {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class TaskNamesTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(parseManifest(manifestText(), "m.json", &manifest_).ok()); }
  Manifest manifest_;
  TaskNames names_{manifest_};
};

TEST_F(TaskNamesTest, NamesEveryTaskInProgramOrder) {
  std::vector<std::string> all;
  for (int64_t task = 0; task < names_.count(); ++task) all.push_back(names_.nameOf(task));
  EXPECT_THAT(
      all, ElementsAre("load[b=0,r=0]", "load[b=0,r=1]", "load[b=0,r=2]", "done[b=0]", "load[b=0]",
                       "done[b=0]", "load[b=1,r=0]", "load[b=1,r=1]", "load[b=1,r=2]", "done[b=1]",
                       "load[b=1]", "done[b=1]", "done", "done"));
  EXPECT_EQ(names_.kernelOf(8), 0);
  EXPECT_EQ(names_.kernelOf(13), 1);
}

TEST_F(TaskNamesTest, ATaskThatIsNotThereHasOnlyANumber) {
  EXPECT_EQ(names_.nameOf(14), "task 14");
  EXPECT_EQ(names_.describe(-1), "task -1");
  EXPECT_EQ(names_.kernelOf(14), -1);
}

TEST_F(TaskNamesTest, FindsByNumberAndName) {
  EXPECT_THAT(names_.find("7", 9), ElementsAre(7));
  EXPECT_THAT(names_.find("14", 9), IsEmpty());
  EXPECT_THAT(names_.find("load[b=1,r=2]", 9), ElementsAre(8));
  EXPECT_THAT(names_.find("load[ r=2, b=1 ]", 9), ElementsAre(8));
  EXPECT_THAT(names_.find("load[r=1]", 9), ElementsAre(1, 7));
  EXPECT_THAT(names_.find("load[b=1]", 9), ElementsAre(6, 7, 8, 10));
  EXPECT_THAT(names_.find("done", 3), ElementsAre(3, 5, 9));
}

TEST_F(TaskNamesTest, FindsNothingForWhatIsNoName) {
  for (const char* text :
       {"", "store", "load[b=2]", "load[q=0]", "load[b=]", "load[b]", "load[b=0", "load[b=0,b=0]",
        "load[b=-1]", "-1", "99999999999999999999", "done[r=0]"})
    EXPECT_THAT(names_.find(text, 9), IsEmpty()) << text;
}

TEST(TaskNamesOfStages, AreTheUsersKernelAndTheStage) {
  std::string text = manifestText();
  const auto split = [&](const std::string& name, int stage) {
    const std::string from = "{\"name\": \"" + name + "\", \"func_id\"";
    text.replace(text.find(from), from.size() - 9,
                 "{\"name\": \"" + name + "\", \"split\": {\"kernel\": \"attend\", \"stage\": " +
                     std::to_string(stage) + ", \"stages\": 2}, ");
  };
  split("load", 0);
  split("done", 1);
  Manifest manifest;
  ASSERT_TRUE(parseManifest(text, "m.json", &manifest).ok());
  const TaskNames names(manifest);
  EXPECT_EQ(names.nameOf(1), "attend[b=0,r=1] stage 1/2");
  EXPECT_EQ(names.describe(13), "task 13, attend stage 2/2");
  EXPECT_THAT(names.find("attend[b=0]", 9), ElementsAre(0, 1, 2, 3, 4, 5));
  EXPECT_THAT(names.find("attend[b=0] stage 2/2", 9), ElementsAre(3, 5));
  EXPECT_THAT(names.find("attend stage 1", 3), ElementsAre(0, 1, 2));
  EXPECT_THAT(names.find("attend stage x", 9), IsEmpty());
  EXPECT_THAT(names.find("load", 9), IsEmpty());
}

TEST_F(TaskNamesTest, ListsShorten) {
  EXPECT_EQ(listTasks(names_, {0, 12}), "0 load[b=0,r=0], 12 done");
  EXPECT_EQ(listTasks(names_, {3, 5, 9}, 2), "3 done[b=0], 5 done[b=0] and 1 more");
}

// The maker's tasks wait for room, the user's for tokens: they alternate, and the maker's last task
// needs no room.
TEST(TaskNamesOfProcesses, AreThoseOfTheirOrder) {
  Manifest manifest;
  ASSERT_EQ(parseManifest(processManifestText(), "m.json", &manifest).message, "");
  EXPECT_EQ(manifest.channels[0].name, "c");
  EXPECT_EQ(manifest.channels[0].latency, 5);
  const TaskNames names(manifest);
  std::vector<std::string> all;
  for (int64_t task = 0; task < names.count(); ++task) all.push_back(names.nameOf(task));
  EXPECT_THAT(all, ElementsAre("done", "load[b=0,r=0]", "done[b=0,t=0]", "load[b=0,r=1]",
                               "done[b=0,t=1]", "load[b=0,r=2]", "done[b=0,t=2]", "load[b=0]",
                               "load[b=1,r=0]", "done[b=1,t=0]", "load[b=1,r=1]", "done[b=1,t=1]",
                               "load[b=1,r=2]", "done[b=1,t=2]", "load[b=1]"));
  for (int64_t task = 1; task < names.count(); ++task) {
    if (task == 7 || task == 14) continue;  // "load[b=0]" means all of them
    EXPECT_THAT(names.find(all[static_cast<size_t>(task)], 9), ElementsAre(task));
  }
  EXPECT_THAT(names.find("load[b=1]", 9), ElementsAre(8, 10, 12, 14));
  EXPECT_EQ(names.kernelOf(9), 1);
}

// With a token that nobody sends the user waits for ever: such a manifest is damaged.
TEST(TaskNamesOfProcesses, StuckOnesAreRefused) {
  const std::string text = with(with(processManifestText(), "\"tokens\": 3", "\"tokens\": 4"),
                                "\"tasks\": 15", "\"tasks\": 17");
  Manifest manifest;
  EXPECT_EQ(parseManifest(text, "m.json", &manifest).message,
            "found processes that wait for one another for ever");
}

// A loop without a match is left after its first iteration, however long it is.
TEST(TaskNamesOfLongLoops, AreFoundAtOnce) {
  Manifest manifest;
  manifest.kernels.resize(2);
  manifest.kernels[0].name = "a";
  manifest.kernels[1].name = "b";
  ProgramNode task, loop;
  task.kind = ProgramNode::Kind::task;
  task.kernel = 0;
  task.tasks = 1;
  loop.kind = ProgramNode::Kind::loop;
  loop.variable = "i";
  loop.extent = loop.tasks = int64_t{1} << 40;
  loop.body = {task};
  manifest.program.tasks = loop.tasks + 1;
  task.kernel = 1;
  manifest.program.body = {loop, task};
  const TaskNames names(manifest);
  EXPECT_THAT(names.find("b", 9), ElementsAre(int64_t{1} << 40));
  EXPECT_THAT(names.find("a[i=1099511627775]", 9), ElementsAre((int64_t{1} << 40) - 1));
}

}  // namespace
}  // namespace ptowsp::glue
