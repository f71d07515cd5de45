// SPDX-License-Identifier: MIT
#include "runtime_glue/sim/orchestration.h"

#include <dlfcn.h>
#include <elf.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "runtime_glue/sim/include/runtime.h"

namespace ptowsp::sim {

namespace {

#if defined(__x86_64__)
constexpr int kMachine = EM_X86_64;
#elif defined(__aarch64__)
constexpr int kMachine = EM_AARCH64;
#else
#error "the built-in runtime knows x86-64 and aarch64"
#endif

// What is wrong with the file as a whole, or an empty text. dlopen maps a truncated library without
// complaint and the process then dies of SIGBUS, so the ranges are checked first.
std::string findElfFault(const uint8_t* bytes, size_t size) {
  Elf64_Ehdr header;
  if (size < sizeof header) return "it is too short for a shared library";
  std::memcpy(&header, bytes, sizeof header);
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) return "it is not an ELF file";
  if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_machine != kMachine) {
    return "it is built for another machine";
  }
  if (header.e_type != ET_DYN) return "it is not a shared library (link it with -shared)";
  const auto inside = [size](uint64_t offset, uint64_t length) {
    return offset <= size && length <= size - offset;
  };
  if (header.e_phentsize != sizeof(Elf64_Phdr) ||
      !inside(header.e_phoff, uint64_t{header.e_phnum} * sizeof(Elf64_Phdr)) ||
      !inside(header.e_shoff, uint64_t{header.e_shnum} * header.e_shentsize)) {
    return "it is truncated";
  }
  for (int i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr segment;
    std::memcpy(&segment, bytes + header.e_phoff + sizeof segment * static_cast<size_t>(i),
                sizeof segment);
    if (!inside(segment.p_offset, segment.p_filesz)) return "it is truncated";
  }
  return {};
}

Error versionError(const std::string& found) {
  return {PTOWSP_SIM_ERROR_VERSION,
          formatText("the orchestration was compiled with %s, this library is version %u; compile "
                     "it with the runtime.h that belongs to libptowsp_sim.so",
                     found.c_str(), PTOWSP_RUNTIME_API_VERSION)};
}

}  // namespace

Error Orchestration::load(const uint8_t* bytes, size_t size, const char* function_name) {
  close();
  const std::string fault = findElfFault(bytes, size);
  if (!fault.empty()) {
    return {
        PTOWSP_SIM_ERROR_LOAD,
        formatText("the orchestration library of %zu bytes cannot be loaded: %s; build it again",
                   size, fault.c_str())};
  }
  file_ = ::memfd_create("ptowsp-orchestration", MFD_CLOEXEC);
  if (file_ < 0) {
    return {PTOWSP_SIM_ERROR_SYSTEM,
            formatText("no memory file for the orchestration: %s", std::strerror(errno))};
  }
  for (size_t written = 0; written < size;) {
    const ssize_t part = ::write(file_, bytes + written, size - written);
    if (part < 0 && errno == EINTR) continue;
    if (part <= 0) {
      const int reason = errno;
      close();
      return {PTOWSP_SIM_ERROR_SYSTEM,
              formatText("writing the orchestration to a memory file: %s", std::strerror(reason))};
    }
    written += static_cast<size_t>(part);
  }
  // dlopen knows libraries by name, so the name must be new: it is, as the file stays open for as
  // long as the library is loaded. With the process id in it a debugger can open it too.
  path_ = formatText("/proc/%d/fd/%d", static_cast<int>(::getpid()), file_);
  handle_ = ::dlopen(path_.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle_ == nullptr) {
    const char* text = ::dlerror();
    const std::string reason = text != nullptr ? text : "unknown reason";
    close();
    // Members of Runtime that are not inline come from the runtime.h of pto-runtime itself.
    if (reason.find("undefined symbol: _ZN7Runtime") != std::string::npos ||
        reason.find("undefined symbol: _ZNK7Runtime") != std::string::npos) {
      return versionError("a runtime.h of another runtime");
    }
    return {PTOWSP_SIM_ERROR_LOAD,
            formatText("the orchestration library cannot be loaded: %s", reason.c_str())};
  }
  const auto* version =
      static_cast<const uint32_t*>(::dlsym(handle_, "ptowsp_runtime_api_version"));
  if (version == nullptr || *version != PTOWSP_RUNTIME_API_VERSION) {
    Error error = versionError(version == nullptr
                                   ? std::string("a runtime.h of another runtime")
                                   : formatText("version %u of the built-in runtime.h", *version));
    close();
    return error;
  }
  void* symbol = ::dlsym(handle_, function_name);
  if (symbol == nullptr) {
    close();
    return {PTOWSP_SIM_ERROR_SYMBOL,
            formatText("the orchestration library has no function %s; define it as extern \"C\" "
                       "int %s(Runtime*, uint64_t*, int)",
                       function_name, function_name)};
  }
  std::memcpy(&function_, &symbol, sizeof function_);
  return {};
}

void Orchestration::close() {
  function_ = nullptr;
  bool keep_file = false;
  if (handle_ != nullptr) {
    ::dlclose(handle_);
    handle_ = nullptr;
    // Some libraries refuse to be unloaded (unique symbols). Their name stays taken: then the file
    // stays open for good, so that its number is never given to another library.
    if (void* still_there = ::dlopen(path_.c_str(), RTLD_NOW | RTLD_NOLOAD)) {
      ::dlclose(still_there);
      keep_file = true;
    }
  }
  if (file_ >= 0 && !keep_file) ::close(file_);
  file_ = -1;
}

}  // namespace ptowsp::sim
