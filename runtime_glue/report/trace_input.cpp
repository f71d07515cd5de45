// SPDX-License-Identifier: MIT
#include "runtime_glue/report/trace_input.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

namespace ptowsp::report {
namespace {

using Json = nlohmann::ordered_json;

// The "processes" of trace_file.cpp in runtime_glue/run.
constexpr int kCores = 1, kAicpus = 2;

// TraceReader: events one after the other; what they say of a task is put together by its number.
class TraceReader {
 public:
  void read(const Json& event) {
    const std::string phase = event.at("ph");
    const int group = event.at("pid");
    if (phase == "M") return readName(event, group);
    if (phase != "X") return;
    const Json& args = event.at("args");
    const size_t task = args.at("task");
    Task& entry = tasks_[task];
    const int64_t begin = nanoseconds(event.at("ts"));
    if (group == kAicpus) {
      entry.dispatch = begin;
      return;
    }
    entry.name = event.at("name");
    entry.kernel = kernelOf(event.at("cat"), args.at("core"));
    entry.core = args.at("core");
    entry.aicpu = args.at("aicpu");
    entry.worker = args.at("worker");
    entry.start = begin;
    const int64_t end = begin + nanoseconds(event.at("dur"));
    last_ = std::max(last_, end);
    if (args.contains("note")) return;  // it did not return
    entry.end = end;
    ++completed_;
    busy_[entry.core] += end - begin;
    Kernel& kernel = kernels_[static_cast<size_t>(entry.kernel)];
    ++kernel.tasks;
    kernel.total += end - begin;
  }

  bool empty() const { return cores_.empty(); }

  Json run() const {
    Json kernels = Json::array();
    for (const Kernel& kernel : kernels_)
      kernels.push_back(
          {{"name", kernel.name}, {"tasks", kernel.tasks}, {"total_ns", kernel.total}});
    std::vector<int64_t> busy(cores_.size());
    for (const auto& [core, ns] : busy_)
      if (core >= 0 && static_cast<size_t>(core) < busy.size())
        busy[static_cast<size_t>(core)] = ns;
    return {{"ptowsp_run", 1},
            {"name", name_},
            {"outcome", "traced"},
            {"compared", false},
            {"wall_ns", {last_}},
            {"tensors", Json::array()},
            {"stats",
             {{"tasks", tasks_.empty() ? 0 : tasks_.rbegin()->first + 1},
              {"completed", completed_},
              {"wall_ns", last_},
              {"cores", cores_.size()},
              {"aicpus", aicpus_},
              {"core_busy_ns", busy},
              {"kernels", kernels}}}};
  }

  Json detail() const {
    Json kernels = Json::array(), tasks;
    for (const Kernel& kernel : kernels_)
      kernels.push_back(
          {{"name", kernel.name}, {"core_type", kernel.core_type}, {"tiles", Json::array()}});
    const size_t count = tasks_.empty() ? 0 : tasks_.rbegin()->first + 1;
    for (const char* key :
         {"name", "kernel", "core", "aicpu", "worker", "dispatch", "start", "end"})
      tasks[key] = Json::array();
    for (size_t i = 0; i < count; ++i) {
      const auto found = tasks_.find(i);
      const Task task = found == tasks_.end() ? Task() : found->second;
      tasks["name"].push_back(task.name.empty() ? "task " + std::to_string(i) : task.name);
      tasks["kernel"].push_back(task.kernel);
      tasks["core"].push_back(task.core);
      tasks["aicpu"].push_back(task.aicpu);
      tasks["worker"].push_back(task.worker);
      tasks["dispatch"].push_back(task.dispatch);
      tasks["start"].push_back(task.start);
      tasks["end"].push_back(task.end);
    }
    return {{"failed_tasks", Json::array()},
            {"last_ns", last_},
            {"tasks", tasks},
            {"no_edges", "A timeline has no edges."},
            {"tensors", Json::array()},
            {"manifest", {{"kernels", kernels}}}};
  }

 private:
  struct Task {
    std::string name;
    int kernel = -1, core = -1, aicpu = -1, worker = -1;
    int64_t dispatch = -1, start = -1, end = -1;
  };
  struct Kernel {
    std::string name, core_type;
    int64_t tasks = 0, total = 0;
  };

  static int64_t nanoseconds(double microseconds) {
    return static_cast<int64_t>(std::llround(microseconds * 1000));
  }

  void readName(const Json& event, int group) {
    if (event.at("name") == "thread_name" && group == kAicpus) ++aicpus_;
    if (group != kCores) return;
    const std::string name = event.at("args").value("name", "");
    if (event.at("name") == "thread_name") cores_.push_back(name);
    if (event.at("name") == "process_name") name_ = name.substr(0, name.rfind(": cores"));
  }

  int kernelOf(const std::string& name, int core) {
    const auto found = std::find_if(kernels_.begin(), kernels_.end(),
                                    [&](const Kernel& kernel) { return kernel.name == name; });
    if (found != kernels_.end()) return static_cast<int>(found - kernels_.begin());
    const auto at = static_cast<size_t>(core);
    const bool cube = at < cores_.size() && cores_[at].find("AIC") != std::string::npos;
    kernels_.push_back({name, cube ? "aic" : "aiv"});
    return static_cast<int>(kernels_.size()) - 1;
  }

  std::string name_;
  std::vector<std::string> cores_;
  int aicpus_ = 0;
  std::map<size_t, Task> tasks_;
  std::vector<Kernel> kernels_;
  std::map<int, int64_t> busy_;
  int64_t last_ = 0, completed_ = 0;
};

}  // namespace

std::optional<RunData> runOfTrace(const Json& trace) {
  const auto events = trace.is_object() ? trace.find("traceEvents") : trace.end();
  if (!trace.is_object() || events == trace.end() || !events->is_array()) return std::nullopt;
  TraceReader reader;
  try {
    for (const Json& event : *events) reader.read(event);
  } catch (const Json::exception&) {
    return std::nullopt;  // of another program
  }
  if (reader.empty()) return std::nullopt;
  return RunData{"", reader.run().dump(), reader.detail().dump()};
}

}  // namespace ptowsp::report
