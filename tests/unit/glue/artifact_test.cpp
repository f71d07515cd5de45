// SPDX-License-Identifier: MIT
// Whole artifacts are tested end to end in tests/run; here is what can be seen without libraries.
#include "runtime_glue/glue/artifact.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>

#include "ptowsp/manifest.h"

namespace ptowsp::glue {
namespace {

TEST(ReadFile, GivesAllBytes) {
  const std::string file = ::testing::TempDir() + "ptowsp_read_file." + std::to_string(getpid());
  const std::string bytes("a\0b\n", 4);
  std::ofstream(file, std::ios::binary) << bytes;
  std::string text = "old";
  EXPECT_TRUE(readFile(file, &text).ok());
  EXPECT_EQ(text, bytes);
  std::remove(file.c_str());
  const Status status = readFile(file, &text);
  EXPECT_EQ(status.message, "cannot read it: No such file or directory");
  EXPECT_EQ(status.outcome, Outcome::bad_artifact);
  EXPECT_FALSE(readFile("/", &text).ok());
}

TEST(LoadArtifact, SaysWhatIsMissing) {
  Artifact artifact;
  Status status = loadArtifact("/nowhere/x.ptowsp", {}, &artifact);
  EXPECT_EQ(status.place, "/nowhere/x.ptowsp");
  EXPECT_EQ(
      status.message,
      "found no such artifact, expected a folder made by ptowsp_add_workload(), or the `ready` "
      "file in it");
  status = loadArtifact("/", {}, &artifact);
  EXPECT_EQ(status.message, "found no `ready` file, which a build writes when it has finished");
  EXPECT_EQ(status.fix, "build the workload's target and mend what that reports");
}

}  // namespace
}  // namespace ptowsp::glue
