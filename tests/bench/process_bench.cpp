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

// True when the process ended with 0; `cpu_seconds` is the processor time it took.
bool run(const std::vector<std::string>& command, Output output, double* cpu_seconds) {
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
  *cpu_seconds = seconds(usage.ru_utime) + seconds(usage.ru_stime);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

// One process is one iteration and one repetition, so that the median is over processes.
void measure(benchmark::State& state, const std::vector<std::string>& command) {
  for (auto _ : state) {
    double cpu_seconds = 0;
    const auto start = std::chrono::steady_clock::now();
    const bool good = run(command, Output::dropped, &cpu_seconds);
    state.SetIterationTime(
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    state.counters["cpu ms"] = cpu_seconds * 1e3;
    if (!good) {
      state.SkipWithError((command[0] + " failed").c_str());
      return;
    }
  }
}

// Tries the command once and registers its benchmark; a command that fails says why itself.
bool add(const char* name, const std::vector<std::string>& command) {
  double cpu_seconds = 0;
  if (!run(command, Output::dropped, &cpu_seconds)) {
    std::fprintf(stderr, "process_bench: %s cannot be measured, the command fails:\n", name);
    for (const std::string& word : command) std::fprintf(stderr, " %s", word.c_str());
    std::fprintf(stderr, "\n");
    run(command, Output::shown, &cpu_seconds);
    return false;
  }
  benchmark::RegisterBenchmark(name,
                               [command](benchmark::State& state) { measure(state, command); })
      ->UseManualTime()
      ->Unit(benchmark::kMillisecond)
      ->Iterations(1)
      ->Repetitions(101)
      ->ReportAggregatesOnly();
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
  benchmark::Initialize(&argc, argv);
  good &= !benchmark::ReportUnrecognizedArguments(argc, argv);
  if (good) benchmark::RunSpecifiedBenchmarks();
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
  return good ? 0 : 1;
}
