# SPDX-License-Identifier: MIT
# The ptowsp-gen that runs on the build machine when the project is compiled for another one. In order:
#   1. PtoWsp_HOST_ROOT, of the cache or the environment: prefix (or build folder) of a PtoWsp for this machine
#   2. an installed one: <prefix>/bin of CMAKE_PREFIX_PATH, then PATH, /usr/local/bin, /usr/bin
#   3. where PtoWsp's sources are at hand: one that is built here, by this machine's own compiler
# It has to be of the same version. This file is also the script that builds it: cmake -D... -P <this file>.
include_guard(GLOBAL)

# _ptowsp_find_host_generator(): sets w_generator, the program, and w_generator_files, what a rule that runs it
# depends on. Searches once for a configuration.
function(_ptowsp_find_host_generator)
  get_property(program GLOBAL PROPERTY _PTOWSP_HOST_GENERATOR)
  if(NOT program)
    set(PtoWsp_HOST_ROOT "$ENV{PtoWsp_HOST_ROOT}" CACHE STRING
      "Cross compiling: prefix of a PtoWsp for the build machine; BOOTSTRAP to build its generator; empty to search")
    if(PtoWsp_HOST_ROOT STREQUAL "" OR PtoWsp_HOST_ROOT STREQUAL "BOOTSTRAP")
      _ptowsp_search_host_generator(program)
    else()
      cmake_path(ABSOLUTE_PATH PtoWsp_HOST_ROOT BASE_DIRECTORY "${CMAKE_SOURCE_DIR}" NORMALIZE OUTPUT_VARIABLE root)
      cmake_path(APPEND root bin ptowsp-gen OUTPUT_VARIABLE program)
      _ptowsp_check_given_generator("${program}")
    endif()
    set_property(GLOBAL PROPERTY _PTOWSP_HOST_GENERATOR "${program}")
  endif()
  set(w_generator "${program}" PARENT_SCOPE)
  set(files "${program}")
  if(TARGET ptowsp.host_generator)
    list(APPEND files ptowsp.host_generator)
  endif()
  set(w_generator_files ${files} PARENT_SCOPE)
endfunction()

# _ptowsp_ask_generator(<program> <said> <right>): what the program says to --version, and whether that is this
# PtoWsp's version. `said` is empty for a program that does not run here.
function(_ptowsp_ask_generator program said right)
  execute_process(COMMAND "${program}" --version RESULT_VARIABLE failed OUTPUT_VARIABLE text ERROR_VARIABLE text
    OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_STRIP_TRAILING_WHITESPACE)
  if(failed)
    set(text "")
  endif()
  string(REPLACE "." "\\." pattern "${PTOWSP_VERSION}")
  set(${right} FALSE PARENT_SCOPE)
  if(text MATCHES "(^|[^0-9.])${pattern}($|[^0-9.])")
    set(${right} TRUE PARENT_SCOPE)
  endif()
  set(${said} "${text}" PARENT_SCOPE)
endfunction()

# _ptowsp_check_given_generator(<program>): the one that PtoWsp_HOST_ROOT names has to be right.
function(_ptowsp_check_given_generator program)
  get_property(PTOWSP_VERSION GLOBAL PROPERTY PTOWSP_VERSION)
  set(fix "set PtoWsp_HOST_ROOT to the prefix of a PtoWsp ${PTOWSP_VERSION} for the build machine, or to \
nothing, to have one searched for")
  if(NOT EXISTS "${program}")
    _ptowsp_fail("PtoWsp_HOST_ROOT is '${PtoWsp_HOST_ROOT}', and there is no bin/ptowsp-gen in it; ${fix}")
  endif()
  _ptowsp_ask_generator("${program}" said right)
  if(said STREQUAL "")
    _ptowsp_fail("the host generator ${program} does not run on the build machine "
      "(${CMAKE_HOST_SYSTEM_PROCESSOR}); ${fix}")
  elseif(NOT right)
    _ptowsp_fail("the host generator ${program} says '${said}', but this PtoWsp is ${PTOWSP_VERSION}; ${fix}")
  endif()
endfunction()

