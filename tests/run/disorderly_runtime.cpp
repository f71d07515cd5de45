// SPDX-License-Identifier: MIT
// The built-in runtime, except that its trace tells of task 4 as started before task 0 had ended.
// Everything else is found in libptowsp_sim.so, which this library is linked with.
#include <dlfcn.h>

#include <vector>

#include "ptowsp/sim_api.h"

extern "C" int ptowsp_sim_get_trace(ptowsp_sim_trace* trace) {
  static const auto real =
      reinterpret_cast<int (*)(ptowsp_sim_trace*)>(dlsym(RTLD_NEXT, "ptowsp_sim_get_trace"));
  static std::vector<ptowsp_sim_event> events;
  const int code = real(trace);
  events.assign(trace->events, trace->events + trace->count);
  if (events.size() > 4) events[4].start_ns = events[0].end_ns - 2000;
  trace->events = events.data();
  return code;
}
