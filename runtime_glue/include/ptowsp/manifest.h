// SPDX-License-Identifier: MIT
// The artifact's two files as structs: manifest.json, which says what the emitted tree holds, and
// `ready`, which says what was built from it. The reader lives in glue; nothing here allocates on
// its own or knows JSON.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace ptowsp::glue {

// Numbers of the formats that this version reads.
inline constexpr int kManifestFormat = 1;
inline constexpr int kReadyFormat = 1;
// The runtime contract that the emitted orchestration was written against.
inline constexpr const char* kContract = "G1";

enum class ElementType { f32, f16, bf16, i32 };
enum class TensorRole { input, output, inout, temporary };
enum class TileAccess { in, out, inout };

inline size_t elementSize(ElementType type) {
  return type == ElementType::f32 || type == ElementType::i32 ? 4 : 2;
}

struct TensorInfo {
  std::string name;
  ElementType dtype = ElementType::f32;
  std::vector<int64_t> shape;
  TensorRole role = TensorRole::input;
  uint64_t bytes = 0;  // elements * elementSize
  double rtol = 0, atol = 0;

  uint64_t elements() const { return bytes / elementSize(dtype); }
  bool isGiven() const { return role == TensorRole::input || role == TensorRole::inout; }
  bool isResult() const { return role == TensorRole::output || role == TensorRole::inout; }
};

struct TileInfo {
  std::string name;
  TileAccess access = TileAccess::in;
  int64_t rows = 1, cols = 1;
  ElementType dtype = ElementType::f32;
  bool strided = false;  // the kernel gets the tile's row stride as an argument
};

// KernelInfo: its index in Manifest::kernels is its func_id.
struct KernelInfo {
  std::string name;
  // Where the user's kernel was split by core: that kernel, whose library holds this one, and which of
  // its stages this is.
  std::string user_kernel;
  int64_t stage = 0, stages = 1;
  std::string core_type;  // "aiv" or "aic"
  int64_t cycles = 0;     // estimate for one task
  std::vector<TileInfo> tiles;
  std::vector<std::string> scalars;

  const std::string& userName() const { return stages > 1 ? user_kernel : name; }
};

// Channel: `tokens` go through it each time the processes run that it joins.
struct Channel {
  std::string name;
  int64_t depth = 1;
  int64_t latency = 0;
  int64_t tokens = 0;
};

// ProgramNode: the program tree as far as it names and orders tasks. `tasks` counts those below the
// node. A node that consumes a channel's tokens is a loop over them.
struct ProgramNode {
  enum class Kind {
    task,
    loop,
    sequential,
    combine,
    connect,
    process,
    send
  } kind = Kind::sequential;
  int kernel = -1;         // task
  bool same_turn = false;  // task: a stage, not the first, of a split kernel's: part of its turn
  std::string variable;    // loop
  int64_t extent = 0;      // loop
  std::string name;        // process
  int channel = -1;        // send, and a loop that consumes
  int64_t tasks = 0;
  std::vector<ProgramNode> body;
  // connect: of each of its tasks, in the order of their indices, the process (index into body) and
  // which of its tasks, in program order.
  struct Turn {
    int32_t process, number;
  };
  std::vector<Turn> order;
};

struct GraphInfo {
  int64_t tasks = 0, edges = 0, critical_path = 0;
  std::string edge_hash;
  std::string dependences;
  // For a runtime with the pinned limits: launches (0: no way of cutting fits them), the first task of
  // each but the first, and the temporaries that live across them, as indices into the tensors.
  int64_t segments = 1;
  std::vector<int64_t> cuts;
  std::vector<size_t> spills;
};

// DirectiveInfo: a schedule directive, and how each runtime honours it.
struct DirectiveInfo {
  std::string directive;                       // "dispatch round_robin"
  int aicpus = 0;                              // dispatch: schedulers
  int64_t tasks = 0;                           // task_window
  std::map<std::string, std::string> support;  // "builtin a2a3sim" -> "enforced"
};

struct Manifest {
  std::string version, contract;
  std::string name, display_name;
  std::string source, source_hash;
  std::string orchestration_source, orchestration_function;
  std::vector<TensorInfo> tensors;
  std::vector<KernelInfo> kernels;
  int relay = -1;  // func_id of the relay kernel, -1 where the graph needs none
  std::vector<Channel> channels;
  GraphInfo graph;
  ProgramNode program;  // kind sequential
  std::vector<DirectiveInfo> schedule;

  // AICPU schedulers that the dispatch policy deals tasks to; 0 without one.
  int dispatchAicpus() const {
    int aicpus = 0;
    for (const DirectiveInfo& directive : schedule) aicpus += directive.aicpus;
    return aicpus;
  }
};

// Ready: every path as written, relative to the ready file's folder.
struct Ready {
  std::string version;
  std::string manifest, manifest_hash;
  std::string platform;
  std::vector<std::string> kernel_arch;
  std::map<std::string, std::string> orchestrations;                  // runtime -> library
  std::map<std::string, std::map<std::string, std::string>> kernels;  // kernel -> level -> library
  std::string inputs, expected;
  int block_dim = 0, aicpu_threads = 0;  // 0: the runtime's default
  std::string toolchain;  // a2a3: what compiled the kernels
};

}  // namespace ptowsp::glue
