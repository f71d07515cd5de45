// SPDX-License-Identifier: MIT
// Other ways to run a wavefront of tasks, to compare the built-in runtime with: oneTBB's flow graph,
// OpenMP's tasks with dependences, and in-degree counters on one thread, which bound what any
// scheduler can reach there.
#pragma once

#include <memory>

namespace ptowsp::bench {

// Body: what a task does.
using Body = void (*)();

// WavefrontPeer: side x side tasks, each waiting for the one above it and the one to its left.
// build() makes the graph anew, run() runs every task of it; run() may be called again.
class WavefrontPeer {
 public:
  virtual ~WavefrontPeer() = default;
  virtual void build() = 0;
  virtual void run() = 0;
};

// Each on `workers` threads, the calling one included.
std::unique_ptr<WavefrontPeer> makeTbbFlowGraph(int side, int workers, Body body);
// OpenMP has no graph apart from its run: build() does nothing.
std::unique_ptr<WavefrontPeer> makeOpenMpTasks(int side, int workers, Body body);
std::unique_ptr<WavefrontPeer> makeCounters(int side, Body body);

}  // namespace ptowsp::bench
