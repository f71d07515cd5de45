// SPDX-License-Identifier: MIT
#include "generator/verify/op_rules.h"

#include <algorithm>

#include "generator/ir/json.h"
#include "generator/verify/rules.h"

namespace ptowsp {
namespace {

// "f32, f16 and bf16".
std::string listed(const ops::DTypes& dtypes) {
  std::vector<std::string> names;
  for (DType dtype : {DType::f32, DType::f16, DType::bf16, DType::i32})
    if (hasDType(dtypes, dtype)) names.emplace_back(ir::nameOf(dtype));
  std::string text;
  for (size_t i = 0; i < names.size(); ++i)
    text += (i == 0 ? "" : i + 1 == names.size() ? " and " : ", ") + names[i];
  return text;
}

// "'x'", or the number that stands there.
std::string operandText(const ir::Op& op, size_t index) {
  const double* number = std::get_if<double>(&op.args[index]);
  return number ? json::numberText(*number) : inQuotes(std::get<std::string>(op.args[index]));
}

bool isNumber(const Value& value) {
  return value.kind == Value::Kind::literal || value.kind == Value::Kind::scalar;
}

// Result: of one op, found step by step.
class Result {
 public:
  Result(const ir::Op& source, const KernelOp& op, const std::vector<Value>& values,
         Diagnostics& diagnostics)
      : op_(source), built_(op), values_(values), diagnostics_(diagnostics) {}

  // dtype-mismatch: operands are of one dtype, and of one that the op has. Only `cast` converts.
  bool resultType(Value& result) {
    if (built_.op->form == ops::Form::constant) {
      result.dtype = *op_.dtype;
      return true;
    }
    const Value& first = valueOf(built_.args[0]);
    // An accumulator is f32 whatever is multiplied.
    const size_t alike = static_cast<size_t>(built_.op->arity);
    for (size_t i = 1; i < built_.args.size(); ++i) {
      const DType expected = i < alike ? first.dtype : DType::f32;
      if (valueOf(built_.args[i]).dtype == expected) continue;
      error("dtype-mismatch", op_.place,
            i < alike ? "the operands of " + inQuotes(op_.name) +
                            " differ in dtype: " + dtypeText(op_, 0, first) + ", " +
                            dtypeText(op_, i, valueOf(built_.args[i]))
                      : "the accumulator of " + inQuotes(op_.name) +
                            " is f32, found: " + dtypeText(op_, i, valueOf(built_.args[i])),
            "nothing is converted unasked: add {\"op\": \"cast\", \"args\": [...], \"dtype\": \"" +
                std::string(ir::nameOf(expected)) + "\", \"result\": \"...\"}");
      return false;
    }
    if (!hasDType(built_.op->dtypes, first.dtype)) {
      error("dtype-mismatch", op_.place,
            "op " + inQuotes(op_.name) + " works on " + listed(built_.op->dtypes) + ", but " +
                dtypeText(op_, 0, first),
            "cast the operand first: {\"op\": \"cast\", \"args\": [...], \"dtype\": \"f32\", "
            "\"result\": \"...\"}");
      return false;
    }
    result.dtype = built_.op->form == ops::Form::cast     ? *op_.dtype
                   : built_.op->form == ops::Form::matmul ? DType::f32
                                                          : first.dtype;
    return true;
  }

  bool resultShape(Value& result) {
    switch (built_.op->form) {
      case ops::Form::row_reduction:
      case ops::Form::col_reduction: {
        const bool rows = built_.op->form == ops::Form::row_reduction;
        const Value& first = valueOf(built_.args[0]);
        if (isNumber(first)) {
          error("shape-mismatch", operandPlace(op_, 0),
                "op " + inQuotes(op_.name) + " reduces the " + (rows ? "rows" : "columns") +
                    " of a tile, found a scalar");
          return false;
        }
        (rows ? result.rows : result.cols) = rows ? first.rows : first.cols;
        return true;
      }
      case ops::Form::matmul:
        return matmulShape(result);
      case ops::Form::constant:
        result.rows = op_.rows.value_or(1);
        result.cols = op_.cols.value_or(1);
        return true;
      case ops::Form::elementwise:
      case ops::Form::cast:
      case ops::Form::store:
        break;
    }
    for (int arg : built_.args) {
      result.rows = std::max(result.rows, valueOf(arg).rows);
      result.cols = std::max(result.cols, valueOf(arg).cols);
    }
    for (int arg : built_.args) {
      const Value& value = valueOf(arg);
      bool fits = (value.rows == 1 || value.rows == result.rows) &&
                  (value.cols == 1 || value.cols == result.cols);
      if (fits) continue;
      error("shape-mismatch", op_.place,
            "the operands of " + inQuotes(op_.name) +
                " do not broadcast: " + shapeOf(op_, 0, valueOf(built_.args[0])) + ", " +
                shapeOf(op_, 1, valueOf(built_.args[1])),
            "each extent must be the same, or 1 in one of them");
      return false;
    }
    return true;
  }

