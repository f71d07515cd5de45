// SPDX-License-Identifier: MIT
// ptowsp-run: runs a built workload, checks the run, compares its results.
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <new>

#include "ptowsp/command_line.h"
#include "ptowsp/terminal.h"
#include "runtime_glue/run/options.h"
#include "runtime_glue/run/report.h"
#include "runtime_glue/run/session.h"

namespace {

void print(const std::string& text, std::FILE* stream) {
  std::fwrite(text.data(), 1, text.size(), stream);
}

}  // namespace

int main(int argc, char** argv) {
  using namespace ptowsp;
  // A file that grows too large for the limits is an error of writing it, which has words.
  std::signal(SIGXFSZ, SIG_IGN);
  run::Options options;
  if (const std::optional<int> code = run::parseOptions(argc, argv, &options)) return *code;

  run::Report report;
  try {
    run::runSession(options, &report);
  } catch (const std::bad_alloc&) {
    report.status = glue::Status::runFailure(
        options.artifact, "out of memory", "run it on a machine, or under a limit, with more of it");
  }

  glue::Outcome outcome = report.status.outcome;
  if (!report.status.ok())
    print(run::failureText(report.status, terminal::wantsColour(options.colour, STDERR_FILENO)), stderr);
  if (options.json) {
    print(run::jsonText(report), stdout);
  } else if (report.runs > 0 && outcome != glue::Outcome::bad_artifact) {
    print(run::lineText(report, terminal::wantsColour(options.colour, STDOUT_FILENO)), stdout);
    if (options.stats) print(run::statsText(report), stdout);
  }
  if (command_line::isOutputLost()) {
    const glue::Status lost = glue::Status::badArtifact(
        "standard output", std::string("cannot write to it: ") + std::strerror(errno),
        "give it a file that can be written, or /dev/null");
    print(run::failureText(lost, terminal::wantsColour(options.colour, STDERR_FILENO)), stderr);
    if (outcome == glue::Outcome::right) outcome = lost.outcome;
  }
  // Threads of a failed run may never end; nothing is left to be done that they could disturb.
  if (outcome == glue::Outcome::run_failure) _exit(static_cast<int>(outcome));
  return static_cast<int>(outcome);
}
