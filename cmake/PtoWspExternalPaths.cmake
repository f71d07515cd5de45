# SPDX-License-Identifier: MIT
# Where the projects are that PtoWsp can work with: pto-runtime, PTO-ISA, the CANN toolkit.
include_guard(GLOBAL)

# ptowsp_external_path(<variable> <NAME> <help> [<submodule> <file>]): the folder that NAME of the cache, else of
# the environment, names, as an absolute path; empty for OFF. Where it names none: 3rdparty/<submodule> of PtoWsp's
# sources or of the project, if it is populated, which <file> in it says, of whatever version; else empty.
# What is there is not looked at.
function(ptowsp_external_path variable name help)
  set(${name} "$ENV{${name}}" CACHE STRING "${help}")
  set(root "${${name}}")
  if(root STREQUAL "")
    set(root "$ENV{${name}}")
  endif()
  if(root STREQUAL "OFF")
    set(root "")
  elseif(NOT root STREQUAL "")
    cmake_path(ABSOLUTE_PATH root BASE_DIRECTORY "${CMAKE_SOURCE_DIR}" NORMALIZE)
  elseif(ARGC EQUAL 5)
    foreach(tree IN ITEMS "${CMAKE_CURRENT_FUNCTION_LIST_DIR}/.." "${CMAKE_SOURCE_DIR}")
      cmake_path(NORMAL_PATH tree)
      if(root STREQUAL "" AND EXISTS "${tree}/3rdparty/${ARGV3}/${ARGV4}")
        cmake_path(APPEND tree 3rdparty ${ARGV3} OUTPUT_VARIABLE root)
      endif()
    endforeach()
  endif()
  set(${variable} "${root}" PARENT_SCOPE)
endfunction()

# ptowsp_find_pto_runtime(<variable>): the checkout of pto-runtime that workloads run on, or nothing for the built-in
# runtime alone, which is what cross builds have.
function(ptowsp_find_pto_runtime variable)
  ptowsp_external_path(root PTO_RUNTIME_PATH
    "Checkout of pto-runtime to run workloads on, besides the built-in runtime; OFF for none; \
empty for 3rdparty/pto-runtime where it is populated"
    pto-runtime python)
  if(CMAKE_CROSSCOMPILING)
    set(root "")
  endif()
  set(${variable} "${root}" PARENT_SCOPE)
endfunction()

# ptowsp_find_pto_isa(<variable>): the checkout of PTO-ISA that kernels for the device are compiled with, or nothing.
function(ptowsp_find_pto_isa variable)
  ptowsp_external_path(root PTO_ISA_PATH
    "Checkout of PTO-ISA, which kernels for a2a3 include; OFF for none; empty for 3rdparty/pto-isa where it is populated"
    pto-isa include/pto/pto-inst.hpp)
  if(NOT root STREQUAL "" AND NOT EXISTS "${root}/include/pto/pto-inst.hpp")
    message(FATAL_ERROR "PTO_ISA_PATH is '${root}', and there is no include/pto/pto-inst.hpp in it; set it "
      "to a checkout of PTO-ISA, or to OFF for none. Where PTO-ISA is a submodule: git submodule update "
      "--init --recursive")
  endif()
  set(${variable} "${root}" PARENT_SCOPE)
endfunction()
