// SPDX-License-Identifier: MIT
#include "generator/ir/printer.h"

#include <gtest/gtest.h>

#include "generator/ir/reader.h"

namespace ptowsp::ir {
namespace {

std::string printed(const std::string& text) {
  Locations locations;
  Diagnostics diagnostics;
  std::optional<Workload> workload = readWorkload(text, "w.json", locations, diagnostics);
  EXPECT_TRUE(workload) << format(diagnostics, locations.locate());
  return workload ? print(*workload) : "";
}

constexpr const char* kCanonical = R"({
  "ptowsp": 1,
  "name": "a \"b\" é",
  "tensors": [
    {"name": "x", "dtype": "f32", "shape": [2, 8], "role": "input", "init": {"uniform": [-1, 0.1]}, "rtol": 1e-04, "atol": 0},
    {"name": "n", "dtype": "f16", "shape": [2], "role": "inout", "init": {"normal": [0, 1]}},
    {"name": "c", "dtype": "bf16", "shape": [2], "role": "inout", "init": {"constant": 0.5}},
    {"name": "a", "dtype": "i32", "shape": [2], "role": "inout", "init": {"arange": [0, 1]}},
    {"name": "f", "dtype": "f32", "shape": [2], "role": "temporary", "init": {"npy": "d\\f.npy"}},
    {"name": "y", "dtype": "f32", "shape": [2, 8], "role": "output"}
  ],
  "kernels": [
    {
      "name": "k",
      "params": [
        {"name": "a", "tile": [1, 8], "dtype": "f32", "access": "in"},
        {"name": "b", "tile": [1, 8], "dtype": "f32", "access": "out"},
        {"name": "s", "scalar": "f32"}
      ],
      "body": [
        {"op": "mul", "args": ["a", 1.5], "result": "p"},
        {"op": "store", "args": ["b", "p"]}
      ]
    },
    {
      "name": "empty",
      "params": [],
      "body": []
    }
  ],
  "program": [
    {"for": "r", "extent": 2, "mode": "parallel", "body": [
      {"task": "k", "args": {"a": "x[r, :]", "b": "y[r]", "s": -0}}
    ]},
    {"sequential": [
      {"combine": [
        {"for": "i", "extent": 1, "mode": "sequential", "body": []}
      ]}
    ]}
  ],
  "schedule": {"dispatch": {"round_robin": 4}, "task_window": 8192}
}
)";

TEST(Printer, CanonicalTextIsAFixedPoint) { EXPECT_EQ(printed(kCanonical), kCanonical); }

TEST(Printer, SchedulesAreFixedPoints) {
  for (const char* schedule :
       {R"({"dispatch": {"work_steal": 8}})",
        R"({"dispatch": {"hash": {"aicpus": 4, "key": "b+8*t"}}})",
        R"({"dispatch": {"affinity": {"aicpus": 4, "key": ["b", "(b-2*t+1) % 7"]}}})",
        R"({"dispatch": {"dispatch_by": {"aicpus": 2, "aicpu": {"table": [0, 1, -3]}}}})",
        R"({"dispatch": {"dispatch_by": {"aicpus": 2, "aicpu": {"table": "to.npy"}}}})",
        R"({"task_window": {"tasks": 16, "mode": "abort"}})",
        R"({"task_window": {"tasks": 16, "mode": "benchmark"}})"}) {
    const std::string head = R"({"ptowsp": 1, "name": "n", "tensors": [], "kernels": [], "program": [], "schedule": )";
    const std::string text = printed(head + schedule + "}");
    EXPECT_NE(text.find(std::string("\"schedule\": ") + schedule), std::string::npos) << text;
    EXPECT_EQ(printed(text), text);
  }
}

TEST(Printer, ScheduleHasOneSpelling) {
  const std::string text = printed(
      R"({"ptowsp": 1, "name": "n", "tensors": [], "kernels": [], "program": [], "schedule":
          {"task_window": {"mode": "stall", "tasks": 4},
           "dispatch": {"hash": {"key": " 8 * t + b ", "aicpus": 2}}}})");
  EXPECT_NE(text.find(R"("schedule": {"dispatch": {"hash": {"aicpus": 2, "key": "b+8*t"}}, "task_window": 4})"),
            std::string::npos)
      << text;
}

TEST(Printer, OneSpellingForOneWorkload) {
  EXPECT_EQ(
      printed(R"({"program": [{"args": {"a": "x [ r+0 ][0 : 4+4]"}, "task": "k"}], "kernels": [],
                        "tensors": [], "name": "\u0041", "ptowsp": 1, "schedule": {}})"),
      R"({
  "ptowsp": 1,
  "name": "A",
  "tensors": [],
  "kernels": [],
  "program": [
    {"task": "k", "args": {"a": "x[r, 0:8]"}}
  ]
}
)");
}

}  // namespace
}  // namespace ptowsp::ir
