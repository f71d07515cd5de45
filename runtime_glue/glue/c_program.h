// SPDX-License-Identifier: MIT
// ptowsp_program, ptowsp_tensor and ptowsp_call of the C interface.
#pragma once

#include <atomic>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "ptowsp/glue_c.h"
#include "runtime_glue/glue/artifact.h"
#include "runtime_glue/glue/c_device.h"
#include "runtime_glue/glue/call_queue.h"
#include "runtime_glue/glue/device_tensor.h"
#include "runtime_glue/glue/executable.h"
#include "runtime_glue/glue/run.h"

// Holds a reference to its device; asynchronous calls hold one to it.
struct ptowsp_tensor {
  ptowsp_tensor(ptowsp_device* on, uint64_t bytes) : device(on), tensor(on->chip, bytes) {
    device->retain();
  }
  void retain() { references.fetch_add(1, std::memory_order_relaxed); }
  void release();

  ptowsp_device* device;
  ptowsp::glue::DeviceTensor tensor;
  std::atomic<int> references{1};
};

namespace ptowsp::glue {

// CallEnd: how a call ended. The outcome is not the status's own after a cancelled one.
struct CallEnd {
  int outcome = PTOWSP_OK;
  Status status;
};

// Whether the program can be called; for messages, `function` is who asks.
Status checkCall(const char* function, const ptowsp_program* program, const void* arguments,
                 uint32_t count);

}  // namespace ptowsp::glue

// The members in the order in which they come to be; each refers to those above it.
struct ptowsp_program {
  ptowsp_device* device = nullptr;  // holds a reference
  bool shared = false;              // the caller opened it
  std::string folder;
  ptowsp::glue::Artifact artifact;
  ptowsp::glue::Executable executable;
  ptowsp::glue::Device launcher;
  std::optional<ptowsp::glue::Run> run;  // none: it could not be opened
  std::atomic<int> references{1};

  // On the device's turn only:
  std::vector<ptowsp::glue::Operand> operands;
  uint64_t call_ns = 0;  // of the last run
  bool dead = false;

  std::string error;
  std::optional<ptowsp::glue::TaskGraph> graph;  // once it was asked for

  std::mutex calls_mutex;
  ptowsp_call* free_calls = nullptr;  // guarded by calls_mutex: made before, and not in use

  ~ptowsp_program();
  void retain() { references.fetch_add(1, std::memory_order_relaxed); }
  void release() {
    if (references.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }
  // One run of a program that could be opened, on the device's turn. `stats` may be null; `who` is
  // what can be cancelled. Throws nothing.
  ptowsp::glue::CallEnd call(const ptowsp_argument* arguments, uint32_t count,
                             ptowsp_program_stats* stats, const void* who) noexcept;
  void fillStats(ptowsp_program_stats* stats) const;

 private:
  ptowsp::glue::CallEnd callOrThrow(const ptowsp_argument* arguments, uint32_t count,
                                    ptowsp_program_stats* stats, const void* who);
  ptowsp::glue::Status takeArguments(const ptowsp_argument* arguments, uint32_t count);
  ptowsp::glue::Status takeTensor(const ptowsp::glue::TensorInfo& tensor, ptowsp_tensor* given);
};

// An asynchronous call; while it is in use it holds references to its program and to its tensors.
struct ptowsp_call final : ptowsp::glue::QueuedCall {
  void run() override;

  ptowsp_program* program = nullptr;
  std::vector<ptowsp_argument> arguments;
  uint32_t count = 0;
  ptowsp_program_stats stats = {};
  ptowsp::glue::CallEnd end;
  std::atomic<bool> cancelled{false};
  ptowsp_call* next_free = nullptr;
};
