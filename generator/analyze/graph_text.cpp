// SPDX-License-Identifier: MIT
#include "generator/analyze/graph_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <unordered_map>
#include <vector>

#include "generator/analyze/naming.h"
#include "generator/analyze/quote.h"
#include "generator/analyze/walk.h"
#include "generator/base/counted.h"

namespace ptowsp {
namespace {

// Drawing: what is drawn, whatever the format.
struct Drawing {
  struct Item {
    std::string name;
    std::string note;  // a second line, or empty
    int kernel;
    int64_t tasks;
    std::string place;
  };
  struct Edge {
    int32_t from, to;
    int64_t count;
  };
  std::string_view collapsed;  // none, statements, kernels
  std::vector<Item> items;
  std::vector<Edge> edges;
};

// "softmax_rows[r<8, c<4]": a statement and the extents of the loops around it.
void listStatements(const Program& program, const Node& node, std::string& loops,
                    std::vector<Drawing::Item>& items) {
  if (node.kind == Node::Kind::task) {
    std::string name = program.kernels[static_cast<size_t>(node.kernel)].name;
    if (!loops.empty()) name += "[" + loops + "]";
    items.push_back({std::move(name), "", node.kernel, 0, node.place});
    return;
  }
  const size_t length = loops.size();
  if (node.kind == Node::Kind::loop) {
    loops += fmt::format("{}{}<{}", loops.empty() ? "" : ", ", node.variable, node.extent);
  }
  for (const Node& child : node.body) listStatements(program, child, loops, items);
  loops.resize(length);
}

Drawing drawTasks(const Program& program, const TaskGraph& graph) {
  Drawing drawing;
  drawing.collapsed = "none";
  for (int64_t task = 0; task < graph.taskCount(); ++task) {
    const Node& node = *locateTask(program, task).node;
    drawing.items.push_back({taskName(program, task), "", node.kernel, 1, node.place});
    for (const int32_t from : graph.predecessorsOf(task)) {
      drawing.edges.push_back({from, static_cast<int32_t>(task), 1});
    }
  }
  return drawing;
}

Drawing drawCollapsed(const Program& program, const TaskGraph& graph, int64_t limit) {
  Drawing drawing;
  drawing.collapsed = "statements";
  std::string loops;
  listStatements(program, program.root, loops, drawing.items);
  std::vector<int> item_of_statement;
  for (size_t s = 0; s < drawing.items.size(); ++s)
    item_of_statement.push_back(static_cast<int>(s));
  if (static_cast<int64_t>(drawing.items.size()) > limit) {
    drawing.collapsed = "kernels";
    for (size_t s = 0; s < drawing.items.size(); ++s)
      item_of_statement[s] = drawing.items[s].kernel;
    drawing.items.clear();
    for (size_t k = 0; k < program.kernels.size(); ++k) {
      drawing.items.push_back(
          {program.kernels[k].name, "", static_cast<int>(k), 0, program.kernels[k].place});
    }
  }
  std::vector<int32_t> item_of_task;
  item_of_task.reserve(static_cast<size_t>(graph.taskCount()));
  Walk(program).run([&](int32_t, const Statement& statement, std::span<const ViewAt>) {
    const int item = item_of_statement[static_cast<size_t>(statement.index)];
    item_of_task.push_back(item);
    ++drawing.items[static_cast<size_t>(item)].tasks;
  });
  std::unordered_map<uint64_t, int64_t> counts;
  uint64_t last_key = 0;
  int64_t* last = nullptr;  // edges mostly come in runs between the same two items
  for (int64_t task = 0; task < graph.taskCount(); ++task) {
    const auto to = static_cast<uint64_t>(item_of_task[static_cast<size_t>(task)]);
    for (const int32_t from : graph.predecessorsOf(task)) {
      const uint64_t key =
          static_cast<uint64_t>(item_of_task[static_cast<size_t>(from)]) << 32 | to;
      if (last == nullptr || key != last_key) last = &counts[last_key = key];
      ++*last;
    }
  }
  for (const auto& [key, count] : std::map<uint64_t, int64_t>(counts.begin(), counts.end())) {
    drawing.edges.push_back(
        {static_cast<int32_t>(key >> 32), static_cast<int32_t>(key & 0xFFFFFFFFu), count});
  }
  for (Drawing::Item& item : drawing.items) item.note = counted(item.tasks, "task");
  return drawing;
}

std::string heading(const Program& program, const TaskGraph& graph, const Drawing& drawing) {
  std::string text = fmt::format("{}: {}, {}", program.name, counted(graph.taskCount(), "task"),
                                 counted(static_cast<int64_t>(graph.predecessors.size()), "edge"));
  if (drawing.collapsed != "none") text += fmt::format(", collapsed by {}", drawing.collapsed);
  return text;
}

// Dot: `"` and `\` have a meaning inside a quoted string, and so does a line break.
std::string dotQuote(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    if (c == '\n') {
      quoted += "\\n";
    } else if (static_cast<unsigned char>(c) >= 0x20) {
      quoted += c;
    }
  }
  return quoted + "\"";
}

// Mermaid takes HTML entities, written with # instead of &; ; ends a statement.
std::string mermaidQuote(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '\n') {
      quoted += "<br/>";
    } else if (c == '"' || c == '#' || c == '<' || c == '>' || c == '&' || c == ';' || c == '`' ||
               c == '\\') {
      quoted += fmt::format("#{};", static_cast<int>(c));
    } else if (static_cast<unsigned char>(c) >= 0x20) {
      quoted += c;
    }
  }
  return quoted + "\"";
}

