// SPDX-License-Identifier: MIT
#include "generator/analyze/graph_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "generator/analyze/analyze.h"
#include "program_builder.h"

namespace ptowsp {
namespace {

using namespace test;
using testing::HasSubstr;
using testing::Not;

TaskGraph graphOf(const Program& p) {
  Diagnostics diagnostics;
  auto analysis = analyze(p, {.keep_graph = true}, diagnostics);
  EXPECT_TRUE(analysis.has_value());
  return analysis ? std::move(analysis->graph) : TaskGraph{};
}

// Two passes over n rows, the second reading what the first wrote.
Program twoPasses(int64_t n) {
  const Kernel copy = kernel("copy", {{"x", Access::in, 1, 4}, {"y", Access::out, 1, 4}});
  Kernel scale = copy;
  scale.name = "scale";
  return program({tensor("x", Role::input, {n, 4}), tensor("t", Role::temporary, {n, 4}),
                  tensor("y", Role::output, {n, 4})},
                 {copy, scale},
                 {loop("r", n, true, {task(0, {{0, {0, {1}}}, {1, {0, {1}}}})}),
                  loop("s", n, true, {task(1, {{1, {0, {1}}}, {2, {0, {1}}}})})});
}

TEST(GraphText, smallGraphsAreDrawnTaskByTask) {
  const Program p = twoPasses(2);
  EXPECT_EQ(graphText(p, graphOf(p), GraphFormat::dot),
            "digraph ptowsp {\n"
            "  label=\"test: 4 tasks, 2 edges\";\n  labelloc=t;\n  fontname=\"sans-serif\";\n"
            "  node [shape=box, style=\"rounded,filled\", fontname=\"sans-serif\", fontsize=11];\n"
            "  edge [fontname=\"sans-serif\", fontsize=9];\n"
            "  n0 [label=\"copy[r=0]\", fillcolor=\"#dbe9f6\"];\n"
            "  n1 [label=\"copy[r=1]\", fillcolor=\"#dbe9f6\"];\n"
            "  n2 [label=\"scale[s=0]\", fillcolor=\"#fde5cd\"];\n"
            "  n3 [label=\"scale[s=1]\", fillcolor=\"#fde5cd\"];\n"
            "  n0 -> n2;\n"
            "  n1 -> n3;\n"
            "}\n");
  EXPECT_EQ(graphText(p, graphOf(p), GraphFormat::mermaid),
            "---\ntitle: \"test: 4 tasks, 2 edges\"\n---\nflowchart TD\n"
            "  n0[\"copy[r=0]\"]:::k0\n  n1[\"copy[r=1]\"]:::k0\n"
            "  n2[\"scale[s=0]\"]:::k1\n  n3[\"scale[s=1]\"]:::k1\n"
            "  n0 --> n2\n  n1 --> n3\n"
            "  classDef k0 fill:#dbe9f6,stroke:#444,color:#000\n"
            "  classDef k1 fill:#fde5cd,stroke:#444,color:#000\n");
}

TEST(GraphText, dotTellsCubeCoresFromVectorCores) {
  Program p = twoPasses(1);
  p.kernels[1].core = CoreType::aic;
  EXPECT_EQ(
      graphText(p, graphOf(p), GraphFormat::dot),
      "digraph ptowsp {\n"
      "  label=\"test: 2 tasks, 1 edge\\nsquare corners: cube cores (AIC); round: vector cores "
      "(AIV)\";\n  labelloc=t;\n  fontname=\"sans-serif\";\n"
      "  node [shape=box, style=\"rounded,filled\", fontname=\"sans-serif\", fontsize=11];\n"
      "  edge [fontname=\"sans-serif\", fontsize=9];\n"
      "  n0 [label=\"copy[r=0]\", fillcolor=\"#dbe9f6\"];\n"
      "  n1 [label=\"scale[s=0]\", fillcolor=\"#fde5cd\", style=filled];\n"
      "  n0 -> n1;\n"
      "}\n");
}

TEST(GraphText, largerGraphsAreCollapsedByStatement) {
  const Program p = twoPasses(301);
  EXPECT_EQ(graphText(p, graphOf(p), GraphFormat::json),
            "{\n  \"ptowsp_graph\": 1,\n  \"name\": \"test\",\n  \"task_count\": 602,\n  "
            "\"edge_count\": 301,\n"
            "  \"collapsed\": \"statements\",\n  \"nodes\": [\n"
            "    {\"id\": 0, \"name\": \"copy[r<301]\", \"kernel\": \"copy\", \"tasks\": 301, "
            "\"place\": \"/program/0/body/0\"},\n"
            "    {\"id\": 1, \"name\": \"scale[s<301]\", \"kernel\": \"scale\", \"tasks\": 301, "
            "\"place\": \"/program/1/body/0\"}\n"
            "  ],\n  \"edges\": [\n    {\"from\": 0, \"to\": 1, \"count\": 301}\n  ]\n}\n");
  const std::string dot = graphText(p, graphOf(p), GraphFormat::dot);
  EXPECT_THAT(dot, HasSubstr("label=\"test: 602 tasks, 301 edges, collapsed by statements\""));
  EXPECT_THAT(dot, HasSubstr("n0 [label=\"copy[r<301]\\n301 tasks\""));
  EXPECT_THAT(dot, HasSubstr("n0 -> n1 [label=\"301\"];"));
  const std::string mermaid = graphText(p, graphOf(p), GraphFormat::mermaid);
  EXPECT_THAT(mermaid, HasSubstr("n0[\"copy[r#60;301]<br/>301 tasks\"]:::k0"));
  EXPECT_THAT(mermaid, HasSubstr("n0 -->|301| n1"));
}

TEST(GraphText, limitDecides) {
  const Program p = twoPasses(5);
  EXPECT_THAT(graphText(p, graphOf(p), GraphFormat::dot, 10), Not(HasSubstr("collapsed")));
  EXPECT_THAT(graphText(p, graphOf(p), GraphFormat::dot, 9), HasSubstr("collapsed by statements"));
}

TEST(GraphText, manyStatementsAreCollapsedByKernel) {
  std::vector<Node> body;
  for (int i = 0; i < 400; ++i) body.push_back(task(i % 2, {{0, {0}}}));
  const Program p = program(
      {tensor("a", Role::inout, {4, 4})},
      {kernel("even", {{"a", Access::inout, 4, 4}}), kernel("odd", {{"a", Access::inout, 4, 4}})},
      std::move(body));
  const std::string text = graphText(p, graphOf(p), GraphFormat::json);
  EXPECT_THAT(text, HasSubstr("\"collapsed\": \"kernels\""));
  EXPECT_THAT(text, HasSubstr("{\"id\": 0, \"name\": \"even\", \"kernel\": \"even\", \"tasks\": "
                              "200, \"place\": \"/kernels/0\"}"));
  EXPECT_THAT(text, HasSubstr("{\"from\": 0, \"to\": 1, \"count\": 200},\n    {\"from\": 1, "
                              "\"to\": 0, \"count\": 199}"));
}

TEST(GraphText, namesAreEscaped) {
  Program p = twoPasses(1);
  p.name = "a \"b\" \\ <c>;\n#";
  const TaskGraph graph = graphOf(p);
  EXPECT_THAT(graphText(p, graph, GraphFormat::dot),
              HasSubstr("label=\"a \\\"b\\\" \\\\ <c>;\\n#: 2 tasks, 1 edge\""));
  EXPECT_THAT(graphText(p, graph, GraphFormat::mermaid),
              HasSubstr("title: \"a \\\"b\\\" \\\\ <c>;\\u000a#: 2 tasks, 1 edge\""));
  EXPECT_THAT(graphText(p, graph, GraphFormat::json),
              HasSubstr("\"name\": \"a \\\"b\\\" \\\\ <c>;\\u000a#\""));
}

TEST(GraphText, emptyGraph) {
  const Program p = program({}, {}, {});
  for (const GraphFormat format : {GraphFormat::dot, GraphFormat::mermaid, GraphFormat::json}) {
    EXPECT_THAT(graphText(p, TaskGraph{}, format), HasSubstr("test"));
  }
}

TEST(GraphText, aMillionTasksAreNoHang) {
  const Program p = twoPasses(500000);
  const auto start = std::chrono::steady_clock::now();
  EXPECT_LT(graphText(p, graphOf(p), GraphFormat::dot).size(), 2000u);
  EXPECT_LT(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(), 20);
}

}  // namespace
}  // namespace ptowsp
