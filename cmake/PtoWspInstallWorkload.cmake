# SPDX-License-Identifier: MIT
# ptowsp_install_workload(): a workload as a package of its own, which find_package(<name>) finds.
include_guard(GLOBAL)
cmake_policy(VERSION 3.25)

# ptowsp_install_workload(<name> [NAMESPACE <ns>::] [DESTINATION <dir>] [VERSION <v>]
#                         [COMPONENT <component>] [TEST_DATA])
#   1. <dir>/<name>.ptowsp            what runs: header, orchestrations, kernels, manifest, ready
#   2. <libdir>/ptowsp/runtime-<v>    PtoWsp's libraries and headers, all that a program needs
#   3. <libdir>/cmake/<name>          the package: the target <ns>::<name>, and what it is refused for
# Everything is found from where the package's files lie, so that a prefix can be moved.
function(ptowsp_install_workload name)
  _ptowsp_parse_install(${ARGV})
  include(GNUInstallDirs)
  if(NOT DEFINED i_DESTINATION)
    set(i_DESTINATION "${CMAKE_INSTALL_LIBDIR}/ptowsp")
  endif()
  get_property(i_ptowsp GLOBAL PROPERTY PTOWSP_VERSION)
  set(i_artifact "${i_DESTINATION}/${name}.ptowsp")
  set(i_runtime "${CMAKE_INSTALL_LIBDIR}/ptowsp/runtime-${i_ptowsp}")
  _ptowsp_install_artifact()
  _ptowsp_install_runtime()
  _ptowsp_install_package()
endfunction()

function(_ptowsp_install_fail)
  set(text "")
  foreach(i RANGE 1 ${ARGC})  # one by one: as a list they would lose their semicolons
    math(EXPR i "${i} - 1")
    string(APPEND text "${ARGV${i}}")
  endforeach()
  message(FATAL_ERROR "ptowsp_install_workload(${name}): ${text}")
endfunction()

# _ptowsp_parse_install(<arguments>): sets i_<KEYWORD>, i_target, and i_component, what install() is
# given.
function(_ptowsp_parse_install)
  cmake_parse_arguments(PARSE_ARGV 1 i "TEST_DATA" "NAMESPACE;DESTINATION;VERSION;COMPONENT" "")
  if(DEFINED i_UNPARSED_ARGUMENTS)
    list(GET i_UNPARSED_ARGUMENTS 0 unknown)
    _ptowsp_install_fail("unknown argument '${unknown}'; the keywords are NAMESPACE, DESTINATION, "
      "VERSION, COMPONENT and TEST_DATA")
  elseif(DEFINED i_KEYWORDS_MISSING_VALUES)
    list(GET i_KEYWORDS_MISSING_VALUES 0 keyword)
    _ptowsp_install_fail("${keyword} needs a value")
  endif()
  set(ready "")
  if(TARGET "${name}")
    get_target_property(ready "${name}" PTOWSP_READY_FILE)
  endif()
  if(NOT ready)
    _ptowsp_install_fail("there is no workload of that name; call ptowsp_add_workload(${name} ...) "
      "before")
  endif()
  if(DEFINED i_NAMESPACE AND NOT i_NAMESPACE MATCHES "^[A-Za-z_][A-Za-z0-9_]*::$")
    _ptowsp_install_fail("NAMESPACE is '${i_NAMESPACE}', expected an identifier and two colons, like "
      "mine::")
  elseif(IS_ABSOLUTE "${i_DESTINATION}" OR i_DESTINATION MATCHES "(^|/)[.][.](/|$)")
    _ptowsp_install_fail("DESTINATION is '${i_DESTINATION}', expected a folder below the prefix, "
      "which can be moved")
  elseif(DEFINED i_VERSION AND NOT i_VERSION MATCHES "^[0-9]+([.][0-9]+)*$")
    _ptowsp_install_fail("VERSION is '${i_VERSION}', expected numbers with dots")
  endif()
  set(i_component "" PARENT_SCOPE)
  if(DEFINED i_COMPONENT)
    set(i_component COMPONENT "${i_COMPONENT}" PARENT_SCOPE)
  endif()
  if(NOT DEFINED i_VERSION)
    set(i_VERSION "${PROJECT_VERSION}")
  endif()
  if(i_VERSION STREQUAL "")
    set(i_VERSION 0)
  endif()
  foreach(variable IN ITEMS TEST_DATA NAMESPACE VERSION)
    set(i_${variable} "${i_${variable}}" PARENT_SCOPE)
  endforeach()
  if(DEFINED i_DESTINATION)
    set(i_DESTINATION "${i_DESTINATION}" PARENT_SCOPE)
  endif()
  set(i_ready "${ready}" PARENT_SCOPE)
