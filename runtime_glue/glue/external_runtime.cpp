// SPDX-License-Identifier: MIT
#include "runtime_glue/glue/external_runtime.h"

#include <unistd.h>

#include "runtime_glue/glue/artifact.h"
#include "runtime_glue/glue/manifest_reader.h"

namespace ptowsp::glue {

Status readExternalRuntime(const std::string& folder, ExternalRuntime* runtime) {
  const std::string file = folder + "/runtime.json";
  const std::string fix = "build the target ptowsp.pto_runtime again";
  if (access(file.c_str(), R_OK) != 0)
    return Status::badArtifact(folder,
                               "found no runtime.json there, expected the folder of libraries that "
                               "build_runtime.py makes",
                               fix);
  std::string text;
  if (Status status = readFile(file, &text); !status.ok()) return status;
  if (Status status = parseRuntime(text, file, runtime); !status.ok()) return status;
  for (std::string* library : {&runtime->host, &runtime->aicpu, &runtime->aicore})
    *library = folder + "/" + *library;
  for (const std::string* needed : {&runtime->host, &runtime->aicpu, &runtime->aicore,
                                    &runtime->python, &runtime->launcher, &runtime->bindings}) {
    if (access(needed->c_str(), R_OK) != 0)
      return Status::badArtifact(*needed,
                                 "found no such file, expected it as " + file + " names it", fix);
  }
  return {};
}

}  // namespace ptowsp::glue
