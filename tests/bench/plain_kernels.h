// The kernels of kernels.json as anyone would write them first: plain loops over the C library's
// functions, compiled -O2. What the emitted kernels are compared with.
#pragma once

namespace ptowsp::bench {

void plainScale(const float* x, float* y, int count, float s);
void plainExp(const float* x, float* y, int count);
void plainSoftmax(const float* x, float* y, int rows, int cols);
void plainRmsnorm(const float* x, const float* w, float* y, int rows, int cols);

}  // namespace ptowsp::bench
