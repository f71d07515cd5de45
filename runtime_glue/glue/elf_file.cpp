// SPDX-License-Identifier: MIT
#include "runtime_glue/glue/elf_file.h"

#include <elf.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>

#include "runtime_glue/glue/text.h"

namespace ptowsp::glue {

std::string elfFault(const std::string& file) {
  const int fd = open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return "the file cannot be read";
  struct stat info = {};
  Elf64_Ehdr header = {};
  fstat(fd, &info);
  const uint64_t size = static_cast<uint64_t>(info.st_size);
  const bool whole_header = pread(fd, &header, sizeof header, 0) == sizeof header;
  std::string fault;
  if (!whole_header || !std::equal(ELFMAG, ELFMAG + SELFMAG, header.e_ident)) {
    fault = format("found %llu bytes that are no shared library",
                   static_cast<unsigned long long>(size));
  } else {
    uint64_t end = header.e_shoff + uint64_t{header.e_shnum} * header.e_shentsize;
    for (int i = 0; i < header.e_phnum; ++i) {
      Elf64_Phdr segment = {};
      const uint64_t at = header.e_phoff + uint64_t(i) * sizeof segment;
      end = std::max(end, at + sizeof segment);
      if (pread(fd, &segment, sizeof segment, static_cast<off_t>(at)) == sizeof segment)
        end = std::max(end, segment.p_offset + segment.p_filesz);
    }
    if (end > size)
      fault = format("truncated: found %llu bytes, expected at least %llu",
                     static_cast<unsigned long long>(size), static_cast<unsigned long long>(end));
  }
  close(fd);
  return fault;
}

}  // namespace ptowsp::glue
