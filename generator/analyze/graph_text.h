// SPDX-License-Identifier: MIT
// The task graph as a picture: Graphviz dot, Mermaid, or JSON.
#pragma once

#include <string>

#include "generator/analyze/task_graph.h"
#include "generator/verify/program.h"

namespace ptowsp {

enum class GraphFormat { dot, mermaid, json };

// A graph of at most `limit` tasks is drawn task by task. A larger one is collapsed: a node for
// each task statement of the program, or, when these are more than `limit` too, for each kernel; an
// edge then says how many edges it stands for.
std::string graphText(const Program& program, const TaskGraph& graph, GraphFormat format,
                      int64_t limit = 300);

}  // namespace ptowsp
