// SPDX-License-Identifier: MIT
// #line directives in emitted kernels: with them a debugger stops at the lines of the workload
// file, and shows these. An emitter marks which op its statements belong to; what comes of the
// marks is decided here.
#pragma once

#include <string>
#include <string_view>

#include "generator/base/diagnostic.h"
#include "generator/verify/program.h"

namespace ptowsp {

// A line which says that the lines before it, back to the mark before, are of this place of the
// workload.
std::string placeMark(std::string_view place);
// The mark of the last op that stores to a tile; empty where none does.
std::string storeMark(const Kernel& kernel, int tile);
// What has no mark behind it up to here stays a line of the emitted file.
std::string endMark();

// Without `lines`: the text without its marks. Else every marked line gets the #line of its place,
// by the base name of the script, or of the workload file where that was not traced: the text may
// not depend on where files lie. `file` is the emitted file's own base name.
std::string resolveMarks(std::string_view text, const Locate& lines, std::string_view file);

}  // namespace ptowsp
