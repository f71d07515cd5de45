# SPDX-License-Identifier: MIT
# ptowsp_find_python(<variable> <module>...): the path of the first Python interpreter that can import
# all the modules, resolved to the real program (a version manager's shim costs 0.1 s at each start).
# PTOWSP_PYTHON, a cache variable, overrides the search. Empty when there is none; the caller knows
# which package to ask for. What PYTHONPATH and the like of the environment say does not count: the
# build does not see it either.
include_guard(GLOBAL)

set(PTOWSP_PYTHON "" CACHE FILEPATH "Python interpreter for PtoWsp; empty: the first that can import what is needed")

function(ptowsp_find_python variable)
  list(JOIN ARGN "_" key)
  set(cache "_PTOWSP_PYTHON_${key}")
  if(DEFINED ${cache} AND EXISTS "${${cache}}" AND "${_PTOWSP_PYTHON_ASKED_${key}}" STREQUAL "${PTOWSP_PYTHON}")
    set(${variable} "${${cache}}" PARENT_SCOPE)
    return()
  endif()
  if(PTOWSP_PYTHON)
    set(candidates "${PTOWSP_PYTHON}")
  else()
    set(candidates)
    set(folders $ENV{PATH})
    string(REPLACE ":" ";" folders "${folders}")
    list(APPEND folders /usr/bin /usr/local/bin)
    foreach(folder IN LISTS folders)
      if(EXISTS "${folder}/python3")
        list(APPEND candidates "${folder}/python3")
      endif()
    endforeach()
    list(REMOVE_DUPLICATES candidates)
  endif()
  list(JOIN ARGN ", " imports)
  if(imports)
    string(PREPEND imports "import ")
    string(APPEND imports "; ")
  endif()
  set(found "")
  foreach(candidate IN LISTS candidates)
    execute_process(
      COMMAND "${CMAKE_COMMAND}" -E env --unset=PYTHONPATH --unset=PYTHONHOME --unset=PYTHONOPTIMIZE "${candidate}"
        -c "${imports}import sys; assert sys.version_info >= (3, 9); print(sys.executable)"
      OUTPUT_VARIABLE real ERROR_QUIET RESULT_VARIABLE failed OUTPUT_STRIP_TRAILING_WHITESPACE)
    if(NOT failed AND EXISTS "${real}")
      set(found "${real}")
      break()
    endif()
  endforeach()
  set(${cache} "${found}" CACHE INTERNAL "Python that imports ${ARGN}")
  set(_PTOWSP_PYTHON_ASKED_${key} "${PTOWSP_PYTHON}" CACHE INTERNAL "PTOWSP_PYTHON when it was looked for")
  set(${variable} "${found}" PARENT_SCOPE)
endfunction()
