// SPDX-License-Identifier: MIT
// The functions of ptowsp/glue_c.h about asynchronous calls.
#include "runtime_glue/glue/c_error.h"
#include "runtime_glue/glue/c_program.h"
#include "runtime_glue/glue/c_struct.h"

using ptowsp::glue::checkCall;
using ptowsp::glue::checkStruct;
using ptowsp::glue::failed;
using ptowsp::glue::guarded;
using ptowsp::glue::Status;

namespace {

// One that was made before, else a new one.
ptowsp_call* takeCall(ptowsp_program& program) {
  ptowsp_call* call = nullptr;
  {
    const std::lock_guard<std::mutex> lock(program.calls_mutex);
    call = program.free_calls;
    if (call) program.free_calls = call->next_free;
  }
  return call ? call : new ptowsp_call;
}

void giveBack(ptowsp_call* call) {
  ptowsp_program* const program = call->program;
  for (uint32_t i = 0; i < call->count; ++i) {
    if (call->arguments[i].tensor) call->arguments[i].tensor->release();
  }
  {
    const std::lock_guard<std::mutex> lock(program->calls_mutex);
    call->next_free = program->free_calls;
    program->free_calls = call;
  }
  program->release();
}

}  // namespace

void ptowsp_call::run() {
  if (!cancelled.load(std::memory_order_relaxed)) {
    end = program->call(arguments.data(), count, &stats, this);
    return;
  }
  end = {PTOWSP_CANCELLED, {}};
  guarded([&]() -> Status {
    end.status = Status::runFailure(program->artifact.manifest.name,
                                    "the call was cancelled before it began");
    return {};
  });
}

PTOWSP_EXPORT int ptowsp_program_start(ptowsp_program* program, const ptowsp_argument* arguments,
                                       uint32_t count, ptowsp_call** started) {
  if (started) *started = nullptr;
  ptowsp_call* call = nullptr;
  const int outcome = guarded([&]() -> Status {
    if (!started)
      return Status::badArtifact("ptowsp_program_start",
                                 "found a null pointer, expected one to a ptowsp_call*");
    if (Status status = checkCall("ptowsp_program_start", program, arguments, count); !status.ok())
      return status;
    call = takeCall(*program);
    call->program = program;
    call->count = 0;
    call->stats = {};
    call->stats.size = sizeof call->stats;
    call->end = {};
    call->cancelled.store(false, std::memory_order_relaxed);
    program->retain();
    if (call->arguments.size() < count) call->arguments.resize(count);
    for (; call->count < count; ++call->count) {
      call->arguments[call->count] = arguments[call->count];
      if (arguments[call->count].tensor) arguments[call->count].tensor->retain();
    }
    program->device->queue.push(call);
    return {};
  });
  if (outcome == PTOWSP_OK)
    *started = call;
  else if (call)
    giveBack(call);
  return outcome;
}

PTOWSP_EXPORT int ptowsp_call_wait(ptowsp_call* call, double seconds, ptowsp_program_stats* stats) {
  const int outcome = guarded([&]() -> Status {
    if (!call)
      return Status::badArtifact("ptowsp_call_wait", "found a null pointer, expected a call");
    return checkStruct("ptowsp_program_stats", stats);
  });
  if (outcome != PTOWSP_OK) return outcome;
  if (!call->program->device->queue.wait(call, seconds)) return PTOWSP_RUNNING;
  if (stats) ptowsp::glue::giveStruct(call->stats, stats);
  return call->end.outcome == PTOWSP_OK ? PTOWSP_OK : failed(call->end.status, call->end.outcome);
}

PTOWSP_EXPORT void ptowsp_call_cancel(ptowsp_call* call) {
  if (!call) return;
  // relaxed: the queue's lock, or nothing, comes between it and the call
  call->cancelled.store(true, std::memory_order_relaxed);
  call->program->device->cancel(call);
}

PTOWSP_EXPORT void ptowsp_call_release(ptowsp_call* call) {
  if (!call) return;
  call->program->device->queue.wait(call, -1);
  giveBack(call);
}
