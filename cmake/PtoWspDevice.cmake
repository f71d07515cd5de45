# SPDX-License-Identifier: MIT
# What PLATFORMS a2a3 adds to ptowsp_add_workload(): the toolchain found and checked, kernels compiled for
# the device, pto-runtime's libraries for it, `ready.a2a3` and the test <name>.a2a3. Steps of
# PtoWspAddWorkload.cmake, whose variables w_* these functions share.
#
# The build, in this order (tool -> result):
#   1. device_kernel.py, [launcher] ccec   -> a2a3/<kernel>.stamp, and a2a3/kernel_<stage>.{o,bin}
#   2. pto-runtime's own RuntimeBuilder    -> <build>/ptowsp.pto_runtime_a2a3, once for a build tree
#   3. ptowsp-gen seal                     -> ready.a2a3, written last; the runner demands it
# A kernel may become several stages, on cores that only the generator knows. So what is compiled stands
# in kernels/device/kernel_<kernel>.list, whose name is known at configure.
include_guard(GLOBAL)
cmake_policy(VERSION 3.25)
include("${CMAKE_CURRENT_LIST_DIR}/PtoWspExternalPaths.cmake")

# _ptowsp_find_device(): sets w_device, whether kernels can be compiled and run for a2a3, and
# w_device_missing, why not. What is named and wrong is an error; what is not there is a skip of tests.
function(_ptowsp_find_device)
  set(missing "")
  ptowsp_external_path(ascend ASCEND_HOME_PATH
    "CANN toolkit, whose ccec compiles kernels for a2a3; OFF for none")
  string(REGEX REPLACE "(.)/$" "\\1" ascend "${ascend}")
  if(NOT ascend)
    list(APPEND missing "ASCEND_HOME_PATH names no CANN toolkit, which has ccec and the AICPU compiler")
  endif()
  if(NOT "pto-runtime" IN_LIST w_runtimes)
    list(APPEND missing "PTO_RUNTIME_PATH names no pto-runtime, which runs the kernels")
  endif()
  ptowsp_find_pto_isa(isa)
  if(NOT isa)
    list(APPEND missing "PTO_ISA_PATH names no PTO-ISA, which the kernels include")
  endif()
  list(JOIN missing "; " missing)
  set(w_device TRUE PARENT_SCOPE)
  set(w_device_missing "" PARENT_SCOPE)
  if(missing)
    string(APPEND missing "; set what is missing, in the environment or with cmake -D, and configure again")
    set(w_device FALSE PARENT_SCOPE)
    set(w_device_missing "${missing}" PARENT_SCOPE)
    get_property(said GLOBAL PROPERTY _PTOWSP_DEVICE_MISSING)
    if(NOT said STREQUAL missing)
      message(STATUS "PtoWsp: nothing is built for a2a3, its tests will be skipped: ${missing}")
      set_property(GLOBAL PROPERTY _PTOWSP_DEVICE_MISSING "${missing}")
    endif()
    return()
  endif()
  get_property(toolchain GLOBAL PROPERTY "_PTOWSP_TOOLCHAIN_${ascend}")
  if(NOT toolchain)
    _ptowsp_check_ascend("${ascend}" toolchain)
    message(STATUS "PtoWsp: kernels for a2a3 are compiled by ${toolchain} in ${ascend}")
    set_property(GLOBAL PROPERTY "_PTOWSP_TOOLCHAIN_${ascend}" "${toolchain}")
  endif()
  _ptowsp_add_device_runtime("${ascend}" "${toolchain}" folder)
  set(w_device_ccec "${ascend}/bin/ccec" PARENT_SCOPE)
  set(w_device_toolchain "${toolchain}" PARENT_SCOPE)
  set(w_device_isa "${isa}" PARENT_SCOPE)
  set(w_device_runtime "${folder}" PARENT_SCOPE)
endfunction()

# _ptowsp_check_ascend(<root> <variable>): name and version of the toolkit, for versions.py to say, as is
# whether it is a whole one.
function(_ptowsp_check_ascend root variable)
  get_property(bridge GLOBAL PROPERTY PTOWSP_BRIDGE)
  get_property(python GLOBAL PROPERTY _PTOWSP_PTO_RUNTIME_PYTHON)
  execute_process(COMMAND "${python}" -I -S -B "${bridge}/versions.py" --toolkit "${root}"
    RESULT_VARIABLE failed OUTPUT_VARIABLE name ERROR_VARIABLE error OUTPUT_STRIP_TRAILING_WHITESPACE
    ERROR_STRIP_TRAILING_WHITESPACE)
  if(failed)
    _ptowsp_fail("${error}")
  endif()
  set(${variable} "${name}" PARENT_SCOPE)
