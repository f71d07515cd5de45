# SPDX-License-Identifier: MIT
# What a workload is built with: the generator, the runtimes, the processor levels of its kernels.
include_guard(GLOBAL)
cmake_policy(VERSION 3.25)
include("${CMAKE_CURRENT_LIST_DIR}/PtoWspExternalPaths.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/PtoWspFindPython.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/PtoWspHostGenerator.cmake")

# _ptowsp_find_generator(): sets w_generator, what COMMAND names, w_generator_files, what DEPENDS
# names for it, and w_cache, the option that says where it keeps results. Building for this machine
# the first two are the target PtoWsp::ptowsp-gen.
function(_ptowsp_find_generator)
  set(PTOWSP_CACHE_DIR "" CACHE STRING
    "Folder where ptowsp-gen keeps what it made for other builds; empty: PTOWSP_CACHE_DIR of the environment")
  set(w_cache "" PARENT_SCOPE)
  if(NOT PTOWSP_CACHE_DIR STREQUAL "")
    cmake_path(ABSOLUTE_PATH PTOWSP_CACHE_DIR BASE_DIRECTORY "${CMAKE_SOURCE_DIR}" NORMALIZE
      OUTPUT_VARIABLE folder)
    set(w_cache --cache "${folder}" PARENT_SCOPE)
  endif()
  get_property(languages GLOBAL PROPERTY ENABLED_LANGUAGES)
  if(NOT "CXX" IN_LIST languages)
    _ptowsp_fail("the project does not enable C++, which orchestration and kernels are compiled "
      "as; write project(... LANGUAGES CXX)")
  endif()
  if(CMAKE_CROSSCOMPILING)
    _ptowsp_find_host_generator()
    set(w_generator "${w_generator}" PARENT_SCOPE)
    set(w_generator_files ${w_generator_files} PARENT_SCOPE)
    return()
  endif()
  if(NOT TARGET PtoWsp::ptowsp-gen)
    _ptowsp_fail("the generator PtoWsp::ptowsp-gen is not known here; call "
      "find_package(PtoWsp CONFIG REQUIRED) in this folder or one above it")
  endif()
  set(w_generator PtoWsp::ptowsp-gen PARENT_SCOPE)
  set(w_generator_files PtoWsp::ptowsp-gen PARENT_SCOPE)
endfunction()

# _ptowsp_find_runtimes(): sets w_runtimes, the runtimes to compile an orchestration for, the
# preferred one first, and for each w_runtime_<r>_includes, where its runtime.h lies,
# w_runtime_<r>_definitions, what it is compiled with, w_runtime_<r>_library, what the runner is
# given, and w_runtime_<r>_ready, what has to be built before a test.
function(_ptowsp_find_runtimes)
  if(NOT TARGET PtoWsp::sim)
    _ptowsp_fail("the built-in runtime PtoWsp::sim is not known here; call "
      "find_package(PtoWsp CONFIG REQUIRED) in this folder or one above it")
  endif()
  set(runtimes builtin)
  if(PTOWSP_TEST_PINNED_LIMITS)
    # The built-in runtime, as if it had the limits of the pinned pto-runtime. The last: it has a
    # test with a name of its own.
    list(APPEND runtimes builtin_limits)
    set(w_runtime_builtin_limits_includes
      "$<TARGET_PROPERTY:PtoWsp::sim,INTERFACE_INCLUDE_DIRECTORIES>" PARENT_SCOPE)
    set(w_runtime_builtin_limits_definitions RUNTIME_MAX_TASKS=1024 RUNTIME_MAX_FANOUT=512
      RUNTIME_MAX_ARGS=16 RUNTIME_MAX_TENSOR_PAIRS=64 PARENT_SCOPE)
    set(w_runtime_builtin_limits_library "$<TARGET_FILE:PtoWsp::sim>" PARENT_SCOPE)
  endif()
  set(w_runtime_builtin_includes "$<TARGET_PROPERTY:PtoWsp::sim,INTERFACE_INCLUDE_DIRECTORIES>"
    PARENT_SCOPE)
  set(w_runtime_builtin_library "$<TARGET_FILE:PtoWsp::sim>" PARENT_SCOPE)
  ptowsp_find_pto_runtime(root)
  if(NOT root STREQUAL "" AND NOT IS_DIRECTORY "${root}")
    _ptowsp_fail("PTO_RUNTIME_PATH is '${root}', and there is no such folder; set it to a "
      "checkout of pto-runtime, or to OFF for the built-in runtime. Where pto-runtime is a "
      "submodule: git submodule update --init --recursive")
  endif()
  if(root AND DEFINED w_AICPU_THREADS AND w_AICPU_THREADS GREATER 4)
    _ptowsp_fail("AICPU_THREADS is '${w_AICPU_THREADS}', and pto-runtime (${root}) has 4 scheduler "
      "threads; use 1 to 4, or configure with PTO_RUNTIME_PATH=OFF for the built-in runtime, which "
      "has up to 64")
  endif()
  if(root)
    list(PREPEND runtimes pto-runtime)
    _ptowsp_add_pto_runtime("${root}")
    get_property(includes GLOBAL PROPERTY _PTOWSP_PTO_RUNTIME_INCLUDES)
    get_property(folder GLOBAL PROPERTY _PTOWSP_PTO_RUNTIME_FOLDER)
    set(w_runtime_pto-runtime_includes "${includes}" PARENT_SCOPE)
    set(w_runtime_pto-runtime_library "${folder}" PARENT_SCOPE)
  endif()
  set(w_runtimes ${runtimes} PARENT_SCOPE)
endfunction()

