# SPDX-License-Identifier: MIT
# ptowsp_add_workload(): one call turns a workload file into an artifact and a test. Here are the
# call and its rules; its other steps are in the files that it includes. All of them serve in-tree,
# from a build tree and installed; cmake/README.md is their reference.
#
# What the build does for a workload w, in this order (tool -> result):
#   1. list   PtoWspKernelList.cmake  -> kernel_list     which kernels there are; a change
#      configures again. Of a Python workload the tracer also writes <name>.json, its locations
#      and arrays
#   2. emit   ptowsp-gen emit         -> kernels/, manifest.json; deletes `ready` first
#   3. eval   ptowsp-gen eval         -> inputs/, expected/
#   4. build  compiler and linker     -> orchestration.<runtime>.so, kernel_<k>.so
#   5. seal   ptowsp-gen seal         -> ready           written last; the runner demands it
# The list is a function of the workload file alone and needs no generator, so that a generator that
# does not compile never stands in the way of configuring again. A Python file with a mistake
# becomes {"ptowsp": 1, "error": "..."}: emission reports it, and that one workload fails alone.
include_guard(GLOBAL)
cmake_policy(VERSION 3.25)
foreach(part IN ITEMS Arguments Tools KernelList Device Test InstallWorkload)
  include("${CMAKE_CURRENT_LIST_DIR}/PtoWsp${part}.cmake")
endforeach()

# ptowsp_add_workload(<name> SOURCE <file> [keyword...])
#   1. read the arguments and refuse what is wrong or not supported
#   2. find tools, runtimes and the kernel levels to build for
#   3. bring the kernel list up to date and watch it
#   4. add the rules: emit, eval, one library for each runtime and for each kernel, seal
#   5. add the target <name>, which builds all of it
#   6. add the test <name>.a2a3sim, and <name>.a2a3sim.builtin where there is a pto-runtime, and
#      <name>.a2a3sim.limits where it is asked for; <name>.a2a3 for that platform
# _ptowsp_<step>() below is each one's code; what they share is handed on in variables w_*.
function(ptowsp_add_workload)
  _ptowsp_parse_arguments(${ARGV})
  _ptowsp_find_generator()
  _ptowsp_find_runtimes()
  set(w_device FALSE)
  if("a2a3" IN_LIST w_PLATFORMS)
    _ptowsp_find_device()
  endif()
  _ptowsp_kernel_levels()
  _ptowsp_update_kernel_list()
  _ptowsp_add_emission()
  _ptowsp_add_evaluation()
  _ptowsp_add_orchestrations()
  _ptowsp_add_kernels()
  if(w_device)
    _ptowsp_add_device_kernels()
    _ptowsp_add_device_artifact()
  endif()
  _ptowsp_add_artifact()
  if(NOT w_NO_TEST AND NOT w_NO_DATA)
    _ptowsp_add_test()
  endif()
endfunction()

# _ptowsp_fail(<text>...): every error of ptowsp_add_workload() ends here.
function(_ptowsp_fail)
  set(text "")
  foreach(i RANGE 1 ${ARGC})  # one by one: as a list they would lose their semicolons
    math(EXPR i "${i} - 1")
    string(APPEND text "${ARGV${i}}")
  endforeach()
  message(FATAL_ERROR "ptowsp_add_workload(${w_name}): ${text}")
endfunction()

# ---- the rules ----------------------------------------------------------------------------------

# _ptowsp_list_orchestration_headers(<variable>): what the emitted orchestration includes.
function(_ptowsp_list_orchestration_headers variable)
  set(headers access_layer argument_blocks channels dispatch launch_graph limits orchestration
    processes regions segments task_graph)
  list(TRANSFORM headers REPLACE "(.+)" "kernels/orchestration/ptowsp/\\1.h")
  set(${variable} "${headers}" PARENT_SCOPE)
endfunction()

# _ptowsp_list_sim_support(<variable>): the headers that emitted sim kernels include.
function(_ptowsp_list_sim_support variable)
  set(headers double elementwise float16 math matmul reduce vector)
  list(TRANSFORM headers REPLACE "(.+)" "kernels/sim_support/ptowsp_\\1.h")
  set(${variable} "${headers}" PARENT_SCOPE)