endfunction()

# _ptowsp_add_device_runtime(<root> <toolchain> <variable>): once for a build tree, the target
# ptowsp.pto_runtime_a2a3: pto-runtime's libraries for the device, by its own RuntimeBuilder; its folder.
function(_ptowsp_add_device_runtime root toolchain variable)
  set(folder "${CMAKE_BINARY_DIR}/ptowsp.pto_runtime_a2a3")
  set(${variable} "${folder}" PARENT_SCOPE)
  if(TARGET ptowsp.pto_runtime_a2a3)
    return()
  endif()
  get_property(bridge GLOBAL PROPERTY PTOWSP_BRIDGE)
  get_property(python GLOBAL PROPERTY _PTOWSP_PTO_RUNTIME_PYTHON)
  get_property(pto_runtime GLOBAL PROPERTY _PTOWSP_PTO_RUNTIME_ROOT)
  add_custom_command(OUTPUT "${folder}/runtime.json"
    BYPRODUCTS "${folder}/host.so" "${folder}/aicpu.so" "${folder}/aicore.so"
    COMMAND "${CMAKE_COMMAND}" -E env "ASCEND_HOME_PATH=${root}" "${python}" -B "${bridge}/build_runtime.py"
      "${pto_runtime}" -o "${folder}" --platform a2a3 --toolchain "${toolchain}" --depfile "${folder}/build.d"
    DEPENDS "${root}/bin/ccec" DEPFILE "${folder}/build.d"
    COMMENT "Building the libraries of pto-runtime for a2a3" VERBATIM)
  add_custom_target(ptowsp.pto_runtime_a2a3 DEPENDS "${folder}/runtime.json")
endfunction()

# _ptowsp_list_device_sources(<variable>): what emission for a2a3 adds, as far as it is known by name: a
# vector kernel's source, but not those of one that multiplies.
function(_ptowsp_list_device_sources variable)
  set(sources kernels/pto_support/ptowsp_pto.h kernels/device/kernel_ptowsp_relay.list)
  foreach(kernel IN LISTS w_kernels)
    list(APPEND sources kernels/device/kernel_${kernel}.list)
    if(kernel IN_LIST w_vector_kernels)
      list(APPEND sources kernels/aiv/kernel_${kernel}.cpp)
    endif()
  endforeach()
  set(${variable} "${sources}" PARENT_SCOPE)
endfunction()

# _ptowsp_add_device_kernels(): the rule for each kernel's a2a3/<kernel>.stamp, and for the relay kernel's,
# of which only emission knows whether there is one, and the target <name>.stage.a2a3 of all. Sets
# w_device_stamps.
function(_ptowsp_add_device_kernels)
  get_property(bridge GLOBAL PROPERTY PTOWSP_BRIDGE)
  get_property(python GLOBAL PROPERTY _PTOWSP_PTO_RUNTIME_PYTHON)
  set(stamps "")
  foreach(kernel IN LISTS w_kernels ITEMS ptowsp_relay)
    set(stamp "${w_dir}/a2a3/${kernel}.stamp")
    list(APPEND stamps "${stamp}")
    set(source "")
    if(kernel IN_LIST w_vector_kernels)
      set(source "${w_dir}/kernels/aiv/kernel_${kernel}.cpp")
    endif()
    add_custom_command(OUTPUT "${stamp}"
      COMMAND "${python}" -B "${bridge}/device_kernel.py" ${kernel} --tree "${w_dir}" -o "${w_dir}/a2a3"
        --toolchain "${w_device_toolchain}" --pto-isa "${w_device_isa}" --depfile "${w_dir}/a2a3/${kernel}.d"
        -- ${CMAKE_CXX_COMPILER_LAUNCHER} "${w_device_ccec}"
      DEPENDS "${w_dir}/kernels/device/kernel_${kernel}.list" ${source} "${w_dir}/kernels/pto_support/ptowsp_pto.h"
        "${bridge}/device_kernel.py" "${bridge}/versions.py" "${w_device_ccec}"
      DEPFILE "${w_dir}/a2a3/${kernel}.d"
      COMMENT "Compiling ${w_name}.${kernel} for a2a3" VERBATIM)
  endforeach()
  add_custom_target(${w_name}.stage.a2a3 DEPENDS ${stamps})
  add_dependencies(${w_name}.stage.a2a3 ${w_emission})
  set(w_device_stamps "${stamps}" PARENT_SCOPE)