# _ptowsp_add_pto_runtime(<root>): once for a build tree, the target ptowsp.pto_runtime, which has
# pto-runtime's own RuntimeBuilder make its libraries. Which version it is, and what that means, is
# for versions.py to say.
function(_ptowsp_add_pto_runtime root)
  if(TARGET ptowsp.pto_runtime)
    return()
  endif()
  get_property(bridge GLOBAL PROPERTY PTOWSP_BRIDGE)
  if(bridge STREQUAL "" OR NOT EXISTS "${bridge}/versions.py")
    _ptowsp_fail("the bridge to pto-runtime is not known here, or not there (${bridge}); call "
      "find_package(PtoWsp CONFIG REQUIRED) in this folder or one above it")
  endif()
  ptowsp_find_python(python)
  if(NOT python)
    _ptowsp_fail("running on pto-runtime needs Python 3.9 or newer, and there is no such python3 "
      "on PATH. On Debian: apt install python3; or set PTOWSP_PYTHON to an interpreter, or "
      "PTO_RUNTIME_PATH to OFF")
  endif()
  execute_process(COMMAND "${python}" -I -S -B "${bridge}/versions.py" "${root}"
    RESULT_VARIABLE failed OUTPUT_VARIABLE said ERROR_VARIABLE error
    OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_STRIP_TRAILING_WHITESPACE)
  if(failed)
    _ptowsp_fail("PTO_RUNTIME_PATH: ${error}")
  endif()
  string(REPLACE "\n" ";" said "${said}")
  list(POP_FRONT said version)
  set(folder "${CMAKE_BINARY_DIR}/ptowsp.pto_runtime")
  add_custom_command(OUTPUT "${folder}/runtime.json"
    BYPRODUCTS "${folder}/host.so" "${folder}/aicpu.so" "${folder}/aicore.so"
    COMMAND "${python}" -B "${bridge}/build_runtime.py" "${root}" -o "${folder}"
      --depfile "${folder}/build.d"
    DEPFILE "${folder}/build.d"
    COMMENT "Building the libraries of pto-runtime ${version}" VERBATIM)
  add_custom_target(ptowsp.pto_runtime DEPENDS "${folder}/runtime.json")
  set_property(GLOBAL PROPERTY _PTOWSP_PTO_RUNTIME_INCLUDES "${said}")
  set_property(GLOBAL PROPERTY _PTOWSP_PTO_RUNTIME_FOLDER "${folder}")
  set_property(GLOBAL PROPERTY _PTOWSP_PTO_RUNTIME_ROOT "${root}")
  set_property(GLOBAL PROPERTY _PTOWSP_PTO_RUNTIME_PYTHON "${python}")
  message(STATUS "PtoWsp: workloads run on pto-runtime ${version} in ${root}, too")
endfunction()

# _ptowsp_kernel_levels(): sets w_levels from PTOWSP_KERNEL_ARCH: one level, or `multi` for all of
# the processor's. Always a named level and never `native`, so that caches and remote compilers can
# share.
function(_ptowsp_kernel_levels)
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64|ARM64)$")
    set(all aarch64)
  elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$")
    set(all x86-64-v2 x86-64-v3 x86-64-v4)
  elseif("${CMAKE_SYSTEM_PROCESSOR}" STREQUAL "")
    _ptowsp_fail("CMAKE_SYSTEM_PROCESSOR is empty; set it in the toolchain file, to x86_64 or aarch64")
  else()
    _ptowsp_fail("the processor ${CMAKE_SYSTEM_PROCESSOR} is not supported; kernels are built for "
      "x86_64 and aarch64")
  endif()
  if(NOT DEFINED PTOWSP_KERNEL_ARCH OR PTOWSP_KERNEL_ARCH STREQUAL "")
    _ptowsp_level_of_build_machine("${all}" level)
    set(PTOWSP_KERNEL_ARCH "${level}" CACHE STRING
      "Processor level that kernels are built for: ${all}, or multi for all of them" FORCE)
  endif()
  if(PTOWSP_KERNEL_ARCH STREQUAL "multi")
    set(w_levels ${all} PARENT_SCOPE)
  elseif(PTOWSP_KERNEL_ARCH IN_LIST all)
    set(w_levels ${PTOWSP_KERNEL_ARCH} PARENT_SCOPE)
  else()
    list(JOIN all ", " choices)
    _ptowsp_fail("PTOWSP_KERNEL_ARCH is '${PTOWSP_KERNEL_ARCH}', expected ${choices} or multi")
  endif()
endfunction()

# _ptowsp_level_of_build_machine(<levels> <variable>): the highest level whose processor flags are
# all there (x86-64 psABI); the lowest where that cannot be known.
function(_ptowsp_level_of_build_machine levels variable)
  list(GET levels 0 level)
  if(level STREQUAL "x86-64-v2" AND NOT CMAKE_CROSSCOMPILING AND EXISTS /proc/cpuinfo)
    file(STRINGS /proc/cpuinfo flags LIMIT_COUNT 1 REGEX "^flags[ \t]*:")
    string(REGEX REPLACE "[ \t]+" ";" flags "${flags}")
    set(v3 avx avx2 bmi1 bmi2 f16c fma abm movbe xsave)
    set(v4 ${v3} avx512f avx512bw avx512cd avx512dq avx512vl)
    foreach(candidate IN ITEMS v3 v4)
      list(REMOVE_ITEM ${candidate} ${flags})
      if("${${candidate}}" STREQUAL "")
        set(level "x86-64-${candidate}")
      endif()
    endforeach()
  endif()
  set(${variable} "${level}" PARENT_SCOPE)
endfunction()