# _ptowsp_search_host_generator(<variable>): an installed one of the right version, else one to be built.
function(_ptowsp_search_host_generator variable)
  get_property(PTOWSP_VERSION GLOBAL PROPERTY PTOWSP_VERSION)
  set(own "")
  if(TARGET PtoWsp::ptowsp-gen)
    get_target_property(imported PtoWsp::ptowsp-gen IMPORTED)
    if(imported)
      get_target_property(own PtoWsp::ptowsp-gen LOCATION)
    endif()
  endif()
  string(REPLACE ":" ";" prefixes "$ENV{CMAKE_PREFIX_PATH}")
  set(prefixes ${CMAKE_PREFIX_PATH} ${prefixes})
  list(TRANSFORM prefixes APPEND "/bin")
  string(REPLACE ":" ";" path "$ENV{PATH}")
  set(folders ${prefixes} ${path} /usr/local/bin /usr/bin)
  list(REMOVE_DUPLICATES folders)
  if(PtoWsp_HOST_ROOT STREQUAL "BOOTSTRAP")
    set(folders "")
  endif()
  set(others "")
  foreach(folder IN LISTS folders)
    set(program "${folder}/ptowsp-gen")
    # The one for the target would run in an emulator where the kernel knows one, and be slow.
    if(NOT EXISTS "${program}" OR program STREQUAL own)
      continue()
    endif()
    _ptowsp_ask_generator("${program}" said right)
    if(right)
      message(STATUS "PtoWsp: generator of the build machine: ${program}")
      set(${variable} "${program}" PARENT_SCOPE)
      return()
    elseif(NOT said STREQUAL "")
      list(APPEND others "${program} ('${said}')")
    endif()
  endforeach()
  cmake_path(GET CMAKE_CURRENT_FUNCTION_LIST_DIR PARENT_PATH sources)
  if(NOT EXISTS "${sources}/generator/main.cpp")
    list(JOIN others ", " seen)
    if(seen)
      string(PREPEND seen "found, of another version, were only ")
    else()
      set(seen "there is none in bin of CMAKE_PREFIX_PATH, on PATH, in /usr/local/bin or /usr/bin")
    endif()
    _ptowsp_fail("cross compiling needs ptowsp-gen ${PTOWSP_VERSION} for the build machine, and ${seen}; "
      "install PtoWsp ${PTOWSP_VERSION} for the build machine and set PtoWsp_HOST_ROOT to its prefix")
  endif()
  _ptowsp_bootstrap_generator("${sources}" program)
  set(${variable} "${program}" PARENT_SCOPE)
endfunction()

# _ptowsp_bootstrap_generator(<sources> <variable>): once for a build tree, the target ptowsp.host_generator, which
# builds ptowsp-gen in a build tree of its own, without the toolchain file and flags of this one.
function(_ptowsp_bootstrap_generator sources variable)
  set(folder "${CMAKE_BINARY_DIR}/ptowsp.host")
  set(program "${folder}/bin/ptowsp-gen")
  set(PTOWSP_HOST_CXX_COMPILER "$ENV{CXX_FOR_BUILD}" CACHE STRING
    "Cross compiling: the build machine's C++ compiler, for the generator; empty: what CMake finds")
  set(settings "")
  foreach(setting IN ITEMS "CMAKE_CXX_COMPILER=${PTOWSP_HOST_CXX_COMPILER}"
      "CMAKE_CXX_COMPILER_LAUNCHER=${CMAKE_CXX_COMPILER_LAUNCHER}" "PTOWSP_PYTHON=${PTOWSP_PYTHON}")
    if(NOT setting MATCHES "=$")
      string(REPLACE ";" "\\;" setting "${setting}")  # a launcher may have arguments
      list(APPEND settings "-D${setting}")
    endif()
  endforeach()
  set(kind "Unix Makefiles")
  set(console "")
  if(CMAKE_GENERATOR MATCHES "Ninja")
    set(kind Ninja)
    list(APPEND settings "-DCMAKE_MAKE_PROGRAM=${CMAKE_MAKE_PROGRAM}")
    set(console USES_TERMINAL)  # its progress is seen while it builds
  endif()
  _ptowsp_count_processors(jobs)
  # The program is a by-product: a build that leaves it as it was makes nothing else run.
  add_custom_command(OUTPUT "${folder}/host.stamp" BYPRODUCTS "${program}"
    COMMAND "${CMAKE_COMMAND}" "-DPTOWSP_SOURCES=${sources}" "-DPTOWSP_FOLDER=${folder}" "-DPTOWSP_KIND=${kind}"
      "-DPTOWSP_SETTINGS=${settings}" "-DPTOWSP_JOBS=${jobs}" -P "${CMAKE_CURRENT_FUNCTION_LIST_FILE}"
    DEPFILE "${folder}/host.d" ${console}
    COMMENT "Building ptowsp-gen for the build machine" VERBATIM)
  add_custom_target(ptowsp.host_generator DEPENDS "${folder}/host.stamp")
  message(STATUS "PtoWsp: generator of the build machine: will be built in ${folder}")
  set(${variable} "${program}" PARENT_SCOPE)
