# SPDX-License-Identifier: MIT
# The kernel list of a workload, and the trace of one in Python. The rules run this file, too:
#   cmake -D... -P <this file> list|trace
include_guard(GLOBAL)
cmake_policy(VERSION 3.25)
include("${CMAKE_CURRENT_LIST_DIR}/PtoWspFindPython.cmake")

# _ptowsp_list_kernels(<source> <list>): writes the kernel list, one `<cores>:<kernel>` a line, if
# it changed. cores: aiv for vector ops alone, aic for matmuls alone, mix for both. A workload file that
# cannot be listed keeps its old list: emission is where errors are reported, so that one broken workload
# fails alone and configuring never does.
function(_ptowsp_list_kernels source list)
  set(old "")
  if(EXISTS "${list}")
    file(READ "${list}" old)
  else()
    file(WRITE "${list}" "")
  endif()
  if(NOT EXISTS "${source}")  # renamed; configuring again knows the new name
    return()
  endif()
  file(READ "${source}" text)
  _ptowsp_is_nested_too_deep("${text}" too_deep)
  if(too_deep)
    return()
  endif()
  string(JSON kernels ERROR_VARIABLE error GET "${text}" kernels)
  string(JSON type ERROR_VARIABLE no_type TYPE "${text}" kernels)
  if(error OR NOT type STREQUAL "ARRAY")
    return()
  endif()
  string(JSON count LENGTH "${kernels}")
  set(names "")
  set(new "")
  if(count GREATER 0)
    math(EXPR last "${count} - 1")
    foreach(i RANGE ${last})
      string(JSON name ERROR_VARIABLE error GET "${kernels}" ${i} name)
      if(error OR NOT name MATCHES "^[A-Za-z_][A-Za-z0-9_]*$" OR name IN_LIST names)
        return()
      endif()
      list(APPEND names "${name}")
      string(JSON body ERROR_VARIABLE error GET "${kernels}" ${i} body)
      string(REGEX MATCHALL "\"op\" *: *\"[^\"]*\"" ops "${body}")
      list(TRANSFORM ops REPLACE ".*\"([^\"]*)\"$" "\\1")
      set(cores aiv)
      if("matmul" IN_LIST ops)
        list(REMOVE_ITEM ops matmul store)
        set(cores aic)
        if(ops)
          set(cores mix)
        endif()
      endif()
      string(APPEND new "${cores}:${name}\n")
    endforeach()
  endif()
  if(NOT new STREQUAL old)
    file(WRITE "${list}" "${new}")
  endif()
endfunction()

# _ptowsp_is_nested_too_deep(<text> <variable>): string(JSON) ends CMake itself at a nesting of
# 1000.
function(_ptowsp_is_nested_too_deep text variable)
  set(${variable} FALSE PARENT_SCOPE)
  string(LENGTH "${text}" length)
  if(length LESS 1000)
    return()
  endif()
  string(REGEX REPLACE "[^][{}]+" "" brackets "${text}")
  foreach(level RANGE 900)
    string(LENGTH "${brackets}" length)
    if(length LESS 900)
      return()
    endif()
    set(before ${length})
    string(REPLACE "[]" "" brackets "${brackets}")
    string(REPLACE "{}" "" brackets "${brackets}")
    string(LENGTH "${brackets}" length)
    if(length EQUAL before)
      break()
    endif()
  endforeach()
  set(${variable} TRUE PARENT_SCOPE)
endfunction()

# _ptowsp_find_tracer(): sets w_tracer, the command that starts the tracer, and w_tracer_files, what
# it consists of. The interpreter is the first with numpy, else the first: whether a workload needs
# numpy is known only when it runs.
function(_ptowsp_find_tracer)
  get_property(folder GLOBAL PROPERTY PTOWSP_PYTHON_PACKAGES)
  if(folder STREQUAL "" OR NOT EXISTS "${folder}/pto_wsp/pto.py")
    _ptowsp_fail("the Python package of PtoWsp is not known here, or not there "
      "(${folder}/pto_wsp); call find_package(PtoWsp CONFIG REQUIRED) in this folder or one above "
      "it")
  endif()
  ptowsp_find_python(python numpy)
  if(NOT python)
    ptowsp_find_python(python)
  endif()
  if(NOT python AND PTOWSP_PYTHON)
    _ptowsp_fail("PTOWSP_PYTHON is '${PTOWSP_PYTHON}', which does not run or is older than "
      "Python 3.9")
  elseif(NOT python)
    _ptowsp_fail("Python workloads need Python 3.9 or newer, and there is no such python3 on PATH. "
      "On Debian: apt install python3; or set PTOWSP_PYTHON to an interpreter")
  endif()
  file(GLOB files "${folder}/pto_wsp/*.py")
  # The environment of whoever starts the build has no say in what is imported.
  set(w_tracer "${CMAKE_COMMAND}" -E env "PYTHONPATH=${folder}" --unset=PYTHONHOME
    --unset=PYTHONSTARTUP "${python}" -B -m pto_wsp trace PARENT_SCOPE)
  set(w_tracer_files ${files} PARENT_SCOPE)
