// SPDX-License-Identifier: MIT
/* The C interface of PtoWsp::glue, libptowsp_glue_c.so: programs in any language run built
   workloads in their own process, on the built-in runtime (on an external one in a process for each
   run), with the checks that ptowsp-run makes of a run (docs/cpp.md), not of its results. C99.

   Two ways of use. A program with a device of its own: ptowsp_program_open(), _run(), _close(); its calls
   come one at a time, and ptowsp_program_error() has the text of what failed. Or a device that programs
   and tensors share: ptowsp_device_open(), then programs with options.device, and ptowsp_program_call().
   Those functions may be called from any threads at the same time; calls on one device run one after
   another, in the order in which they were made, and ptowsp_last_error() has what failed.

   The library and this header may be of different versions as long as PTOWSP_GLUE_ABI is the same:
   functions are only added, structs only grow at their end, and each begins with `size` (but
   ptowsp_argument, of which there are arrays: it stays as it is). */
#ifndef PTOWSP_GLUE_C_H
#define PTOWSP_GLUE_C_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Changes when a program that was compiled with an older header could not run any more. */
#define PTOWSP_GLUE_ABI 1u

/* What calls return. */
typedef enum ptowsp_outcome {
  PTOWSP_OK = 0,
  PTOWSP_BAD_ARTIFACT = 2, /* wrong arguments, or files that cannot be used */
  PTOWSP_RUN_FAILURE = 3,  /* a kernel or the runtime failed. A program's own device is dead then: later
                              runs fail, too. A shared device is made new by the next call, and what its
                              tensors held is lost */
  PTOWSP_CANCELLED = 4,    /* by a cancel function; later runs are possible. What tensors of the device held
                              is lost */
  PTOWSP_RUNNING = 5       /* ptowsp_call_wait(): the time is up, and the call is not over */
} ptowsp_outcome;

/* Every struct begins with `size`, which the caller sets to sizeof the struct; one that was not set is an
   error. All else that is 0 or NULL is the default. A handle that is NULL is an error, too, except
   where nothing is to be done with it. */

typedef struct ptowsp_device ptowsp_device;
typedef struct ptowsp_program ptowsp_program;
typedef struct ptowsp_tensor ptowsp_tensor;
typedef struct ptowsp_call ptowsp_call;

/* ---- errors ---- */

/* Of the calling thread's last call that failed; strings are never NULL, and valid until its next call.
   Functions that are given a ptowsp_program of its own device leave their text with that, too. */
typedef struct ptowsp_error_info {
  uint32_t size;
  int32_t outcome;     /* PTOWSP_OK when none has failed yet */
  const char* place;   /* a tensor, a file, a workload */
  const char* message; /* what was found and expected */
  const char* notes;   /* a line for each */
  const char* fix;     /* what to do about it */
  const char* text;    /* all of it */
} ptowsp_error_info;

int ptowsp_last_error(ptowsp_error_info* error);

/* ---- devices ---- */

typedef struct ptowsp_device_options {
  uint32_t size;
  int32_t device_id;
  int32_t block_dim;     /* blocks of the chip; 0: as each workload was built for, else what suits the workers */
  int32_t aicpu_threads; /* AICPU schedulers; 0: as each workload was built for, else as its policy says */
  int32_t workers;       /* threads that run kernels; 0: one for each CPU */
  uint32_t reserved;
  double timeout_seconds; /* for the tasks of one run; 0: none */
  const char* platform;   /* NULL: the runtime's. "a2a3sim", or "a2a3" with such a runtime's folder */
  const char* runtime;    /* NULL: the built-in runtime; else a library with its interface, or the folder of
                             an external one's libraries */
} ptowsp_device_options;

/* `options` may be NULL. *device is NULL when it cannot be opened. */
int ptowsp_device_open(const ptowsp_device_options* options, ptowsp_device** device);
/* Also NULL. Programs on the device keep it until they are closed. */
void ptowsp_device_close(ptowsp_device* device);
/* From any thread: ends the tasks of the call that is under way on the device; see
   ptowsp_program_cancel(). */
void ptowsp_device_cancel(ptowsp_device* device);

/* ---- tensors that stay on a device ---- */

/* An array that runs of programs on that device read and write without a copy to the host in between. It
   has no contents until it is uploaded or a run writes it, and loses them when a run on the device fails.
   On an external runtime, whose memory nobody else sees, it is memory of the host that each run copies. */
int ptowsp_tensor_create(ptowsp_device* device, uint64_t bytes, ptowsp_tensor** tensor);
/* Also NULL. Calls that were started with it keep it. */
void ptowsp_tensor_release(ptowsp_tensor* tensor);
uint64_t ptowsp_tensor_bytes(const ptowsp_tensor* tensor);
/* In the order of the device's calls: an upload after the calls that were made before it. */
int ptowsp_tensor_upload(ptowsp_tensor* tensor, const void* host, uint64_t bytes);
int ptowsp_tensor_download(ptowsp_tensor* tensor, void* host, uint64_t bytes);

