// SPDX-License-Identifier: MIT
// What the emitted kernels of the vector cores include.
#ifndef PTOWSP_TILE_H
#define PTOWSP_TILE_H

#include "ptowsp_double.h"
#include "ptowsp_elementwise.h"
#include "ptowsp_float16.h"
#include "ptowsp_math.h"
#include "ptowsp_reduce.h"
#include "ptowsp_vector.h"

#endif  // PTOWSP_TILE_H
