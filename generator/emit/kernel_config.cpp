#include "generator/emit/kernel_config.h"

#include <fmt/format.h>

#include "generator/emit/names.h"

namespace ptowsp {

namespace {

std::string entry(size_t func_id, std::string_view core, std::string_view name) {
  return fmt::format(
      "    {{\n"
      "        \"func_id\": {0},\n"
      "        \"source\": str(_FOLDER / \"{1}_sim\" / \"kernel_{2}.cpp\"),\n"
      "        \"core_type\": \"{1}\",\n"
      "    }},\n",
      func_id, core, name);
}

}  // namespace

std::string emitKernelConfig(const Program& program, const Analysis& analysis,
                             std::string_view source_name) {
  std::string kernels;
  for (size_t i = 0; i < program.kernels.size(); ++i)
    kernels += entry(i, coreTypeName(program.kernels[i].core), program.kernels[i].name);
  if (analysis.segments.relays) kernels += entry(program.kernels.size(), "aiv", kRelayKernel);
  return generatedBy("#", source_name) +
         fmt::format(
             "\"\"\"Sources of this workload, in the form that pto-runtime's tools read.\n\n"
             "PTO_RUNTIME_PLATFORM names the platform; this tree was emitted for a2a3sim only.\n"
             "\"\"\"\n\n"
             "import os\n"
             "from pathlib import Path\n\n"
             "_FOLDER = Path(__file__).resolve().parent\n"
             "_PLATFORM = os.environ.get(\"PTO_RUNTIME_PLATFORM\", \"a2a3sim\")\n"
             "if _PLATFORM != \"a2a3sim\":\n"
             "    raise RuntimeError(\n"
             "        f\"PTO_RUNTIME_PLATFORM is {{_PLATFORM!r}}, but this tree was emitted for "
             "a2a3sim "
             "only: \"\n"
             "        \"set PTO_RUNTIME_PLATFORM=a2a3sim\"\n"
             "    )\n\n"
             "ORCHESTRATION = {{\n"
             "    \"source\": str(_FOLDER / \"orchestration\" / \"pto_wsp_orch.cpp\"),\n"
             "    \"function_name\": \"{}\",\n"
             "}}\n\n"
             "KERNELS = [\n{}]\n",
             kOrchestrationFunction, kernels);
}

}  // namespace ptowsp
