// SPDX-License-Identifier: MIT
#include "runtime_glue/glue/manifest_reader.h"

#include <limits>
#include <nlohmann/json.hpp>

#include "runtime_glue/glue/process_order.h"
#include "runtime_glue/glue/text.h"

namespace ptowsp::glue {
namespace {

using Json = nlohmann::json;

constexpr const char* kElementTypes[] = {"f32", "f16", "bf16", "i32"};
constexpr const char* kRoles[] = {"input", "output", "inout", "temporary"};
constexpr const char* kAccesses[] = {"in", "out", "inout"};
constexpr const char* kCoreTypes[] = {"aic", "aiv"};
// Deeper trees than any generator emits; the reader recurses.
constexpr int kMaxDepth = 200;

// The value as it stands in the file, shortened.
std::string shown(const Json& value) {
  std::string text = value.dump(-1, ' ', false, Json::error_handler_t::replace);
  if (text.size() > 60) text = text.substr(0, 57) + "...";
  return text;
}

// Reader: takes typed fields out of one document and keeps the first error. After an error every
// further call does nothing, so that callers read straight on and look once.
class Reader {
 public:
  Reader(std::string file, std::string fix) : file_(std::move(file)), fix_(std::move(fix)) {}

  Status take() { return std::move(status_); }
  bool ok() const { return status_.ok(); }

  void fail(const std::string& path, std::string message) {
    if (ok()) {
      status_ = Status::badArtifact(file_, std::move(message), fix_);
      status_.notes.push_back("at " + (path.empty() ? "/" : path));
    }
  }

  void parse(std::string_view text, Json* document) {
    try {
      *document = Json::parse(text);
    } catch (const Json::parse_error& error) {
      const size_t at = std::min<size_t>(error.byte ? error.byte - 1 : 0, text.size());
      size_t line = 1, column = 1;
      for (size_t i = 0; i < at; ++i) {
        line += text[i] == '\n';
        column = text[i] == '\n' ? 1 : column + 1;
      }
      status_ = Status::badArtifact(
          file_,
          at >= text.size()
              ? format("truncated: found the end of the file after %zu bytes inside a JSON value",
                       text.size())
              : format("not JSON: found an error at line %zu, column %zu", line, column),
          fix_);
      return;
    }
    if (!document->is_object()) fail("", "found " + shown(*document) + ", expected an object");
  }

  // The member, or null after an error.
  const Json* member(const Json& object, const std::string& path, const char* key) {
    if (!ok()) return nullptr;
    const auto found = object.find(key);
    if (found != object.end()) return &*found;
    fail(path, format("found no key \"%s\", expected one", key));
    return nullptr;
  }

  std::string text(const Json& object, const std::string& path, const char* key) {
    const Json* value = member(object, path, key);
    if (!value) return {};
    if (value->is_string()) return value->get<std::string>();
    expected(path, key, *value, "a string");
    return {};
  }

  // A string that names a file or symbol and so must not be empty.
  std::string name(const Json& object, const std::string& path, const char* key) {
    std::string value = text(object, path, key);
    if (ok() && value.empty()) fail(path + "/" + key, "found \"\", expected a name");
    return value;
  }

  int64_t integer(const Json& object, const std::string& path, const char* key, int64_t least,
                  int64_t most = std::numeric_limits<int64_t>::max()) {
    const Json* value = member(object, path, key);
    if (!value) return least;
    return integerValue(*value, path + "/" + key, least, most);
  }

  int64_t integerValue(const Json& value, const std::string& path, int64_t least,
                       int64_t most = std::numeric_limits<int64_t>::max()) {
    if (value.is_number_integer() &&
        !(value.is_number_unsigned() &&
          value.get<uint64_t>() > uint64_t(std::numeric_limits<int64_t>::max()))) {
      const int64_t number = value.get<int64_t>();
      if (number >= least && number <= most) return number;
    }
    fail(path, most == std::numeric_limits<int64_t>::max()
                   ? format("found %s, expected an integer of at least %lld", shown(value).c_str(),
                            static_cast<long long>(least))
                   : format("found %s, expected an integer from %lld to %lld", shown(value).c_str(),
                            static_cast<long long>(least), static_cast<long long>(most)));
    return least;
  }

  double number(const Json& object, const std::string& path, const char* key) {
    const Json* value = member(object, path, key);
    if (!value) return 0;
    if (value->is_number() && value->get<double>() >= 0) return value->get<double>();
    expected(path, key, *value, "a number of at least 0");
    return 0;
  }

