// SPDX-License-Identifier: MIT
// The generator's stages inside one process: what a small workload costs, and how the check scales
// to a graph of a million tasks.
#include <benchmark/benchmark.h>

#include <optional>

#include "generator/analyze/analyze.h"
#include "generator/emit/tree.h"
#include "generator/verify/load.h"

namespace ptowsp::bench {
namespace {

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
// Each task has its own tiles: no edges.
void checkIndependent(benchmark::State& state) {
  measureCheck(state, [](Diagnostics& diagnostics) {
    return load(PTOWSP_BENCH_FOLDER "/independent_million.json", diagnostics);
  });
}
// Each task reads what the tasks above it and to its left wrote: 1,998,000 edges.
void checkWavefront(benchmark::State& state) {
  measureCheck(state, [](Diagnostics& diagnostics) {
    return load(PTOWSP_BENCH_FOLDER "/wavefront_million.json", diagnostics);
  });
}

// From the workload file to the texts of all emitted files, none of which is written.
void emitScale(benchmark::State& state) {
  for (auto _ : state) {
    Diagnostics diagnostics;
    const Loaded loaded = load(PTOWSP_SCALE_JSON, diagnostics);
    const std::optional<Analysis> analysis = check(loaded, diagnostics);
    if (!analysis ||
        !emitTree(*loaded.program, *analysis, {"scale", "scale.json", ""},
                                  /*for_device=*/false, diagnostics)) {
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
