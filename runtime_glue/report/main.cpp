// SPDX-License-Identifier: MIT
// ptowsp: what is done with runs after they have ended. So far that is one command, report.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <cstdio>
#include <string>
#include <vector>

#include "ptowsp/manifest.h"
#include "runtime_glue/report/inputs.h"
#include "runtime_glue/report/page.h"

namespace {

constexpr int kFailed = 1, kUsage = 2;

int fail(int code, const std::string& message, const std::string& fix) {
  std::fprintf(stderr, "ptowsp: error: %s\n  fix: %s\n", message.c_str(), fix.c_str());
  return code;
}

int report(const std::vector<std::string>& arguments, const std::string& output) {
  std::vector<ptowsp::report::RunData> runs;
  for (const std::string& argument : arguments) {
    const ptowsp::report::Problem problem = ptowsp::report::addRuns(argument, &runs);
    if (!problem.message.empty()) return fail(kFailed, problem.message, problem.fix);
  }
  const std::string problem = ptowsp::report::writeFile(output, ptowsp::report::page(runs));
  if (!problem.empty())
    return fail(kFailed, output + ": " + problem, "give a file that can be written to --output");
  std::string labels;
  for (const ptowsp::report::RunData& run : runs)
    labels += (labels.empty() ? "" : ", ") + run.label;
  std::printf("%s: %zu run%s: %s\n", output.c_str(), runs.size(), runs.size() == 1 ? "" : "s",
              labels.c_str());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Looks at runs of tile workloads.", "ptowsp");
  app.set_version_flag(
      "--version", std::string("ptowsp " PTOWSP_VERSION ", contract ") + ptowsp::glue::kContract);
  app.set_help_all_flag("--help-all", "Print the help of all subcommands and exit");
  app.require_subcommand(1);
  app.footer("Exit codes: 0 done, 1 a file cannot be read or written, 2 wrong usage.");
  std::vector<std::string> runs;
  std::string output = "report.html";
  CLI::App* const command =
      app.add_subcommand("report", "Put runs into one page, to compare them and to look at each");
  command
      ->add_option("runs", runs,
                   "[LABEL=]FILE: a page of ptowsp-run --report, a result of --json, a timeline of "
                   "--trace; or a folder of such files")
      ->type_name("RUN")
      ->required();
  command->add_option("-o,--output", output, "The page, one HTML file that needs no network")
      ->type_name("FILE")
      ->capture_default_str();
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    std::fputs(app.help().c_str(), stdout);
    return 0;
  } catch (const CLI::CallForAllHelp&) {
    std::fputs(app.help("", CLI::AppFormatMode::All).c_str(), stdout);
    return 0;
  } catch (const CLI::CallForVersion& version) {
    std::printf("%s\n", version.what());
    return 0;
  } catch (const CLI::ParseError& error) {
    return fail(kUsage, error.what(), "see ptowsp --help-all");
  }
  return report(runs, output);
}
