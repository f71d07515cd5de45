// SPDX-License-Identifier: MIT
#include "generator/options.h"

#include <CLI/CLI.hpp>

#include "ptowsp/command_line.h"
#include "ptowsp/manifest.h"

namespace ptowsp {
namespace {

void addWorkload(CLI::App* command, Settings& settings) {
  command->add_option("workload", settings.workload, "Workload file (JSON)")
      ->check(command_line::problemOfEmpty)
      ->required();
  command
      ->add_option("--color", settings.colour,
                   "Colours in messages; auto: on a terminal, unless NO_COLOR is set")
      ->check(CLI::IsMember({"auto", "always", "never"}))
      ->capture_default_str();
}

void addSemantics(CLI::App* command, Settings& settings) {
  command
      ->add_option("--races", settings.races,
                   "Races in parallel loops: an error, or put in program order")
      ->check(CLI::IsMember({"error", "allow"}))
      ->capture_default_str();
  command
      ->add_option("--dependences", settings.dependences,
                   "Edges from the tile regions that tasks touch; one task after another; or as "
                   "written, where races are errors in any case")
      ->check(CLI::IsMember({"dataflow", "program_order", "explicit"}))
      ->capture_default_str();
}

void addLimits(CLI::App* command, Settings& settings) {
  command
      ->add_option("--limits", settings.limits,
                   "What cannot be made to fit the pinned pto-runtime: part of the summary, or an "
                   "error")
      ->check(CLI::IsMember({"none", "pinned"}))
      ->capture_default_str();
}

void addPlatforms(CLI::App* command, Settings& settings, const char* meaning) {
  command->add_option("--platform", settings.platforms, meaning)
      ->check(CLI::IsMember({"a2a3sim", "a2a3"}));
}

void addCache(CLI::App* command, Settings& settings) {
  command
      ->add_option("--cache", settings.cache,
                   "Folder where results are kept for other runs (PTOWSP_CACHE_SIZE MiB of them)")
      ->envname("PTOWSP_CACHE_DIR");
}

void addReady(CLI::App* command, Settings& settings) {
  command->add_option("--ready", settings.ready,
                      "File removed first: the built artifact's ready file");
}

}  // namespace

std::optional<int> parseCommandLine(int argc, char** argv, CommandLine* line) {
  CLI::App app(
      "Turns a tile workload into an Ascend task graph: checks it, emits the sources that build\n"
      "and run it, and evaluates what it must give.\n",
      "ptowsp-gen");
  app.set_help_all_flag("--help-all", "Print the help of all subcommands and exit");
  app.set_version_flag("--version", std::string("ptowsp-gen " PTOWSP_VERSION ", contract ") + glue::kContract);
  app.require_subcommand(1);
  app.footer("Exit status: 0 done, 1 the workload or a file is wrong, 2 wrong usage.");
  Settings& settings = line->settings;
  SealSettings& sealing = line->sealing;

  CLI::App* command =
      app.add_subcommand("check", "Report every error, then a summary of the graph");
  addWorkload(command, settings);
  addSemantics(command, settings);
  addLimits(command, settings);
  addPlatforms(command, settings, "Platforms to check for: a2a3sim, and a2a3, which has limits of its own");
  command->add_flag("--json", settings.json, "Errors and summary as JSON on standard output");

  command = app.add_subcommand("emit", "Write the host_build_graph source tree");
  addWorkload(command, settings);
  addSemantics(command, settings);
  addLimits(command, settings);
  command->add_option("-o,--output", settings.output, "Folder of the emitted tree")
      ->check(command_line::problemOfEmpty)
      ->required();
  command->add_option("--name", settings.name, "The workload's C identifier")->required();
  addPlatforms(command, settings, "Platforms to emit for: a2a3sim, which is always there, and a2a3");
  command->add_flag("--lines", settings.lines,
                    "#line directives in kernels, with which a debugger shows the workload's lines");
  command->add_option("--stamp", settings.stamp, "File made anew when the tree is written")
      ->check(command_line::problemOfEmpty);
  command->add_option("--depfile", settings.depfile, "Write what was read, for make and ninja")
      ->check(command_line::problemOfEmpty)
      ->needs("--stamp");
  addReady(command, settings);
  addCache(command, settings);

  command = app.add_subcommand("print", "Print the workload as canonical JSON");
  addWorkload(command, settings);
  command->add_option("-o,--output", settings.output, "File instead of standard output")
      ->check(command_line::problemOfEmpty);

  command = app.add_subcommand("graph", "Draw the task graph");
  addWorkload(command, settings);
  addSemantics(command, settings);
  command->add_option("--format", settings.format, "dot (Graphviz), mermaid or json")
      ->check(CLI::IsMember({"dot", "mermaid", "json"}))
      ->capture_default_str();
  command
      ->add_option("--limit", settings.limit,
                   "More tasks than this are collapsed by kernel and loop")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  command->add_option("-o,--output", settings.output, "File instead of standard output")
      ->check(command_line::problemOfEmpty);

  command = app.add_subcommand(
      "eval", "Evaluate the workload directly: inputs and expected outputs as .npy");
  addWorkload(command, settings);
  command->add_option("-o,--output", settings.output, "Folder that gets inputs/ and expected/")
      ->check(command_line::problemOfEmpty)
      ->required();
  command->add_option("--seed", settings.seed, "Seed of the random inputs")
      ->check(command_line::problemOfSeed)
      ->capture_default_str();
  command->add_option("--input", settings.inputs, "TENSOR=FILE.npy in place of the tensor's init");
  command->add_option("--expected", settings.expected,
                      "TENSOR=FILE.npy in place of the evaluation");
  command->add_option("--stamp", settings.stamp, "File made anew when the data are written")
      ->check(command_line::problemOfEmpty);
  addReady(command, settings);
  command->add_option("--depfile", settings.depfile, "Write what was read, for make and ninja")
      ->check(command_line::problemOfEmpty)
      ->needs("--stamp");
  addCache(command, settings);

  command =
      app.add_subcommand("list", "Print the kernel list: <cores>:<kernel>, a line for each");
  addWorkload(command, settings);
  command->add_option("-o,--output", settings.output, "File, written only when it changes")
      ->check(command_line::problemOfEmpty);

  command = app.add_subcommand("capabilities",
                               "Print what each runtime does with each directive, as Markdown");
  command->add_option("-o,--output", settings.output, "File, written only when it changes")
      ->check(command_line::problemOfEmpty);

  CLI::App* sealer =
      app.add_subcommand("seal", "Write the ready file of an artifact, the build's last step");
  sealer->add_option("--manifest", sealing.manifest, "The artifact's manifest.json")->required();
  sealer->add_option("--ready", sealing.ready, "The ready file to write")->required();
  sealer->add_option("--platform", sealing.platform, "Platform it was built for")
      ->capture_default_str();
  sealer->add_option("--arch", sealing.arch, "Levels the kernels are built for")->required();
  sealer->add_option("--orchestration", sealing.orchestrations, "RUNTIME=FILE")->required();
  sealer->add_option("--kernel", sealing.kernels, "NAME:LEVEL=FILE");
  sealer->add_option("--device-kernels", sealing.device_kernels,
                     "Folder of kernel_<name>.bin, the code of each of the manifest's kernels");
  sealer->add_option("--toolchain", sealing.toolchain, "What compiled those, with its version");
  sealer->add_option("--inputs", sealing.inputs, "Folder of the inputs")->required();
  sealer->add_option("--expected", sealing.expected, "Folder of the expected outputs")->required();
  sealer->add_option("--block-dim", sealing.block_dim,
                     "Blocks to run on, 0: the runtime's default");
  sealer->add_option("--aicpu-threads", sealing.aicpu_threads,
                     "Schedulers, 0: the runtime's default");

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error);
  }
  line->command = app.get_subcommands().front()->get_name();
  return std::nullopt;
}

}  // namespace ptowsp
