# SPDX-License-Identifier: MIT
# The tests of a workload, and ptowsp.build, which builds what they need by running this file:
#   cmake -D... -P <this file>
include_guard(GLOBAL)
cmake_policy(VERSION 3.25)

# _ptowsp_add_test(): <name>.a2a3sim on the preferred runtime, and <name>.a2a3sim.builtin where that
# is not the built-in one, and <name>.a2a3sim.limits with PTOWSP_TEST_PINNED_LIMITS. The runner
# compares the hash of the workload file with the one the artifact was made from, so that a build
# that did not happen cannot pass. Of a Python workload that is the trace's hash; that the trace is
# the file's is for ptowsp.build, which traces again when needed.
function(_ptowsp_add_test)
  if(NOT TARGET PtoWsp::ptowsp-run)
    _ptowsp_fail("the runner PtoWsp::ptowsp-run is not known here; call "
      "find_package(PtoWsp CONFIG REQUIRED) in this folder or one above it")
  endif()
  _ptowsp_add_build_fixture()
  _ptowsp_binary_directory(folder)
  set(options "")
  if(DEFINED w_RTOL)
    list(APPEND options --rtol ${w_RTOL})
  endif()
  if(DEFINED w_ATOL)
    list(APPEND options --atol ${w_ATOL})
  endif()
  if(DEFINED w_TIMEOUT)
    list(APPEND options --timeout ${w_TIMEOUT})
  endif()
  # Few workers, said to ctest, so that many tests share a big machine; a chip of n blocks has 3 n
  # cores.
  _ptowsp_count_processors(workers)
  if(workers GREATER 4)
    set(workers 4)
  endif()
  if(DEFINED w_BLOCK_DIM AND w_BLOCK_DIM EQUAL 1 AND workers GREATER 3)
    set(workers 3)
  endif()
  set(test ${w_name}.a2a3sim)
  foreach(runtime IN LISTS w_runtimes)
    set(labels a2a3sim ${w_LABELS})
    set(processors ${workers})
    set(arguments --workers ${workers})
    if(runtime STREQUAL "builtin_limits")
      set(test ${w_name}.a2a3sim.limits)
      list(APPEND arguments --pinned-limits)
    elseif(NOT runtime STREQUAL "builtin")
      # Its scheduler and its cores wait in loops: a core that is not scheduled looks to it like one
      # that hangs. So as few tests beside it as possible.
      cmake_host_system_information(RESULT processors QUERY NUMBER_OF_LOGICAL_CORES)
      list(APPEND labels ${runtime})
      set(arguments "")
      add_dependencies(ptowsp.workloads ptowsp.pto_runtime)
    endif()
    add_test(NAME ${test} COMMAND PtoWsp::ptowsp-run "${folder}" --platform a2a3sim
      --source "${w_workload}" --runtime "${w_runtime_${runtime}_library}" ${arguments} ${options})
    set_tests_properties(${test} PROPERTIES LABELS "${labels}" SKIP_RETURN_CODE 77
      FIXTURES_REQUIRED ptowsp.build PROCESSORS ${processors})
    if(DEFINED w_TIMEOUT)
      # The runner ends first and says which task hung; ctest's own limit is for a runner that
      # hangs.
      math(EXPR limit "${w_TIMEOUT} + 30")
      set_tests_properties(${test} PROPERTIES TIMEOUT ${limit})
    endif()
    set(test ${w_name}.a2a3sim.builtin)  # the second one, when the preferred runtime is another
  endforeach()
  if("a2a3" IN_LIST w_PLATFORMS)
    _ptowsp_add_device_test(${options})
  endif()
  add_dependencies(ptowsp.workloads ${w_name})
  set_property(TARGET ptowsp.workloads APPEND PROPERTY PTOWSP_READY "${folder}/ready")
endfunction()