endfunction()

# _ptowsp_add_emission(): the rule for emit.stamp. Sets w_emission, the target that all others wait for. The
# emitted files are by-products, written only when their bytes change, so that what depends on them is as
# exact as they are.
function(_ptowsp_add_emission)
  _ptowsp_list_orchestration_headers(headers)
  _ptowsp_list_sim_support(support)
  set(emitted manifest.json include/${w_name}.h kernels/kernel_config.py kernels/orchestration/pto_wsp_orch.cpp
    ${headers} ${support})
  foreach(kernel IN LISTS w_kernels)
    list(APPEND emitted kernels/aiv_sim/kernel_${kernel}.cpp)
  endforeach()
  if("a2a3" IN_LIST w_PLATFORMS)
    _ptowsp_list_device_sources(device)
    list(APPEND emitted ${device})
  endif()
  list(TRANSFORM emitted PREPEND "${w_dir}/")

  _ptowsp_ready_options(options)
  if(w_python AND NOT CMAKE_GENERATOR MATCHES "Ninja")
    list(APPEND options --ready "${w_dir}/retry")
  endif()
  if(DEFINED w_DEPENDENCIES)
    list(APPEND options --dependences ${w_DEPENDENCIES})
  endif()
  if(DEFINED w_RACES)
    list(APPEND options --races ${w_RACES})
  endif()
  if(NOT w_runtimes STREQUAL "builtin")
    list(APPEND options --limits pinned)
  endif()
  set(platforms --platform a2a3sim)
  if("a2a3" IN_LIST w_PLATFORMS)
    list(APPEND platforms --platform a2a3)
  endif()
  _ptowsp_debugs_kernels(debugged)
  if(debugged)
    list(APPEND options --lines)
  endif()
  set(command "${w_generator}" emit "${w_workload}" -o "${w_dir}" --name ${w_name} ${options}
    ${platforms} ${w_cache} --stamp "${w_dir}/emit.stamp" --depfile "${w_dir}/emit.d")
  set(byproducts "")
  if(CMAKE_GENERATOR MATCHES "Ninja")
    set(byproducts BYPRODUCTS ${emitted})
  else()
    # make does not look for by-products. A rule without DEPENDS brings a deleted file back, in the
    # target that uses the file, and does nothing as long as it is there.
    foreach(file IN LISTS emitted)
      add_custom_command(OUTPUT "${file}" COMMAND ${command}
        COMMENT "Emitting ${w_name} again" VERBATIM)
    endforeach()
  endif()
  add_custom_command(OUTPUT "${w_dir}/emit.stamp" ${byproducts}
    COMMAND ${command}
    DEPENDS "${w_workload}" ${w_generator_files} DEPFILE "${w_dir}/emit.d"
    COMMENT "Emitting ${w_name}" VERBATIM)
  add_custom_target(${w_name}.stage.emit DEPENDS "${w_dir}/emit.stamp")
  if(TARGET ${w_name}.stage.list)
    add_dependencies(${w_name}.stage.emit ${w_name}.stage.list)
  endif()
  set(w_emission ${w_name}.stage.emit)
  if(w_device AND NOT CMAKE_GENERATOR MATCHES "Ninja")
    # With several targets behind it, what is missing comes back before any of them: emission makes all
    # of them out of date.
    set(w_emission ${w_name}.stage.sources)
    add_custom_target(${w_emission} DEPENDS ${emitted})
    add_dependencies(${w_emission} ${w_name}.stage.emit)
  endif()
  set(w_emission ${w_emission} PARENT_SCOPE)
endfunction()

# _ptowsp_ready_options(<variable>): --ready for the file of every configuration. What changes the
# artifact deletes them first: a test never passes on what an older build left.
function(_ptowsp_ready_options variable)
  set(options "")
  if(CMAKE_CONFIGURATION_TYPES)
    foreach(config IN LISTS CMAKE_CONFIGURATION_TYPES)
      list(APPEND options --ready "${w_dir}/${config}/ready")
      if(w_device)
        list(APPEND options --ready "${w_dir}/${config}/ready.a2a3")
      endif()
    endforeach()
  else()
    set(options --ready "${w_dir}/ready")
    if(w_device)
      list(APPEND options --ready "${w_dir}/ready.a2a3")
    endif()
  endif()
  set(${variable} "${options}" PARENT_SCOPE)
