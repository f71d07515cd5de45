// SPDX-License-Identifier: MIT
// Workload: the IR as it stands in a workload file, before any rule was checked beyond its form.
// Every node keeps its place, a JSON pointer into that file. Reader and printer live beside it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace ptowsp::ir {

enum class DType { f32, f16, bf16, i32 };
enum class Role { input, output, inout, temporary };
enum class Access { in, out, inout };

// Bytes of one element.
int64_t elementSize(DType dtype);
const char* nameOf(DType dtype);
const char* nameOf(Role role);
const char* nameOf(Access access);

// Init: how the elements of an input or inout tensor are made for the test.
struct Init {
  enum class Kind { uniform, normal, constant, arange, npy } kind = Kind::uniform;
  double a = -1;     // uniform: low; normal: mean; constant: value; arange: start
  double b = 1;      // uniform: high; normal: standard deviation; arange: step
  std::string file;  // npy: path as written, relative to the workload file
};

struct Tensor {
  std::string name;
  DType dtype = DType::f32;
  std::vector<int64_t> shape;
  Role role = Role::input;
  std::optional<Init> init;
  std::optional<double> rtol, atol;
  std::string place;
};

// Parameter: a tile of rows x cols, or (is_scalar) one scalar of dtype, always access `in`.
struct Parameter {
  std::string name;
  bool is_scalar = false;
  DType dtype = DType::f32;
  int64_t rows = 1, cols = 1;
  Access access = Access::in;
  std::string place;
};

// Operand: the name of a parameter or earlier result, or a literal number (a scalar).
using Operand = std::variant<std::string, double>;

// Op: which attributes an op has depends on the op.
struct Op {
  std::string name;
  std::vector<Operand> args;
  std::string result;  // empty for store
  std::optional<DType> dtype;
  std::optional<double> value;
  std::optional<int64_t> rows, cols;
  std::string place;
};

struct Kernel {
  std::string name;
  std::vector<Parameter> params;
  std::vector<Op> body;
  std::string place;
};

// AffineText: c + sum(k_i * variable_i) as parsed from a view; variables by name, no duplicates.
struct AffineText {
  int64_t constant = 0;
  std::map<std::string, int64_t> coefficients;
  bool operator==(const AffineText&) const = default;
};

// Subscript: one index (`stop` and `start` absent, `index` set) or one slice, whose missing ends
// mean the whole dimension.
struct Subscript {
  std::optional<AffineText> index;
  std::optional<AffineText> start, stop;
};

// View: `name[subscripts]`; fewer subscripts than dimensions leave the trailing ones whole.
struct View {
  std::string tensor;
  std::vector<Subscript> subscripts;
  std::string text;  // as written
};

struct Argument {
  std::string parameter;
  std::variant<View, double> value;
  std::string place;
};

// Channel: orders processes; `depth` tokens fit into it, 0 is a rendezvous. latency: cycles.
struct Channel {
  std::string name;
  int64_t depth = 1;
  int64_t latency = 0;
  std::string place;
};

// Name: the name of something else, and where it stands.
struct Name {
  std::string text;
  std::string place;
};

// Node: one node of the program tree. The body of a connect node are process nodes, which stand
// nowhere else.
struct Node {
  enum class Kind {
    task,
    loop,
    sequential,
    combine,
    connect,
    process,
    send,
    consume
  } kind = Kind::task;
  std::string place;
  // task
  std::string kernel;
  std::vector<Argument> args;
  // loop; consume: the token's index
  std::string variable;
  int64_t extent = 0;
  bool parallel = false;
  // process
  std::string name;
  std::vector<Name> consumes, produces;
  // send, consume
  std::string channel;
  // all but task
  std::vector<Node> body;
};

// TaskFunction: an integer for each task, written as an expression over the loops around it, or as
// a table of all tasks in program order.
struct TaskFunction {
  // Expression: the affine value, or its remainder (never negative) by `modulus` where that is not
  // 0.
  struct Expression {
    AffineText affine;
    int64_t modulus = 0;
    std::string place;
  };
  std::vector<Expression> expressions;  // one for all tasks, or one for each task node
  bool for_each_node = false;           // written as a list: one for each task node, in file order
  bool is_table = false;
  std::vector<int64_t> table;
  std::string file;  // of the table: a .npy, path as written; empty when the numbers are written
  std::string place;
};

// Dispatch: which of `aicpus` schedulers a task belongs to.
struct Dispatch {
  enum class Policy { round_robin, hash, affinity, dispatch_by, work_steal };
  Policy policy = Policy::round_robin;
  int64_t aicpus = 1;
  TaskFunction function;  // of hash, affinity and dispatch_by
  std::string place;
};
const char* nameOf(Dispatch::Policy policy);

// TaskWindow: at most so many tasks from the oldest unfinished one to the newest admitted one.
struct TaskWindow {
  enum class Mode { stall, abort, benchmark };
  int64_t tasks = 1;
  Mode mode = Mode::stall;
  std::string place;
};
const char* nameOf(TaskWindow::Mode mode);

struct Schedule {
  std::optional<Dispatch> dispatch;
  std::optional<TaskWindow> task_window;
  bool empty() const { return !dispatch && !task_window; }
};

struct Workload {
  std::string name;  // for display
  std::vector<Tensor> tensors;
  std::vector<Kernel> kernels;
  std::vector<Channel> channels;
  std::vector<Node> program;
  Schedule schedule;
};

}  // namespace ptowsp::ir