  bool boolean(const Json& object, const std::string& path, const char* key) {
    const Json* value = member(object, path, key);
    if (!value) return false;
    if (value->is_boolean()) return value->get<bool>();
    expected(path, key, *value, "true or false");
    return false;
  }

  template <size_t N>
  int choice(const Json& object, const std::string& path, const char* key,
             const char* const (&words)[N]) {
    const Json* value = member(object, path, key);
    if (!value) return 0;
    std::string list;
    for (size_t i = 0; i < N; ++i) {
      if (value->is_string() && *value == words[i]) return static_cast<int>(i);
      list += (i ? (i + 1 == N ? " or " : ", ") : "") + std::string(words[i]);
    }
    expected(path, key, *value, list.c_str());
    return 0;
  }

  // An array, or object, or an empty one after an error.
  const Json& array(const Json& object, const std::string& path, const char* key) {
    static const Json none = Json::array();
    const Json* value = member(object, path, key);
    if (!value) return none;
    if (value->is_array()) return *value;
    expected(path, key, *value, "an array");
    return none;
  }
  const Json& object(const Json& parent, const std::string& path, const char* key) {
    static const Json none = Json::object();
    const Json* value = member(parent, path, key);
    if (!value) return none;
    if (value->is_object()) return *value;
    expected(path, key, *value, "an object");
    return none;
  }
  bool isObject(const Json& value, const std::string& path) {
    if (ok() && !value.is_object()) fail(path, "found " + shown(value) + ", expected an object");
    return ok();
  }

  void expected(const std::string& path, const char* key, const Json& value, const char* what) {
    fail(path + "/" + key, "found " + shown(value) + ", expected " + what);
  }

