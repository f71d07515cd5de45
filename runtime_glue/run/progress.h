// SPDX-License-Identifier: MIT
// RunProgress: says on a terminal how far runs have come, from a thread of its own, until it goes.
#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

#include "runtime_glue/glue/run.h"

namespace ptowsp::run {

class RunProgress {
 public:
  // Of `runs` runs of `run`. Does nothing where stderr is no terminal.
  RunProgress(std::string name, glue::Run& run, int runs);
  ~RunProgress();

  void begin(int number);  // of a run, from 1

 private:
  void tell();

  std::string name_;
  glue::Run& run_;
  int runs_;
  std::mutex lock_;
  std::condition_variable changed_;
  int number_ = 0;
  bool over_ = false;
  std::thread thread_;
};

}  // namespace ptowsp::run
