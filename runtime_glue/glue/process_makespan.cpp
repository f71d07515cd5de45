// SPDX-License-Identifier: MIT
#include "runtime_glue/glue/process_makespan.h"

#include <algorithm>
#include <limits>
#include <stdexcept>

#include "runtime_glue/glue/process_run.h"

namespace ptowsp::glue {
namespace {

// Latencies are the user's, and as large as they like.
constexpr int64_t kEnd = std::numeric_limits<int64_t>::max();

int64_t after(int64_t time, int64_t cycles) { return cycles > kEnd - time ? kEnd : time + cycles; }

int64_t repeated(int64_t cycles, int64_t times) {
  return times > 0 && cycles > kEnd / times ? kEnd : cycles * times;
}

// Slots: for each slot of a channel, when its token is there, when that was received, and when the
// slot became free.
struct Slots {
  std::vector<int64_t> there, received, free;

  void grow(int64_t slot) {
    for (std::vector<int64_t>* times : {&there, &received, &free})
      if (times->size() <= static_cast<size_t>(slot)) times->resize(static_cast<size_t>(slot) + 1);
  }
};

struct Clocks : ProcessVisitor {
  const Manifest& manifest;
  std::vector<int64_t> clocks;  // of each process
  std::vector<Slots> slots;     // of each channel
  int32_t process = 0;

  Clocks(const Manifest& of, size_t processes)
      : manifest(of), clocks(processes), slots(of.channels.size()) {}

  int64_t& clock() { return clocks[static_cast<size_t>(process)]; }
  void wait(int64_t until) { clock() = std::max(clock(), until); }

  // Nothing asks for a task's number.
  int32_t task(int kernel) {
    clock() = after(clock(), manifest.kernels[static_cast<size_t>(kernel)].cycles);
    return 0;
  }
  void room(int channel, int64_t slot) {
    slots[channel].grow(slot);
    wait(slots[channel].free[slot]);
  }
  void sent(int channel, int64_t slot) {
    slots[channel].there[slot] = after(clock(), manifest.channels[channel].latency);
  }
  void received(int channel, int64_t slot) {
    wait(slots[channel].there[slot]);
    slots[channel].received[slot] = clock();
  }
  void taken(int channel, int64_t slot) {
    if (manifest.channels[channel].depth == 0) wait(slots[channel].received[slot]);
  }
  void released(int channel, int64_t slot) { slots[channel].free[slot] = clock(); }
};

class Duration {
 public:
  explicit Duration(const Manifest& manifest)
      : manifest_(manifest), channels_(networkChannels(manifest)) {}

  // Channels are empty when processes begin, so that each time takes as long.
  int64_t of(const ProgramNode& node) const {
    if (node.kind == ProgramNode::Kind::task)
      return manifest_.kernels[static_cast<size_t>(node.kernel)].cycles;
    if (node.kind == ProgramNode::Kind::connect) return ofProcesses(node);
    int64_t cycles = 0;
    for (const ProgramNode& child : node.body) cycles = after(cycles, of(child));
    return node.kind == ProgramNode::Kind::loop ? repeated(cycles, node.extent) : cycles;
  }

 private:
  int64_t ofProcesses(const ProgramNode& connect) const {
    Clocks clocks(manifest_, connect.body.size());
    if (!runProcesses(connect, channels_, clocks))
      throw std::logic_error("processes of a manifest that was read wait for one another for ever");
    int64_t last = 0;
    for (const int64_t clock : clocks.clocks) last = std::max(last, clock);
    return last;
  }

  const Manifest& manifest_;
  std::vector<ChannelInfo> channels_;
};

bool hasProcesses(const ProgramNode& node) {
  return node.kind == ProgramNode::Kind::connect ||
         std::any_of(node.body.begin(), node.body.end(),
                     [](const ProgramNode& child) { return hasProcesses(child); });
}

}  // namespace

bool hasProcesses(const Manifest& manifest) { return hasProcesses(manifest.program); }

int64_t processMakespan(const Manifest& manifest) { return Duration(manifest).of(manifest.program); }

}  // namespace ptowsp::glue
