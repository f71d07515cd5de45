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
  "schedule": {"task_window": 8192, "dispatch": {"round_robin": 4}}
}
)";

TEST(Printer, CanonicalTextIsAFixedPoint) { EXPECT_EQ(printed(kCanonical), kCanonical); }

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
