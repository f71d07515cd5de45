#include "generator/emit/tree.h"

#include <fmt/format.h>

#include <algorithm>

#include "generator/emit/dispatch.h"
#include "generator/emit/kernel_config.h"
#include "generator/emit/manifest.h"
#include "generator/emit/names.h"
#include "generator/emit/orchestration.h"
#include "generator/emit/sim_kernel.h"
#include "generator/emit/support.h"

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

// The source of a library of cube kernels, or of the stages of a kernel that was split by core.
// Their second name, kernel_entry, can belong to one function only, so none has it.
std::string librarySource(const Program& program, size_t first, const Source& source) {
  const Kernel& kernel = program.kernels[first];
  std::string includes;
  for (int stage = 0; stage < kernel.stages; ++stage) {
    const std::string path = simKernelPath(program.kernels[first + static_cast<size_t>(stage)]);
    includes += fmt::format("#include \"..{}\"\n", path.substr(path.find('/')));
  }
  return fmt::format(
      "{}// Kernel {} as one library{}.\n"
      "#include \"{}\"\n"
      "{}{}",
      generatedBy("//", source.file), kernel.userName(),
      kernel.stages > 1 ? fmt::format(": its {} stages, each for one type of core", kernel.stages) : "",
      "../sim_support/ptowsp_vector.h",
      kernel.stages > 1 ? "#undef PTOWSP_KERNEL_ENTRY\n#define PTOWSP_KERNEL_ENTRY(name) static_assert(true, \"\")\n" : "",
      includes);
}

}  // namespace

std::optional<std::vector<EmittedFile>> emitTree(const Program& program, const Analysis& analysis,
                                                 const Source& source, Diagnostics& diagnostics) {
  std::vector<EmittedFile> files = {
      {std::string(kOrchestrationSource), emitOrchestration(program, analysis, source.file)},
      {"kernels/orchestration/ptowsp/orchestration.h", std::string(support::orchestrationHeader())},
      {"kernels/orchestration/ptowsp/task_graph.h", std::string(support::taskGraphHeader())},
      {"kernels/orchestration/ptowsp/argument_blocks.h",
       std::string(support::argumentBlocksHeader())},
      {"kernels/orchestration/ptowsp/dispatch.h", std::string(support::dispatchHeader())},
      {"kernels/orchestration/ptowsp/launch_graph.h", std::string(support::launchGraphHeader())},
      {"kernels/orchestration/ptowsp/limits.h", std::string(support::limitsHeader())},
      {"kernels/orchestration/ptowsp/segments.h", std::string(support::segmentsHeader())},
      {"kernels/kernel_config.py", emitKernelConfig(program, analysis, source.file)}};
  for (const SupportHeader& header : simSupportHeaders())
    files.push_back({fmt::format("{}/{}", kSimSupportFolder, header.name), std::string(header.text)});
  if (!program.schedule.table.empty())
    files.push_back({std::string(kDispatchTable), emitDispatchTable(program, source.file)});
  bool complete = true;
  for (size_t k = 0; k < program.kernels.size(); ++k) {
    const Kernel& kernel = program.kernels[k];
    if (kernel.stage == 0 && simKernelPath(kernel) != librarySourcePath(kernel))
      files.push_back({librarySourcePath(kernel), librarySource(program, k, source)});
    if (!checkSupported(kernel, diagnostics)) {
      complete = false;
      continue;
    }
    std::string error;
    std::optional<std::string> text = emitSimKernel(kernel, source.file, error);
    if (!text) {
      diagnostics.error("tile-too-large", kernel.place, error,
                        "use smaller tiles, or split the kernel");
      complete = false;
      continue;
    }
    files.push_back({simKernelPath(kernel), std::move(*text)});
  }
  if (!complete) return std::nullopt;
  if (analysis.segments.relays)
    files.push_back({fmt::format("kernels/aiv_sim/kernel_{}.cpp", kRelayKernel),
                     emitRelayKernel(source.file)});
  files.push_back({"manifest.json",
                   emitManifest(program, analysis, source.name, source.file, source.hash)});
  return files;
}

std::string emitRelayKernel(std::string_view source_name) {
  return fmt::format(
      "{}// The kernel of relay tasks, which only wait for one task so that others can wait for them. It\n"
      "// has no arguments and nothing to do.\n"
      "#include <stdint.h>\n\n"
      "extern \"C\" __attribute__((visibility(\"default\"))) void kernel_{}(int64_t*) {{}}\n",
      generatedBy("//", source_name), kRelayKernel);
}

std::string emitKernelList(const Program& program) {
  std::string list;
  for (const Kernel& kernel : program.kernels)
    list += fmt::format("aiv:{}\n", kernel.name);
  return list;
}

}  // namespace ptowsp