endfunction()

# _ptowsp_add_evaluation(): the rule for eval.stamp. It waits for emission, so that a mistake in the
# workload is reported once. With NO_DATA there is none, and the folders it would fill stay empty.
function(_ptowsp_add_evaluation)
  if(w_NO_DATA)
    file(MAKE_DIRECTORY "${w_dir}/inputs" "${w_dir}/expected")
    return()
  endif()
  _ptowsp_ready_options(options)
  if(DEFINED w_SEED)
    list(APPEND options --seed ${w_SEED})
  endif()
  set(files "")
  foreach(keyword IN ITEMS INPUTS EXPECTED)
    foreach(item IN LISTS w_${keyword})
      string(REGEX REPLACE "S$" "" option "${keyword}")
      string(TOLOWER "--${option}" option)
      list(APPEND options ${option} "${item}")
      string(REGEX REPLACE "^[^=]*=" "" file "${item}")
      list(APPEND files "${file}")
    endforeach()
  endforeach()
  foreach(file IN LISTS w_data)
    list(APPEND files "${file}")
    if(file MATCHES "/golden/([^/]+)[.]npy$")
      set(tensor "${CMAKE_MATCH_1}")
      if(NOT ";${w_EXPECTED}" MATCHES ";${tensor}=")
        list(APPEND options --expected "${tensor}=${file}")
      endif()
    endif()
  endforeach()
  set(depfile DEPFILE "${w_dir}/eval.d")
  if(w_python AND NOT CMAKE_GENERATOR MATCHES "Ninja")
    # make would go on asking for arrays that the Python file has no more; all are in `files` here,
    # but for those that do not exist, of which the evaluation tells.
    set(depfile "")
    foreach(file IN LISTS w_reads)
      if(EXISTS "${file}")
        list(APPEND files "${file}")
      endif()
    endforeach()
  endif()
  add_custom_command(OUTPUT "${w_dir}/eval.stamp"
    COMMAND ${w_generator} eval "${w_workload}" -o "${w_dir}" ${options} ${w_cache}
      --stamp "${w_dir}/eval.stamp" --depfile "${w_dir}/eval.d"
    DEPENDS "${w_workload}" "${w_dir}/emit.stamp" ${files} ${w_generator_files} ${depfile}
    COMMENT "Evaluating ${w_name}" VERBATIM)
  if(CMAKE_GENERATOR MATCHES "Ninja" OR w_device)
    # As part of <name> alone it would wait for the libraries that <name> depends on. With make the
    # artifact for the device is a target beside <name>, and both would make it.
    add_custom_target(${w_name}.stage.eval DEPENDS "${w_dir}/eval.stamp")
    add_dependencies(${w_name}.stage.eval ${w_emission})
  endif()
endfunction()

# _ptowsp_add_module(<target> <file name> <source>): a MODULE library of generated code in the
# artifact's folder. The user's flags and launchers hold, but nothing that inspects or rewrites the
# user's own code: warnings, linters, unity builds, postfixes.
function(_ptowsp_add_module target file source)
  add_library(${target} MODULE "${source}")
  add_dependencies(${target} ${w_emission})
  set_target_properties(${target} PROPERTIES PREFIX "" SUFFIX ".so" OUTPUT_NAME "${file}"
    LIBRARY_OUTPUT_DIRECTORY "${w_dir}"
    CXX_STANDARD 17 CXX_STANDARD_REQUIRED ON CXX_EXTENSIONS OFF
    CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON
    INTERPROCEDURAL_OPTIMIZATION OFF UNITY_BUILD OFF AUTOMOC OFF AUTOUIC OFF AUTORCC OFF
    CXX_CLANG_TIDY "" CXX_CPPCHECK "" CXX_CPPLINT "" CXX_INCLUDE_WHAT_YOU_USE ""
    LINK_WHAT_YOU_USE OFF)
  if(w_EXCLUDE_FROM_ALL)  # FALSE would bring in what a folder that is excluded leaves out
    set_target_properties(${target} PROPERTIES EXCLUDE_FROM_ALL TRUE)
  endif()
  foreach(config IN LISTS CMAKE_CONFIGURATION_TYPES CMAKE_BUILD_TYPE)
    # Set for each configuration too: the user's CMAKE_<...>_<CONFIG> variables would win otherwise.
    string(TOUPPER "${config}" upper)
    set(folder "${w_dir}")
    if(CMAKE_CONFIGURATION_TYPES)
      set(folder "${w_dir}/${config}")
    endif()
    set_target_properties(${target} PROPERTIES LIBRARY_OUTPUT_DIRECTORY_${upper} "${folder}"
      ${upper}_POSTFIX "" INTERPROCEDURAL_OPTIMIZATION_${upper} OFF)
  endforeach()
  target_compile_options(${target} PRIVATE -w)