 private:
  std::string file_, fix_;
  Status status_;
};

std::string item(const std::string& path, size_t index) {
  return path + "/" + std::to_string(index);
}

// Format number, then product version: artifacts and tools of different versions refuse each other,
// since kernels, orchestration and runner share an unversioned binary interface.
void readVersions(Reader& reader, const Json& root, const char* format_key, int format_number,
                  std::string* version) {
  const int64_t found = reader.integer(root, "", format_key, 0);
  if (reader.ok() && found != format_number)
    reader.fail(std::string("/") + format_key,
                format("found format %lld, expected %d, the one this version of PtoWsp reads",
                       static_cast<long long>(found), format_number));
  *version = reader.text(root, "", "version");
  if (reader.ok() && *version != PTOWSP_VERSION)
    reader.fail("/version", "found version " + *version +
                                ", expected " PTOWSP_VERSION ", the version of this program");
}

void readTensor(Reader& reader, const Json& json, const std::string& path, TensorInfo* tensor) {
  if (!reader.isObject(json, path)) return;
  tensor->name = reader.name(json, path, "name");
  tensor->dtype = static_cast<ElementType>(reader.choice(json, path, "dtype", kElementTypes));
  tensor->role = static_cast<TensorRole>(reader.choice(json, path, "role", kRoles));
  const Json& shape = reader.array(json, path, "shape");
  int64_t bytes = static_cast<int64_t>(elementSize(tensor->dtype));
  for (size_t i = 0; i < shape.size() && reader.ok(); ++i) {
    const int64_t extent = reader.integerValue(shape[i], item(path + "/shape", i), 1);
    if (__builtin_mul_overflow(bytes, extent, &bytes))
      reader.fail(path + "/shape", "found " + shown(shape) + ", expected a size below 2^63 bytes");
    tensor->shape.push_back(extent);
  }
  if (reader.ok() && shape.empty())
    reader.fail(path + "/shape", "found [], expected at least one extent");
  tensor->bytes = static_cast<uint64_t>(reader.integer(json, path, "bytes", 1));
  if (reader.ok() && tensor->bytes != static_cast<uint64_t>(bytes))
    reader.fail(path + "/bytes", format("found %llu, expected %lld, what dtype and shape make",
                                        static_cast<unsigned long long>(tensor->bytes),
                                        static_cast<long long>(bytes)));
  tensor->rtol = reader.number(json, path, "rtol");
  tensor->atol = reader.number(json, path, "atol");
}

void readKernel(Reader& reader, const Json& json, const std::string& path, size_t index,
                KernelInfo* kernel) {
  if (!reader.isObject(json, path)) return;
  kernel->name = reader.name(json, path, "name");
  if (json.contains("split")) {
    const Json& split = reader.object(json, path, "split");
    kernel->user_kernel = reader.name(split, path + "/split", "kernel");
    kernel->stages = reader.integer(split, path + "/split", "stages", 2);
    kernel->stage = reader.integer(split, path + "/split", "stage", 0, kernel->stages - 1);
  }
  reader.integer(json, path, "func_id", static_cast<int64_t>(index), static_cast<int64_t>(index));
  kernel->core_type = kCoreTypes[reader.choice(json, path, "core_type", kCoreTypes)];
  if (json.contains("cycles")) kernel->cycles = reader.integer(json, path, "cycles", 0);
  const Json& tiles = reader.array(json, path, "tiles");
  for (size_t i = 0; i < tiles.size() && reader.ok(); ++i) {
    const std::string at = item(path + "/tiles", i);
    if (!reader.isObject(tiles[i], at)) return;
    TileInfo tile;
    tile.name = reader.name(tiles[i], at, "name");
    tile.access = static_cast<TileAccess>(reader.choice(tiles[i], at, "access", kAccesses));
    tile.rows = reader.integer(tiles[i], at, "rows", 1, std::numeric_limits<int32_t>::max());
    tile.cols = reader.integer(tiles[i], at, "cols", 1, std::numeric_limits<int32_t>::max());
    tile.dtype = static_cast<ElementType>(reader.choice(tiles[i], at, "dtype", kElementTypes));
    tile.strided = reader.boolean(tiles[i], at, "strided");
    kernel->tiles.push_back(std::move(tile));
  }
  const Json& scalars = reader.array(json, path, "scalars");
  for (size_t i = 0; i < scalars.size() && reader.ok(); ++i) {
    if (!scalars[i].is_string())
      reader.fail(item(path + "/scalars", i), "found " + shown(scalars[i]) + ", expected a string");
    else
      kernel->scalars.push_back(scalars[i].get<std::string>());
  }
}

void readBody(Reader& reader, const Json& list, const std::string& path, const Manifest& manifest,
              int depth, ProgramNode* parent);

int readChannel(Reader& reader, const Json& json, const std::string& path, const char* key,
                const Manifest& manifest) {
  return static_cast<int>(reader.integer(json, path, key, 0,
                                         static_cast<int64_t>(manifest.channels.size()) - 1));
}

void readNode(Reader& reader, const Json& json, const std::string& path, const Manifest& manifest,
              int depth, ProgramNode* node) {
  if (!reader.isObject(json, path)) return;
  if (depth > kMaxDepth) return reader.fail(path, "found nodes nested too deeply to read");
  if (json.contains("task")) {
    node->kind = ProgramNode::Kind::task;
    node->kernel = static_cast<int>(reader.integer(
        json, path, "task", 0, static_cast<int64_t>(manifest.kernels.size()) - 1));
    if (reader.ok()) node->same_turn = manifest.kernels[static_cast<size_t>(node->kernel)].stage > 0;
    node->tasks = 1;
  } else if (json.contains("for")) {
    node->kind = ProgramNode::Kind::loop;
    node->variable = reader.name(json, path, "for");
    node->extent = reader.integer(json, path, "extent", 1);
    readBody(reader, reader.array(json, path, "body"), path + "/body", manifest, depth, node);
    if (__builtin_mul_overflow(node->tasks, node->extent, &node->tasks))
      reader.fail(path + "/extent", "found more tasks than can be counted");
  } else if (json.contains("consume")) {
    node->kind = ProgramNode::Kind::loop;
    node->channel = readChannel(reader, json, path, "consume", manifest);
    node->variable = reader.name(json, path, "as");
    node->extent = reader.ok() ? manifest.channels[static_cast<size_t>(node->channel)].tokens : 1;
    readBody(reader, reader.array(json, path, "body"), path + "/body", manifest, depth, node);
    if (__builtin_mul_overflow(node->tasks, node->extent, &node->tasks))
      reader.fail(path, "found more tasks than can be counted");
  } else if (json.contains("send") || json.contains("process")) {
    const bool send = json.contains("send");
    node->kind = send ? ProgramNode::Kind::send : ProgramNode::Kind::process;
    if (send) node->channel = readChannel(reader, json, path, "send", manifest);
    if (!send) node->name = reader.name(json, path, "process");
    readBody(reader, reader.array(json, path, "body"), path + "/body", manifest, depth, node);
  } else {
    constexpr std::pair<const char*, ProgramNode::Kind> kLists[] = {
        {"combine", ProgramNode::Kind::combine},
        {"sequential", ProgramNode::Kind::sequential},
        {"connect", ProgramNode::Kind::connect}};
    for (const auto& [key, kind] : kLists) {
      if (!json.contains(key)) continue;
      node->kind = kind;
      return readBody(reader, reader.array(json, path, key), path + "/" + key, manifest, depth,
                      node);
    }
    reader.fail(path, "found " + shown(json) +
                          ", expected a key task, for, sequential, combine, connect, process, send "
                          "or consume");
  }
}

void readBody(Reader& reader, const Json& list, const std::string& path, const Manifest& manifest,
              int depth, ProgramNode* parent) {
  parent->body.resize(list.size());
  for (size_t i = 0; i < list.size() && reader.ok(); ++i) {
    ProgramNode& child = parent->body[i];
    readNode(reader, list[i], item(path, i), manifest, depth + 1, &child);
    const bool process = child.kind == ProgramNode::Kind::process;
    if (reader.ok() && process != (parent->kind == ProgramNode::Kind::connect))
      reader.fail(item(path, i), "found " + shown(list[i]) +
                                     (process ? ", expected no process outside of a connect node"
                                              : ", expected a process"));
    if (__builtin_add_overflow(parent->tasks, child.tasks, &parent->tasks))
      reader.fail(path, "found more tasks than can be counted");
  }
}

void readChannels(Reader& reader, const Json& root, Manifest* manifest) {
  if (!root.contains("channels")) return;  // most workloads have none
  const Json& channels = reader.array(root, "", "channels");
  manifest->channels.resize(channels.size());
  for (size_t i = 0; i < channels.size() && reader.ok(); ++i) {
    const std::string at = item("/channels", i);
    if (!reader.isObject(channels[i], at)) return;
    Channel& channel = manifest->channels[i];
    channel.name = reader.name(channels[i], at, "name");
    channel.depth = reader.integer(channels[i], at, "depth", 0);
    channel.latency = reader.integer(channels[i], at, "latency", 0);
    channel.tokens = reader.integer(channels[i], at, "tokens", 1, std::numeric_limits<int32_t>::max());
  }
}

void readGraph(Reader& reader, const Json& graph, GraphInfo* info) {
  constexpr const char* kDependences[] = {"dataflow", "program_order", "explicit"};
  info->tasks = reader.integer(graph, "/graph", "tasks", 0, std::numeric_limits<int32_t>::max());
  info->edges = reader.integer(graph, "/graph", "edges", 0);
  info->edge_hash = reader.text(graph, "/graph", "edge_hash");
  info->critical_path = reader.integer(graph, "/graph", "critical_path", 0);
  info->dependences = kDependences[reader.choice(graph, "/graph", "dependences", kDependences)];
}

// A temporary that is spilled: its index.
size_t readSpill(Reader& reader, const Json& json, const std::string& path,
                 const std::vector<TensorInfo>& tensors) {
  if (!reader.isObject(json, path)) return 0;
  const std::string name = reader.name(json, path, "name");
  const int64_t bytes = reader.integer(json, path, "bytes", 1);
  for (size_t i = 0; i < tensors.size(); ++i) {
    if (tensors[i].name == name && tensors[i].role == TensorRole::temporary &&
        tensors[i].bytes == static_cast<uint64_t>(bytes))
      return i;
  }
  if (reader.ok())
    reader.fail(path, "found " + shown(json) + ", expected name and bytes of a temporary");
  return 0;
}

// Launches, cuts between them, and what is spilled there.
void readSegments(Reader& reader, const Json& graph, const std::vector<TensorInfo>& tensors,
                  GraphInfo* info) {
  const Json* segments = reader.member(graph, "/graph", "segments");
  const bool none = segments && segments->is_null();
  info->segments = none ? 0 : reader.integer(graph, "/graph", "segments", 1);
  const Json& cuts = reader.array(graph, "/graph", "cuts");
  for (size_t i = 0; i < cuts.size() && reader.ok(); ++i)
    info->cuts.push_back(reader.integerValue(cuts[i], item("/graph/cuts", i),
                                             i ? info->cuts.back() + 1 : 1, info->tasks - 1));
  if (reader.ok() && static_cast<int64_t>(cuts.size()) != (none ? 0 : info->segments - 1))
    reader.fail("/graph/cuts", format("found %zu cuts, expected one fewer than segments",
                                      cuts.size()));
  const Json& spills = reader.array(graph, "/graph", "spills");
  for (size_t i = 0; i < spills.size() && reader.ok(); ++i)
    info->spills.push_back(readSpill(reader, spills[i], item("/graph/spills", i), tensors));
}

// The relay kernel follows the others; null where the graph needs none.
int readRelay(Reader& reader, const Json& root, size_t kernels) {
  const Json* relay = reader.member(root, "", "relay");
  if (!relay || relay->is_null() || !reader.isObject(*relay, "/relay")) return -1;
  const int64_t func_id = static_cast<int64_t>(kernels);
  reader.name(*relay, "/relay", "name");
  return static_cast<int>(reader.integer(*relay, "/relay", "func_id", func_id, func_id));
}

// A map of names to files.
std::map<std::string, std::string> readFiles(Reader& reader, const Json& object,
                                             const std::string& path) {
  std::map<std::string, std::string> files;
  for (auto it = object.begin(); it != object.end() && reader.ok(); ++it) {
    if (!it->is_string() || it->get_ref<const std::string&>().empty())
      reader.fail(path + "/" + it.key(), "found " + shown(*it) + ", expected a file name");
    else
      files[it.key()] = it->get<std::string>();
  }
  return files;
}

void readDirective(Reader& reader, const Json& json, const std::string& path,
                   DirectiveInfo* directive) {
  if (!reader.isObject(json, path)) return;
  directive->directive = reader.name(json, path, "directive");
  if (json.contains("aicpus"))
    directive->aicpus = static_cast<int>(reader.integer(json, path, "aicpus", 1, 64));
  if (json.contains("tasks"))
    directive->tasks = reader.integer(json, path, "tasks", 1, INT32_MAX);
  directive->support = readFiles(reader, reader.object(json, path, "support"), path + "/support");
}

constexpr const char* kBuildAgain =
    "delete the artifact's folder and build the workload's target again, with one version of PtoWsp";

}  // namespace

const char* nameOf(ElementType type) { return kElementTypes[static_cast<int>(type)]; }
const char* nameOf(TensorRole role) { return kRoles[static_cast<int>(role)]; }

Status parseManifest(std::string_view text, const std::string& file, Manifest* manifest) {
  *manifest = {};
  Reader reader(file, kBuildAgain);
  Json root;
  reader.parse(text, &root);
  if (!reader.ok()) return reader.take();
  readVersions(reader, root, "ptowsp_manifest", kManifestFormat, &manifest->version);
  manifest->contract = reader.text(root, "", "contract");
  if (reader.ok() && manifest->contract != kContract)
    reader.fail("/contract", "found contract " + manifest->contract + ", expected " + kContract +
                                 ", the one this version of PtoWsp drives");
  manifest->name = reader.name(root, "", "name");
  manifest->display_name = reader.text(root, "", "display_name");
  manifest->source = reader.text(root, "", "source");
  manifest->source_hash = reader.text(root, "", "source_hash");
  const Json& orchestration = reader.object(root, "", "orchestration");
  manifest->orchestration_source = reader.name(orchestration, "/orchestration", "source");
  manifest->orchestration_function = reader.name(orchestration, "/orchestration", "function");

  const Json& tensors = reader.array(root, "", "tensors");
  manifest->tensors.resize(tensors.size());
  for (size_t i = 0; i < tensors.size() && reader.ok(); ++i)
    readTensor(reader, tensors[i], item("/tensors", i), &manifest->tensors[i]);
  const Json& kernels = reader.array(root, "", "kernels");
  manifest->kernels.resize(kernels.size());
  for (size_t i = 0; i < kernels.size() && reader.ok(); ++i)
    readKernel(reader, kernels[i], item("/kernels", i), i, &manifest->kernels[i]);

  manifest->relay = readRelay(reader, root, kernels.size());
  const Json& graph = reader.object(root, "", "graph");
  readGraph(reader, graph, &manifest->graph);
  readSegments(reader, graph, manifest->tensors, &manifest->graph);
  readChannels(reader, root, manifest);
  readBody(reader, reader.array(root, "", "program"), "/program", *manifest, 0, &manifest->program);
  if (reader.ok() && manifest->program.tasks != manifest->graph.tasks)
    reader.fail("/graph/tasks", format("found %lld tasks, expected %lld, the number in /program",
                                       static_cast<long long>(manifest->graph.tasks),
                                       static_cast<long long>(manifest->program.tasks)));
  if (reader.ok() && !orderProcesses(*manifest))
    reader.fail("/program", "found processes that wait for one another for ever");
  const Json& schedule = reader.array(root, "", "schedule");
  manifest->schedule.resize(schedule.size());
  for (size_t i = 0; i < schedule.size() && reader.ok(); ++i)
    readDirective(reader, schedule[i], item("/schedule", i), &manifest->schedule[i]);
  return reader.take();
}

Status parseReady(std::string_view text, const std::string& file, Ready* ready) {
  *ready = {};
  Reader reader(file, kBuildAgain);
  Json root;
  reader.parse(text, &root);
  if (!reader.ok()) return reader.take();
  readVersions(reader, root, "ptowsp_ready", kReadyFormat, &ready->version);
  ready->manifest = reader.name(root, "", "manifest");
  ready->manifest_hash = reader.name(root, "", "manifest_hash");
  ready->platform = reader.name(root, "", "platform");
  const Json& levels = reader.array(root, "", "kernel_arch");
  for (size_t i = 0; i < levels.size() && reader.ok(); ++i) {
    if (!levels[i].is_string())
      reader.fail(item("/kernel_arch", i), "found " + shown(levels[i]) + ", expected a string");
    else
      ready->kernel_arch.push_back(levels[i].get<std::string>());
  }
  ready->orchestrations =
      readFiles(reader, reader.object(root, "", "orchestrations"), "/orchestrations");
  const Json& kernels = reader.object(root, "", "kernels");
  for (auto it = kernels.begin(); it != kernels.end() && reader.ok(); ++it) {
    const std::string path = "/kernels/" + it.key();
    if (reader.isObject(*it, path)) ready->kernels[it.key()] = readFiles(reader, *it, path);
  }
  ready->inputs = reader.text(root, "", "inputs");
  ready->expected = reader.text(root, "", "expected");
  ready->block_dim = static_cast<int>(reader.integer(root, "", "block_dim", 0, 1 << 20));
  ready->aicpu_threads = static_cast<int>(reader.integer(root, "", "aicpu_threads", 0, 1 << 20));
  if (root.contains("toolchain")) ready->toolchain = reader.name(root, "", "toolchain");
  return reader.take();
}

Status parseRuntime(std::string_view text, const std::string& file, ExternalRuntime* runtime) {
  *runtime = {};
  Reader reader(file, "build the target ptowsp.pto_runtime again");
  Json root;
  reader.parse(text, &root);
  if (!reader.ok()) return reader.take();
  reader.integer(root, "", "ptowsp_runtime", kRuntimeFormat, kRuntimeFormat);
  runtime->name = reader.name(root, "", "name");
  runtime->version = reader.name(root, "", "version");
  runtime->platform = reader.name(root, "", "platform");
  runtime->root = reader.name(root, "", "root");
  runtime->python = reader.name(root, "", "python");
  runtime->launcher = reader.name(root, "", "launcher");
  runtime->bindings = reader.name(root, "", "bindings");
  runtime->host = reader.name(root, "", "host");
  runtime->aicpu = reader.name(root, "", "aicpu");
  runtime->aicore = reader.name(root, "", "aicore");
  runtime->most_blocks = static_cast<int>(reader.integer(root, "", "most_blocks", 1, 1 << 20));
  runtime->waiting = reader.text(root, "", "waiting");
  runtime->pause = static_cast<int>(reader.integer(root, "", "pause", 0, 1000));
  runtime->longest_pause = static_cast<int>(reader.integer(root, "", "longest_pause", 0, 10'000));
  if (runtime->isDevice()) {
    runtime->toolchain = reader.name(root, "", "toolchain");
    runtime->device_file = reader.name(root, "", "device_file");
  }
  const Json& leftovers = reader.array(root, "", "leftovers");
  for (size_t i = 0; i < leftovers.size() && reader.ok(); ++i) {
    if (!leftovers[i].is_string())
      reader.fail(item("/leftovers", i), "found " + shown(leftovers[i]) + ", expected a string");
    else
      runtime->leftovers.push_back(leftovers[i].get<std::string>());
  }
  return reader.take();
}

}  // namespace ptowsp::glue
