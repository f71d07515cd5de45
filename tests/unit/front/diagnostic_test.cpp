// SPDX-License-Identifier: MIT
#include "generator/base/diagnostic.h"

#include <gtest/gtest.h>

namespace ptowsp {
namespace {

SourceLocation locate(std::string_view place) {
  if (place == "/tensors/0") return {"a.json", 3, 5, "wl.py", 7};
  if (place.empty()) return {"a.json", 0, 0, {}, 0};
  return {"a.json", 12, 7, {}, 0};
}

TEST(Diagnostic, TextHasPlaceRuleFixAndNotes) {
  Diagnostics diagnostics;
  diagnostics.error("some-rule", "/kernels/0", "found this, expected that", "do so").related = {
      {"/tensors/0", "the tensor is here"}, {"@4", "and here"}};
  EXPECT_EQ(format(diagnostics, locate),
            "a.json:12:7: error: found this, expected that [some-rule]\n"
            "  at /kernels/0\n"
            "  fix: do so\n"
            "  note: the tensor is here\n"
            "    at /tensors/0 (a.json:3:5)\n"
            "    from wl.py:7\n"
            "  note: and here\n"
            "    at a.json:12:7\n");
}

TEST(Diagnostic, WarningWithPythonLineAndNoFix) {
  Diagnostics diagnostics;
  diagnostics.warning("unused", "/tensors/0", "never used");
  EXPECT_EQ(format(diagnostics, locate),
            "a.json:3:5: warning: never used [unused]\n"
            "  at /tensors/0\n"
            "  from wl.py:7\n");
}

TEST(Diagnostic, PlacesThatAreNoPointersShowNone) {
  Diagnostics diagnostics;
  diagnostics.error("malformed-json", "@17", "found x");
  diagnostics.error("unreadable-file", "", "cannot read");
  EXPECT_EQ(format(diagnostics, locate),
            "a.json:12:7: error: found x [malformed-json]\n"
            "a.json: error: cannot read [unreadable-file]\n");
}

TEST(Diagnostic, ColourStandsAroundTheSeverityOnly) {
  Diagnostics diagnostics;
  diagnostics.error("r", "", "m");
  EXPECT_EQ(format(diagnostics, locate, true), "a.json: \033[1;31merror:\033[0m m [r]\n");
}

TEST(Diagnostics, BeyondAHundredOnlyTheirNumberIsSaid) {
  Diagnostics diagnostics;
  for (int i = 0; i < 100; ++i) diagnostics.error("r", "", "m");
  std::string hundred = format(diagnostics, locate);
  EXPECT_EQ(hundred.find("not shown"), std::string::npos);
  for (int i = 0; i < 7; ++i) diagnostics.warning("r", "", "m");
  EXPECT_EQ(format(diagnostics, locate),
            hundred + "a.json: 7 more errors and warnings are not shown\n");
}

TEST(Diagnostics, NoErrorHidesBehindWarnings) {
  Diagnostics diagnostics;
  for (int i = 0; i < 200; ++i) diagnostics.warning("w", "", "m");
  diagnostics.error("e", "", "last");
  EXPECT_TRUE(format(diagnostics, locate).starts_with("a.json: error: last [e]\n"));
}

TEST(Diagnostics, WarningsAreNoErrors) {
  Diagnostics diagnostics, others;
  EXPECT_FALSE(diagnostics.hasErrors());
  diagnostics.warning("r", "", "m");
  EXPECT_FALSE(diagnostics.hasErrors());
  others.error("s", "", "n");
  diagnostics.add(others);
  EXPECT_TRUE(diagnostics.hasErrors());
  ASSERT_EQ(diagnostics.all().size(), 2u);
  EXPECT_EQ(diagnostics.all()[1].rule, "s");
}

}  // namespace
}  // namespace ptowsp
