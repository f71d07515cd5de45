// SPDX-License-Identifier: MIT
// The page on one run or several: a single HTML file that needs no network. html/ has its template,
// which Jinja2 renders with style and script when PtoWsp is built; here the data of runs are put
// into it, and taken out again.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ptowsp::report {

// RunData: two JSON objects. `run` is what `ptowsp-run --json` prints; `detail` has tasks, edges
// and tensors (see html_report.cpp in runtime_glue/run), and is empty where these are not known.
struct RunData {
  std::string label;
  std::string run, detail;
};

std::string page(const std::vector<RunData>& runs);

// The runs of a page that page() made, in any version; none when it is no such page.
std::vector<RunData> runsOf(std::string_view page);

// "" or what went wrong.
std::string writeFile(const std::string& file, const std::string& text);

}  // namespace ptowsp::report
