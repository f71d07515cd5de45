// SPDX-License-Identifier: MIT
// What `ptowsp report` takes: pages, results and timelines of ptowsp-run, and folders of them.
#pragma once

#include <string>
#include <vector>

#include "runtime_glue/report/page.h"

namespace ptowsp::report {

// Problem: `message` is empty when there is none.
struct Problem {
  std::string message, fix;
};

// Adds the runs that `argument` means, [LABEL=]FILE or a folder. Labels are made different.
Problem addRuns(const std::string& argument, std::vector<RunData>* runs);

}  // namespace ptowsp::report
