// SPDX-License-Identifier: MIT
/* The C interface of the built-in runtime, libptowsp_sim.so: first the contract with pto-runtime
   (G1), then the extensions ptowsp_sim_*. A program may link the library or find everything by
   dlsym. C99.

   All functions act on the calling thread's current device: the process-wide default device, until
   ptowsp_sim_device_use() chooses another. Calls on one device are serialised by a lock.
   Every struct begins with `size`: the caller sets it to sizeof the struct before the call; the
   library fills in or reads that many bytes at most, so that either side may be the newer one. */
#ifndef PTOWSP_SIM_API_H
#define PTOWSP_SIM_API_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- the contract: 0 is success, a negative number one of ptowsp_sim_status ---- */

size_t get_runtime_size(void);
int set_device(int device_id);
/* An image of exactly 8 bytes is the address of a function void(int64_t* args); any other is
   machine code with its entry at offset 0. Registering a func_id again replaces the kernel. */
int register_kernel(int func_id, const uint8_t* bin, size_t size);
int init_runtime(void* runtime, const uint8_t* orch_so, size_t orch_size, const char* func_name,
                 uint64_t* args, int n_args);
/* The AICPU and AICore binaries are not used. A runtime may be launched more than once. */
int launch_runtime(void* runtime, int aicpu_thread_num, int block_dim, int device_id,
                   const uint8_t* aicpu, size_t aicpu_size, const uint8_t* aicore,
                   size_t aicore_size);
/* Copies the recorded tensor pairs back, unless the last launch failed (then an error), and
   releases all device memory that the orchestration allocated. */
int finalize_runtime(void* runtime);
void* device_malloc(size_t size);
void device_free(void* dev_ptr);
int copy_to_device(void* dev_ptr, const void* host_ptr, size_t size);
int copy_from_device(void* host_ptr, const void* dev_ptr, size_t size);

/* ---- status codes ---- */

/* Far from the codes that an orchestration returns itself; those are in ptowsp_sim_error.detail. */
typedef enum ptowsp_sim_status {
  PTOWSP_SIM_OK = 0,
  PTOWSP_SIM_ERROR_ARGUMENT = -1001,        /* a null pointer, bad count, bad block_dim ... */
  PTOWSP_SIM_ERROR_NOT_INITIALIZED = -1002, /* this runtime object was not initialised */
  PTOWSP_SIM_ERROR_REENTRANT = -1003,       /* called from inside an orchestration or a kernel */
  PTOWSP_SIM_ERROR_OUT_OF_MEMORY = -1004,
  PTOWSP_SIM_ERROR_DEVICE_DEAD = -1005,  /* an earlier run failed; reset the device */
  PTOWSP_SIM_ERROR_DEVICE_RESET = -1006, /* the device was reset under this runtime */
  PTOWSP_SIM_ERROR_NOT_RUN = -1007,      /* finalize without a launch that succeeded */
  PTOWSP_SIM_ERROR_SYSTEM = -1008,       /* a system call failed */
  /* building the graph */
  PTOWSP_SIM_ERROR_LOAD = -1020,          /* the orchestration cannot be loaded */
  PTOWSP_SIM_ERROR_SYMBOL = -1021,        /* it lacks the function */
  PTOWSP_SIM_ERROR_VERSION = -1022,       /* it was compiled with another runtime.h */
  PTOWSP_SIM_ERROR_ORCHESTRATION = -1023, /* it returned an error, see detail */
  PTOWSP_SIM_ERROR_BAD_TASK = -1024,      /* add_task with a bad count, func_id or core type */
  PTOWSP_SIM_ERROR_BAD_EDGE = -1025,      /* add_successor with a bad id */
  PTOWSP_SIM_ERROR_BAD_PAIR = -1026,      /* record_tensor_pair outside an allocation */
  PTOWSP_SIM_ERROR_BAD_SCHEDULE = -1027,  /* a dispatch policy or task window that cannot hold */
  /* device memory */
  PTOWSP_SIM_ERROR_BAD_COPY = -1030, /* a range that is not inside one live allocation */
  PTOWSP_SIM_ERROR_BAD_FREE = -1031, /* double free, or not an allocation */
  PTOWSP_SIM_ERROR_GUARD = -1032,    /* something wrote outside an allocation */
  /* running */
  PTOWSP_SIM_ERROR_UNREGISTERED_KERNEL = -1040,
  PTOWSP_SIM_ERROR_CORE_TYPE = -1041, /* a task on a core type its kernel is not made for */
  PTOWSP_SIM_ERROR_CYCLE = -1042,
  PTOWSP_SIM_ERROR_CRASH = -1043, /* a kernel crashed; detail is the signal */
  PTOWSP_SIM_ERROR_TIMEOUT = -1044,
  PTOWSP_SIM_ERROR_DEADLOCK = -1045, /* tasks are left and none can become ready */
  PTOWSP_SIM_ERROR_CANCELLED = -1046, /* ptowsp_sim_device_cancel */
  PTOWSP_SIM_ERROR_WINDOW = -1047     /* a task beyond the task window, in mode abort */
} ptowsp_sim_status;

