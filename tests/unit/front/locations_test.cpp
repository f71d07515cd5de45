// SPDX-License-Identifier: MIT
#include "generator/ir/locations.h"

#include <gtest/gtest.h>

namespace ptowsp::ir {
namespace {

constexpr std::string_view kText = "{\"a\": [\n  1,\n  {\"é\": 2, \"b/c\": [3]}]}";

Locations make(const std::string& path = "dir/wl.json") {
  json::Error error;
  Locations locations;
  locations.setDocument(path, kText, *json::parse(kText, error));
  return locations;
}

std::string at(const Locations& locations, std::string_view place) {
  SourceLocation l = locations.find(place);
  std::string text = l.file + ":" + std::to_string(l.line) + ":" + std::to_string(l.column);
  return l.script.empty() ? text : text + " " + l.script + ":" + std::to_string(l.script_line);
}

TEST(Locations, PointersLeadToLineAndColumn) {
  Locations locations = make();
  EXPECT_EQ(at(locations, "/a"), "dir/wl.json:1:7");
  EXPECT_EQ(at(locations, "/a/0"), "dir/wl.json:2:3");
  EXPECT_EQ(at(locations, "/a/1/é"), "dir/wl.json:3:9");
  EXPECT_EQ(at(locations, "/a/1/b~1c/0"), "dir/wl.json:3:20") << "columns count characters";
}

TEST(Locations, UnknownPlacesLeadToTheNearestEnclosingOne) {
  Locations locations = make();
  EXPECT_EQ(at(locations, "/a/0/x/y"), "dir/wl.json:2:3");
  EXPECT_EQ(at(locations, "/a/7"), "dir/wl.json:1:7");
  EXPECT_EQ(at(locations, "/a/x"), "dir/wl.json:1:7");
  EXPECT_EQ(at(locations, "/nothing"), "dir/wl.json:1:1");
}

TEST(Locations, OffsetsAndTheWholeFile) {
  Locations locations = make();
  EXPECT_EQ(at(locations, "@10"), "dir/wl.json:2:3");
  EXPECT_EQ(at(locations, "@100000"), "dir/wl.json:3:25");
  EXPECT_EQ(locations.find("").line, 0);
}

TEST(Locations, SidecarGivesTheNearestEnclosingPythonLine) {
  Locations locations = make();
  Diagnostics diagnostics;
  locations.readSidecar(
      R"({"ptowsp_locations": 1, "files": ["wl.py", "../lib/k.py"], "nodes": {"/a": [0, 4], "/a/1": [1, 9]}})",
      "dir/wl.locations.json", diagnostics);
  EXPECT_TRUE(diagnostics.all().empty());
  EXPECT_EQ(at(locations, "/a/0"), "dir/wl.json:2:3 dir/wl.py:4");
  EXPECT_EQ(at(locations, "/a/1/é"), "dir/wl.json:3:9 lib/k.py:9");
  EXPECT_EQ(at(locations, "/a/10"), "dir/wl.json:1:7 dir/wl.py:4") << "no match by text prefix";
  EXPECT_EQ(at(locations, "/b"), "dir/wl.json:1:1");
}

TEST(Locations, BadSidecarsAreWarnings) {
  for (const char* text : {"", "[]", "{}", R"({"ptowsp_locations": 2, "files": [], "nodes": {}})",
                           R"({"ptowsp_locations": 1, "files": {}, "nodes": {}})",
                           R"({"ptowsp_locations": 1, "files": [1], "nodes": {}})",
                           R"({"ptowsp_locations": 1, "files": ["a"], "nodes": {"/a": [1, 1]}})",
                           R"({"ptowsp_locations": 1, "files": ["a"], "nodes": {"/a": [-1, 1]}})",
                           R"({"ptowsp_locations": 1, "files": ["a"], "nodes": {"/a": [0, 0]}})",
                           R"({"ptowsp_locations": 1, "files": ["a"], "nodes": {"/a": [0]}})",
                           R"({"ptowsp_locations": 1, "files": ["a"], "nodes": {"/a": "x"}})"}) {
    Locations locations = make();
    Diagnostics diagnostics;
    locations.readSidecar(text, "wl.locations.json", diagnostics);
    ASSERT_EQ(diagnostics.all().size(), 1u) << text;
    EXPECT_EQ(diagnostics.all()[0].severity, Severity::warning);
    EXPECT_EQ(diagnostics.all()[0].rule, "bad-locations");
    EXPECT_EQ(at(locations, "/a"), "dir/wl.json:1:7");
  }
}

TEST(Locations, SidecarStandsBesideTheWorkload) {
  EXPECT_EQ(sidecarPath("dir.d/wl.json"), "dir.d/wl.locations.json");
  EXPECT_EQ(sidecarPath("wl"), "wl.locations.json");
}

}  // namespace
}  // namespace ptowsp::ir
