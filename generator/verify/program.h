// SPDX-License-Identifier: MIT
// Program: a workload after verify. Names are resolved to indices, views to affine regions, kernel
// bodies to typed values; every static rule holds. analyze, emit and reference read only this.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "generator/ir/workload.h"
#include "generator/ops/op_table.h"

namespace ptowsp {

using ir::Access;
using ir::DType;
using ir::Role;

enum class CoreType { aic = 0, aiv = 1 };

// Tensor: seen as `planes` matrices of rows x cols; a rank-1 tensor of N is 1 x N. Row r of plane p
// is "flat row" p * rows + r, element (flat row, c) lies at index flat_row * cols + c.
struct Tensor {
  ir::Tensor declaration;
  int64_t planes = 1, rows = 1, cols = 1;
  int64_t elements = 0, bytes = 0;  // checked against overflow
  double rtol = 0, atol = 0;        // declared, else the default of the dtype
  bool written = false;             // some task writes it
};

// Value: one SSA value of a kernel.
struct Value {
  enum class Kind { tile, scalar, literal, result } kind = Kind::tile;
  std::string name;  // parameter or result name; empty for a literal
  DType dtype = DType::f32;
  int64_t rows = 1, cols = 1;  // 1 x 1 for scalars and literals
  int index = 0;               // tile: index into tiles; scalar: index into scalars
  double literal = 0;
};

// KernelOp: `store` has args {value of kind tile that is written, stored value} and result -1.
// `constant` is only there when its result has more than one element, with the literal that it
// copies as its one arg; a single number is that literal itself. `matmul` has two or three args.
struct KernelOp {
  const ops::OpInfo* op = nullptr;
  std::vector<int> args;  // indices into Kernel::values
  int result = -1;
  std::string place;
};

// Whether a set of the op table has that dtype.
bool hasDType(const ops::DTypes& dtypes, DType dtype);

struct TileParameter {
  std::string name;
  DType dtype = DType::f32;
  int64_t rows = 1, cols = 1;
  Access access = Access::in;
  int value = -1;        // its entry in values
  bool strided = false;  // some task passes a view whose rows are not adjacent in memory
};

struct ScalarParameter {
  std::string name;
  DType dtype = DType::f32;
  int value = -1;
};

// Kernel: straight-line SSA. An op's argument that names a tile parameter after a store to it
// refers to the stored value (verify forwards it), so a tile value always means "as it was on
// entry".
struct Kernel {
  std::string name;
  CoreType core = CoreType::aiv;
  std::vector<TileParameter> tiles;      // in parameter order, tiles only
  std::vector<ScalarParameter> scalars;  // in parameter order, scalars only
  std::vector<Value> values;
  std::vector<KernelOp> ops;
  std::string place;
  // Of a kernel that splitCores made: the user's kernel, and which of its stages this is.
  std::string user_kernel = {};
  int stage = 0, stages = 1;

  // The kernel as its user knows it.
  const std::string& userName() const { return stages > 1 ? user_kernel : name; }
  // Arguments of one task of this kernel: tiles, scalars, element count of the first out tile,
  // a row stride for each strided tile, ledger slot, stamp.
  int argumentCount() const;
};

// Affine: constant + sum(coefficients[d] * variable of the d-th enclosing loop), outermost first.
// coefficients has one entry for each enclosing loop.
struct Affine {
  int64_t constant = 0;
  std::vector<int64_t> coefficients;
};

// TileView: the rows x cols block at (plane, row, col); rows and cols are the tile's.
struct TileView {
  int tensor = -1;
  Affine plane, row, col;
  int64_t rows = 1, cols = 1;
  std::string text;  // as written, for messages
  std::string place;
};

// DispatchKey: what the function of the dispatch policy gives for the tasks of one node: the value,
// or its remainder (never negative) by `modulus` where that is not 0. With a table of schedulers:
// the task's place in it, which is its number in program order.
struct DispatchKey {
  Affine value;
  int64_t modulus = 0;
};

// Schedule: the directives, checked. Keys are in the nodes.
struct Schedule {
  using Policy = ir::Dispatch::Policy;
  using Mode = ir::TaskWindow::Mode;
  int aicpus = 0;  // 0: no dispatch policy
  Policy policy = Policy::round_robin;
  std::vector<uint8_t> table;  // the scheduler of each task, where the policy has a table
  int64_t window = 0;          // tasks; 0: none
  Mode mode = Mode::stall;
  std::string dispatch_place, window_place;

  // Whether schedulers follow from the nodes' keys, rather than from the numbers of tasks.
  bool hasKeys() const {
    return aicpus != 0 && policy != Policy::round_robin && policy != Policy::work_steal;
  }
};

// Channel: joins two processes of one connect node, or one to itself. `tokens`: how many are sent,
// and consumed, each time the connect node runs.
struct Channel {
  std::string name;
  int64_t depth = 1;    // tokens that fit in it; 0: a rendezvous
  int64_t latency = 0;  // cycles
  int64_t tokens = 0;
  std::string place;
};

// Node: one node of the program tree; `tasks` counts the tasks below it, checked to fit int32.
// A consume node is a sequential loop over the tokens of `channel`.
struct Node {
  enum class Kind { task, loop, sequential, combine, connect, process, send } kind = Kind::task;
  std::string place;
  int64_t tasks = 0;
  // task
  int kernel = -1;
  std::vector<TileView> views;  // one for each of the kernel's tiles
  std::vector<double> scalars;  // one for each of the kernel's scalars
  DispatchKey key = {};         // where the schedule has keys
  bool same_turn = false;       // a stage, not the first, of a split kernel's task: part of its turn
  // loop
  std::string variable;
  int64_t extent = 0;
  bool parallel = false;
  // process
  std::string name;
  // send; loop that consumes. An index into Program::channels, else -1
  int channel = -1;
  // connect: the process (index into body) of each of its tasks, in the order of the task index
  std::vector<int32_t> order;
  // all but task; of a connect node processes, which stand nowhere else
  std::vector<Node> body;

  bool consumes() const { return kind == Kind::loop && channel >= 0; }
};

struct Program {
  std::string name;  // for display
  std::vector<Tensor> tensors;
  std::vector<Kernel> kernels;
  std::vector<Channel> channels;
  Node root;  // kind sequential, place "/program"
  Schedule schedule = {};

  int64_t taskCount() const { return root.tasks; }
};

}  // namespace ptowsp
