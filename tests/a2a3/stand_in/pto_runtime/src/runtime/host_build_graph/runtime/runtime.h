// SPDX-License-Identifier: MIT
// A stand-in for pto-runtime's header in PtoWsp's tests: the built-in runtime's, within pto-runtime's
// limits and without what only that one has. Of pto-runtime's class Runtime the version is known by
//   int add_task(uint64_t* args, int num_args, int func_id, int core_type = 0);
#pragma once

#define RUNTIME_MAX_TASKS 1024
#define RUNTIME_MAX_ARGS 16
#define RUNTIME_MAX_FANOUT 512
#define RUNTIME_MAX_TENSOR_PAIRS 64
#include "BUILTIN_RUNTIME_H"  // tests write its path here
#undef PTOWSP_BUILTIN_RUNTIME
