// SPDX-License-Identifier: MIT
#include "runtime_glue/run/options.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <cstdio>
#include <cstdlib>

#include "ptowsp/command_line.h"
#include "ptowsp/manifest.h"

namespace ptowsp::run {

constexpr double kMostSeconds = 1e6;

std::optional<int> parseOptions(int argc, char** argv, Options* options) {
  CLI::App app("Runs a workload that was built, checks the run and compares its results.",
               "ptowsp-run");
  app.set_version_flag("--version",
                       std::string("ptowsp-run " PTOWSP_VERSION ", contract ") + glue::kContract);
  app.footer(
      "Exit codes: 0 right, 1 wrong result, 2 usage or bad artifact, 3 failure at run time,\n"
      "77 skipped (failure where the environment's PTOWSP_REQUIRE names the platform).");
  const CLI::Range positive(1, 1 << 20);
  using command_line::problemOfEmpty;
  using command_line::problemOfSeed;
  using command_line::problemOfTolerance;

  app.add_option("artifact", options->artifact, "Folder that holds `ready`, or that file")
      ->type_name("ARTIFACT")
      ->check(problemOfEmpty)
      ->required();
  app.add_option("--source", options->source,
                 "Workload file that the artifact must have been built from")
      ->type_name("FILE")
      ->check(problemOfEmpty);
  app.add_option("--runtime", options->runtime,
                 "Library with pto-runtime's C API, or folder of an external runtime's libraries; "
                 "default: the built-in runtime")
      ->type_name("LIB")
      ->check(problemOfEmpty);
  app.add_flag("--pinned-limits", options->pinned_limits,
               "Run as the pinned pto-runtime would have it, within its limits: several launches, "
               "relay tasks; needs an artifact built with PTOWSP_TEST_PINNED_LIMITS");
  app.add_option("--platform", options->platform,
                 "Platform (default a2a3sim); a2a3 needs --runtime, a folder of libraries for it")
      ->type_name("NAME");
  app.add_option("--device", options->device, "Number of the device, on a2a3 (default 0)")
      ->type_name("N")
      ->check(CLI::Range(0, 1023));
  app.add_option("--skip", options->skip,
                 "Run nothing: report as skipped, with this reason. What a build that lacks "
                 "something has its tests do")
      ->type_name("REASON")
      ->check(problemOfEmpty);
  app.add_option("--block-dim", options->block_dim,
                 "Blocks of cores, 1 AIC and 2 AIV each (default: the artifact's, else what the "
                 "workers can keep busy)")
      ->type_name("N")
      ->check(positive);
  app.add_option("--aicpu-threads", options->aicpu_threads,
                 "AICPU schedulers, 1 to 4, on the built-in runtime to 64 (default: the artifact's, "
                 "else the dispatch policy's, else 1)")
      ->type_name("N")
      ->check(CLI::Range(1, 64));
  app.add_option("--workers", options->workers,
                 "Threads that run kernels (default: one for each CPU)")
      ->type_name("N")
      ->check(positive);
  app.add_option("--schedule-seed", options->schedule_seed,
                 "Take ready tasks in a random order drawn from this seed")
      ->type_name("N")
      ->check(problemOfSeed);
  app.add_option("--timeout", options->timeout, "Seconds for one run, 0 = none (default 60)")
      ->type_name("S")
      ->check([](const std::string& text) {
        char* end = nullptr;
        const double seconds = std::strtod(text.c_str(), &end);
        return !text.empty() && *end == 0 && seconds >= 0 && seconds <= kMostSeconds
                   ? std::string()
                   : "found " + text + ", expected seconds, 0 to 1000000";
      });
  app.add_option("--repeat", options->repeat, "Run N times, each afresh; all must be right")
      ->type_name("N")
      ->check(positive);
  app.add_option("--only", options->only,
                 "Run this task and those that it waits for, nothing else, and compare just the "
                 "elements it writes that no later task would write again. A number or a name: 3, "
                 "scale[r=3]")
      ->type_name("TASK")
      ->check(problemOfEmpty);
  CLI::Option* const dump =
      app.add_option("--dump-tensors", options->dump,
                     "Keep the tiles that each task read and wrote, as .npy files in this new folder")
          ->type_name("DIR")
      ->check(problemOfEmpty);
  app.add_option("--dump-tasks", options->dump_tasks,
                 "Keep those of these tasks only: names of tasks or kernels, in which * stands for any "
                 "characters, or numbers")
      ->type_name("PATTERN")
      ->check(problemOfEmpty)
      ->needs(dump);
  app.add_option("--dump-limit", options->dump_limit,
                 "Most bytes that --dump-tensors may write (default 1GiB)")
      ->type_name("SIZE")
      ->check([](const std::string& text) {
        return text.rfind('-', 0) == 0 ? "found " + text + ", expected a size like 500MiB" : std::string();
      })
      ->transform(CLI::AsSizeValue(false))
      ->needs(dump);
  app.add_flag("--trap-nan", options->trap_nan,
               "Stop at the first task, in program order, that makes a NaN: it wrote one and read none")
      ->excludes(dump);
  app.add_flag("--trap-inf", options->trap_infinity, "The same for an infinity or a NaN")
      ->excludes(dump);
  app.add_option("--trace", options->trace,
                 "Write a timeline in Chrome's trace format, for ui.perfetto.dev")
      ->type_name("FILE")
      ->check(problemOfEmpty);
  app.add_option("--report", options->report,
                 "Write the run as a page: timeline, task graph, kernels, cores, tensors; one HTML "
                 "file that needs no network. It is written for a failed run, too")
      ->type_name("FILE")
      ->check(problemOfEmpty);
  app.add_flag("--stats", options->stats, "Print tasks, times, critical path and core utilisation");
  app.add_flag("--json", options->json, "Print everything as JSON, instead of text");
  app.add_option("--color", options->colour,
                 "Colours; auto: on a terminal, unless NO_COLOR is set")
      ->check(CLI::IsMember({"auto", "always", "never"}))
      ->capture_default_str();
  app.add_option("--inputs", options->inputs,
                 "Take inputs from DIR/<tensor>.npy; the artifact's expected results do not apply "
                 "then: see --expected")
      ->type_name("DIR")
      ->check(problemOfEmpty);
  app.add_option("--expected", options->expected,
                 "Compare with DIR/<tensor>.npy instead of the artifact's expected results")
      ->type_name("DIR")
      ->check(problemOfEmpty);
  app.add_option("--outputs", options->outputs, "Write results to DIR/<tensor>.npy")
      ->type_name("DIR")
      ->check(problemOfEmpty);
  app.add_option("--rtol", options->rtol, "Relative tolerance instead of each tensor's own")
      ->type_name("R")
      ->check(problemOfTolerance);
  app.add_option("--atol", options->atol, "Absolute tolerance instead of each tensor's own")
      ->type_name("A")
      ->check(problemOfTolerance);

  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    std::fputs(app.help().c_str(), stdout);
    return 0;
  } catch (const CLI::CallForVersion& version) {
    std::printf("%s\n", version.what());
    return 0;
  } catch (const CLI::ParseError& error) {
    std::fprintf(stderr, "ptowsp-run: error: %s\n  fix: see ptowsp-run --help\n", error.what());
    return 2;
  }
  return std::nullopt;
}

}  // namespace ptowsp::run
