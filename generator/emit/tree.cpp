#include "generator/emit/tree.h"

#include <fmt/format.h>

#include <algorithm>

#include "generator/emit/kernel_config.h"
#include "generator/emit/manifest.h"
#include "generator/emit/names.h"
#include "generator/emit/orchestration.h"
#include "generator/emit/sim_kernel.h"
#include "generator/emit/support.h"

namespace ptowsp {

std::optional<std::vector<EmittedFile>> emitTree(const Program& program, const Analysis& analysis,
                                                 const Source& source, Diagnostics& diagnostics) {
  std::vector<EmittedFile> files = {
      {std::string(kOrchestrationSource), emitOrchestration(program, analysis, source.file)},
      {"kernels/orchestration/ptowsp/orchestration.h", std::string(support::orchestrationHeader())},
      {"kernels/orchestration/ptowsp/task_graph.h", std::string(support::taskGraphHeader())},
      {"kernels/orchestration/ptowsp/argument_blocks.h",
       std::string(support::argumentBlocksHeader())},
      {"kernels/orchestration/ptowsp/limits.h", std::string(support::limitsHeader())},
      {"kernels/kernel_config.py", emitKernelConfig(program, source.file)},
      {"kernels/aiv_sim/ptowsp_tile.h", std::string(simTileHeader())}};
  bool complete = true;
  for (const Kernel& kernel : program.kernels) {
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
  files.push_back({"manifest.json",
                   emitManifest(program, analysis, source.name, source.file, source.hash)});
  return files;
}

std::string emitKernelList(const Program& program) {
  std::string list;
  for (const Kernel& kernel : program.kernels)
    list += fmt::format("{}:{}\n", coreTypeName(kernel.core), kernel.name);
  return list;
}

}  // namespace ptowsp