endfunction()

# _ptowsp_install_artifact(): what `ready` names, which is known when it has been built.
function(_ptowsp_install_artifact)
  get_target_property(folder "${name}" PTOWSP_ARTIFACT_FOLDER)
  get_target_property(marks "${name}" PTOWSP_MARKS)
  set(script "${CMAKE_CURRENT_FUNCTION_LIST_DIR}/PtoWspInstallArtifact.cmake")
  set(text "")
  foreach(setting IN ITEMS "name=${name}" "ready=${i_ready}" "marks=${marks}" "artifact=${folder}" "to=${i_artifact}"
      "data=${i_TEST_DATA}" "scratch=${CMAKE_CURRENT_BINARY_DIR}/CMakeFiles/${name}.install")
    string(REGEX REPLACE "^([a-z]+)=(.*)$" "set(ptowsp_\\1 [==[\\2]==])\n" setting "${setting}")
    string(APPEND text "${setting}")
  endforeach()
  install(CODE "${text}include([==[${script}]==])" ${i_component})
endfunction()

# _ptowsp_install_runtime(): once for a prefix, however many workloads there are.
function(_ptowsp_install_runtime)
  foreach(library IN ITEMS glue sim)
    if(NOT TARGET PtoWsp::${library})
      _ptowsp_install_fail("PtoWsp::${library} is not known here; call find_package(PtoWsp CONFIG "
        "REQUIRED) in this folder or one above it")
    endif()
  endforeach()
  get_property(include GLOBAL PROPERTY PTOWSP_INCLUDE)
  # Under the names that they look for each other by, whatever postfix the project gives its own.
  install(PROGRAMS "$<TARGET_FILE:PtoWsp::glue>" DESTINATION "${i_runtime}"
    RENAME libptowsp_glue_c.so ${i_component})
  install(PROGRAMS "$<TARGET_FILE:PtoWsp::sim>" DESTINATION "${i_runtime}" RENAME libptowsp_sim.so
    ${i_component})
  install(DIRECTORY "${include}/ptowsp" DESTINATION "${i_runtime}/include" ${i_component}
    FILES_MATCHING PATTERN "*.h" PATTERN "sim" EXCLUDE)
endfunction()

# _ptowsp_install_package(): <name>Config.cmake and <name>ConfigVersion.cmake.
function(_ptowsp_install_package)
  include(CMakePackageConfigHelpers)
  set(folder "${CMAKE_CURRENT_BINARY_DIR}/CMakeFiles/${name}.install")
  set(package "${CMAKE_INSTALL_LIBDIR}/cmake/${name}")
  configure_package_config_file(
    "${CMAKE_CURRENT_FUNCTION_LIST_DIR}/PtoWspWorkloadConfig.cmake.in"
    "${folder}/${name}Config.cmake" INSTALL_DESTINATION "${package}"
    PATH_VARS i_artifact i_runtime NO_CHECK_REQUIRED_COMPONENTS_MACRO)
  write_basic_package_version_file("${folder}/${name}ConfigVersion.cmake" VERSION "${i_VERSION}"
    COMPATIBILITY SameMajorVersion)
  _ptowsp_refuse_other_processors("${folder}/${name}ConfigVersion.cmake")
  install(FILES "${folder}/${name}Config.cmake" "${folder}/${name}ConfigVersion.cmake"
    DESTINATION "${package}" ${i_component})
endfunction()

# _ptowsp_refuse_other_processors(<version file>): libraries are for one processor. A project for
# another one goes on searching.
function(_ptowsp_refuse_other_processors file)
  file(APPEND "${file}" "
set(ptowsp_processor \"${CMAKE_SYSTEM_PROCESSOR}\")
set(ptowsp_wanted \"\${CMAKE_SYSTEM_PROCESSOR}\")
foreach(processor IN ITEMS ptowsp_processor ptowsp_wanted)
  string(REGEX REPLACE \"^(arm64|ARM64)$\" \"aarch64\" \${processor} \"\${\${processor}}\")
  string(REGEX REPLACE \"^(AMD64|amd64)$\" \"x86_64\" \${processor} \"\${\${processor}}\")
endforeach()
if(ptowsp_wanted AND NOT ptowsp_wanted STREQUAL ptowsp_processor)
  string(APPEND PACKAGE_VERSION \" (for \${ptowsp_processor})\")
  set(PACKAGE_VERSION_UNSUITABLE TRUE)
endif()
")
endfunction()