endfunction()

# _ptowsp_build_host_generator(): what the rule above runs.
function(_ptowsp_build_host_generator)
  # What the environment says of compilers and flags is meant for the target.
  foreach(name IN ITEMS CXX CXXFLAGS CPPFLAGS LDFLAGS CMAKE_TOOLCHAIN_FILE CMAKE_PREFIX_PATH CMAKE_GENERATOR
      CMAKE_BUILD_TYPE MAKEFLAGS MFLAGS MAKELEVEL CPATH CPLUS_INCLUDE_PATH LIBRARY_PATH)
    unset(ENV{${name}})
  endforeach()
  execute_process(COMMAND "${CMAKE_COMMAND}" -G "${PTOWSP_KIND}" -S "${PTOWSP_SOURCES}" -B "${PTOWSP_FOLDER}"
    -DCMAKE_BUILD_TYPE=Release -DPTOWSP_BUILD_TESTS=OFF -DPTOWSP_INSTALL=OFF ${PTOWSP_SETTINGS} RESULT_VARIABLE failed)
  set(which "ptowsp-gen for the build machine (in ${PTOWSP_FOLDER})")
  set(fix "Its output stands above. Mend that, or set PtoWsp_HOST_ROOT to the prefix of a PtoWsp that is installed \
for the build machine; PTOWSP_HOST_CXX_COMPILER names another compiler.")
  if(failed)
    message(FATAL_ERROR "${which} could not be configured. ${fix}")
  endif()
  execute_process(COMMAND "${CMAKE_COMMAND}" --build "${PTOWSP_FOLDER}" --target ptowsp_gen --parallel ${PTOWSP_JOBS}
    RESULT_VARIABLE failed)
  if(failed)
    message(FATAL_ERROR "${which} could not be built. ${fix}")
  endif()
  set(program "${PTOWSP_FOLDER}/bin/ptowsp-gen")
  execute_process(COMMAND "${program}" --version RESULT_VARIABLE failed OUTPUT_QUIET)
  if(failed)
    file(READ "${PTOWSP_FOLDER}/CMakeCache.txt" cache)  # file(STRINGS) would cut it at non-ASCII letters
    string(REGEX MATCH "\nCMAKE_CXX_COMPILER:[A-Z]+=([^\n]*)" matched "${cache}")
    set(compiler "${CMAKE_MATCH_1}")
    message(FATAL_ERROR "${program} was built with ${compiler} and does not run here (${failed}). Set \
PTOWSP_HOST_CXX_COMPILER to the build machine's own compiler.")
  endif()
  # Every source, also such as are new: those are named in a CMakeLists.txt, which is listed.
  file(GLOB_RECURSE read "${PTOWSP_SOURCES}/generator/*" "${PTOWSP_SOURCES}/runtime_glue/include/*"
    "${PTOWSP_SOURCES}/cmake/*.cmake")
  list(APPEND read "${PTOWSP_SOURCES}/CMakeLists.txt")
  set(stamp "${PTOWSP_FOLDER}/host.stamp")
  set(text "")
  foreach(file IN LISTS stamp read)
    string(REPLACE "$" "$$" file "${file}")
    string(REGEX REPLACE "([ #])" "\\\\\\1" file "${file}")
    if(text STREQUAL "")
      set(text "${file}:")
    elseif(NOT file MATCHES "/__pycache__/")
      string(APPEND text " \\\n  ${file}")
    endif()
  endforeach()
  file(WRITE "${PTOWSP_FOLDER}/host.d" "${text}\n")
  file(TOUCH "${PTOWSP_FOLDER}/host.stamp")
endfunction()

if(CMAKE_SCRIPT_MODE_FILE STREQUAL CMAKE_CURRENT_LIST_FILE)
  cmake_minimum_required(VERSION 3.25)
  _ptowsp_build_host_generator()
endif()
