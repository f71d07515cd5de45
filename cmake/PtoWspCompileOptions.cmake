# SPDX-License-Identifier: MIT
# ptowsp_target_defaults(<target> [PRIVATE]): language level, warnings and include root of PtoWsp's own
# targets. PRIVATE: of one that users link, whom none of it shall reach.
include_guard(GLOBAL)

option(PTOWSP_WERROR "Treat warnings in PtoWsp's own code as errors" OFF)

function(ptowsp_target_defaults target)
  set(scope PUBLIC)
  if("PRIVATE" IN_LIST ARGN)
    set(scope PRIVATE)
  endif()
  target_compile_features(${target} ${scope} cxx_std_20)
  target_include_directories(${target} ${scope} "$<BUILD_INTERFACE:${PtoWsp_SOURCE_DIR}>")
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wshadow
    # g++ 12 sees overlap in std::string where there is none (GCC bug 105651).
    $<$<AND:$<CXX_COMPILER_ID:GNU>,$<VERSION_LESS:$<CXX_COMPILER_VERSION>,13>>:-Wno-restrict>
    $<$<BOOL:${PTOWSP_WERROR}>:-Werror>)
  set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE ON CXX_EXTENSIONS OFF)
endfunction()
