// SPDX-License-Identifier: MIT
/* The C interface of PtoWsp::glue, libptowsp_glue_c.so: programs in any language run built
   workloads in their own process, on the built-in runtime (on an external one in a process for each
   run), with every check that ptowsp-run makes
   of a run (not of its results). C99.

   Calls for one program come one at a time, from any threads, but for ptowsp_program_cancel(),
   which may come during another. Different programs are independent of each other. */
#ifndef PTOWSP_GLUE_C_H
#define PTOWSP_GLUE_C_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What calls return; for all but PTOWSP_OK ptowsp_program_error() has the text. */
typedef enum ptowsp_outcome {
  PTOWSP_OK = 0,
  PTOWSP_BAD_ARTIFACT = 2, /* wrong arguments, or files that cannot be used */
  PTOWSP_RUN_FAILURE = 3,  /* the device is dead afterwards: later runs fail, too */
  PTOWSP_CANCELLED = 4     /* by ptowsp_program_cancel(); later runs are possible */
} ptowsp_outcome;

/* Every struct begins with `size`, which the caller sets to sizeof the struct. */
typedef struct ptowsp_program_options {
  uint32_t size;
  int32_t workers;        /* threads that run kernels; 0: one for each CPU */
  double timeout_seconds; /* for the tasks of one run; 0: none */
  const char* runtime;    /* NULL: the built-in runtime; else the folder of an external one's libraries */
} ptowsp_program_options;

/* Of the last run; tasks, edges and critical_path are known before the first, too. */
typedef struct ptowsp_program_stats {
  uint32_t size;
  int32_t workers;
  int64_t tasks;
  int64_t edges;
  int64_t critical_path; /* tasks on a longest path */
  uint64_t build_ns;     /* the orchestration built the task graph */
  uint64_t wall_ns;      /* the tasks ran */
  int32_t aicpus;        /* AICPU schedulers */
  uint32_t reserved;
  int64_t window;            /* the task window, 0 without one */
  int64_t window_high_water; /* see ptowsp_sim_stats */
  int64_t window_stalls;
} ptowsp_program_stats;

typedef struct ptowsp_program ptowsp_program;

/* Loads the artifact (a folder with `ready`, or that file), its kernels and its orchestration;
   `options` may be NULL. *program is set in any case, to be asked for the error and to be closed;
   it is NULL only when there is no memory. Libraries stay loaded as long as the process lives. */
int ptowsp_program_open(const char* artifact, const ptowsp_program_options* options,
                        ptowsp_program** program);
/* Also NULL. No call of the program may be under way. */
void ptowsp_program_close(ptowsp_program* program);

/* Runs the workload once. tensors[i] is the array of the i-th tensor that is not temporary, in the
   workload's order, bytes[i] its size: row-major, without gaps. Inputs are only read. Outputs and
   inouts are written when all tasks have run, and not at all when they have not. */
int ptowsp_program_run(ptowsp_program* program, void* const* tensors, const uint64_t* bytes,
                       uint32_t count);
/* From any thread: ends the tasks of the run that is under way. Nothing happens before its tasks
   run, or after; so who waits for the end of a run repeats the call until it is there. */
void ptowsp_program_cancel(ptowsp_program* program);

/* The last error, "" when there was none: place and message, then a line for each note, and the
   fix. Valid until the next call. */
const char* ptowsp_program_error(const ptowsp_program* program);
/* Predicted cycles of one run on `block_dim` blocks, at least 1 (docs/cycles.md). The first call builds the
   task graph; it runs nothing. No run may be under way. With processes, the same for every block_dim. */
int ptowsp_program_total_cycles(ptowsp_program* program, int block_dim, int64_t* cycles);
int ptowsp_program_get_stats(const ptowsp_program* program, ptowsp_program_stats* stats);

/* "0.1.0". */
const char* ptowsp_glue_version(void);
/* The level of kernel code that fits this machine best, like "x86-64-v3"; "" when none does. */
const char* ptowsp_kernel_level(void);

#ifdef __cplusplus
}
#endif
#endif /* PTOWSP_GLUE_C_H */
