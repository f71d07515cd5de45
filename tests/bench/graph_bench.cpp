// SPDX-License-Identifier: MIT
// Graphs of tasks, built and run by the built-in runtime and by its peers, by turns in one process:
// a wavefront of side x side tasks, each waiting for the one above it and the one to its left.
// tools/bench reads what this program writes; the names are contender, case, workers.
#include <benchmark/benchmark.h>
#include <dlfcn.h>
#include <runtime.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tests/bench/sim_device.h"
#include "tests/bench/wavefront_peers.h"

namespace ptowsp::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kSide = 316;

double secondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// ---- bodies ----

void emptyBody() {}

uint64_t work_steps = 0;
volatile uint64_t work_sink;  // keeps the compiler from leaving the work out

uint64_t work(uint64_t steps) {
  uint64_t x = 1;
  for (uint64_t i = 0; i < steps; ++i) x = x * 6364136223846793005u + 1442695040888963407u;
  return x;
}
void microsecondBody() { work_sink = work(work_steps); }

// The smallest of several measurements, since anything else that runs only adds to them.
void calibrateMicrosecond() {
  constexpr uint64_t kSteps = 1'000'000;
  double best = 1;
  for (int i = 0; i < 15; ++i) {
    const auto start = Clock::now();
    work_sink = work(kSteps);
    best = std::min(best, secondsSince(start));
  }
  work_steps = static_cast<uint64_t>(1e-6 * kSteps / best);
}

std::atomic<int64_t> bodies_run{0};
void countingBody() { bodies_run.fetch_add(1, std::memory_order_relaxed); }

// ---- contenders ----

// Contender: build() makes a graph, run() runs all of it, true when all of it ran; end() is called
// after each run whose graph is not run again.
struct Contender {
  std::function<bool()> build, run, end;
};

// Directives of the wavefront's schedule; 0: none.
struct Directives {
  int aicpus = 0;  // dispatch round_robin
  int window = 0;  // stall
};

void runBody(int64_t* args) { reinterpret_cast<Body>(args[0])(); }

int buildWavefront(void* object, uint64_t* args, int) {
  Runtime& runtime = *static_cast<Runtime*>(object);
  const int side = static_cast<int>(args[0]);
  const int aicpus = static_cast<int>(args[2]), window = static_cast<int>(args[3]);
  if (aicpus != 0) runtime.set_dispatch(aicpus, /*work_steal=*/false);
  if (window != 0) runtime.set_task_window(window, ptowsp_sim::kWindowStall);
  for (int row = 0; row < side; ++row) {
    for (int col = 0; col < side; ++col) {
      uint64_t task_args[] = {args[1], static_cast<uint64_t>(row * side + col) + 1};
      const int task = runtime.add_task(task_args, 2, 0, 1);
      if (task < 0) return -1;
      if (aicpus != 0) runtime.set_task_aicpu(task, task % aicpus);
      if (row > 0) runtime.add_successor(task - side, task);
      if (col > 0) runtime.add_successor(task - 1, task);
    }
  }
  return 0;
}

Contender scheduled(int side, int workers, Body body, Directives directives) {
  auto device = std::make_shared<SimDevice>(workers, &runBody, std::max(1, directives.aicpus));
  auto args = std::make_shared<std::vector<uint64_t>>(std::vector<uint64_t>{
      static_cast<uint64_t>(side), reinterpret_cast<uint64_t>(body),
      static_cast<uint64_t>(directives.aicpus), static_cast<uint64_t>(directives.window)});
  return {[=] { return device->build(&buildWavefront, args->data(), 4); },
          [=] { return device->run() && device->completed(int64_t{side} * side); },
          [=] { return device->finish(); }};
}

Contender builtinRuntime(int side, int workers, Body body) {
  return scheduled(side, workers, body, {});
}

Contender peer(std::shared_ptr<WavefrontPeer> graph) {
  return {[=] { return graph->build(), true; }, [=] { return graph->run(), true; },
          [] { return true; }};
}

using MakeContender = std::function<Contender(int side, int workers, Body body)>;

struct Named {
  const char* name;
  MakeContender make;
  bool has_graph;  // that can be run again without building it
};
const Named kContenders[] = {
    {"ptowsp", builtinRuntime, true},
    {"tbb",
     [](int side, int workers, Body body) { return peer(makeTbbFlowGraph(side, workers, body)); },
     true},
    {"openmp",
     [](int side, int workers, Body body) { return peer(makeOpenMpTasks(side, workers, body)); },
     false},
    {"counters", [](int side, int, Body body) { return peer(makeCounters(side, body)); }, true},
};

// True when each contender runs every task once, before anything of it is measured.
bool complete(const Named& contender) {
  bodies_run = 0;
  const Contender graph = contender.make(20, 2, &countingBody);
  const bool good = graph.build() && graph.run() && bodies_run == 400 && graph.end();
  if (!good) std::fprintf(stderr, "graph_bench: %s does not run every task\n", contender.name);
  return good;
}

