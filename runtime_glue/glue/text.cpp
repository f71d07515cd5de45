// SPDX-License-Identifier: MIT
#include "runtime_glue/glue/text.h"

#include <cstdarg>
#include <cstdio>

namespace ptowsp::glue {

std::string format(const char* pattern, ...) {
  char buffer[512];
  va_list args, again;
  va_start(args, pattern);
  va_copy(again, args);
  const int size = std::vsnprintf(buffer, sizeof buffer, pattern, args);
  va_end(args);
  std::string text;
  if (size >= 0 && static_cast<size_t>(size) < sizeof buffer) {
    text.assign(buffer, static_cast<size_t>(size));
  } else if (size > 0) {
    text.resize(static_cast<size_t>(size));
    std::vsnprintf(text.data(), text.size() + 1, pattern, again);
  }
  va_end(again);
  return text;
}

std::string counted(long long count, const char* noun) {
  return format("%lld %s%s", count, noun, count == 1 ? "" : "s");
}

}  // namespace ptowsp::glue
