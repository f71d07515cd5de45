// SPDX-License-Identifier: MIT
#include "runtime_glue/run/trace_file.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <vector>

#include "runtime_glue/glue/text.h"
#include "runtime_glue/run/json_writer.h"

namespace ptowsp::run {
namespace {

using glue::format;
using glue::Status;

// Cores and AICPUs are threads of two "processes", which viewers show as two groups of lanes.
enum Group { group_cores = 1, group_aicpus = 2 };

// Output: events go to the file as they are made; a trace of a million tasks is never in memory.
class Output {
 public:
  explicit Output(std::FILE* file) : file_(file) {
    put("{\"displayTimeUnit\":\"ns\",\"traceEvents\":[");
  }
  JsonWriter begin() const {
    JsonWriter json;
    json.beginObject();
    return json;
  }
  void end(JsonWriter& json) {
    json.endObject();
    put(first_ ? "\n" : ",\n");
    put(json.text());
    first_ = false;
  }
  bool finish() {
    put("\n]}\n");
    return std::fflush(file_) == 0 && !std::ferror(file_);
  }

 private:
  void put(const std::string& text) { std::fwrite(text.data(), 1, text.size(), file_); }
  std::FILE* file_;
  bool first_ = true;
};

void nameLane(Output& output, const char* what, int group, int lane, const std::string& name) {
  JsonWriter json = output.begin();
  json.key("ph").value("M").key("name").value(what).key("pid").value(group).key("tid").value(lane);
  json.key("args").beginObject().key("name").value(name).endObject();
  output.end(json);
  if (std::strcmp(what, "thread_name") != 0) return;
  JsonWriter order = output.begin();
  order.key("ph").value("M").key("name").value("thread_sort_index").key("pid").value(group);
  order.key("tid").value(lane).key("args").beginObject().key("sort_index").value(lane).endObject();
  output.end(order);
}

void addSlice(Output& output, int group, int lane, const std::string& name,
              const std::string& category, uint64_t begin_ns, uint64_t end_ns,
              const ptowsp_sim_event& event) {
  JsonWriter json = output.begin();
  json.key("ph").value("X").key("name").value(name).key("cat").value(category);
  json.key("pid").value(group).key("tid").value(lane);
  json.key("ts").microseconds(begin_ns).key("dur").microseconds(end_ns - begin_ns);
  json.key("args").beginObject().key("task").value(event.task).key("core").value(event.core);
  json.key("aicpu").value(event.aicpu).key("worker").value(event.worker);
  if (event.end_ns == 0) json.key("note").value("the kernel did not return");
  json.endObject();
  output.end(json);
}

void writeEvents(Output& output, const glue::Manifest& manifest, const glue::TaskNames& names,
                 const glue::RunStats& stats) {
  std::vector<const ptowsp_sim_event*> events;
  uint64_t origin = UINT64_MAX, last = 0;
  for (int64_t i = 0; i < stats.tasks; ++i) {
    const ptowsp_sim_event& event = stats.events[i];
    if (event.core < 0) continue;
    events.push_back(&event);
    origin = std::min({origin, event.dispatch_ns, event.start_ns});
    last = std::max({last, event.start_ns, event.end_ns});
  }
  nameLane(output, "process_name", group_cores, 0, manifest.display_name + ": cores");
  nameLane(output, "process_name", group_aicpus, 0, manifest.display_name + ": AICPUs");
  for (int core = 0; core < stats.cores; ++core)
    nameLane(output, "thread_name", group_cores, core,
             format("core %d (%s)", core, core < stats.cores / 3 ? "AIC" : "AIV"));
  for (int aicpu = 0; aicpu < stats.aicpus; ++aicpu)
    nameLane(output, "thread_name", group_aicpus, aicpu, format("AICPU %d", aicpu));

  std::sort(events.begin(), events.end(), [](const auto* a, const auto* b) {
    return a->aicpu != b->aicpu ? a->aicpu < b->aicpu : a->dispatch_ns < b->dispatch_ns;
  });
  for (size_t i = 0; i < events.size(); ++i) {
    const ptowsp_sim_event& event = *events[i];
    const std::string name = names.nameOf(event.task);
    const int kernel = names.kernelOf(event.task);
    const std::string category = kernel < 0 ? "task" : manifest.kernels[kernel].name;
    addSlice(output, group_cores, event.core, name, category, event.start_ns - origin,
             (event.end_ns ? event.end_ns : last) - origin, event);
    // From the dispatch to the start on the core. Slices of one lane may not overlap, so one ends
    // where its AICPU turns to the next task.
    uint64_t end = std::max(event.start_ns, event.dispatch_ns);
    if (i + 1 < events.size() && events[i + 1]->aicpu == event.aicpu)
      end = std::min(end, events[i + 1]->dispatch_ns);
    addSlice(output, group_aicpus, event.aicpu, name, "dispatch", event.dispatch_ns - origin,
             end - origin, event);
  }
}

}  // namespace

Status writeTrace(const std::string& file, const glue::Manifest& manifest,
                  const glue::TaskNames& names, const glue::RunStats& stats) {
  if (!stats.events && stats.tasks > 0)
    return Status::badArtifact(
        file, "this run left no timeline to write",
        "--trace needs the built-in runtime and a run that got to its tasks");
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> stream(std::fopen(file.c_str(), "w"),
                                                               &std::fclose);
  bool good = stream != nullptr;
  if (good) {
    Output output(stream.get());
    writeEvents(output, manifest, names, stats);
    good = output.finish();
  }
  return good ? Status()
              : Status::badArtifact(file, std::string("cannot write it: ") + std::strerror(errno),
                                    "give a file that can be written to --trace");
}

}  // namespace ptowsp::run
