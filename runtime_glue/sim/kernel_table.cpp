// SPDX-License-Identifier: MIT
#include "runtime_glue/sim/kernel_table.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace ptowsp::sim {

Error KernelTable::grow(int func_id) {
  if (func_id < 0 || func_id > kMaxFuncId) {
    return {PTOWSP_SIM_ERROR_ARGUMENT,
            formatText("func_id %d: expected 0 to %d", func_id, kMaxFuncId)};
  }
  if (static_cast<size_t>(func_id) >= functions_.size()) {
    // In this order: when there is no memory for the second, the next call finds it short.
    entries_.resize(static_cast<size_t>(func_id) + 1);
    functions_.resize(entries_.size(), nullptr);
  }
  return {};
}

Error KernelTable::add(int func_id, const uint8_t* image, size_t size) {
  if (image == nullptr || size == 0) {
    return {
        PTOWSP_SIM_ERROR_ARGUMENT,
        formatText("register_kernel(%d): the image is empty; pass the address of a function as 8 "
                   "bytes, or machine code",
                   func_id)};
  }
  if (Error error = grow(func_id)) return error;

  KernelFunction function = nullptr;
  void* code = nullptr;
  size_t code_bytes = 0;
  if (size == sizeof function) {
    std::memcpy(&function, image, size);
    if (function == nullptr) {
      return {PTOWSP_SIM_ERROR_ARGUMENT,
              formatText("register_kernel(%d): the function's address is null", func_id)};
    }
  } else {
    const size_t page = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
    code_bytes = (size + page - 1) / page * page;
    code = ::mmap(nullptr, code_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (code == MAP_FAILED) {
      return {PTOWSP_SIM_ERROR_OUT_OF_MEMORY,
              formatText("register_kernel(%d): no memory for %zu bytes of code", func_id, size)};
    }
    std::memcpy(code, image, size);
    // Never writable and executable at once: hardened systems refuse that.
    if (::mprotect(code, code_bytes, PROT_READ | PROT_EXEC) != 0) {
      const int reason = errno;
      ::munmap(code, code_bytes);
      return {PTOWSP_SIM_ERROR_SYSTEM,
              formatText("register_kernel(%d): the system refuses executable memory: %s", func_id,
                         std::strerror(reason))};
    }
    __builtin___clear_cache(static_cast<char*>(code), static_cast<char*>(code) + size);
    std::memcpy(&function, &code, sizeof function);
  }

  Entry& entry = entries_[static_cast<size_t>(func_id)];
  if (entry.code != nullptr) ::munmap(entry.code, entry.code_bytes);
  entry.code = code;
  entry.code_bytes = code_bytes;
  functions_[static_cast<size_t>(func_id)] = function;
  return {};
}

Error KernelTable::describe(int func_id, const char* name, int core_type) {
  if (core_type < -1 || core_type > 1) {
    return {
        PTOWSP_SIM_ERROR_ARGUMENT,
        formatText("ptowsp_sim_describe_kernel(%d): core type %d; expected 0 (AIC), 1 (AIV) or -1 "
                   "(any)",
                   func_id, core_type)};
  }
  if (Error error = grow(func_id)) return error;
  entries_[static_cast<size_t>(func_id)].name = name != nullptr ? name : "";
  entries_[static_cast<size_t>(func_id)].core_type = core_type;
  return {};
}

void KernelTable::clear() {
  for (Entry& entry : entries_) {
    if (entry.code != nullptr) ::munmap(entry.code, entry.code_bytes);
  }
  entries_.clear();
  functions_.clear();
}

int KernelTable::coreType(int func_id) const {
  return static_cast<size_t>(func_id) < entries_.size() ? entries_[func_id].core_type : -1;
}

std::string KernelTable::label(int func_id) const {
  if (static_cast<size_t>(func_id) < entries_.size() && !entries_[func_id].name.empty()) {
    return formatText("kernel %s (func_id %d)", entries_[func_id].name.c_str(), func_id);
  }
  return formatText("kernel with func_id %d", func_id);
}

}  // namespace ptowsp::sim
