// SPDX-License-Identifier: MIT
#include "generator/emit/manifest.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "generator/analyze/buffers.h"
#include "generator/analyze/cycles.h"
#include "generator/emit/device_list.h"
#include "generator/emit/names.h"
#include "generator/emit/workload_header.h"
#include "generator/verify/capabilities.h"

namespace ptowsp {
namespace {

using Json = nlohmann::ordered_json;

Json tensorJson(const Tensor& tensor) {
  const ir::Tensor& declared = tensor.declaration;
  return {{"name", declared.name},   {"dtype", ir::nameOf(declared.dtype)},
          {"shape", declared.shape}, {"role", ir::nameOf(declared.role)},
          {"bytes", tensor.bytes},   {"rtol", tensor.rtol},
          {"atol", tensor.atol}};
}

// Bytes of each buffer that the kernel's tiles take, and that there are.
Json buffersJson(const Kernel& kernel) {
  const BufferPlan plan = planBuffers(kernel);
  Json buffers = Json::object();
  for (const Buffer buffer : kBuffers)
    if (plan.use(buffer).bytes > 0)
      buffers[std::string(keyOf(buffer))] = {{"bytes", plan.use(buffer).bytes},
                                             {"limit", sizeOf(buffer)}};
  return buffers;
}

Json kernelJson(const Kernel& kernel, size_t func_id, bool for_device) {
  Json tiles = Json::array(), scalars = Json::array();
  for (const TileParameter& tile : kernel.tiles)
    tiles.push_back({{"name", tile.name},
                     {"access", ir::nameOf(tile.access)},
                     {"rows", tile.rows},
                     {"cols", tile.cols},
                     {"dtype", ir::nameOf(tile.dtype)},
                     {"strided", tile.strided}});
  for (const ScalarParameter& scalar : kernel.scalars) scalars.push_back(scalar.name);
  Json sources = {{"a2a3sim", simKernelPath(kernel)}};
  if (for_device) {
    sources["a2a3"] = deviceKernelPath(kernel);
    sources["a2a3_list"] = deviceListPath(kernel.userName());
  }
  if (librarySourcePath(kernel) != simKernelPath(kernel))
    sources["library"] = librarySourcePath(kernel);
  Json json = {{"name", kernel.name},
               {"func_id", func_id},
               {"core_type", coreTypeName(kernel.core)},
               {"cycles", kernelCycles(kernel)},
               {"buffers", buffersJson(kernel)},
               {"sources", std::move(sources)},
               {"tiles", std::move(tiles)},
               {"scalars", std::move(scalars)}};
  if (kernel.stages > 1)
    json["split"] = {
        {"kernel", kernel.user_kernel}, {"stage", kernel.stage}, {"stages", kernel.stages}};
  return json;
}

// In how many launches the pinned pto-runtime runs the graph (null: in none, however it is cut), where
// it is cut, and what has to be spilled there.
Json graphJson(const Program& program, const Analysis& analysis) {
  const Segmentation& segments = analysis.segments;
  Json cuts = Json::array(), spills = Json::array();
  for (size_t i = 1; i < segments.starts.size(); ++i) cuts.push_back(segments.starts[i]);
  for (const int tensor : segments.spills) {
    const Tensor& spilled = program.tensors[static_cast<size_t>(tensor)];
    spills.push_back({{"name", spilled.declaration.name}, {"bytes", spilled.bytes}});
  }
  return {{"tasks", analysis.totals.tasks},
          {"edges", analysis.totals.edges},
          {"edge_hash", fmt::format("{:016x}", analysis.totals.edge_hash)},
          {"critical_path", analysis.critical_path},
          {"dependences", nameOf(analysis.dependences)},
          {"segments", segments.fits ? Json(segments.starts.size()) : Json()},
          {"cuts", std::move(cuts)},
          {"spills", std::move(spills)}};
}

// The kernel of relay tasks, where the graph needs them; its func_id follows those of the kernels.
Json relayJson(const Program& program, const Analysis& analysis, bool for_device) {
  if (!analysis.segments.relays) return {};
  Json sources = {{"a2a3sim", fmt::format("kernels/aiv_sim/kernel_{}.cpp", kRelayKernel)}};
  if (for_device) sources["a2a3"] = fmt::format("kernels/aiv/kernel_{}.cpp", kRelayKernel);
  return {{"name", kRelayKernel},
          {"func_id", program.kernels.size()},
          {"core_type", "aiv"},
          {"sources", std::move(sources)}};
}

Json programJson(const Node& node) {
  if (node.kind == Node::Kind::task) return {{"task", node.kernel}};
  Json body = Json::array();
  for (const Node& child : node.body) body.push_back(programJson(child));
  switch (node.kind) {
    case Node::Kind::connect:
      return {{"connect", std::move(body)}};
    case Node::Kind::process:
      return {{"process", node.name}, {"body", std::move(body)}};
    case Node::Kind::send:
      return {{"send", node.channel}, {"body", std::move(body)}};
    case Node::Kind::loop:
      if (node.consumes())
        return {{"consume", node.channel}, {"as", node.variable}, {"body", std::move(body)}};
      return {{"for", node.variable}, {"extent", node.extent}, {"body", std::move(body)}};
    case Node::Kind::combine:
      return {{"combine", std::move(body)}};
    default:
      return {{"sequential", std::move(body)}};
  }
}

Json supportJson(const Capability& capability) {
  Json support = Json::object();
  for (size_t i = 0; i < kRuntimes.size(); ++i)
    support[std::string(kRuntimes[i])] = nameOf(capability.support[i]);
  return support;
}

// The directives, and how each runtime honours them; with them what the build was asked for, where that is
// not what it does unasked, and channels.
Json scheduleJson(const Program& program, const Analysis& analysis) {
  const Schedule& schedule = program.schedule;
  Json directives = Json::array();
  for (const UsedDirective& used : usedDirectives(schedule)) {
    Json directive = {{"directive", used.capability->directive}};
    if (directives.empty() && schedule.aicpus != 0) {
      directive["aicpus"] = schedule.aicpus;
    } else {
      directive["tasks"] = schedule.window;
    }
    directive["support"] = supportJson(*used.capability);
    directives.push_back(std::move(directive));
  }
  const auto add = [&](const std::string& name) {
    directives.push_back({{"directive", name}, {"support", supportJson(*capabilityOf(name))}});
  };
  if (!program.channels.empty()) add("channels");
  if (analysis.dependences != Dependences::dataflow)
    add(std::string("dependences ") + std::string(nameOf(analysis.dependences)));
  if (analysis.allow_races) add("races allow");
  return directives;
}

bool isIdentifier(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  });
}

