// SPDX-License-Identifier: MIT
// Results of evaluations, kept from one run to the next.
#pragma once

#include "generator/reference/evaluate.h"

namespace ptowsp::reference {

// With Options::cache and `evaluation` as readData() left it: takes the results that it lacks from
// the cache. False where they are not there.
bool takeKeptResults(const Program& program, const Options& options, Evaluation& evaluation);

// Which results an evaluation lacks, by tensor index: keepResults() is told it afterwards.
std::vector<bool> lacking(const Program& program, const Evaluation& evaluation);

void keepResults(const Program& program, const Options& options, const Evaluation& evaluation,
                 const std::vector<bool>& computed);

}  // namespace ptowsp::reference
