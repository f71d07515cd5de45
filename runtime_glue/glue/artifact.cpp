// SPDX-License-Identifier: MIT
#include "runtime_glue/glue/artifact.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "ptowsp/hash.h"
#include "ptowsp/limits.h"
#include "runtime_glue/glue/arch.h"
#include "runtime_glue/glue/external_runtime.h"
#include "runtime_glue/glue/manifest_reader.h"
#include "runtime_glue/glue/text.h"

namespace ptowsp::glue {
namespace {

bool isFolder(const std::string& path) {
  struct stat info;
  return stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

bool isFile(const std::string& path) {
  struct stat info;
  return stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode);
}

std::string folderOf(const std::string& file) {
  const size_t slash = file.find_last_of('/');
  return slash == std::string::npos ? "." : slash == 0 ? "/" : file.substr(0, slash);
}

std::string joined(const std::string& folder, const std::string& file) {
  if (!file.empty() && file[0] == '/') return file;
  return folder == "." ? file : folder + "/" + file;
}

std::string listed(const std::vector<std::string>& words) {
  std::string text;
  for (size_t i = 0; i < words.size(); ++i) text += (i ? ", " : "") + words[i];
  return words.empty() ? "none" : text;
}

Status findReadyFile(const std::string& path, const std::string& platform, std::string* file) {
  const bool device = platform == kDevicePlatform;
  const std::string name = device ? "ready.a2a3" : "ready";
  *file = isFolder(path) ? joined(path.back() == '/' ? path.substr(0, path.size() - 1) : path, name)
                         : path;
  if (isFile(*file)) return {};
  if (isFolder(path))
    return Status::badArtifact(
        path,
        device ? "found no `ready.a2a3` file, which a build for a2a3 writes when it has finished"
               : "found no `ready` file, which a build writes when it has finished",
        "build the workload's target and mend what that reports");
  return Status::badArtifact(path,
                             "found no such artifact, expected a folder made by "
                             "ptowsp_add_workload(), or the `ready` file in it",
                             "build the workload's target");
}

Status checkSource(const Manifest& manifest, const std::string& source) {
  std::string bytes;
  if (Status status = readFile(source, &bytes); !status.ok()) return status;
  const std::string hash = hex16(fnv1a64(bytes));
  if (hash == manifest.source_hash) return {};
  return Status::badArtifact(source,
                             "found hash " + hash + ", expected " + manifest.source_hash +
                                 ", that of the workload file that the artifact was built from",
                             "build the target " + manifest.name + " again");
}

Status chooseLevel(const Ready& ready, const std::string& file, std::string* level) {
  *level = bestLevel(supportedLevels(), ready.kernel_arch);
  if (!level->empty()) return {};
  const std::string fits = supportedLevels().empty() ? "" : supportedLevels().front();
  const auto isOfThisProcessor = [&](const std::string& built) {
    return !fits.empty() && built.compare(0, 6, fits, 0, 6) == 0;  // x86-64..., or aarch64
  };
  const bool other =
      std::none_of(ready.kernel_arch.begin(), ready.kernel_arch.end(), isOfThisProcessor);
  return Status::badArtifact(
      file,
      "found kernels for " + listed(ready.kernel_arch) +
          ", expected a level that this CPU runs: " + listed(supportedLevels()),
      other ? "run it on such a processor, or build the project for this one"
            : "configure with -DPTOWSP_KERNEL_ARCH=" + fits + " and build again");
}

Status findKernels(const std::string& folder, Artifact* artifact) {
  const Ready& ready = artifact->ready;
  const std::string again = "build the target " + artifact->manifest.name + " again";
  for (const KernelInfo& kernel : artifact->manifest.kernels) {
    const auto levels = ready.kernels.find(kernel.userName());
    if (levels == ready.kernels.end())
      return Status::badArtifact(artifact->ready_file,
                                 "found no library for kernel " + kernel.name + ", expected one",
                                 again);
    const auto file = levels->second.find(artifact->level);
    if (file == levels->second.end())
      return Status::badArtifact(artifact->ready_file,
                                 "found no library of level " + artifact->level + " for kernel " +
                                     kernel.name + ", expected one for each level of kernel_arch",
                                 again);
    artifact->kernels.push_back(joined(folder, file->second));
    if (!isFile(artifact->kernels.back()))
      return Status::badArtifact(
          artifact->kernels.back(),
          "found no such file, expected the library of kernel " + kernel.name, again);
  }
  return {};
}

// On the device there is code for each kernel that runs, stages of the user's and the relay included.
Status findDeviceKernels(const std::string& folder, Artifact* artifact) {
  std::vector<std::string> names;
  for (const KernelInfo& kernel : artifact->manifest.kernels) names.push_back(kernel.name);
  if (artifact->manifest.relay >= 0) names.push_back("ptowsp_relay");
  const std::string again = "build the target " + artifact->manifest.name + " again";
  for (const std::string& name : names) {
    const auto cores = artifact->ready.kernels.find(name);
    if (cores == artifact->ready.kernels.end() || cores->second.size() != 1)
      return Status::badArtifact(artifact->ready_file,
                                 "found no code for kernel " + name + ", expected one", again);
    artifact->level = cores->second.begin()->first;
    artifact->kernels.push_back(joined(folder, cores->second.begin()->second));
    if (!isFile(artifact->kernels.back()))
      return Status::badArtifact(artifact->kernels.back(),
                                 "found no such file, expected the code of kernel " + name, again);
  }
  return {};
}

std::string tooManyTensors() {
  return format(
      "of which every launch brings back more than %lld tensors, its ledger included: the limit of "
      "runtime %s",
      static_cast<long long>(limits::kPinned.pairs), kContract);
}

constexpr const char* kFewerTensors =
    "join outputs into tensors with one more dimension, or run it on the built-in runtime";

}  // namespace

Status readFile(const std::string& path, std::string* bytes) {
  bytes->clear();
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat info;
  bool good = fd >= 0 && fstat(fd, &info) == 0;
  if (good && !S_ISREG(info.st_mode)) {
    close(fd);
    return Status::badArtifact(path, "found something that is not a file");
  }
  if (good) bytes->resize(static_cast<size_t>(info.st_size));
  size_t at = 0;
  while (good && at < bytes->size()) {
    const ssize_t got = read(fd, bytes->data() + at, bytes->size() - at);
    if (got < 0 && errno == EINTR) continue;
    good = got >= 0;
    if (got <= 0) break;
    at += static_cast<size_t>(got);
  }
  bytes->resize(at);
  const std::string reason = good ? "" : std::strerror(errno);
  if (fd >= 0) close(fd);
  return good ? Status() : Status::badArtifact(path, "cannot read it: " + reason);
}

Status loadArtifact(const std::string& path, const ArtifactRequest& request, Artifact* artifact) {
  *artifact = {};
  if (Status status = findReadyFile(path, request.platform, &artifact->ready_file); !status.ok()) return status;
  std::string text;
  if (Status status = readFile(artifact->ready_file, &text); !status.ok()) return status;
  if (Status status = parseReady(text, artifact->ready_file, &artifact->ready); !status.ok())
    return status;
  const Ready& ready = artifact->ready;
  const std::string folder = folderOf(artifact->ready_file);

  const std::string& manifest_file = artifact->manifest_file = joined(folder, ready.manifest);
  const std::string build = "build the workload's target again";
  if (!isFile(manifest_file))
    return Status::badArtifact(
        manifest_file,
        "found no such file, expected the manifest that " + artifact->ready_file + " names", build);
  if (Status status = readFile(manifest_file, &text); !status.ok()) return status;
  if (Status status = parseManifest(text, manifest_file, &artifact->manifest); !status.ok())
    return status;
  if (const std::string hash = hex16(fnv1a64(text)); hash != ready.manifest_hash)
    return Status::badArtifact(manifest_file,
                               "found hash " + hash + ", expected " + ready.manifest_hash +
                                   ", that of the manifest when the build finished",
                               build);
  const std::string again = "build the target " + artifact->manifest.name + " again";
  if (!request.source.empty()) {
    if (Status status = checkSource(artifact->manifest, request.source); !status.ok())
      return status;
  }
  if (ready.platform != request.platform)
    return Status::badArtifact(
        artifact->ready_file,
        "found an artifact for platform " + ready.platform + ", expected " + request.platform,
        "add " + request.platform + " to the workload's PLATFORMS");

  const auto orchestration = ready.orchestrations.find(request.runtime);
  if (orchestration == ready.orchestrations.end())
    return Status::badArtifact(
        artifact->ready_file,
        "found no orchestration for runtime " + request.runtime + ", expected one",
        request.runtime == kLimitedBuiltin
            ? "configure with -DPTOWSP_TEST_PINNED_LIMITS=ON and " + again
            : again);
  artifact->limited = request.runtime != "builtin";
  if (artifact->limited && artifact->manifest.graph.segments == 0)
    return Status::badArtifact(manifest_file, "found a graph " + tooManyTensors(), kFewerTensors);
  artifact->orchestration = joined(folder, orchestration->second);
  if (!isFile(artifact->orchestration))
    return Status::badArtifact(artifact->orchestration,
                               "found no such file, expected the orchestration library", again);
  artifact->inputs = joined(folder, ready.inputs);
  artifact->expected = joined(folder, ready.expected);
  if (request.platform == kDevicePlatform) return findDeviceKernels(folder, artifact);
  if (Status status = chooseLevel(ready, artifact->ready_file, &artifact->level); !status.ok())
    return status;
  return findKernels(folder, artifact);
}

}  // namespace ptowsp::glue
