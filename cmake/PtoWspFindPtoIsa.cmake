# SPDX-License-Identifier: MIT
# ptowsp_find_pto_isa(<variable>): the checkout of PTO-ISA that kernels for the device are compiled with:
# PTO_ISA_PATH of the cache or the environment, else 3rdparty/pto-isa of PtoWsp's sources or of the project
# where it is populated, else nothing.
include_guard(GLOBAL)

function(ptowsp_find_pto_isa variable)
  set(PTO_ISA_PATH "$ENV{PTO_ISA_PATH}" CACHE STRING
    "Checkout of PTO-ISA, which kernels for a2a3 include; OFF for none; empty for 3rdparty/pto-isa where it is populated")
  set(root "${PTO_ISA_PATH}")
  if(root STREQUAL "")
    set(root "$ENV{PTO_ISA_PATH}")
  endif()
  if(root STREQUAL "OFF")
    set(root "")
  elseif(root STREQUAL "")
    foreach(tree IN ITEMS "${CMAKE_CURRENT_FUNCTION_LIST_DIR}/.." "${CMAKE_SOURCE_DIR}")
      cmake_path(NORMAL_PATH tree)
      if(root STREQUAL "" AND EXISTS "${tree}/3rdparty/pto-isa/include/pto/pto-inst.hpp")
        cmake_path(APPEND tree 3rdparty pto-isa OUTPUT_VARIABLE root)
      endif()
    endforeach()
  else()
    cmake_path(ABSOLUTE_PATH root BASE_DIRECTORY "${CMAKE_SOURCE_DIR}" NORMALIZE)
    if(NOT EXISTS "${root}/include/pto/pto-inst.hpp")
      message(FATAL_ERROR "PTO_ISA_PATH is '${root}', and there is no include/pto/pto-inst.hpp in it; set it "
        "to a checkout of PTO-ISA, or to OFF for none. Where PTO-ISA is a submodule: git submodule update "
        "--init --recursive")
    endif()
  endif()
  set(${variable} "${root}" PARENT_SCOPE)
endfunction()
