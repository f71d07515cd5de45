// SPDX-License-Identifier: MIT
#include "runtime_glue/glue/shared_arrays.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "runtime_glue/glue/text.h"

namespace ptowsp::glue {

Status SharedArrays::open(const std::vector<uint64_t>& sizes) {
  if (memory_ && sizes == sizes_) return {};
  close();
  const uint64_t page = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  uint64_t size = 0;
  for (const uint64_t bytes : sizes) {
    offsets_.push_back(size);
    size += (bytes / page + 1) * page;
  }
  size_ = size;
  file_ = memfd_create("ptowsp-arrays", MFD_CLOEXEC);
  void* memory = MAP_FAILED;
  // fallocate: where there is not so much memory, it is an error here, and no crash later.
  int error = file_ < 0 ? errno : 0;
  if (error == 0 && size != 0) error = posix_fallocate(file_, 0, static_cast<off_t>(size));
  if (error == 0) {
    memory = mmap(nullptr, size ? size : page, PROT_READ | PROT_WRITE, MAP_SHARED, file_, 0);
    if (memory == MAP_FAILED) error = errno;
  }
  if (error != 0) {
    const std::string reason = std::strerror(error);
    close();
    return Status::runFailure(
        "shared memory",
        format("found no room for %llu bytes: ", static_cast<unsigned long long>(size)) + reason);
  }
  memory_ = static_cast<char*>(memory);
  sizes_ = sizes;
  return {};
}

void SharedArrays::close() {
  if (memory_) munmap(memory_, size_ ? size_ : static_cast<uint64_t>(sysconf(_SC_PAGESIZE)));
  if (file_ >= 0) ::close(file_);
  memory_ = nullptr;
  file_ = -1;
  sizes_.clear();
  offsets_.clear();
}

}  // namespace ptowsp::glue
