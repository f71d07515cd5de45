// SPDX-License-Identifier: MIT
#include "runtime_glue/glue/runtime_library.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

namespace ptowsp::glue {
namespace {

TEST(RuntimeLibraryFile, MissingOneIsNamed) {
  RuntimeLibrary library;
  const Status status = library.open("/nowhere/libruntime.so");
  EXPECT_EQ(status.outcome, Outcome::bad_artifact);
  EXPECT_EQ(status.place, "/nowhere/libruntime.so");
  EXPECT_EQ(status.message, "found no such runtime library");
}

TEST(RuntimeLibraryFile, OneThatIsNoLibraryIsRefused) {
  const std::string file = ::testing::TempDir() + "ptowsp_not_a_library." + std::to_string(getpid()) + ".so";
  std::ofstream(file) << "text\n";
  RuntimeLibrary library;
  const Status status = library.open(file);
  EXPECT_EQ(status.outcome, Outcome::bad_artifact);
  EXPECT_EQ(status.message,
            "cannot load this runtime library: found 5 bytes that are no shared library");
  std::remove(file.c_str());
}

TEST(RuntimeLibraryFile, OneWithoutTheContractIsRefused) {
  RuntimeLibrary library;
  const Status status = library.open("/proc/self/exe");
  EXPECT_EQ(status.outcome, Outcome::bad_artifact);
}

}  // namespace
}  // namespace ptowsp::glue
