// SPDX-License-Identifier: MIT
// Whole processes, from before they are started until they have been waited for: what a build step
// and a test cost beyond their work. /bin/true is the floor that any process pays.
#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

extern char** environ;

namespace {

enum class Output { shown, dropped };

// Used: what a process used; peak_bytes is the largest part of it that was in memory at once.
struct Used {
  double cpu_seconds = 0, peak_bytes = 0;
};

// True when the process ended with 0.
bool run(const std::vector<std::string>& command, Output output, Used* used) {
  std::vector<char*> words;
  for (const std::string& word : command) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  if (output == Output::dropped) {
    for (int descriptor : {STDOUT_FILENO, STDERR_FILENO})
      posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_WRONLY, 0);
  }
  pid_t child = 0;
  const int failed = posix_spawn(&child, words[0], &actions, nullptr, words.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  int status = 0;
  rusage usage{};
  if (failed || wait4(child, &status, 0, &usage) != child) return false;
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  used->cpu_seconds = seconds(usage.ru_utime) + seconds(usage.ru_stime);
  used->peak_bytes = static_cast<double>(usage.ru_maxrss) * 1024;
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

// One process is one iteration and one repetition, so that the median is over processes.
void measure(benchmark::State& state, const std::vector<std::string>& command) {
  for (auto _ : state) {
    Used used;
    const auto start = std::chrono::steady_clock::now();
    const bool good = run(command, Output::dropped, &used);
    state.SetIterationTime(
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    state.counters["cpu ms"] = used.cpu_seconds * 1e3;
    state.counters["peak bytes"] = used.peak_bytes;
    if (!good) {
      state.SkipWithError((command[0] + " failed").c_str());
      return;
    }
  }
}

// What `ptowsp-run` does on scale, without a task graph and its checks.
constexpr char kNumpyScale[] =
    "import numpy as np\n"
    "x = np.random.default_rng(0).uniform(-1, 1, (64, 64)).astype(np.float32)\n"
    "assert np.allclose(x * np.float32(2), 2.0 * x.astype(np.float64))\n";

// Tries the command once and registers its benchmark; a command that fails says why itself.
bool add(const char* name, const std::vector<std::string>& command) {
  Used used;
  if (!run(command, Output::dropped, &used)) {
    std::fprintf(stderr, "process_bench: %s cannot be measured, the command fails:\n", name);
    for (const std::string& word : command) std::fprintf(stderr, " %s", word.c_str());
    std::fprintf(stderr, "\n");
    run(command, Output::shown, &used);
    return false;
  }
  benchmark::RegisterBenchmark(name,
                               [command](benchmark::State& state) { measure(state, command); })
      ->UseManualTime()
      ->Unit(benchmark::kMillisecond)
      ->Iterations(1);
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  std::string folder = (std::filesystem::temp_directory_path() / "ptowsp_bench_XXXXXX").string();
  if (!mkdtemp(folder.data())) return 1;
  bool good = add("process/true", {"/bin/true"});
  good &= add("process/gen_emit_scale",
              {PTOWSP_GEN, "emit", PTOWSP_SCALE_JSON, "-o", folder, "--name", "scale"});
  good &= add("process/gen_check_scale", {PTOWSP_GEN, "check", PTOWSP_SCALE_JSON});
  good &= add("process/run_scale", {PTOWSP_RUN, PTOWSP_SCALE_ARTIFACT});
  good &= add("process/python_numpy_scale", {PTOWSP_BENCH_PYTHON, "-c", kNumpyScale});
  for (const char* shape : {"independent", "wavefront"})
    good &= add((std::string("process/gen_check_million_") + shape).c_str(),
                {PTOWSP_GEN, "check", PTOWSP_BENCH_FOLDER "/" + std::string(shape) + "_million.json"});
  benchmark::Initialize(&argc, argv);
  good &= !benchmark::ReportUnrecognizedArguments(argc, argv);
  if (good) benchmark::RunSpecifiedBenchmarks();
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
  return good ? 0 : 1;
}
