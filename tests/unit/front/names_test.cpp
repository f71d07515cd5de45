// SPDX-License-Identifier: MIT
#include "generator/verify/names.h"

#include <gtest/gtest.h>

namespace ptowsp {
namespace {

std::string problem(std::string_view name, NameUse use = NameUse::variable) {
  return problemOfName(name, use);
}

TEST(Names, OrdinaryNamesAreGood) {
  for (const char* name : {"x", "X1", "_x", "a_b", "max", "sum", "mean", "args", "runtime", "out",
                           "softmax_rows", "kernel", "tile", "data", "add", "result"}) {
    EXPECT_EQ(problem(name), "") << name;
    EXPECT_EQ(problem(name, NameUse::kernel), "") << name;
    EXPECT_EQ(problem(name, NameUse::artifact), "") << name;
  }
}

TEST(Names, WhatIsNoIdentifier) {
  for (const char* name : {"", "1x", "a-b", "a b", "é", "a.b", "x\n", "a/b"}) {
    EXPECT_NE(problem(name, NameUse::kernel), "") << name;
  }
  EXPECT_EQ(problem(std::string(128, 'a')), "");
  EXPECT_EQ(problem(std::string(129, 'a')), "is longer than 128 characters");
}

TEST(Names, ReservedByLanguageOrEmittedCode) {
  for (const char* name : {"int", "for", "and", "co_await", "_Tile", "a__b", "ptowsp_x", "NULL",
                           "assert", "linux", "RUNTIME_MAX_ARGS"}) {
    EXPECT_NE(problem(name), "") << name;
    EXPECT_NE(problem(name, NameUse::kernel), "") << name;
  }
}

TEST(Names, LibraryNamesAreForKernelsOnly) {
  for (const char* name : {"exp", "log", "sqrt", "abs", "main", "malloc", "printf", "int64_t"}) {
    EXPECT_EQ(problem(name), "is a global name of the C library") << name;
    EXPECT_EQ(problem(name, NameUse::kernel), "") << name;
    EXPECT_NE(problem(name, NameUse::artifact), "") << name;
  }
}

TEST(Names, ArtifactsAreCMakeTargets) {
  for (const char* name : {"all", "test", "install", "clean", "help"}) {
    EXPECT_EQ(problem(name, NameUse::artifact), "is reserved by CMake") << name;
    EXPECT_EQ(problem(name), "") << name;
  }
}

}  // namespace
}  // namespace ptowsp
