// SPDX-License-Identifier: MIT
#include "runtime_glue/run/progress.h"

#include <chrono>

#include "ptowsp/terminal.h"
#include "runtime_glue/glue/process_guard.h"
#include "runtime_glue/glue/text.h"

namespace ptowsp::run {

RunProgress::RunProgress(std::string name, glue::Run& run, int runs)
    : name_(std::move(name)), run_(run), runs_(runs) {
  if (terminal::isLive(STDERR_FILENO)) thread_ = std::thread(&RunProgress::tell, this);
}

RunProgress::~RunProgress() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(lock_);
    over_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void RunProgress::begin(int number) {
  const std::lock_guard lock(lock_);
  number_ = number;
}

void RunProgress::tell() {
  terminal::Progress line;
  std::unique_lock lock(lock_);
  while (!changed_.wait_for(lock, std::chrono::milliseconds(200), [&] { return over_; })) {
    if (!line.isDue()) continue;
    std::string text = name_ + ": " + glue::currentPhase();
    if (runs_ > 1) text += glue::format(", run %d of %d", number_, runs_);
    if (const int64_t completed = run_.completedSoFar(); completed > 0)
      text += glue::format(", %lld of %s", static_cast<long long>(completed),
                           glue::counted(run_.names().count(), "task").c_str());
    line.show(text);
  }
}

}  // namespace ptowsp::run