/* "cycle", "timeout", ...; "unknown" for any other number. */
const char* ptowsp_sim_status_name(int status);
/* Version of the library, "0.1.0". */
const char* ptowsp_sim_version(void);

/* ---- devices ---- */

typedef struct ptowsp_sim_device ptowsp_sim_device;

ptowsp_sim_device* ptowsp_sim_device_create(void); /* NULL when out of memory */
/* Releases everything the device holds. No other thread may be using it. The default device cannot
   be destroyed. */
int ptowsp_sim_device_destroy(ptowsp_sim_device* device);
/* Makes `device` (NULL: the default device) the calling thread's current one. */
int ptowsp_sim_device_use(ptowsp_sim_device* device);
ptowsp_sim_device* ptowsp_sim_device_current(void);
/* From any thread: ends the launch that is under way on `device` (NULL: the default device), which
   then fails with PTOWSP_SIM_ERROR_CANCELLED. Does nothing when no tasks are running. */
int ptowsp_sim_device_cancel(ptowsp_sim_device* device);
/* As new: device memory released, kernels forgotten, a dead device alive. Options stay. Runtimes
   that were initialised before can only be finalised, which then copies nothing back. */
int ptowsp_sim_device_reset(void);

/* ---- options: hold for all later launches on the current device ---- */

enum {
  PTOWSP_SIM_TRACE = 1u,           /* record an event for each task */
  PTOWSP_SIM_CHECK_EACH_TASK = 2u, /* one worker, all guards checked after each task */
  PTOWSP_SIM_SCHEDULE_SEED = 4u,   /* take ready tasks in a random order drawn from schedule_seed */
  PTOWSP_SIM_NO_CRASH_HANDLER = 8u, /* leave signals of crashes to debuggers and sanitizers */
  PTOWSP_SIM_QUIET = 16u            /* errors are not also printed on stderr */
};

typedef struct ptowsp_sim_options {
  uint32_t size;
  uint32_t flags;
  int32_t workers; /* threads that run kernels; 0 = as many as the machine has */
  uint32_t reserved;
  uint64_t schedule_seed;
  double timeout_seconds; /* wall time of one launch; 0 = none */
} ptowsp_sim_options;

int ptowsp_sim_set_options(const ptowsp_sim_options* options);
int ptowsp_sim_get_options(ptowsp_sim_options* options);

/* Optional facts about a kernel: its name, for messages, and the core type that its tasks must have
   (0 AIC, 1 AIV, -1 any). May come before or after register_kernel; name may be NULL. */
int ptowsp_sim_describe_kernel(int func_id, const char* name, int core_type);

/* init_runtime with an orchestration that is already in the process. `function` has the type
   int(Runtime* runtime, uint64_t* args, int n_args) and was compiled with this library's runtime.h.
 */
int ptowsp_sim_init_function(void* runtime, int (*function)(void*, uint64_t*, int), uint64_t* args,
                             int n_args);

/* ---- results: of the current device's last call or launch ---- */

/* The pointers below stay valid until the next launch, init, reset or destroy on the same device.
 */