endfunction()

# _ptowsp_trace(<command> <source> <workload>): runs the tracer in the folder of the source. It
# always succeeds: mistakes come out of emission, and a tracer that crashed is one of them. So is one that
# a workload file ended with status 0: the tracer always writes its depfile, whatever else it writes, and
# without it an older trace would pass for the file's.
function(_ptowsp_trace command source workload)
  cmake_path(GET source PARENT_PATH folder)
  cmake_path(GET workload PARENT_PATH artifact_folder)
  file(REMOVE "${artifact_folder}/list.d")
  execute_process(COMMAND ${command} WORKING_DIRECTORY "${folder}" RESULT_VARIABLE status)
  if(NOT status EQUAL 0 OR NOT EXISTS "${artifact_folder}/list.d")
    string(REGEX REPLACE "[\\\"]" "\\\\\\0" source "${source}")
    file(WRITE "${workload}" "{\"ptowsp\": 1, \"error\": \"${source}: error: the Python "
      "interpreter ended with '${status}' while tracing it; its output stands above\"}\n")
    string(REPLACE " " "\\ " artifact "${artifact_folder}")
    file(WRITE "${artifact_folder}/list.d"
      "${artifact}/list.stamp: \\\n  ${artifact}/list.stamp.retry\n")
  endif()
endfunction()

# _ptowsp_seen_file(<variable>): a file as new as what configuring listed or traced. Of a first build Ninja
# remembers a rule by what stands in DEPENDS, when its outputs did not change; with nothing as new as the
# workload there it would list once more at once.
function(_ptowsp_seen_file variable)
  set(${variable} "${CMAKE_CURRENT_BINARY_DIR}/CMakeFiles/${w_name}.list.seen" PARENT_SCOPE)
endfunction()

# _ptowsp_update_kernel_list(): sets w_kernels. Ninja runs the listing rule before it looks whether
# to configure again, so that one build converges; make knows no such rule and configures again
# whenever the workload file changed. The workload file itself is in the depfiles of these rules
# only: as a DEPENDS it would keep Ninja from configuring again when the file was renamed.
function(_ptowsp_update_kernel_list)
  set(list "${w_dir}/kernel_list")
  file(MAKE_DIRECTORY "${w_dir}")
  if(w_python)
    _ptowsp_update_trace()
  else()
    _ptowsp_list_kernels("${w_source}" "${list}")
    if(CMAKE_GENERATOR MATCHES "Ninja")
      _ptowsp_seen_file(seen)
      if("${w_source}" IS_NEWER_THAN "${seen}")
        file(TOUCH "${seen}")
      endif()
      add_custom_command(OUTPUT "${w_dir}/list.stamp" BYPRODUCTS "${list}"
        COMMAND "${CMAKE_COMMAND}" "-DPTOWSP_SOURCE=${w_source}" "-DPTOWSP_LIST=${list}"
          "-DPTOWSP_STAMP=${w_dir}/list.stamp" -P "${CMAKE_CURRENT_FUNCTION_LIST_FILE}" list
        DEPENDS "${seen}" DEPFILE "${w_dir}/list.d"
        COMMENT "Listing the kernels of ${w_name}" VERBATIM)
    else()
      set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${w_source}")
    endif()
  endif()
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${list}")
  if(CMAKE_GENERATOR MATCHES "Ninja")
    add_custom_target(${w_name}.stage.list DEPENDS "${w_dir}/list.stamp")
  endif()

  file(STRINGS "${list}" kernels REGEX "^(aiv|aic|mix):")
  set(vector_kernels "${kernels}")
  list(FILTER vector_kernels INCLUDE REGEX "^aiv:")
  list(TRANSFORM vector_kernels REPLACE "^aiv:" "")
  list(TRANSFORM kernels REPLACE "^(aiv|aic|mix):" "")
  _ptowsp_remove_stale_libraries("${kernels}")
  set(w_kernels "${kernels}" PARENT_SCOPE)
  set(w_vector_kernels "${vector_kernels}" PARENT_SCOPE)
  set(w_data "${w_data}" PARENT_SCOPE)
  set(w_reads "${w_reads}" PARENT_SCOPE)
  if(DEFINED w_DEPENDENCIES)
    set(w_DEPENDENCIES "${w_DEPENDENCIES}" PARENT_SCOPE)
  endif()
