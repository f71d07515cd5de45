// SPDX-License-Identifier: MIT
#include "runtime_glue/run/html_report.h"

#include <algorithm>

#include "runtime_glue/glue/text.h"
#include "runtime_glue/report/page.h"
#include "runtime_glue/run/json_writer.h"
#include "runtime_glue/run/statistics.h"

namespace ptowsp::run {

namespace {

using glue::Status;

template <class Numbers>
void addNumbers(JsonWriter& json, const char* key, const Numbers& numbers) {
  json.key(key).beginArray();
  for (const auto number : numbers) json.value(static_cast<int64_t>(number));
  json.endArray();
}

// Times are nanoseconds since `origin`, the earliest of the run; -1 where there is none.
void addTasks(JsonWriter& json, const glue::Run& run) {
  const glue::RunStats& stats = run.stats();
  const glue::TaskNames& names = run.names();
  const int64_t count = names.count();
  uint64_t origin = UINT64_MAX, last = 0;
  for (int64_t i = 0; stats.events && i < stats.tasks; ++i) {
    const ptowsp_sim_event& event = stats.events[i];
    if (event.core < 0) continue;
    origin = std::min({origin, event.dispatch_ns, event.start_ns});
    last = std::max({last, event.start_ns, event.end_ns});
  }
  std::vector<int64_t> kernel, core, aicpu, worker, dispatch, start, end;
  for (int64_t i = 0; i < count; ++i) {
    const bool known = stats.events && i < stats.tasks && stats.events[i].core >= 0 && run.ran(i);
    const ptowsp_sim_event event = known ? stats.events[i] : ptowsp_sim_event{};
    const auto since = [&](uint64_t ns) { return known && ns ? int64_t(ns - origin) : int64_t{-1}; };
    kernel.push_back(names.kernelOf(i));
    core.push_back(known ? event.core : -1);
    aicpu.push_back(known ? event.aicpu : -1);
    worker.push_back(known ? event.worker : -1);
    dispatch.push_back(since(event.dispatch_ns));
    start.push_back(since(event.start_ns));
    end.push_back(since(event.end_ns));
  }
  json.key("last_ns").value(origin < last ? last - origin : uint64_t{0});
  json.key("tasks").beginObject();
  json.key("name").beginArray();
  for (int64_t i = 0; i < count; ++i) json.value(names.nameOf(i));
  json.endArray();
  addNumbers(json, "kernel", kernel);
  addNumbers(json, "core", core);
  addNumbers(json, "aicpu", aicpu);
  addNumbers(json, "worker", worker);
  addNumbers(json, "dispatch", dispatch);
  addNumbers(json, "start", start);
  addNumbers(json, "end", end);
  json.endObject();
}

void addEdges(JsonWriter& json, const glue::Run& run) {
  const glue::TaskGraph* graph = run.keptGraph();
  const bool fits = graph && graph->tasks() == run.names().count() &&
                    static_cast<int64_t>(graph->successors.size()) <= kMostEdgesInReport;
  json.key("no_edges").value(graph ? "The graph has more edges than a page can hold."
                                   : "This run left no graph: it ended before that was built, or "
                                     "its runtime does not tell.");
  if (!fits) return;
  json.key("edges").beginObject();
  addNumbers(json, "offsets", graph->first_successor);
  addNumbers(json, "successors", graph->successors);
  json.endObject();
}

const char* nameOf(glue::ElementType type) {
  constexpr const char* kNames[] = {"f32", "f16", "bf16", "i32"};
  return kNames[static_cast<int>(type)];
}
const char* nameOf(glue::TensorRole role) {
  constexpr const char* kNames[] = {"input", "output", "inout", "temporary"};
  return kNames[static_cast<int>(role)];
}

// What the host's array holds after the run; nothing for temporaries, which have none.
void addStatistics(JsonWriter& json, const glue::TensorInfo& tensor, const void* array) {
  Statistics found;
  found.add(tensor.dtype, array, tensor.elements());
  if (found.finite) {
    for (const auto& [key, value] :
         {std::pair("least", found.least), {"mean", found.mean()}, {"most", found.most}})
      json.key(key).value(glue::format("%.6g", value));
  }
  json.key("nan").value(found.nans).key("inf").value(found.infinities);
}

void addTensors(JsonWriter& json, const glue::Manifest& manifest, const glue::HostTensors& tensors) {
  json.key("tensors").beginArray();
  size_t at = 0;
  for (const glue::TensorInfo& tensor : manifest.tensors) {
    json.beginObject().key("name").value(tensor.name).key("dtype").value(nameOf(tensor.dtype));
    json.key("role").value(nameOf(tensor.role)).key("bytes").value(tensor.bytes);
    addNumbers(json, "shape", tensor.shape);
    if (tensor.role != glue::TensorRole::temporary && at < tensors.size())
      addStatistics(json, tensor, tensors.data(at++));
    json.endObject();
  }
  json.endArray();
}

// `detail` is an object's text, to which the manifest is added.
Status writePage(const std::string& file, const Report& report, const glue::Artifact& artifact,
                 std::string detail) {
  std::string manifest;
  if (Status status = glue::readFile(artifact.manifest_file, &manifest); !status.ok())
    return status;
  detail.pop_back();
  detail += ",\"manifest\":" + manifest + "}";
  const std::string problem =
      report::writeFile(file, report::page({{report.name, jsonText(report), std::move(detail)}}));
  if (problem.empty()) return {};
  return Status::badArtifact(file, problem, "give a file that can be written to --report");
}

}  // namespace

Status writeUnfinishedReport(const std::string& file, const Report& report,
                             const glue::Artifact& artifact) {
  Report unfinished = report;
  unfinished.status = Status::runFailure(
      report.name, "the process ended before its run did",
      "read what it said last, on stderr: what it was doing then, and why it ended");
  unfinished.stats.tasks = artifact.manifest.graph.tasks;
  unfinished.stats.edges = artifact.manifest.graph.edges;
  unfinished.stats.critical_path = artifact.manifest.graph.critical_path;
  JsonWriter json;
  json.beginObject();
  addNumbers(json, "failed_tasks", std::vector<int64_t>());
  json.endObject();
  return writePage(file, unfinished, artifact, json.text());
}

Status writeHtmlReport(const std::string& file, const Report& report,
                       const glue::Artifact& artifact, const glue::HostTensors& tensors,
                       const glue::Run& run) {
  JsonWriter json;
  json.beginObject();
  addNumbers(json, "failed_tasks", report.failed_tasks);
  addTasks(json, run);
  addEdges(json, run);
  addTensors(json, artifact.manifest, tensors);
  json.endObject();
  return writePage(file, report, artifact, json.text());
}

}  // namespace ptowsp::run
