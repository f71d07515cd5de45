# SPDX-License-Identifier: MIT
# fmt::fmt from fmt's headers alone, for cross builds: the compiled library is rarely there for the target, and the
# headers are the same for all. Sets fmt_FOUND where the compiler finds them.
include(CheckCXXSourceCompiles)
set(CMAKE_REQUIRED_DEFINITIONS -DFMT_HEADER_ONLY)
set(CMAKE_REQUIRED_QUIET ON)
check_cxx_source_compiles("#include <fmt/format.h>
  int main(int argc, char**) { return static_cast<int>(fmt::format(\"{}\", argc).size()); }" PTOWSP_FMT_HEADERS)
unset(CMAKE_REQUIRED_DEFINITIONS)
unset(CMAKE_REQUIRED_QUIET)
if(PTOWSP_FMT_HEADERS AND NOT TARGET fmt::fmt)
  add_library(fmt::fmt INTERFACE IMPORTED)
  target_compile_definitions(fmt::fmt INTERFACE FMT_HEADER_ONLY)
endif()
set(fmt_FOUND ${PTOWSP_FMT_HEADERS})