endfunction()

# _ptowsp_update_trace(): traces when there is no trace yet, and adds the rule that does it again.
# Sets w_data, the arrays that came out: <w_dir>/<name>.<tensor>.npy and, of golden(),
# golden/<tensor>.npy; w_reads, the arrays that tensors name by init; and w_DEPENDENCIES as the
# workload wants them, unless the call said so.
function(_ptowsp_update_trace)
  _ptowsp_find_tracer()
  set(list "${w_dir}/kernel_list")
  set(stamp "${w_dir}/list.stamp")
  set(command ${w_tracer} "${w_source}" -o "${w_workload}" --kernel-list "${list}"
    --build-list "${w_dir}/build_list" --depfile "${w_dir}/list.d"
    --depfile-target "${stamp}" --defer-errors)
  if(NOT w_NO_DATA)
    list(APPEND command --expected "${w_dir}/golden")
  endif()
  if(DEFINED w_SEED)
    list(APPEND command --seed ${w_SEED})
  endif()
  if(DEFINED w_WORKLOAD)
    list(APPEND command --workload ${w_WORKLOAD})
  endif()
  foreach(parameter IN LISTS w_PARAMETERS)
    list(APPEND command -p "${parameter}")
  endforeach()

  foreach(file IN ITEMS kernel_list build_list)
    if(NOT EXISTS "${w_dir}/${file}")
      # An absent file would be dropped from what configuring depends on.
      file(WRITE "${w_dir}/${file}" "")
      file(REMOVE "${stamp}")
    endif()
  endforeach()
  _ptowsp_is_trace_old("${command}" old)
  if(old)
    _ptowsp_trace("${command}" "${w_source}" "${w_workload}")
    file(WRITE "${w_dir}/list.command" "${command}")
    file(TOUCH "${stamp}")
  endif()
  _ptowsp_seen_file(seen)
  if(old OR NOT EXISTS "${seen}")
    file(TOUCH "${seen}")
  endif()

  file(STRINGS "${w_dir}/build_list" data REGEX "^npy:")
  list(TRANSFORM data REPLACE "^npy:" "${w_dir}/")
  file(STRINGS "${w_dir}/build_list" dependences REGEX "^dependences:")
  if(dependences AND NOT DEFINED w_DEPENDENCIES)
    string(REPLACE "dependences:" "" dependences "${dependences}")
    set(w_DEPENDENCIES "${dependences}" PARENT_SCOPE)
  endif()
  set(made "${w_workload}" "${w_dir}/${w_name}.locations.json" ${data})
  if(CMAKE_GENERATOR MATCHES "Ninja")
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${w_dir}/build_list")
    add_custom_command(OUTPUT "${stamp}" BYPRODUCTS "${list}" "${w_dir}/build_list" ${made}
      COMMAND "${CMAKE_COMMAND}" "-DPTOWSP_SOURCE=${w_source}" "-DPTOWSP_WORKLOAD=${w_workload}"
        "-DPTOWSP_STAMP=${stamp}" "-DPTOWSP_COMMAND=${command}"
        -P "${CMAKE_CURRENT_FUNCTION_LIST_FILE}" trace
      DEPENDS ${w_tracer_files} "${seen}" DEPFILE "${w_dir}/list.d"
      COMMENT "Tracing ${w_name}" VERBATIM)
  else()
    _ptowsp_read_depfile("${w_dir}/list.d" files)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${w_source}" ${files}
      ${w_tracer_files} ${made} "${w_dir}/build_list")
    if(files MATCHES "/list[.]stamp[.]retry")
      # CMake does not watch what is not there, so this one is there now, and emission deletes it.
      file(TOUCH "${w_dir}/retry")
      set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${w_dir}/retry")
    endif()
  endif()
  set(w_data "${data}" PARENT_SCOPE)
  file(STRINGS "${w_dir}/build_list" reads REGEX "^reads:")
  list(TRANSFORM reads REPLACE "^reads:" "${w_dir}/")
  set(w_reads "${reads}" PARENT_SCOPE)
endfunction()

