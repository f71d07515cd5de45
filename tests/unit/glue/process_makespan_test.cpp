// SPDX-License-Identifier: MIT
// Durations of programs with processes, worked out by hand.
#include "runtime_glue/glue/process_makespan.h"

#include <gtest/gtest.h>

#include <limits>

#include "runtime_glue/glue/manifest_reader.h"
#include "tests/unit/glue/manifest_samples.h"

namespace ptowsp::glue {
namespace {

using Kind = ProgramNode::Kind;
using Body = std::vector<ProgramNode>;

ProgramNode node(Kind kind, Body body) {
  ProgramNode node;
  node.kind = kind;
  node.body = std::move(body);
  return node;
}

ProgramNode task(int kernel) {
  ProgramNode task = node(Kind::task, {});
  task.kernel = kernel;
  return task;
}

ProgramNode loop(int64_t extent, Body body) {
  ProgramNode loop = node(Kind::loop, std::move(body));
  loop.extent = extent;
  return loop;
}

ProgramNode consume(int channel, int64_t tokens, Body body) {
  ProgramNode consume = loop(tokens, std::move(body));
  consume.channel = channel;
  return consume;
}

ProgramNode send(int channel, Body body) {
  ProgramNode send = node(Kind::send, std::move(body));
  send.channel = channel;
  return send;
}

ProgramNode connect(std::vector<Body> processes) {
  Body nodes;
  for (Body& body : processes) nodes.push_back(node(Kind::process, std::move(body)));
  return node(Kind::connect, std::move(nodes));
}

// Kernels of 10, 25, 7 and 40 cycles; the last needs a cube core.
enum { k10, k25, k7, k40 };

int64_t durationOf(Body program, std::vector<Channel> channels = {}) {
  Manifest manifest;
  for (const int64_t cycles : {10, 25, 7, 40}) {
    KernelInfo kernel;
    kernel.core_type = cycles == 40 ? "aic" : "aiv";
    kernel.cycles = cycles;
    manifest.kernels.push_back(kernel);
  }
  manifest.channels = std::move(channels);
  manifest.program = node(Kind::sequential, std::move(program));
  return processMakespan(manifest);
}

// One makes three tokens in 10 cycles each, the other uses each for 25.
ProgramNode makerAndUser() {
  return connect({{loop(3, {send(0, {task(k10)})})}, {consume(0, 3, {task(k25)})}});
}

TEST(ProcessMakespan, WithoutProcessesTasksFollowOneAnother) {
  EXPECT_EQ(durationOf({}), 0);
  EXPECT_EQ(durationOf({task(k10), loop(3, {task(k25), node(Kind::combine, {task(k7)})})}), 106);
}

TEST(ProcessMakespan, IsForProgramsWithProcesses) {
  Manifest manifest;
  ASSERT_EQ(parseManifest(manifestText(), "m.json", &manifest).message, "");
  EXPECT_FALSE(hasProcesses(manifest));
  Manifest with_processes;
  ASSERT_EQ(parseManifest(processManifestText(), "m.json", &with_processes).message, "");
  EXPECT_TRUE(hasProcesses(with_processes));
}

TEST(ProcessMakespan, ProcessesWithoutChannelsRunBesideOneAnother) {
  EXPECT_EQ(durationOf({connect({{task(k10), task(k25)}, {task(k40)}, {loop(2, {task(k7)})}})}), 40);
}

// Depth 1: the slot is free when the user is done with its token, and only then the next one is made:
// 10 + 25, three times. Depth 2: made by 10, 20 and, when the first is used, 35 + 10 = 45; used 10 to 35,
// to 60, to 85. More depth does not help, and a rendezvous has one slot too.
TEST(ProcessMakespan, AFullChannelHoldsItsSenderUp) {
  EXPECT_EQ(durationOf({makerAndUser()}, {{"c", 1, 0, 3}}), 105);
  EXPECT_EQ(durationOf({makerAndUser()}, {{"c", 2, 0, 3}}), 85);
  EXPECT_EQ(durationOf({makerAndUser()}, {{"c", 3, 0, 3}}), 85);
  EXPECT_EQ(durationOf({makerAndUser()}, {{"c", 1000000000000, 0, 3}}), 85);
  EXPECT_EQ(durationOf({makerAndUser()}, {{"c", 0, 0, 3}}), 105);
}

// Depth 2, latency 30: made by 10, 20, and after 65 by 75; there at 40, 50, 105; used to 65, 90, 130.
TEST(ProcessMakespan, ALatencyDelaysTheReceiverAndNotTheSender) {
  EXPECT_EQ(durationOf({makerAndUser()}, {{"c", 2, 30, 3}}), 130);
  // All three are made by 30, the last is there at 60: 40 + 75.
  EXPECT_EQ(durationOf({makerAndUser()}, {{"c", 3, 30, 3}}), 115);
}

// Latency 5; the maker works 7 cycles after each token and 40 at its end. Depth 1: sent at 10, 50, 90, each
// when the one before is used (15 to 40, 55 to 80); then 97 and 137. Depth 0: the maker goes on when a token
// is received, at 15, 55 and 95, and ends at 95 + 7 + 40.
TEST(ProcessMakespan, ASenderWaitsForTheEndOfARendezvous) {
  const auto program = [] {
    return Body{connect({{loop(3, {send(0, {task(k10)}), task(k7)}), task(k40)},
                         {consume(0, 3, {task(k25)})}})};
  };
  EXPECT_EQ(durationOf(program(), {{"c", 1, 5, 3}}), 137);
  EXPECT_EQ(durationOf(program(), {{"c", 0, 5, 3}}), 142);
}

// The user is busy until 40. Then: received at 40, used to 65, made to 75 (at once received), used to 100,
// made to 110, used to 135.
TEST(ProcessMakespan, ATokenWaitsForItsReceiver) {
  EXPECT_EQ(durationOf({connect({{loop(3, {send(0, {task(k10)}), task(k7)})},
                                 {task(k40), consume(0, 3, {task(k25)})}})},
                       {{"c", 0, 0, 3}}),
            135);
}

// a makes (10), b passes on (25), c uses (7); latencies 3 and 4.
// Depth 1: b works 13 to 38, 51 to 76, 89 to 114, since a begins when b has ended; c ends at 114 + 4 + 7.
// Depth 2: b works 13 to 38, to 63, to 88 (its third token is there at 38 + 10 + 3); c ends at 88 + 4 + 7.
// Depth 0: b works 13 to 38 and is free when c receives, at 42; a's next is there at 42 + 10 + 3 = 55: b
// works to 80, is free at 84, works from 97 to 122; c ends at 122 + 4 + 7.
TEST(ProcessMakespan, ThreeProcessesInARow) {
  const auto ends = [](int64_t depth) {
    return durationOf({connect({{loop(3, {send(0, {task(k10)})})},
                                {consume(0, 3, {send(1, {task(k25)})})},
                                {consume(1, 3, {task(k7)})}})},
                      {{"ab", depth, 3, 3}, {"bc", depth, 4, 3}});
  };
  EXPECT_EQ(ends(1), 125);
  EXPECT_EQ(ends(2), 99);
  EXPECT_EQ(ends(0), 133);
}

// The two stages of a split kernel follow one another on their process' clock, cube or vector: 47 a
// token, then 25 for its use.
TEST(ProcessMakespan, StagesOfASplitKernelAddUp) {
  EXPECT_EQ(durationOf({connect({{loop(2, {send(0, {task(k40), task(k7)})})},
                                 {consume(0, 2, {task(k25)})}})},
                       {{"c", 1, 0, 2}}),
            2 * (47 + 25));
}

TEST(ProcessMakespan, WhatIsAroundProcessesComesBeforeAndAfter) {
  EXPECT_EQ(durationOf({task(k10), loop(2, {makerAndUser()}), task(k7)}, {{"c", 2, 0, 3}}),
            10 + 2 * 85 + 7);
}

// One task of 25, and twice: made by 10, there at 15, used to 40; made to 50, there at 55, used to 80; made
// to 90, there at 95, used to 120, while the maker's last task runs to 100.
TEST(ProcessMakespan, OfAManifestThatWasRead) {
  Manifest manifest;
  ASSERT_EQ(parseManifest(processManifestText(), "m.json", &manifest).message, "");
  manifest.kernels[0].cycles = 10;
  manifest.kernels[1].cycles = 25;
  EXPECT_EQ(processMakespan(manifest), 25 + 2 * 120);
}

TEST(ProcessMakespan, EndsAtTheLargestNumber) {
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  EXPECT_EQ(durationOf({makerAndUser()}, {{"c", 2, kMost, 3}}), kMost);
  EXPECT_EQ(durationOf({loop(3, {makerAndUser()})}, {{"c", 2, kMost / 2, 3}}), kMost);
}

}  // namespace
}  // namespace ptowsp::glue
