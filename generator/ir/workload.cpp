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

}  // namespace ptowsp::ir