endfunction()

# _ptowsp_add_orchestrations(): <name>.orchestration.<runtime> for each runtime. Another runtime is
# another entry of w_runtimes.
function(_ptowsp_add_orchestrations)
  _ptowsp_uses_instrumentation(instrumented)
  foreach(runtime IN LISTS w_runtimes)
    set(target ${w_name}.orchestration.${runtime})
    _ptowsp_add_module(${target} orchestration.${runtime}
      "${w_dir}/kernels/orchestration/pto_wsp_orch.cpp")
    target_include_directories(${target} SYSTEM PRIVATE "${w_runtime_${runtime}_includes}")
    target_compile_definitions(${target} PRIVATE ${w_runtime_${runtime}_definitions})
    # It builds graphs as fast with -O1, and compiles in half the time of -O3.
    target_compile_options(${target} PRIVATE $<$<NOT:$<CONFIG:Debug>>:-O1>)
    # For the built-in runtime it needs nothing but the C library, which alone links in a third of the
    # time. What another runtime's header asks for is not known.
    if(runtime MATCHES "^builtin" AND NOT instrumented)
      target_compile_options(${target} PRIVATE -fno-exceptions)
      target_link_options(${target} PRIVATE -nostdlib -Wl,-z,defs)
      target_link_libraries(${target} PRIVATE -lc)
    endif()
    if(NOT CMAKE_GENERATOR MATCHES "Ninja")
      _ptowsp_list_orchestration_headers(headers)
      list(TRANSFORM headers PREPEND "${w_dir}/")
      target_sources(${target} PRIVATE ${headers})
    endif()
  endforeach()
endfunction()

# _ptowsp_kernel_file(<kernel> <level> <variable>): the library's name without suffix. Only builds
# for several levels carry the level in it.
function(_ptowsp_kernel_file kernel level variable)
  list(LENGTH w_levels levels)
  if(levels GREATER 1 AND level)
    set(${variable} kernel_${kernel}.${level} PARENT_SCOPE)
  else()
    set(${variable} kernel_${kernel} PARENT_SCOPE)
  endif()
endfunction()

# _ptowsp_add_kernels(): <name>.<kernel> (or <name>.<kernel>.<level> for several levels).
function(_ptowsp_add_kernels)
  _ptowsp_uses_instrumentation(instrumented)
  _ptowsp_debugs_kernels(debugged)
  foreach(kernel IN LISTS w_kernels)
    foreach(level IN LISTS w_levels)
      _ptowsp_kernel_file(${kernel} ${level} file)
      string(REGEX REPLACE "^kernel_" "${w_name}." target "${file}")
      _ptowsp_add_module(${target} ${file} "${w_dir}/kernels/aiv_sim/kernel_${kernel}.cpp")
      if(NOT CMAKE_GENERATOR MATCHES "Ninja")
        _ptowsp_list_sim_support(support)
        list(TRANSFORM support PREPEND "${w_dir}/")
        target_sources(${target} PRIVATE ${support})
      endif()
      # Debug keeps the user's level of optimisation, for stepping through; everything else, no
      # build type included, gets -O3: a kernel without it is an order of magnitude slower.
      set(optimise -O3)
      if(debugged)
        set(optimise -Og)
        _ptowsp_add_debug_information(${target})
      endif()
      target_compile_options(${target} PRIVATE $<$<NOT:$<CONFIG:Debug>>:${optimise}> -fno-fast-math
        -ffp-contract=off -fno-stack-protector)
      if(level STREQUAL "aarch64")
        # Out-of-line atomics would need libgcc, which kernels are linked without.
        target_compile_options(${target} PRIVATE -march=armv8-a -mno-outline-atomics)
      else()
        target_compile_options(${target} PRIVATE -march=${level})
      endif()
      # A kernel calls no library. Linked without any, a call that slipped in is an error here and
      # not a crash on the device, and the link takes a quarter of the time.
      if(NOT instrumented)
        target_link_options(${target} PRIVATE -nostdlib -Wl,-z,defs)
      endif()
    endforeach()
  endforeach()
