// SPDX-License-Identifier: MIT
// Rules of one op: how many operands and which attributes it has, of which dtypes and shapes they
// are, and what follows for its result.
#pragma once

#include <string>
#include <vector>

#include "generator/base/diagnostic.h"
#include "generator/ir/workload.h"
#include "generator/ops/op_table.h"
#include "generator/verify/program.h"

namespace ptowsp {

// The JSON pointer of an operand.
std::string operandPlace(const ir::Op& op, size_t index);

// "'x' is 8 x 256" and "'x' is f16" for an operand.
std::string shapeOf(const ir::Op& op, size_t index, const Value& value);
std::string dtypeText(const ir::Op& op, size_t index, const Value& value);

// wrong-arity, unknown-attribute, missing-attribute.
bool checkForm(const ir::Op& op, const ops::OpInfo& info, Diagnostics& diagnostics);

// dtype-mismatch, shape-mismatch: gives `result` its dtype and shape, unless one of them is found.
// The operands of `built` are among `values`.
bool resultOf(const ir::Op& op, const KernelOp& built, const std::vector<Value>& values,
              Value& result, Diagnostics& diagnostics);

}  // namespace ptowsp