// ---- the wavefront as a workload: its own orchestration infers the edges ----

struct EmittedWavefront {
  SimDevice device{1, [](int64_t*) {}};
  std::vector<float> tensor = std::vector<float>((kSide + 1) * (kSide + 1));
  std::vector<uint64_t> args = {reinterpret_cast<uint64_t>(tensor.data()),
                                tensor.size() * sizeof(float)};
  SimDevice::Orchestration orchestration = nullptr;

  EmittedWavefront() {
    if (void* library = dlopen(PTOWSP_WAVEFRONT_ORCHESTRATION, RTLD_NOW | RTLD_LOCAL))
      orchestration =
          reinterpret_cast<SimDevice::Orchestration>(dlsym(library, "build_pto_wsp_graph"));
    else
      std::fprintf(stderr, "graph_bench: %s\n", dlerror());
  }
};

Contender emittedWavefront() {
  auto wavefront = std::make_shared<EmittedWavefront>();
  return {[=] {
            return wavefront->orchestration &&
                   wavefront->device.build(wavefront->orchestration, wavefront->args.data(), 2);
          },
          [=] {
            return wavefront->device.run() && wavefront->device.completed(int64_t{kSide} * kSide);
          },
          [=] { return wavefront->device.finish(); }};
}

// ---- measurements ----

enum class Graph { built_each_time, run_again };

void measure(benchmark::State& state, const Contender& contender, Graph graph, int64_t tasks) {
  const bool again = graph == Graph::run_again;
  if (again && !(contender.build() && contender.run())) {
    state.SkipWithError("the graph was not built");
    return;
  }
  double seconds = 0;
  for (auto _ : state) {
    const auto start = Clock::now();
    const bool good = (again || contender.build()) && contender.run();
    const double spent = secondsSince(start);
    state.SetIterationTime(spent);
    seconds += spent;
    if (!good || !(again || contender.end())) {
      state.SkipWithError("the graph did not run");
      return;
    }
  }
  state.counters["ns/task"] =
      seconds * 1e9 / static_cast<double>(tasks) / static_cast<double>(state.iterations());
}

void add(const std::string& name, Graph graph, int side, std::function<Contender()> make) {
  benchmark::RegisterBenchmark(
      name.c_str(),
      [=](benchmark::State& state) { measure(state, make(), graph, int64_t{side} * side); })
      ->UseManualTime()
      ->Unit(benchmark::kMillisecond)
      ->MinTime(0.1);
}

std::string at(const char* contender, const std::string& what, int workers) {
  return std::string(contender) + "/" + what + "/" + std::to_string(workers);
}

// The wavefront with directives, beside the one without.
void addSchedules() {
  struct Case {
    const char* name;
    Directives directives;
  };
  constexpr Case kCases[] = {{"wavefront_316_round_robin_2", {.aicpus = 2}},
                             {"wavefront_316_window_8192", {.window = 8192}}};
  for (const Case& one : kCases)
    for (int workers : {1, 2})
      add(at("ptowsp", one.name, workers), Graph::built_each_time, kSide,
          [=] { return scheduled(kSide, workers, &emptyBody, one.directives); });
}

void addContender(const Named& contender) {
  const MakeContender& make = contender.make;
  const bool one_thread = contender.name == std::string("counters");
  for (int workers : {1, 2}) {
    if (one_thread && workers > 1) continue;
    add(at(contender.name, "wavefront_316", workers), Graph::built_each_time, kSide,
        [=] { return make(kSide, workers, &emptyBody); });
    if (contender.has_graph)
      add(at(contender.name, "wavefront_316_again", workers), Graph::run_again, kSide,
          [=] { return make(kSide, workers, &emptyBody); });
  }
  if (!one_thread)
    add(at(contender.name, "wavefront_316_1us", 2), Graph::built_each_time, kSide,
        [=] { return make(kSide, 2, &microsecondBody); });
  for (int side : {10, 32, 100, 1000})
    add(at(contender.name, "wavefront_" + std::to_string(side), 1), Graph::built_each_time, side,
        [=] { return make(side, 1, &emptyBody); });
}

}  // namespace
}  // namespace ptowsp::bench

int main(int argc, char** argv) {
  using namespace ptowsp::bench;
  calibrateMicrosecond();
  for (const Named& contender : kContenders) {
    if (!complete(contender)) return 1;
    addContender(contender);
  }
  addSchedules();
  add("ptowsp/wavefront_316_inferred/1", Graph::built_each_time, kSide, emittedWavefront);
  add("ptowsp/one_task/1", Graph::built_each_time, 1,
      [] { return builtinRuntime(1, 1, &emptyBody); });
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
