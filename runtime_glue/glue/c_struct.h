// SPDX-License-Identifier: MIT
// Structs of the C interface begin with `size`, as the caller's header has it, which may be of another
// version than the library: shorter or longer. One that was never set is an error, not a default.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "runtime_glue/glue/status.h"
#include "runtime_glue/glue/text.h"

namespace ptowsp::glue {

// Longer than any version will be: what a variable holds that nobody wrote.
inline constexpr uint32_t kMostStructBytes = 4096;

// `name`: "ptowsp_device_options". null is right where the struct is optional.
template <typename T>
Status checkStruct(const char* name, const T* given) {
  if (!given || (given->size >= sizeof given->size && given->size <= kMostStructBytes)) return {};
  return Status::badArtifact(name, format("found %u as its size, expected sizeof(%s), %zu", given->size,
                                          name, sizeof(T)),
                             "set the member size before the call");
}

// The caller's struct, or all 0 without one. What only a newer version has must not be asked for.
template <typename T>
Status takeStruct(const char* name, const T* given, T* taken) {
  *taken = {};
  if (Status status = checkStruct(name, given); !status.ok() || !given) return status;
  std::memcpy(static_cast<void*>(taken), given, std::min<size_t>(given->size, sizeof(T)));
  const auto* const bytes = reinterpret_cast<const unsigned char*>(given);
  const size_t size = std::max<size_t>(given->size, sizeof(T));
  if (std::all_of(bytes + sizeof(T), bytes + size, [](unsigned char byte) { return byte == 0; }))
    return {};
  return Status::badArtifact(name, format("found options behind the %zu bytes that this library, "
                                          "version %s, knows",
                                          sizeof(T), PTOWSP_VERSION),
                             "leave them out, or use the library that belongs to the header");
}

// As much of `value` as the caller's struct, which checkStruct() found right, has room for.
template <typename T>
void giveStruct(T value, T* out) {
  value.size = static_cast<uint32_t>(std::min<size_t>(out->size, sizeof(T)));
  std::memcpy(static_cast<void*>(out), &value, value.size);
}

}  // namespace ptowsp::glue