endfunction()

# _ptowsp_debugs_kernels(<variable>): whether a debugger is to show the workload's own lines. Where
# PTOWSP_DEBUG_KERNELS does not say so, that is in builds of type Debug; one tree of sources serves all
# configurations of a multi-config generator, so there it is for none.
function(_ptowsp_debugs_kernels variable)
  if(DEFINED PTOWSP_DEBUG_KERNELS AND NOT PTOWSP_DEBUG_KERNELS STREQUAL "")
    set(${variable} "${PTOWSP_DEBUG_KERNELS}" PARENT_SCOPE)
  elseif(NOT CMAKE_CONFIGURATION_TYPES AND CMAKE_BUILD_TYPE STREQUAL "Debug")
    set(${variable} TRUE PARENT_SCOPE)
  else()
    set(${variable} FALSE PARENT_SCOPE)
  endif()
endfunction()

# _ptowsp_add_debug_information(<target>): emitted kernels name the workload file without its folder.
# Debuggers look for such a file where the compiler ran, so that folder is said to be the workload's.
# Emitted files, which are named in full, stay what they are: of several maps the last and longest holds.
function(_ptowsp_add_debug_information target)
  cmake_path(GET w_source PARENT_PATH folder)
  set(maps "${CMAKE_BINARY_DIR}=${folder}")
  if(NOT CMAKE_CURRENT_BINARY_DIR STREQUAL CMAKE_BINARY_DIR)
    list(APPEND maps "${CMAKE_CURRENT_BINARY_DIR}=${folder}")
  endif()
  list(APPEND maps "${w_dir}=${w_dir}")
  list(TRANSFORM maps PREPEND -fdebug-prefix-map=)
  target_compile_options(${target} PRIVATE -g ${maps})
endfunction()

# _ptowsp_uses_instrumentation(<variable>): sanitizers, coverage and profiling call a library of
# theirs.
function(_ptowsp_uses_instrumentation variable)
  get_directory_property(options COMPILE_OPTIONS)
  get_directory_property(link_options LINK_OPTIONS)
  set(flags "${options} ${link_options} ${CMAKE_CXX_FLAGS} ${CMAKE_MODULE_LINKER_FLAGS}")
  foreach(config IN LISTS CMAKE_CONFIGURATION_TYPES CMAKE_BUILD_TYPE)
    string(TOUPPER "${config}" upper)
    string(APPEND flags " ${CMAKE_CXX_FLAGS_${upper}} ${CMAKE_MODULE_LINKER_FLAGS_${upper}}")
  endforeach()
  set(${variable} FALSE PARENT_SCOPE)
  if(flags MATCHES "-fsanitize|--coverage|-fprofile|-ftest-coverage|-finstrument|(^|[ ;])-pg")
    set(${variable} TRUE PARENT_SCOPE)
  endif()
endfunction()

# ---- the target ---------------------------------------------------------------------------------

# _ptowsp_launch_arguments(<variable>): what `ptowsp-gen seal` is told of how to launch, where BLOCK_DIM and
# AICPU_THREADS say it.
function(_ptowsp_launch_arguments variable)
  set(arguments "")
  if(DEFINED w_BLOCK_DIM)
    list(APPEND arguments --block-dim ${w_BLOCK_DIM})
  endif()
  if(DEFINED w_AICPU_THREADS)
    list(APPEND arguments --aicpu-threads ${w_AICPU_THREADS})
  endif()
  set(${variable} "${arguments}" PARENT_SCOPE)
endfunction()