 private:
  Diagnostic& error(std::string_view rule, std::string_view place, std::string message,
                    std::string fix = {}) {
    return diagnostics_.error(rule, place, std::move(message), std::move(fix));
  }
  const Value& valueOf(int index) const { return values_[static_cast<size_t>(index)]; }

  // m x k times k x n, plus m x n: nothing broadcasts.
  bool matmulShape(Value& result) {
    for (size_t i = 0; i < built_.args.size(); ++i) {
      if (!isNumber(valueOf(built_.args[i]))) continue;
      error("shape-mismatch", operandPlace(op_, i),
            "op " + inQuotes(op_.name) + " multiplies tiles, found a scalar",
            "use 'mul' to multiply by a scalar");
      return false;
    }
    const Value& a = valueOf(built_.args[0]);
    const Value& b = valueOf(built_.args[1]);
    result.rows = a.rows;
    result.cols = b.cols;
    if (a.cols != b.rows) {
      error("shape-mismatch", op_.place,
            "the operands of " + inQuotes(op_.name) + " do not fit: " + shapeOf(op_, 0, a) + ", " +
                shapeOf(op_, 1, b),
            "the first has as many columns as the second has rows");
      return false;
    }
    if (built_.args.size() < 3) return true;
    const Value& c = valueOf(built_.args[2]);
    if (c.rows == result.rows && c.cols == result.cols) return true;
    error("shape-mismatch", op_.place,
          "the accumulator of " + inQuotes(op_.name) + " does not fit: " + shapeOf(op_, 2, c) +
              ", the product is " + shapeText(result.rows, result.cols),
          "give the accumulator the product's shape");
    return false;
  }

  const ir::Op& op_;
  const KernelOp& built_;
  const std::vector<Value>& values_;
  Diagnostics& diagnostics_;
};

bool checkArity(const ir::Op& op, const ops::OpInfo& info, Diagnostics& diagnostics) {
  const int found = static_cast<int>(op.args.size());
  if (found >= info.arity && found <= info.arity + info.optional) return true;
  const int most = info.arity + info.optional;
  diagnostics.error("wrong-arity", op.place,
                    "op " + inQuotes(op.name) + " takes " + std::to_string(info.arity) +
                        (info.optional ? " or " + std::to_string(most) : "") +
                        (most == 1 ? " operand" : " operands") + ", found " + std::to_string(found),
                    "");
  return false;
}

// unknown-attribute, missing-attribute: `cast` has a dtype, `constant` has value and dtype, and
// may have rows and cols.
bool checkAttributes(const ir::Op& op, const ops::OpInfo& info, Diagnostics& diagnostics) {
  const bool constant = info.form == ops::Form::constant;
  bool good = true;
  auto check = [&](const char* name, bool given, bool needed, bool known) {
    if (given && !known) {
      diagnostics.error("unknown-attribute", op.place + "/" + name,
                        "op " + inQuotes(op.name) + " has no attribute " + inQuotes(name),
                        "remove it");
      good = false;
    } else if (needed && !given) {
      diagnostics.error("missing-attribute", op.place,
                        "op " + inQuotes(op.name) + " needs the attribute " + inQuotes(name),
                        std::string("add \"") + name + "\": ...");
      good = false;
    }
  };
  const bool typed = constant || info.form == ops::Form::cast;
  check("dtype", op.dtype.has_value(), typed, typed);
  check("value", op.value.has_value(), constant, constant);
  check("rows", op.rows.has_value(), false, constant);
  check("cols", op.cols.has_value(), false, constant);
  return good;
}

}  // namespace

// "operand 2 of 'add'" has the pointer .../args/1.
std::string operandPlace(const ir::Op& op, size_t index) {
  return op.place + "/args/" + std::to_string(index);
}

std::string shapeOf(const ir::Op& op, size_t index, const Value& value) {
  return operandText(op, index) + " is " + shapeText(value.rows, value.cols);
}

std::string dtypeText(const ir::Op& op, size_t index, const Value& value) {
  return operandText(op, index) + " is " + ir::nameOf(value.dtype);
}

bool checkForm(const ir::Op& op, const ops::OpInfo& info, Diagnostics& diagnostics) {
  return checkArity(op, info, diagnostics) && checkAttributes(op, info, diagnostics);
}

bool resultOf(const ir::Op& op, const KernelOp& built, const std::vector<Value>& values,
              Value& result, Diagnostics& diagnostics) {
  Result rules(op, built, values, diagnostics);
  return rules.resultType(result) && rules.resultShape(result);
}

bool hasDType(const ops::DTypes& dtypes, DType dtype) {
  switch (dtype) {
    case DType::f32:
      return dtypes.f32;
    case DType::f16:
      return dtypes.f16;
    case DType::bf16:
      return dtypes.bf16;
    case DType::i32:
      break;
  }
  return dtypes.i32;
}

}  // namespace ptowsp