typedef struct ptowsp_sim_error {
  uint32_t size;
  int32_t code;      /* ptowsp_sim_status of the last call that failed; 0 = none since reset */
  int32_t task;      /* the task to name first, or -1 */
  int32_t func_id;   /* its kernel, or -1 */
  int32_t core;      /* the core it ran on, or -1 */
  int32_t core_type; /* 0 AIC, 1 AIV, -1 unknown */
  int32_t detail;    /* CRASH: signal number; ORCHESTRATION: its return code; else 0 */
  uint32_t task_count;
  const int32_t* tasks; /* CYCLE: the tasks on it, in order; TIMEOUT: the tasks in flight */
  const char* message;  /* a whole sentence with place and fix, never NULL */
} ptowsp_sim_error;

int ptowsp_sim_last_error(ptowsp_sim_error* error);

typedef struct ptowsp_sim_guard_damage {
  int32_t allocation;     /* number of the allocation since create or reset, from 0 */
  int32_t task;           /* CHECK_EACH_TASK: the task after which it showed; else -1 */
  uint64_t address;       /* of the allocation on the device */
  uint64_t bytes;         /* its size */
  int64_t offset;         /* of the first damaged byte, from its address; negative: before it */
  uint64_t damaged_bytes; /* guard bytes that changed, on that side */
} ptowsp_sim_guard_damage;

typedef struct ptowsp_sim_guard_report {
  uint32_t size;
  uint32_t count;
  const ptowsp_sim_guard_damage* items;
} ptowsp_sim_guard_report;

int ptowsp_sim_guard_damages(ptowsp_sim_guard_report* report);

/* Times are CLOCK_MONOTONIC nanoseconds. */
typedef struct ptowsp_sim_event {
  int32_t task;
  int32_t func_id;
  int32_t core; /* AIC cores are 0 .. block_dim - 1, AIV cores follow; -1: the task did not run */
  int32_t core_type;
  int32_t aicpu;
  int32_t worker;
  uint64_t dispatch_ns; /* taken from the ready tasks and given to the core */
  uint64_t start_ns;
  uint64_t end_ns; /* 0 with core >= 0: the kernel did not return */
} ptowsp_sim_event;

typedef struct ptowsp_sim_trace {
  uint32_t size;
  uint32_t count; /* one event per task of the last launch, index = task; 0 without TRACE */
  const ptowsp_sim_event* events;
} ptowsp_sim_trace;

int ptowsp_sim_get_trace(ptowsp_sim_trace* trace);

typedef struct ptowsp_sim_stats {
  uint32_t size;
  int32_t workers; /* threads that could run kernels: never more than there are cores */
  int64_t tasks;
  int64_t edges;
  int64_t completed;            /* tasks that ran in the last launch */
  int64_t critical_path;        /* tasks on a longest path */
  uint64_t build_ns;            /* the orchestration function of the last init */
  uint64_t wall_ns;             /* the last launch */
  uint64_t critical_path_ns;    /* longest path by kernel time; 0 without TRACE */
  const uint64_t* core_busy_ns; /* one per core; NULL without TRACE */
  int32_t cores;                /* 3 * block_dim of the last launch */
  int32_t aicpus;
  /* device memory, now */
  int64_t live_allocations;
  int64_t live_bytes;
  int64_t peak_bytes;
  /* allocations the last finalize released that were neither freed nor recorded as a tensor pair */
  int64_t unrecorded_allocations;
  /* the task window of the last launch; 0 for none */
  int64_t window;
  /* most tasks from the oldest unfinished one to the newest that began, both counted */
  int64_t window_high_water;
  /* tasks that found themselves beyond the window when all they wait for was done */
  int64_t window_stalls;
} ptowsp_sim_stats;

int ptowsp_sim_get_stats(ptowsp_sim_stats* stats);

/* The graph of the last launch. Successors of task t: successors[offsets[t] .. offsets[t + 1]). */
typedef struct ptowsp_sim_graph {
  uint32_t size;
  int32_t tasks;
  int64_t edges;
  const uint32_t* offsets; /* tasks + 1 */
  const int32_t* successors;
  const int32_t* fanin;
} ptowsp_sim_graph;

/* Valid until the runtime of that launch is finalised or launched again. */
int ptowsp_sim_get_graph(ptowsp_sim_graph* graph);

#ifdef __cplusplus
}
#endif
#endif /* PTOWSP_SIM_API_H */
