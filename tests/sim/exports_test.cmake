# SPDX-License-Identifier: MIT
# cmake -DNM=<nm> -DLIBRARY=<libptowsp_sim.so> -P exports_test.cmake: the library exports its C API and
# nothing else, so that no symbol of it can meet one of the user's.
cmake_minimum_required(VERSION 3.25)
execute_process(COMMAND "${NM}" -D --defined-only --format=posix "${LIBRARY}"
  OUTPUT_VARIABLE listing COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "[^\n]+" lines "${listing}")
set(contract get_runtime_size set_device register_kernel init_runtime launch_runtime finalize_runtime
  device_malloc device_free copy_to_device copy_from_device)
set(found "")
foreach(line IN LISTS lines)
  string(REGEX REPLACE "[ @].*" "" symbol "${line}")
  list(APPEND found "${symbol}")
  # The sanitizers put symbols of their own into every library.
  if(NOT symbol IN_LIST contract AND NOT symbol MATCHES "^(ptowsp_sim_|__asan|__odr_asan|__tsan|__ubsan)")
    message(SEND_ERROR "${LIBRARY} exports ${symbol}")
  endif()
endforeach()
foreach(symbol IN LISTS contract)
  if(NOT symbol IN_LIST found)
    message(SEND_ERROR "${LIBRARY} does not export ${symbol}")
  endif()
endforeach()
