// Whole processes, from before they are started until they have been waited for: what a build step
// and a test cost beyond their work. /bin/true is the floor that any process pays.
#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

extern char** environ;

namespace {

// True when the process ended with 0. Its output is dropped.
bool run(const std::vector<std::string>& command) {
  std::vector<char*> words;
  for (const std::string& word : command) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  for (int descriptor : {STDOUT_FILENO, STDERR_FILENO})
    posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_WRONLY, 0);
  pid_t child = 0;
  const int failed = posix_spawn(&child, words[0], &actions, nullptr, words.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  int status = 0;
  return !failed && waitpid(child, &status, 0) == child && WIFEXITED(status) &&
         WEXITSTATUS(status) == 0;
}

// One process is one iteration and one repetition, so that the median is over processes.
void measure(benchmark::State& state, const std::vector<std::string>& command) {
  for (auto _ : state) {
    const auto start = std::chrono::steady_clock::now();
    const bool good = run(command);
    state.SetIterationTime(
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    if (!good) {
      state.SkipWithError((command[0] + " failed; run it by hand to see why").c_str());
      return;
    }
  }
}

void add(const char* name, const std::vector<std::string>& command) {
  benchmark::RegisterBenchmark(name,
                               [command](benchmark::State& state) { measure(state, command); })
      ->UseManualTime()
      ->Unit(benchmark::kMillisecond)
      ->Iterations(1)
      ->Repetitions(101)
      ->ReportAggregatesOnly();
}

}  // namespace

int main(int argc, char** argv) {
  std::string folder = (std::filesystem::temp_directory_path() / "ptowsp_bench_XXXXXX").string();
  if (!mkdtemp(folder.data())) return 1;
  add("process/true", {"/bin/true"});
  add("process/gen_emit_scale",
      {PTOWSP_GEN, "emit", PTOWSP_SCALE_JSON, "-o", folder, "--name", "scale"});
  add("process/gen_check_scale", {PTOWSP_GEN, "check", PTOWSP_SCALE_JSON});
  add("process/run_scale", {PTOWSP_RUN, PTOWSP_SCALE_ARTIFACT});
  benchmark::Initialize(&argc, argv);
  const bool wrong = benchmark::ReportUnrecognizedArguments(argc, argv);
  if (!wrong) benchmark::RunSpecifiedBenchmarks();
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
  return wrong;
}
