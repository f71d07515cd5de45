// SPDX-License-Identifier: MIT
// The files an evaluation leaves for the runner: inputs/<tensor>.npy and expected/<tensor>.npy.
#pragma once

#include <string>

#include "generator/reference/evaluate.h"

namespace ptowsp::reference {

// Writes them below `directory`, each only when its content changes, and removes those that an
// earlier call wrote and this one did not. What was written is listed in directory/eval_list; no
// other file is touched.
bool writeEvaluation(const Program& program, const Evaluation& evaluation,
                     const std::string& directory, Diagnostics& diagnostics);

}  // namespace ptowsp::reference