std::string label(const Drawing::Item& item) {
  return item.note.empty() ? item.name : item.name + "\n" + item.note;
}

// Fill colours, one for each kernel in turn: pale, so that black text stays readable.
constexpr std::string_view kColours[] = {"#dbe9f6", "#fde5cd", "#dff0d8", "#f7d9d9",
                                         "#e8def2", "#f3ecc9", "#d7efef", "#e9e9e9"};

std::string_view colour(int kernel) {
  return kColours[static_cast<size_t>(kernel) % std::size(kColours)];
}

bool onCube(const Program& program, int kernel) {
  return program.kernels[static_cast<size_t>(kernel)].core == CoreType::aic;
}

// Tasks on cube cores have square corners, and where there are any the heading says so.
std::string dotText(const Program& program, const TaskGraph& graph, const Drawing& drawing) {
  std::string title = heading(program, graph, drawing);
  if (std::ranges::any_of(
          drawing.items, [&](const Drawing::Item& item) { return onCube(program, item.kernel); })) {
    title += "\nsquare corners: cube cores (AIC); round: vector cores (AIV)";
  }
  std::string text = fmt::format(
      "digraph ptowsp {{\n"
      "  label={};\n  labelloc=t;\n  fontname=\"sans-serif\";\n"
      "  node [shape=box, style=\"rounded,filled\", fontname=\"sans-serif\", fontsize=11];\n"
      "  edge [fontname=\"sans-serif\", fontsize=9];\n",
      dotQuote(title));
  for (size_t i = 0; i < drawing.items.size(); ++i) {
    const Drawing::Item& item = drawing.items[i];
    text += fmt::format("  n{} [label={}, fillcolor=\"{}\"{}];\n", i, dotQuote(label(item)),
                        colour(item.kernel), onCube(program, item.kernel) ? ", style=filled" : "");
  }
  for (const Drawing::Edge& edge : drawing.edges) {
    text += fmt::format("  n{} -> n{}", edge.from, edge.to);
    if (drawing.collapsed != "none") text += fmt::format(" [label=\"{}\"]", edge.count);
    text += ";\n";
  }
  return text + "}\n";
}

std::string mermaidText(const Program& program, const TaskGraph& graph, const Drawing& drawing) {
  // A title is YAML, in which a JSON string is a string.
  std::string text = fmt::format("---\ntitle: {}\n---\nflowchart TD\n",
                                 jsonQuote(heading(program, graph, drawing)));
  for (size_t i = 0; i < drawing.items.size(); ++i) {
    text += fmt::format("  n{}[{}]:::k{}\n", i, mermaidQuote(label(drawing.items[i])),
                        static_cast<size_t>(drawing.items[i].kernel) % std::size(kColours));
  }
  for (const Drawing::Edge& edge : drawing.edges) {
    text += drawing.collapsed == "none"
                ? fmt::format("  n{} --> n{}\n", edge.from, edge.to)
                : fmt::format("  n{} -->|{}| n{}\n", edge.from, edge.count, edge.to);
  }
  for (size_t k = 0; k < std::min(program.kernels.size(), std::size(kColours)); ++k) {
    text += fmt::format("  classDef k{} fill:{},stroke:#444,color:#000\n", k, kColours[k]);
  }
  return text;
}

std::string jsonText(const Program& program, const TaskGraph& graph, const Drawing& drawing) {
  std::string text = fmt::format(
      "{{\n  \"ptowsp_graph\": 1,\n  \"name\": {},\n  \"task_count\": {},\n  \"edge_count\": {},\n"
      "  \"collapsed\": \"{}\",\n  \"nodes\": [",
      jsonQuote(program.name), graph.taskCount(), graph.predecessors.size(), drawing.collapsed);
  for (size_t i = 0; i < drawing.items.size(); ++i) {
    const Drawing::Item& item = drawing.items[i];
    text += fmt::format(
        "{}\n    {{\"id\": {}, \"name\": {}, \"kernel\": {}, \"tasks\": {}, \"place\": {}}}",
        i == 0 ? "" : ",", i, jsonQuote(item.name),
        jsonQuote(program.kernels[static_cast<size_t>(item.kernel)].name), item.tasks,
        jsonQuote(item.place));
  }
  text += "\n  ],\n  \"edges\": [";
  for (size_t i = 0; i < drawing.edges.size(); ++i) {
    const Drawing::Edge& edge = drawing.edges[i];
    text += fmt::format("{}\n    {{\"from\": {}, \"to\": {}, \"count\": {}}}", i == 0 ? "" : ",",
                        edge.from, edge.to, edge.count);
  }
  return text + "\n  ]\n}\n";
}

}  // namespace

std::string graphText(const Program& program, const TaskGraph& graph, GraphFormat format,
                      int64_t limit) {
  const Drawing drawing =
      graph.taskCount() <= limit ? drawTasks(program, graph) : drawCollapsed(program, graph, limit);
  switch (format) {
    case GraphFormat::dot:
      return dotText(program, graph, drawing);
    case GraphFormat::mermaid:
      return mermaidText(program, graph, drawing);
    case GraphFormat::json:
      return jsonText(program, graph, drawing);
  }
  return {};
}

}  // namespace ptowsp
