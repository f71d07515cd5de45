// SPDX-License-Identifier: MIT
// Where the data of an evaluation come from: random numbers, formulas and .npy files.
#pragma once

#include "generator/reference/evaluate.h"
#include "ptowsp/npy.h"

namespace ptowsp::reference {

// Whether a tensor has data before the first task, and whether it has expected data after the last.
bool isRead(const Tensor& tensor);
bool isResult(const Tensor& tensor);

npy::Type npyType(DType dtype);

// Fills evaluation.inputs, the entries of evaluation.expected that options.expected gives, and
// evaluation.files. Memory was checked by the caller.
bool readData(const Program& program, const Options& options, Evaluation& evaluation,
              Diagnostics& diagnostics);

}  // namespace ptowsp::reference
