// The generator's stages inside one process: what a small workload costs, and how the check scales
// to a graph of a million tasks.
#include <benchmark/benchmark.h>

#include <optional>

#include "generator/analyze/analyze.h"
#include "generator/emit/tree.h"
#include "generator/verify/load.h"

namespace ptowsp::bench {
namespace {

// Each task has its own tiles: no edges.
const char kIndependent[] = R"({
  "ptowsp": 1, "name": "a million independent tasks",
  "tensors": [{"name": "x", "dtype": "f32", "shape": [1000, 1000], "role": "input"},
              {"name": "y", "dtype": "f32", "shape": [1000, 1000], "role": "output"}],
  "kernels": [{"name": "twice",
    "params": [{"name": "x", "tile": [1, 1], "dtype": "f32", "access": "in"},
               {"name": "y", "tile": [1, 1], "dtype": "f32", "access": "out"}],
    "body": [{"op": "mul", "args": ["x", 2], "result": "p"}, {"op": "store", "args": ["y", "p"]}]}],
  "program": [{"for": "i", "extent": 1000, "mode": "parallel", "body": [
    {"for": "j", "extent": 1000, "mode": "parallel", "body": [
      {"task": "twice", "args": {"x": "x[i:i+1, j:j+1]", "y": "y[i:i+1, j:j+1]"}}]}]}]
})";

// Each task reads what the tasks above it and to its left wrote: 1,998,000 edges.
const char kWavefront[] = R"({
  "ptowsp": 1, "name": "a wavefront of a million tasks",
  "tensors": [{"name": "g", "dtype": "f32", "shape": [1001, 1001], "role": "inout"}],
  "kernels": [{"name": "join",
    "params": [{"name": "above", "tile": [1, 1], "dtype": "f32", "access": "in"},
               {"name": "left", "tile": [1, 1], "dtype": "f32", "access": "in"},
               {"name": "y", "tile": [1, 1], "dtype": "f32", "access": "out"}],
    "body": [{"op": "add", "args": ["above", "left"], "result": "s"},
             {"op": "store", "args": ["y", "s"]}]}],
  "program": [{"for": "i", "extent": 1000, "mode": "sequential", "body": [
    {"for": "j", "extent": 1000, "mode": "sequential", "body": [
      {"task": "join", "args": {"above": "g[i:i+1, j+1:j+2]", "left": "g[i+1:i+2, j:j+1]",
                                "y": "g[i+1:i+2, j+1:j+2]"}}]}]}]
})";

// What `ptowsp-gen check` does before it prints. Nothing when the workload is wrong.
std::optional<Analysis> check(const Loaded& loaded, Diagnostics& diagnostics) {
  if (!loaded.program) return std::nullopt;
  std::optional<Analysis> analysis = analyze(*loaded.program, {}, diagnostics);
  return diagnostics.hasErrors() ? std::nullopt : std::move(analysis);
}

template <class Load>
void measureCheck(benchmark::State& state, Load load) {
  int64_t tasks = 0;
  for (auto _ : state) {
    Diagnostics diagnostics;
    const Loaded loaded = load(diagnostics);
    if (!check(loaded, diagnostics)) {
      state.SkipWithError("the workload was refused");
      return;
    }
    tasks = loaded.program->taskCount();
  }
  state.counters["tasks"] = static_cast<double>(tasks);
  state.counters["tasks/s"] = benchmark::Counter(static_cast<double>(tasks * state.iterations()),
                                                 benchmark::Counter::kIsRate);
}

void checkScale(benchmark::State& state) {
  measureCheck(state,
               [](Diagnostics& diagnostics) { return load(PTOWSP_SCALE_JSON, diagnostics); });
}

void checkText(benchmark::State& state, const char* text) {
  measureCheck(state, [&](Diagnostics& diagnostics) {
    return loadText(text, "workload.json", diagnostics);
  });
}
void checkIndependent(benchmark::State& state) { checkText(state, kIndependent); }
void checkWavefront(benchmark::State& state) { checkText(state, kWavefront); }

// From the workload file to the texts of all emitted files, none of which is written.
void emitScale(benchmark::State& state) {
  for (auto _ : state) {
    Diagnostics diagnostics;
    const Loaded loaded = load(PTOWSP_SCALE_JSON, diagnostics);
    const std::optional<Analysis> analysis = check(loaded, diagnostics);
    if (!analysis ||
        !emitTree(*loaded.program, *analysis, {"scale", "scale.json", ""}, diagnostics)) {
      state.SkipWithError("the workload was refused");
      return;
    }
  }
}

void small(benchmark::internal::Benchmark* benchmark) {
  benchmark->UseRealTime()->Unit(benchmark::kMicrosecond)->Repetitions(9)->ReportAggregatesOnly();
}
void large(benchmark::internal::Benchmark* benchmark) {
  benchmark->UseRealTime()->Unit(benchmark::kMillisecond)->Repetitions(5)->ReportAggregatesOnly();
}

BENCHMARK(checkScale)->Name("generator/check_scale")->Apply(small);
BENCHMARK(emitScale)->Name("generator/emit_scale")->Apply(small);
BENCHMARK(checkIndependent)->Name("generator/check_1000000_independent")->Apply(large);
BENCHMARK(checkWavefront)->Name("generator/check_1000000_wavefront")->Apply(large);

}  // namespace
}  // namespace ptowsp::bench
