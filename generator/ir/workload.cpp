// SPDX-License-Identifier: MIT
#include "generator/ir/workload.h"

namespace ptowsp::ir {

int64_t elementSize(DType dtype) { return dtype == DType::f32 || dtype == DType::i32 ? 4 : 2; }

const char* nameOf(DType dtype) {
  switch (dtype) {
    case DType::f32:
      return "f32";
    case DType::f16:
      return "f16";
    case DType::bf16:
      return "bf16";
    case DType::i32:
      return "i32";
  }
  return "";
}

const char* nameOf(Role role) {
  switch (role) {
    case Role::input:
      return "input";
    case Role::output:
      return "output";
    case Role::inout:
      return "inout";
    case Role::temporary:
      return "temporary";
  }
  return "";
}

const char* nameOf(Access access) {
  switch (access) {
    case Access::in:
      return "in";
    case Access::out:
      return "out";
    case Access::inout:
      return "inout";
  }
  return "";
}

const char* nameOf(Dispatch::Policy policy) {
  switch (policy) {
    case Dispatch::Policy::round_robin:
      return "round_robin";
    case Dispatch::Policy::hash:
      return "hash";
    case Dispatch::Policy::affinity:
      return "affinity";
    case Dispatch::Policy::dispatch_by:
      return "dispatch_by";
    case Dispatch::Policy::work_steal:
      return "work_steal";
  }
  return "";
}

const char* nameOf(TaskWindow::Mode mode) {
  switch (mode) {
    case TaskWindow::Mode::stall:
      return "stall";
    case TaskWindow::Mode::abort:
      return "abort";
    case TaskWindow::Mode::benchmark:
      return "benchmark";
  }
  return "";
}

}  // namespace ptowsp::ir