endfunction()

# _ptowsp_add_device_artifact(): the rule for ready.a2a3, beside `ready`.
function(_ptowsp_add_device_artifact)
  _ptowsp_binary_directory(folder)
  set(arguments --platform a2a3 --arch dav-c220 --toolchain "${w_device_toolchain}"
    --manifest "${w_dir}/manifest.json" --ready "${folder}/ready.a2a3" --inputs "${w_dir}/inputs"
    --expected "${w_dir}/expected" --device-kernels "${w_dir}/a2a3"
    --orchestration "pto-runtime=$<TARGET_FILE:${w_name}.orchestration.pto-runtime>")
  _ptowsp_launch_arguments(launch)
  list(APPEND arguments ${launch})
  set(stamps "${w_dir}/emit.stamp" ${w_device_stamps})
  if(NOT w_NO_DATA)
    list(APPEND stamps "${w_dir}/eval.stamp")
  endif()
  add_custom_command(OUTPUT "${folder}/ready.a2a3"
    COMMAND ${w_generator} seal ${arguments}
    DEPENDS ${stamps} ${w_name}.orchestration.pto-runtime ${w_generator_files}
    COMMENT "Sealing ${w_name} for a2a3" VERBATIM)
endfunction()

# _ptowsp_add_device_test(<options of the runner>...): <name>.a2a3, which says why it is skipped where
# something is missing. Tests on one device run one after another.
function(_ptowsp_add_device_test)
  set(PTOWSP_DEVICE 0 CACHE STRING "Number of the Ascend device that tests of a2a3 run on")
  if(NOT PTOWSP_DEVICE MATCHES "^[0-9]+$")
    _ptowsp_fail("PTOWSP_DEVICE is '${PTOWSP_DEVICE}', expected the number of a device")
  endif()
  _ptowsp_binary_directory(folder)
  set(test ${w_name}.a2a3)
  set(fixture ptowsp.build)
  if(w_device)
    add_test(NAME ${test} COMMAND PtoWsp::ptowsp-run "${folder}" --platform a2a3 --source "${w_workload}"
      --runtime "${w_device_runtime}" --device ${PTOWSP_DEVICE} ${ARGN})
    add_dependencies(ptowsp.workloads ptowsp.pto_runtime_a2a3)
    set_property(TARGET ptowsp.workloads APPEND PROPERTY PTOWSP_READY "${folder}/ready.a2a3")
  else()
    add_test(NAME ${test} COMMAND PtoWsp::ptowsp-run "${folder}" --platform a2a3 --skip "${w_device_missing}")
    get_target_property(imported PtoWsp::ptowsp-run IMPORTED)
    if(imported)
      set(fixture "")  # nothing has to be built to say why nothing is
    endif()
  endif()
  set_tests_properties(${test} PROPERTIES LABELS "a2a3;${w_LABELS}" SKIP_RETURN_CODE 77 PROCESSORS 1
    FIXTURES_REQUIRED "${fixture}" RESOURCE_LOCK ptowsp.device.${PTOWSP_DEVICE})
  if(DEFINED w_TIMEOUT)
    math(EXPR limit "${w_TIMEOUT} + 30")
    set_tests_properties(${test} PROPERTIES TIMEOUT ${limit})
  endif()
endfunction()

# _ptowsp_remove_device_files(<kernel>): what was made for a2a3 of a kernel that is gone, as its stamp
# names it.
function(_ptowsp_remove_device_files kernel)
  set(stamp "${w_dir}/a2a3/${kernel}.stamp")
  if(EXISTS "${stamp}")
    file(STRINGS "${stamp}" names REGEX "^kernel_[A-Za-z0-9_]+[.](o|d|bin)$")
    list(TRANSFORM names PREPEND "${w_dir}/a2a3/")
    file(REMOVE ${names} "${stamp}" "${w_dir}/a2a3/${kernel}.d")
  endif()
endfunction()