/* ---- programs ---- */

typedef struct ptowsp_program_options {
  uint32_t size;
  int32_t workers;        /* threads that run kernels; 0: one for each CPU. Not with `device` */
  double timeout_seconds; /* for the tasks of one run; 0: none. Not with `device` */
  const char* runtime;    /* NULL: the built-in runtime; else the folder of an external one's libraries. Not
                             with `device` */
  ptowsp_device* device;  /* NULL: the program gets a device of its own */
  /* What the artifact has to be, where that is known; NULL: anything. */
  const char* name;        /* of the workload; with `artifact` NULL it is searched for */
  const char* source;      /* base name of the workload file, for messages */
  const char* source_hash; /* as the manifest has it; another one is refused */
  const char* version;     /* of the generator */
  const char* contract;
  const char* built_at;    /* the folder that the artifact was built in: one of the places to search */
} ptowsp_program_options;

/* Of the last run; tasks, edges and critical_path are known before the first, too. */
typedef struct ptowsp_program_stats {
  uint32_t size;
  int32_t workers;
  int64_t tasks;
  int64_t edges;
  int64_t critical_path; /* tasks on a longest path */
  uint64_t build_ns;     /* the orchestration built the task graph, when it last did */
  uint64_t wall_ns;      /* the tasks ran */
  int32_t aicpus;        /* AICPU schedulers */
  uint32_t reserved;
  int64_t window;            /* the task window, 0 without one */
  int64_t window_high_water; /* see ptowsp_sim_stats */
  int64_t window_stalls;
  int32_t cores;             /* 3 for each block; 0 where the runtime does not tell */
  uint32_t reserved2;
  uint64_t call_ns;          /* all of the call, copies and checks included, without its turn on the device */
} ptowsp_program_stats;

/* Loads the artifact (a folder with `ready`, or that file), its kernels and its orchestration;
   `options` may be NULL. *program is set in any case, to be asked for the error and to be closed;
   it is NULL only when there is no memory. Libraries stay loaded as long as the process lives.

   With `artifact` NULL the artifact of options.name is searched for, in this order, and the first that
   there is taken: in each folder E of PTOWSP_ARTIFACT_PATH (colons between them) E/NAME.ptowsp; then
   options.built_at; then, below the folder that holds the running program's folder,
   lib*\/ptowsp/NAME.ptowsp and lib/ARCH/ptowsp/NAME.ptowsp; then NAME.ptowsp beside the program. */
int ptowsp_program_open(const char* artifact, const ptowsp_program_options* options,
                        ptowsp_program** program);
/* Also NULL. No call of the program may be under way. */
void ptowsp_program_close(ptowsp_program* program);
/* The folder of the artifact that was loaded. */
const char* ptowsp_program_artifact(const ptowsp_program* program);

/* One argument of a call: `bytes` bytes of an array on the host, row-major, without gaps; or, where it is not
   NULL, a tensor on the program's device. A tensor that the run writes may be given once only. */
typedef struct ptowsp_argument {
  void* data;
  uint64_t bytes;
  ptowsp_tensor* tensor;
} ptowsp_argument;

/* Runs the workload once. arguments[i] is for the i-th tensor that is not temporary, in the workload's
   order. Inputs are only read. Outputs and inouts are written when all tasks have run and the run's
   checks have passed, and not at all when not. `stats` may be NULL. */
int ptowsp_program_call(ptowsp_program* program, const ptowsp_argument* arguments, uint32_t count,
                        ptowsp_program_stats* stats);

/* The same, and returns at once: the call waits for its turn on the device in a queue. Arrays on the host
   have to stay until it is over. *call is to be released, in any case but an error. */
int ptowsp_program_start(ptowsp_program* program, const ptowsp_argument* arguments, uint32_t count,
                         ptowsp_call** call);
/* Waits until it is over, for `seconds` at most (less than 0: however long it takes): PTOWSP_RUNNING, or
   what ptowsp_program_call() would have returned, as often as it is asked. */
int ptowsp_call_wait(ptowsp_call* call, double seconds, ptowsp_program_stats* stats);
/* From any thread, until it is released: a call that has not begun will not; of one that has, the tasks
   end, as with ptowsp_program_cancel(). */
void ptowsp_call_cancel(ptowsp_call* call);
/* Waits until it is over. Also NULL. */
void ptowsp_call_release(ptowsp_call* call);

/* The same as ptowsp_program_call() with the arrays' addresses and sizes in two arrays, and the statistics
   left with the program. */
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
/* PTOWSP_GLUE_ABI of the library. */
uint32_t ptowsp_glue_abi(void);
/* The level of kernel code that fits this machine best, like "x86-64-v3"; "" when none does. */
const char* ptowsp_kernel_level(void);

#ifdef __cplusplus
}
#endif
#endif /* PTOWSP_GLUE_C_H */
