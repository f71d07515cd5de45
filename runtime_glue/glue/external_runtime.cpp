// SPDX-License-Identifier: MIT
#include "runtime_glue/glue/external_runtime.h"

#include <unistd.h>

#include <cstdlib>

#include "runtime_glue/glue/artifact.h"
#include "runtime_glue/glue/manifest_reader.h"
#include "runtime_glue/glue/text.h"

namespace ptowsp::glue {

Status readExternalRuntime(const std::string& folder, ExternalRuntime* runtime) {
  const std::string file = folder + "/runtime.json";
  std::string fix = "build the target ptowsp.pto_runtime again";
  if (access(file.c_str(), R_OK) != 0)
    return Status::badArtifact(folder,
                               "found no runtime.json there, expected the folder of libraries that "
                               "build_runtime.py makes",
                               fix);
  std::string text;
  if (Status status = readFile(file, &text); !status.ok()) return status;
  if (Status status = parseRuntime(text, file, runtime); !status.ok()) return status;
  fix = format("build the target %s again", runtime->target());
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

std::string missingDevice(const ExternalRuntime& runtime, int id) {
  if (!runtime.isDevice()) return {};
  const char* given = std::getenv("PTOWSP_DEVICE_FILE");
  std::string file = given && *given ? given : runtime.device_file;
  if (const size_t at = file.find("{id}"); at != std::string::npos)
    file.replace(at, 4, std::to_string(id));
  return access(file.c_str(), F_OK) == 0
             ? ""
             : format("there is no device %d: found no %s, the file that stands for it", id,
                      file.c_str());
}

}  // namespace ptowsp::glue
