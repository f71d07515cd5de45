// SPDX-License-Identifier: MIT
#include "generator/emit/tree.h"

#include <fmt/format.h>

#include <algorithm>

#include "generator/emit/device_kernel.h"
#include "generator/emit/device_list.h"
#include "generator/emit/dispatch.h"
#include "generator/emit/kernel_config.h"
#include "generator/emit/kernel_source.h"
#include "generator/emit/manifest.h"
#include "generator/emit/names.h"
#include "generator/emit/orchestration.h"
#include "generator/emit/sim_kernel.h"
#include "generator/emit/support.h"
#include "generator/emit/workload_header.h"

namespace ptowsp {
namespace {

// unsupported-feature: what there is no simulated kernel for yet.
bool checkSupported(const Kernel& kernel, Diagnostics& diagnostics) {
  bool good = true;
  const auto refuse = [&](const std::string& place, const std::string& what) {
    diagnostics.error("unsupported-feature", place, what + " is not supported yet on a2a3sim",
                      "see docs/future/pto_runtime_gaps.md");
    good = false;
  };
  for (const KernelOp& op : kernel.ops) {
    std::vector<int> values = op.args;
    if (op.result >= 0) values.push_back(op.result);
    const auto missing = std::ranges::find_if(values, [&](int value) {
      return !hasDType(op.op->sim_dtypes, kernel.values[static_cast<size_t>(value)].dtype);
    });
    if (missing == values.end()) continue;
    refuse(op.place, fmt::format("op '{}' on {}", op.op->name,
                                 ir::nameOf(kernel.values[static_cast<size_t>(*missing)].dtype)));
  }
  return good;
}

// The source of the library of a user's kernel that runs on a cube core, or in stages: the texts of its
// kernels once more, so that the library depends on a file that is known before the kernel was
// analyzed. The second name that a kernel has, kernel_entry, is none of theirs where they are several.
std::string librarySource(const Kernel& kernel, std::string_view texts, const Source& source) {
  if (kernel.stages == 1) return std::string(texts);
  return fmt::format(
      "{}// Kernel {} as one library: its {} stages, each for one type of core.\n"
      "#include \"../{}/ptowsp_vector.h\"\n"
      "#undef PTOWSP_KERNEL_ENTRY\n"
      "#define PTOWSP_KERNEL_ENTRY(name) static_assert(true, \"\")\n\n{}",
      generatedBy("//", source.file), kernel.userName(), kernel.stages,
      kSimSupportFolder.substr(kSimSupportFolder.find('/') + 1), texts);
}

}  // namespace

std::optional<std::vector<EmittedFile>> emitTree(const Program& program, const Analysis& analysis,
                                                 const Source& source, bool for_device,
                                                 Diagnostics& diagnostics) {
  std::vector<EmittedFile> files = {
      {std::string(kOrchestrationSource), emitOrchestration(program, analysis, source.file)},
      {"kernels/orchestration/ptowsp/orchestration.h", std::string(support::orchestrationHeader())},
      {"kernels/orchestration/ptowsp/access_layer.h", std::string(support::accessLayerHeader())},
      {"kernels/orchestration/ptowsp/regions.h", std::string(support::regionsHeader())},
      {"kernels/orchestration/ptowsp/task_graph.h", std::string(support::taskGraphHeader())},
      {"kernels/orchestration/ptowsp/argument_blocks.h",
       std::string(support::argumentBlocksHeader())},
      {"kernels/orchestration/ptowsp/channels.h", std::string(support::channelsHeader())},
      {"kernels/orchestration/ptowsp/dispatch.h", std::string(support::dispatchHeader())},
      {"kernels/orchestration/ptowsp/launch_graph.h", std::string(support::launchGraphHeader())},
      {"kernels/orchestration/ptowsp/limits.h", std::string(support::limitsHeader())},
      {"kernels/orchestration/ptowsp/processes.h", std::string(support::processesHeader())},
      {"kernels/orchestration/ptowsp/segments.h", std::string(support::segmentsHeader())},
      {"kernels/kernel_config.py", emitKernelConfig(program, analysis, source.file, for_device)},
      {workloadHeaderPath(source.name),
       emitWorkloadHeader(program, source.name, source.file, source.hash)}};
  for (const SupportHeader& header : simSupportHeaders())
    files.push_back({fmt::format("{}/{}", kSimSupportFolder, header.name), std::string(header.text)});
  if (!program.schedule.table.empty())
    files.push_back({std::string(kDispatchTable), emitDispatchTable(program, source.file)});
  bool complete = true;
  // The stages of the kernel at hand: the source of its library, and what to compile for the device.
  std::string library, device_list = generatedBy("#", source.file);
  for (const Kernel& kernel : program.kernels) {
    if (!checkSupported(kernel, diagnostics)) {
      complete = false;
      continue;
    }
    std::string error;
    std::optional<std::string> text = emitSimKernel(kernel, source.file, error, source.lines);
    if (!text) {
      diagnostics.error("tile-too-large", kernel.place, error,
                        "use smaller tiles, or split the kernel");
      complete = false;
      continue;
    }
    library += (library.empty() ? "" : "\n") + *text;
    if (kernel.stage + 1 == kernel.stages) {
      if (simKernelPath(kernel) != librarySourcePath(kernel))
        files.push_back({librarySourcePath(kernel), librarySource(kernel, library, source)});
      library.clear();
    }
    files.push_back({simKernelPath(kernel), std::move(*text)});
    if (!for_device) continue;
    std::optional<std::string> device = emitDeviceKernel(kernel, source.file, diagnostics);
    if (!device) {
      complete = false;
      continue;
    }
    device_list += deviceListLine({kernel.core, kernel.name, deviceKernelPath(kernel), *device});
    files.push_back({deviceKernelPath(kernel), std::move(*device)});
    if (kernel.stage + 1 < kernel.stages) continue;
    files.push_back({deviceListPath(kernel.userName()), std::move(device_list)});
    device_list = generatedBy("#", source.file);
  }
  if (!complete) return std::nullopt;
  if (analysis.segments.relays)
    files.push_back({fmt::format("kernels/aiv_sim/kernel_{}.cpp", kRelayKernel),
                     emitRelayKernel(source.file)});
  if (for_device) {
    files.push_back({std::string(kDeviceSupport), std::string(deviceSupportText())});
    // Whether there is a relay kernel is known here only, so its list is always there.
    std::string relay_list = generatedBy("#", source.file);
    if (analysis.segments.relays) {
      const std::string path = fmt::format("kernels/aiv/kernel_{}.cpp", kRelayKernel);
      const std::string text = emitDeviceRelay(source.file);
      relay_list += deviceListLine({CoreType::aiv, std::string(kRelayKernel), path, text});
      files.push_back({path, text});
    }
    files.push_back({deviceListPath(kRelayKernel), std::move(relay_list)});
  }
  files.push_back({"manifest.json", emitManifest(program, analysis, source.name, source.file,
                                                 source.hash, for_device)});
  return files;
}

std::string emitRelayKernel(std::string_view source_name) {
  return fmt::format(
      "{}#include <stdint.h>\n\n"
      "extern \"C\" __attribute__((visibility(\"default\"))) void kernel_{}(int64_t*) {{}}\n",
      relayHeading(source_name), kRelayKernel);
}

std::string emitKernelList(const Program& program) {
  std::string list;
  for (const Kernel& kernel : program.kernels) {
    bool cube = false, vector = false;
    for (const KernelOp& op : kernel.ops) {
      cube = cube || op.op->cube;
      vector = vector || !(op.op->cube || op.op->form == ops::Form::store);
    }
    list += fmt::format("{}:{}\n", !cube ? "aiv" : vector ? "mix" : "aic", kernel.name);
  }
  return list;
}

}  // namespace ptowsp
