// SPDX-License-Identifier: MIT
#include "generator/emit/kernel_config.h"

#include <fmt/format.h>

#include "generator/emit/names.h"

namespace ptowsp {

namespace {

std::string entry(size_t func_id, std::string_view core, std::string_view name, bool for_device) {
  return fmt::format(
      "    {{\n"
      "        \"func_id\": {0},\n"
      "        \"source\": str(_FOLDER / {3} / \"kernel_{2}.cpp\"),\n"
      "        \"core_type\": \"{1}\",\n"
      "    }},\n",
      func_id, core, name,
      for_device ? fmt::format("(\"{}\" + _SUFFIX)", core) : fmt::format("\"{}_sim\"", core));
}

constexpr std::string_view kSimOnly = R"(if _PLATFORM != "a2a3sim":
    raise RuntimeError(
        f"PTO_RUNTIME_PLATFORM is {_PLATFORM!r}, but this tree was emitted for a2a3sim only: "
        "set PTO_RUNTIME_PLATFORM=a2a3sim"
    )
)";

constexpr std::string_view kBothPlatforms = R"(if _PLATFORM not in ("a2a3sim", "a2a3"):
    raise RuntimeError(
        f"PTO_RUNTIME_PLATFORM is {_PLATFORM!r}, but this tree was emitted for a2a3sim and a2a3: "
        "set it to one of them"
    )
_SUFFIX = "_sim" if _PLATFORM == "a2a3sim" else ""
)";

}  // namespace

std::string emitKernelConfig(const Program& program, const Analysis& analysis,
                             std::string_view source_name, bool for_device) {
  std::string kernels;
  for (size_t i = 0; i < program.kernels.size(); ++i)
    kernels += entry(i, coreTypeName(program.kernels[i].core), program.kernels[i].name,
                     for_device);
  if (analysis.segments.relays) kernels += entry(program.kernels.size(), "aiv", kRelayKernel, for_device);
  return generatedBy("#", source_name) +
         fmt::format(
             "\"\"\"Sources of this workload, in the form that pto-runtime's tools read.\n\n"
             "PTO_RUNTIME_PLATFORM names the platform; this tree was emitted for {1}.\n"
             "\"\"\"\n\n"
             "import os\n"
             "from pathlib import Path\n\n"
             "_FOLDER = Path(__file__).resolve().parent\n"
             "_PLATFORM = os.environ.get(\"PTO_RUNTIME_PLATFORM\", \"a2a3sim\")\n"
             "{2}\n"
             "ORCHESTRATION = {{\n"
             "    \"source\": str(_FOLDER / \"orchestration\" / \"pto_wsp_orch.cpp\"),\n"
             "    \"function_name\": \"{0}\",\n"
             "}}\n\n"
             "KERNELS = [\n{3}]\n",
             kOrchestrationFunction, for_device ? "a2a3sim and a2a3" : "a2a3sim only",
             for_device ? kBothPlatforms : kSimOnly, kernels);
}

}  // namespace ptowsp
