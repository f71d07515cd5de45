// SPDX-License-Identifier: MIT
// Whole artifacts are tested end to end in tests/run; here is what can be seen without libraries.
#include "runtime_glue/glue/artifact.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>

#include "ptowsp/manifest.h"

namespace ptowsp::glue {
namespace {

// The vectors of the algorithm's authors.
TEST(Hash, IsFnv1a64) {
  EXPECT_EQ(fnv1a64("", 0), 0xcbf29ce484222325u);
  EXPECT_EQ(fnv1a64("a", 1), 0xaf63dc4c8601ec8cu);
  EXPECT_EQ(fnv1a64("foobar", 6), 0x85944171f73967e8u);
  EXPECT_EQ(fnv1a64("bar", 3, fnv1a64("foo", 3)), 0x85944171f73967e8u);
}

TEST(ReadFile, GivesAllBytes) {
  const std::string file = ::testing::TempDir() + "ptowsp_read_file";
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
