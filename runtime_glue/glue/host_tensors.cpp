// SPDX-License-Identifier: MIT
#include "runtime_glue/glue/host_tensors.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "runtime_glue/glue/text.h"

namespace ptowsp::glue {
namespace {

constexpr size_t kAlignment = 64;

// mkdir -p.
bool makeFolder(const std::string& path) {
  for (size_t at = path.find('/', 1); at != std::string::npos; at = path.find('/', at + 1))
    mkdir(path.substr(0, at).c_str(), 0777);
  return mkdir(path.c_str(), 0777) == 0 || errno == EEXIST;
}

}  // namespace

npy::Type npyType(ElementType type) {
  switch (type) {
    case ElementType::f32:
      return npy::Type::f32;
    case ElementType::f16:
      return npy::Type::f16;
    case ElementType::bf16:
      return npy::Type::bf16;
    case ElementType::i32:
      break;
  }
  return npy::Type::i32;
}

std::string tensorFile(const std::string& folder, const TensorInfo& tensor) {
  return folder + "/" + tensor.name + ".npy";
}

Status openTensorFile(const std::string& folder, const TensorInfo& tensor, const char* what,
                      npy::File* file) {
  const std::string path = tensorFile(folder, tensor);
  npy::Status status = file->open(path, npyType(tensor.dtype), tensor.shape);
  if (status.ok()) return {};
  // npy's messages begin with the file, which is the place here.
  if (status.message.compare(0, path.size() + 2, path + ": ") == 0)
    status.message.erase(0, path.size() + 2);
  return Status::badArtifact(path, std::string(what) + " " + tensor.name + ": " + status.message,
                             status.fix.empty() ? "build the workload's target again" : status.fix);
}

Status HostTensors::map(Entry& entry) {
  if (Status status =
          openTensorFile(inputs_, *entry.info,
                         entry.info->role == TensorRole::input ? "input" : "inout", &entry.file);
      !status.ok())
    return status;
  entry.data = entry.file.data();
  entry.fresh = true;
  if (entry.info->role == TensorRole::input) {
    const uintptr_t page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
    const uintptr_t begin = reinterpret_cast<uintptr_t>(entry.data);
    void* first = reinterpret_cast<void*>(begin / page * page);
    if (mprotect(first, begin % page + entry.info->bytes, PROT_READ) != 0)
      return Status::runFailure(
          tensorFile(inputs_, *entry.info),
          std::string("cannot protect it from writes: ") + std::strerror(errno));
  }
  return {};
}

Status HostTensors::open(const Manifest& manifest, const std::string& inputs) {
  entries_.clear();
  pointers_.clear();
  inputs_ = inputs;
  for (const TensorInfo& tensor : manifest.tensors) {
    if (tensor.role == TensorRole::temporary) continue;
    Entry entry;
    entry.info = &tensor;
    if (tensor.isGiven()) {
      if (Status status = map(entry); !status.ok()) return status;
    } else {
      const size_t bytes = (tensor.bytes + kAlignment - 1) / kAlignment * kAlignment;
      entry.memory = {bytes < tensor.bytes ? nullptr : std::aligned_alloc(kAlignment, bytes),
                      std::free};
      entry.data = entry.memory.get();
      if (!entry.data)
        return Status::runFailure(tensor.name,
                                  format("found no memory for %llu bytes",
                                         static_cast<unsigned long long>(tensor.bytes)));
    }
    pointers_.push_back(entry.data);
    entries_.push_back(std::move(entry));
  }
  return {};
}

Status HostTensors::prepare() {
  for (size_t i = 0; i < entries_.size(); ++i) {
    Entry& entry = entries_[i];
    if (entry.info->role == TensorRole::inout) {
      if (!entry.fresh) {
        if (Status status = map(entry); !status.ok()) return status;
        pointers_[i] = entry.data;
      }
      entry.fresh = false;
    } else if (entry.info->role == TensorRole::output) {
      uint32_t* words = static_cast<uint32_t*>(entry.data);
      std::fill_n(words, (entry.info->bytes + 3) / 4, kHostPoison);
    }
  }
  return {};
}

const TensorInfo* HostTensors::inputAt(const void* address) const {
  for (const Entry& entry : entries_) {
    const char* begin = static_cast<const char*>(entry.data);
    if (entry.info->role == TensorRole::input && address >= begin &&
        address < begin + entry.info->bytes)
      return entry.info;
  }
  return nullptr;
}

Status HostTensors::write(const std::string& folder) const {
  if (!makeFolder(folder))
    return Status::badArtifact(folder,
                               std::string("cannot make this folder: ") + std::strerror(errno),
                               "give a folder that can be written to --outputs");
  for (const Entry& entry : entries_) {
    if (!entry.info->isResult()) continue;
    const npy::Status status = npy::write(
        tensorFile(folder, *entry.info), npyType(entry.info->dtype), entry.info->shape, entry.data);
    if (!status.ok())
      return Status::badArtifact(folder, status.message,
                                 "give a folder that can be written to --outputs");
  }
  return {};
}

}  // namespace ptowsp::glue
