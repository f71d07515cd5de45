// SPDX-License-Identifier: MIT
// What emitted orchestrations need besides orchestration.h to run processes: each is a function that
// stops where it has to wait and goes on there in its next turn. Emitted trees with processes get a
// copy of it.
//
//   auto square = [&, t = int64_t{0}](ptowsp::Process& process) mutable -> int {
//     PTOWSP_PROCESS(process)
//     for (t = 0; t < 8; ++t) {  // consume ab
//       PTOWSP_RECEIVE(channel::ab);
//       PTOWSP_ROOM(channel::bc);
//       PTOWSP_TASK(kernel::sq(graph, {tensor::A, t, 0}, {tensor::B, t, 0}));
//       PTOWSP_SEND(channel::bc);
//       PTOWSP_RELEASE(channel::ab);
//     }
//     PTOWSP_PROCESS_END
//   };
#pragma once

#include "channels.h"
#include "orchestration.h"

#define PTOWSP_PROCESSES_VERSION 1

// A process lies in a switch over the line at which it stopped; loops inside of it stay loops.
#define PTOWSP_PROCESS(process_name)          \
  ptowsp::Process& ptowsp_self = process_name; \
  switch (ptowsp_self.at) {                   \
    case 0:
#define PTOWSP_PROCESS_END \
  }                        \
  return ptowsp::kTurnDone;

#define PTOWSP_STOP_UNLESS(condition, how) \
  ptowsp_self.at = __LINE__;               \
  [[fallthrough]];                         \
  case __LINE__:                           \
  if (!(condition)) return how

#define PTOWSP_ROOM(c) \
  PTOWSP_STOP_UNLESS(network.room(ptowsp_self, c) >= 0, ptowsp::kTurnBlocked)
#define PTOWSP_RECEIVE(c) \
  PTOWSP_STOP_UNLESS(network.receive(ptowsp_self, c) >= 0, ptowsp::kTurnBlocked)
#define PTOWSP_SEND(c)           \
  network.send(ptowsp_self, c); \
  PTOWSP_STOP_UNLESS(network.taken(c) >= 0, ptowsp::kTurnBlocked)
#define PTOWSP_RELEASE(c) network.release(ptowsp_self, c)
#define PTOWSP_TASK(...)                                   \
  PTOWSP_STOP_UNLESS(!ptowsp_self.ran, ptowsp::kTurnOver); \
  PTOWSP_NEXT_STAGE(__VA_ARGS__)
// A task of the turn of the one before it: the next stage of a kernel that was split by core.
#define PTOWSP_NEXT_STAGE(...)                             \
  graph.waitFor(ptowsp_self.waits.data, ptowsp_self.waits.size); \
  if (int error = (__VA_ARGS__)) return error;             \
  ptowsp_self.added(graph.lastTask())

namespace ptowsp {
inline namespace processes_v1 __attribute__((visibility("hidden"))) {

  template <int kChannels>
  int openNetwork(Network& network, const ChannelInfo (&channels)[kChannels]) {
    if (network.open(channels, kChannels)) return 0;
    return fail(kErrorHostMemory, "%s: no memory for %lld channels", "orchestration", kChannels, 0);
  }

  // Runs processes to their ends, in the network's order.
  template <class... Bodies>
  int runProcesses(Network& network, Bodies&... bodies) {
    constexpr int kCount = static_cast<int>(sizeof...(Bodies));
    Process processes[kCount];
    const int result = network.run(processes, kCount, [&](int which) {
      int turn = 0, index = 0;
      ((index++ == which ? void(turn = bodies(processes[which])) : void()), ...);
      return turn;
    });
    if (result == kNetworkStuck)
      return fail(kErrorTotals, "%s: no process can go on, the generator found none waiting",
                  "orchestration", 0, 0);
    if (result == kNetworkNoMemory)
      return fail(kErrorHostMemory, "%s: no memory for %lld processes", "orchestration", kCount, 0);
    return result;
  }

}  // namespace )
}  // namespace ptowsp
