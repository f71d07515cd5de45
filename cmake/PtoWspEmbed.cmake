# SPDX-License-Identifier: MIT
# ptowsp_embed_text(<target> FUNCTION <namespace::function> FILE <file>): the bytes of a text file as a
# function `std::string_view function()` of <target>, made anew whenever the file changes.
#
# This file is also the script that makes the source: cmake -DINPUT= -DOUTPUT= -DFUNCTION= -P.
if(CMAKE_SCRIPT_MODE_FILE STREQUAL CMAKE_CURRENT_LIST_FILE)
  cmake_minimum_required(VERSION 3.25)
  file(READ "${INPUT}" text)
  string(REGEX MATCH "^(.*)::([^:]*)$" matched "${FUNCTION}")
  set(namespace "${CMAKE_MATCH_1}")
  set(function "${CMAKE_MATCH_2}")
  file(WRITE "${OUTPUT}" "#include <string_view>

namespace ${namespace} {

std::string_view ${function}() {
  static constexpr std::string_view text = R\"ptowsp(${text})ptowsp\";
  return text;
}

}  // namespace ${namespace}
")
  return()
endif()

include_guard(GLOBAL)
set(_PTOWSP_EMBED_SCRIPT "${CMAKE_CURRENT_LIST_FILE}" CACHE INTERNAL "Script of ptowsp_embed_text")

function(ptowsp_embed_text target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "FUNCTION;FILE" "")
  if(NOT arg_FUNCTION OR NOT arg_FILE OR arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "ptowsp_embed_text(${target}): needs FUNCTION and FILE, and nothing else")
  endif()
  cmake_path(ABSOLUTE_PATH arg_FILE BASE_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}" OUTPUT_VARIABLE input)
  cmake_path(GET input FILENAME name)
  set(output "${CMAKE_CURRENT_BINARY_DIR}/embedded/${name}.cpp")
  add_custom_command(OUTPUT "${output}"
    COMMAND "${CMAKE_COMMAND}" "-DINPUT=${input}" "-DOUTPUT=${output}" "-DFUNCTION=${arg_FUNCTION}"
            -P "${_PTOWSP_EMBED_SCRIPT}"
    DEPENDS "${input}" "${_PTOWSP_EMBED_SCRIPT}"
    COMMENT "Embedding ${name}"
    VERBATIM)
  target_sources(${target} PRIVATE "${output}")
endfunction()