# _ptowsp_is_trace_old(<command> <variable>): whether configuring has to trace. With Ninja only when
# there is no trace: the build does it again when needed, and would do it twice.
function(_ptowsp_is_trace_old command variable)
  set(${variable} TRUE PARENT_SCOPE)
  set(stamp "${w_dir}/list.stamp")
  if(NOT EXISTS "${stamp}" OR NOT EXISTS "${w_workload}" OR NOT EXISTS "${w_dir}/list.d")
    return()
  endif()
  if(NOT CMAKE_GENERATOR MATCHES "Ninja")
    set(last "")
    if(EXISTS "${w_dir}/list.command")
      file(READ "${w_dir}/list.command" last)
    endif()
    if(NOT last STREQUAL "${command}")
      return()
    endif()
    _ptowsp_read_depfile("${w_dir}/list.d" files)
    file(STRINGS "${w_dir}/build_list" data REGEX "^npy:")
    list(TRANSFORM data REPLACE "^npy:" "${w_dir}/")
    foreach(file IN LISTS data ITEMS "${w_dir}/${w_name}.locations.json")
      if(NOT EXISTS "${file}")
        return()
      endif()
    endforeach()
    foreach(file IN LISTS files w_tracer_files ITEMS "${w_source}")
      if("${file}" IS_NEWER_THAN "${stamp}")  # or absent
        return()
      endif()
    endforeach()
  endif()
  set(${variable} FALSE PARENT_SCOPE)
endfunction()

# _ptowsp_read_depfile(<depfile> <variable>): the files that it says its target depends on.
function(_ptowsp_read_depfile depfile variable)
  set(text "")
  if(EXISTS "${depfile}")
    file(READ "${depfile}" text)
  endif()
  string(REGEX REPLACE "^([^\\\n]|\\\\[^\n])*: " "" text "${text}")
  string(REPLACE "\\\n" "\n" text "${text}")
  string(REPLACE "\\ " " " text "${text}")
  string(REPLACE "\\#" "#" text "${text}")
  string(REPLACE "$$" "$" text "${text}")
  string(REGEX MATCHALL "[^\n]+" lines "${text}")
  set(files "")
  foreach(line IN LISTS lines)
    string(STRIP "${line}" line)
    if(NOT line STREQUAL "")
      list(APPEND files "${line}")
    endif()
  endforeach()
  set(${variable} "${files}" PARENT_SCOPE)
endfunction()

# _ptowsp_remove_stale_libraries(<kernels>): removes the libraries of kernels that the list of the
# last configure named and this one does not; never anything that no list named.
function(_ptowsp_remove_stale_libraries kernels)
  set(configured "${w_dir}/kernel_list.configured")
  set(stale "")
  if(EXISTS "${configured}")
    file(STRINGS "${configured}" stale)
  endif()
  if(stale AND kernels)
    list(REMOVE_ITEM stale ${kernels})
  endif()
  foreach(kernel IN LISTS stale)
    _ptowsp_remove_device_files("${kernel}")
    foreach(config IN LISTS CMAKE_CONFIGURATION_TYPES ITEMS .)
      foreach(level IN LISTS w_levels ITEMS "")
        _ptowsp_kernel_file("${kernel}" "${level}" file)
        file(REMOVE "${w_dir}/${config}/${file}.so")
      endforeach()
    endforeach()
  endforeach()
  list(JOIN kernels "\n" text)
  file(CONFIGURE OUTPUT "${configured}" CONTENT "${text}\n" @ONLY)
endfunction()

# _ptowsp_write_depfile(<stamp> <file>): list.d beside the stamp, the depfile of a list made from
# one file.
function(_ptowsp_write_depfile stamp file)
  cmake_path(GET stamp PARENT_PATH folder)
  foreach(path IN ITEMS stamp file)
    string(REPLACE "$" "$$" ${path} "${${path}}")
    string(REGEX REPLACE "([ #])" "\\\\\\1" ${path} "${${path}}")
  endforeach()
  file(WRITE "${folder}/list.d" "${stamp}: ${file}\n")
endfunction()

if(CMAKE_SCRIPT_MODE_FILE STREQUAL CMAKE_CURRENT_LIST_FILE)
  math(EXPR last "${CMAKE_ARGC} - 1")
  if(CMAKE_ARGV${last} STREQUAL "list")
    _ptowsp_list_kernels("${PTOWSP_SOURCE}" "${PTOWSP_LIST}")
    _ptowsp_write_depfile("${PTOWSP_STAMP}" "${PTOWSP_SOURCE}")
    file(TOUCH "${PTOWSP_STAMP}")
  elseif(CMAKE_ARGV${last} STREQUAL "trace")
    _ptowsp_trace("${PTOWSP_COMMAND}" "${PTOWSP_SOURCE}" "${PTOWSP_WORKLOAD}")
    file(TOUCH "${PTOWSP_STAMP}")
  endif()
endif()