# _ptowsp_add_artifact(): the rule for `ready` and the library <name> around it. Building <name>
# builds the whole artifact; a program that links <name> has it built before.
function(_ptowsp_add_artifact)
  _ptowsp_binary_directory(folder)
  set(arguments --manifest "${w_dir}/manifest.json" --ready "${folder}/ready"
    --inputs "${w_dir}/inputs" --expected "${w_dir}/expected")
  set(libraries "")
  foreach(level IN LISTS w_levels)
    list(APPEND arguments --arch ${level})
  endforeach()
  foreach(runtime IN LISTS w_runtimes)
    set(target ${w_name}.orchestration.${runtime})
    list(APPEND arguments --orchestration "${runtime}=$<TARGET_FILE:${target}>")
    list(APPEND libraries ${target})
  endforeach()
  foreach(kernel IN LISTS w_kernels)
    foreach(level IN LISTS w_levels)
      _ptowsp_kernel_file(${kernel} ${level} file)
      string(REGEX REPLACE "^kernel_" "${w_name}." target "${file}")
      list(APPEND arguments --kernel "${kernel}:${level}=$<TARGET_FILE:${target}>")
      list(APPEND libraries ${target})
    endforeach()
  endforeach()
  _ptowsp_launch_arguments(launch)
  list(APPEND arguments ${launch})
  set(stamps "${w_dir}/emit.stamp")
  if(NOT w_NO_DATA)
    list(APPEND stamps "${w_dir}/eval.stamp")
  endif()
  add_custom_command(OUTPUT "${folder}/ready"
    COMMAND ${w_generator} seal ${arguments}
    DEPENDS ${stamps} ${libraries} ${w_generator_files}
    COMMENT "Sealing ${w_name}" VERBATIM)

  set(exclude "")
  if(w_EXCLUDE_FROM_ALL)
    set(exclude EXCLUDE_FROM_ALL)
  endif()
  set(stages ${w_emission})
  if(TARGET ${w_name}.stage.eval)
    list(APPEND stages ${w_name}.stage.eval)
  endif()
  set(sources "${folder}/ready")
  if(NOT CMAKE_GENERATOR MATCHES "Ninja")
    list(APPEND sources "${w_dir}/manifest.json" "${w_dir}/kernels/kernel_config.py"
      "${w_dir}/include/${w_name}.h")
    if(w_device)
      # make goes through whole targets. So what is for a2a3sim is one by itself, which is made whether
      # or not kernels for the device compile.
      add_custom_target(${w_name}.stage.a2a3sim DEPENDS ${sources})
      add_dependencies(${w_name}.stage.a2a3sim ${stages})
      list(APPEND stages ${w_name}.stage.a2a3sim ${w_name}.stage.a2a3)
    endif()
  endif()
  if(w_device)
    list(APPEND sources "${folder}/ready.a2a3")
  endif()
  add_library(${w_name} INTERFACE ${exclude} ${sources})
  add_dependencies(${w_name} ${stages})
  # A program that links <name> includes <name>.h, which is the same wherever it was emitted: where the
  # artifact lies is told by a definition.
  target_include_directories(${w_name} SYSTEM INTERFACE "${w_dir}/include")
  target_compile_definitions(${w_name} INTERFACE "PTOWSP_ARTIFACT_${w_name}=\"${folder}\"")
  # What ptowsp_install_workload() takes.
  set(marks ready)
  if(w_device)
    list(APPEND marks ready.a2a3)
  endif()
  set_target_properties(${w_name} PROPERTIES PTOWSP_READY_FILE "${folder}/ready" PTOWSP_MARKS "${marks}"
    PTOWSP_ARTIFACT_FOLDER "${w_dir}")
  if(TARGET PtoWsp::glue)
    target_link_libraries(${w_name} INTERFACE PtoWsp::glue)
  endif()
endfunction()

# _ptowsp_binary_directory(<variable>): where what depends on the configuration lies.
function(_ptowsp_binary_directory variable)
  if(CMAKE_CONFIGURATION_TYPES)
    set(${variable} "${w_dir}/$<CONFIG>" PARENT_SCOPE)
  else()
    set(${variable} "${w_dir}" PARENT_SCOPE)
  endif()
endfunction()