// Whether `path` is of the form kernels/<core folder>/kernel_<identifier>.cpp, or a list of those.
bool isKernelSource(std::string_view path) {
  for (std::string_view folder : {"kernels/aiv_sim/kernel_", "kernels/aic_sim/kernel_",
                                  "kernels/aiv/kernel_", "kernels/aic/kernel_",
                                  "kernels/device/kernel_"}) {
    const std::string_view ending = folder == "kernels/device/kernel_" ? ".list" : ".cpp";
    if (!path.starts_with(folder) || !path.ends_with(ending)) continue;
    return isIdentifier(path.substr(folder.size(), path.size() - folder.size() - ending.size()));
  }
  return false;
}

}  // namespace

std::string emitManifest(const Program& program, const Analysis& analysis, std::string_view name,
                         std::string_view source_name, std::string_view source_hash,
                         bool for_device) {
  Json tensors = Json::array(), kernels = Json::array(), nodes = Json::array();
  for (const Tensor& tensor : program.tensors) tensors.push_back(tensorJson(tensor));
  for (size_t i = 0; i < program.kernels.size(); ++i)
    kernels.push_back(kernelJson(program.kernels[i], i, for_device));
  for (const Node& node : program.root.body) nodes.push_back(programJson(node));

  Json manifest = {
      {"ptowsp_manifest", 1},
      {"version", PTOWSP_VERSION},
      {"contract", kContractName},
      {"name", name},
      {"display_name", program.name},
      {"source", source_name},
      {"source_hash", source_hash},
      {"orchestration", {{"source", kOrchestrationSource}, {"function", kOrchestrationFunction}}},
      {"tensors", std::move(tensors)},
      {"kernels", std::move(kernels)},
      {"relay", relayJson(program, analysis, for_device)},
      {"graph", graphJson(program, analysis)},
      {"program", std::move(nodes)},
      {"schedule", scheduleJson(program, analysis)}};
  if (!program.channels.empty()) {
    Json channels = Json::array();
    for (const Channel& channel : program.channels)
      channels.push_back({{"name", channel.name},
                          {"depth", channel.depth},
                          {"latency", channel.latency},
                          {"tokens", channel.tokens}});
    manifest["channels"] = std::move(channels);
  }
  return manifest.dump(2) + "\n";
}

std::vector<std::string> namedFilesOf(const std::string& text) {
  std::vector<std::string> sources;
  const Json manifest = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!manifest.is_object() || !manifest.contains("kernels") || !manifest["kernels"].is_array())
    return sources;
  if (manifest.contains("name") && manifest["name"].is_string() &&
      isIdentifier(manifest["name"].get<std::string>()))
    sources.push_back(workloadHeaderPath(manifest["name"].get<std::string>()));
  Json kernels = manifest["kernels"];
  if (manifest.contains("relay")) kernels.push_back(manifest["relay"]);
  for (const Json& kernel : kernels) {
    if (!kernel.is_object() || !kernel.contains("sources") || !kernel["sources"].is_object())
      continue;
    for (const Json& source : kernel["sources"])
      if (source.is_string() && isKernelSource(source.get<std::string>()))
        sources.push_back(source.get<std::string>());
  }
  return sources;
}

std::vector<std::string> kernelNamesOf(const std::string& text) {
  std::vector<std::string> names;
  const Json manifest = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!manifest.is_object() || !manifest.contains("kernels")) return names;
  Json kernels = manifest["kernels"];
  if (manifest.contains("relay") && manifest["relay"].is_object())
    kernels.push_back(manifest["relay"]);
  for (const Json& kernel : kernels)
    if (kernel.is_object() && kernel.contains("name")) names.push_back(kernel["name"]);
  return names;
}

std::string emitReady(const Build& build) {
  Json orchestrations = Json::object(), kernels = Json::object();
  for (const auto& [runtime, file] : build.orchestrations) orchestrations[runtime] = file;
  for (const Build::Kernel& kernel : build.kernels) kernels[kernel.name][kernel.arch] = kernel.file;
  Json ready = {{"ptowsp_ready", 1},
                      {"version", PTOWSP_VERSION},
                      {"manifest", build.manifest},
                      {"manifest_hash", build.manifest_hash},
                      {"platform", build.platform},
                      {"kernel_arch", build.arch},
                      {"orchestrations", std::move(orchestrations)},
                      {"kernels", std::move(kernels)},
                      {"inputs", build.inputs},
                      {"expected", build.expected},
                      {"block_dim", build.block_dim},
                      {"aicpu_threads", build.aicpu_threads}};
  if (!build.toolchain.empty()) ready["toolchain"] = build.toolchain;
  return ready.dump(2) + "\n";
}

}  // namespace ptowsp