# _ptowsp_add_build_fixture(): once for a build tree, the test ptowsp.build, which builds the
# workloads that have tests, and the target ptowsp.workloads, which stands for them.
function(_ptowsp_add_build_fixture)
  if(TARGET ptowsp.workloads)
    return()
  endif()
  add_custom_target(ptowsp.workloads)
  foreach(tool IN ITEMS ptowsp-run sim)
    get_target_property(real PtoWsp::${tool} ALIASED_TARGET)
    if(real)
      add_dependencies(ptowsp.workloads ${real})
    endif()
  endforeach()
  set(ready "${CMAKE_CURRENT_BINARY_DIR}/ptowsp.workloads.txt")
  if(CMAKE_CONFIGURATION_TYPES)
    set(ready "${CMAKE_CURRENT_BINARY_DIR}/ptowsp.workloads.$<CONFIG>.txt")
  endif()
  set(files "$<TARGET_PROPERTY:ptowsp.workloads,PTOWSP_READY>")
  set(files "$<TARGET_GENEX_EVAL:ptowsp.workloads,${files}>")
  file(GENERATE OUTPUT "${ready}" CONTENT "$<JOIN:${files},\n>\n")
  set(keep_going -k)
  if(CMAKE_GENERATOR MATCHES "Ninja")
    list(APPEND keep_going 0)
  endif()
  set(ninja "")
  if(CMAKE_GENERATOR STREQUAL "Ninja")
    set(ninja "${CMAKE_MAKE_PROGRAM}")
  endif()
  _ptowsp_count_processors(processors)
  add_test(NAME ptowsp.build
    COMMAND "${CMAKE_COMMAND}" "-DPTOWSP_BUILD=${CMAKE_BINARY_DIR}" "-DPTOWSP_CONFIG=$<CONFIG>"
      "-DPTOWSP_READY_LIST=${ready}" "-DPTOWSP_KEEP_GOING=${keep_going}"
      "-DPTOWSP_JOBS=${processors}" "-DPTOWSP_NINJA=${ninja}"
      -P "${CMAKE_CURRENT_FUNCTION_LIST_FILE}")
  set_tests_properties(ptowsp.build PROPERTIES FIXTURES_SETUP ptowsp.build
    PROCESSORS ${processors} TIMEOUT 7200)
endfunction()

# _ptowsp_count_processors(<variable>): at least 1; CMake says 0 where it cannot tell (no /proc).
function(_ptowsp_count_processors variable)
  cmake_host_system_information(RESULT count QUERY NUMBER_OF_LOGICAL_CORES)
  if(count LESS 1)
    set(count 1)
  endif()
  set(${variable} ${count} PARENT_SCOPE)
endfunction()

# _ptowsp_build_workloads(): builds what the tests need and always succeeds: a workload that does
# not build fails its own test. What could not be rebuilt must not pass on what an older build left,
# so after a failure every `ready` goes and only what can be sealed again comes back. Ninja is started
# itself: `cmake --build` would start CMake once more for each run of the tests.
function(_ptowsp_build_workloads)
  if(DEFINED ENV{CMAKE_BUILD_PARALLEL_LEVEL})
    set(PTOWSP_JOBS "$ENV{CMAKE_BUILD_PARALLEL_LEVEL}")
  endif()
  set(command "${CMAKE_COMMAND}" --build "${PTOWSP_BUILD}" --target ptowsp.workloads)
  if(PTOWSP_NINJA)
    set(command "${PTOWSP_NINJA}" -C "${PTOWSP_BUILD}" ptowsp.workloads)
  elseif(PTOWSP_CONFIG)
    list(APPEND command --config "${PTOWSP_CONFIG}")
  endif()
  if(PTOWSP_JOBS)
    list(APPEND command -j ${PTOWSP_JOBS})
  endif()
  if(NOT PTOWSP_NINJA)
    list(APPEND command --)
  endif()
  list(APPEND command ${PTOWSP_KEEP_GOING})
  execute_process(COMMAND ${command} RESULT_VARIABLE failed)
  if(failed)
    # file(STRINGS) would cut paths at their non-ASCII letters.
    file(READ "${PTOWSP_READY_LIST}" ready)
    string(REGEX REPLACE "\n" ";" ready "${ready}")
    file(REMOVE ${ready})
    execute_process(COMMAND ${command} RESULT_VARIABLE failed OUTPUT_QUIET ERROR_QUIET)
    message("ptowsp.build: not everything could be built (see above); the tests of what "
      "is missing fail.")
  endif()
endfunction()

if(CMAKE_SCRIPT_MODE_FILE STREQUAL CMAKE_CURRENT_LIST_FILE)
  _ptowsp_build_workloads()
endif()
