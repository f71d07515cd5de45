// SPDX-License-Identifier: MIT
// Kernels as anyone would write them: loops over floats, compiled with -O2. C functions, so that
// kernel_bench.py can name them.
#include <algorithm>
#include <cmath>

extern "C" {

void plain_scale(const float* x, const float*, float* y, int rows, int cols) {
  for (int i = 0; i < rows * cols; ++i) y[i] = x[i] * 2.0f;
}

void plain_exp(const float* x, const float*, float* y, int rows, int cols) {
  for (int i = 0; i < rows * cols; ++i) y[i] = std::exp(x[i]);
}

void plain_softmax(const float* x, const float*, float* y, int rows, int cols) {
  for (int r = 0; r < rows; ++r, x += cols, y += cols) {
    float largest = x[0];
    for (int c = 1; c < cols; ++c) largest = std::max(largest, x[c]);
    float sum = 0;
    for (int c = 0; c < cols; ++c) sum += y[c] = std::exp(x[c] - largest);
    for (int c = 0; c < cols; ++c) y[c] /= sum;
  }
}

void plain_rmsnorm(const float* x, const float* w, float* y, int rows, int cols) {
  for (int r = 0; r < rows; ++r, x += cols, y += cols) {
    float squares = 0;
    for (int c = 0; c < cols; ++c) squares += x[c] * x[c];
    const float factor = 1 / std::sqrt(squares / static_cast<float>(cols) + 1e-6f);
    for (int c = 0; c < cols; ++c) y[c] = x[c] * factor * w[c];
  }
}

// Square matrices.
void plain_gemm(const float* a, const float* b, float* c, int rows, int cols) {
  for (int i = 0; i < rows; ++i)
    for (int j = 0; j < cols; ++j) {
      float sum = 0;
      for (int k = 0; k < cols; ++k) sum += a[i * cols + k] * b[k * cols + j];
      c[i * cols + j] = sum;
    }
}

}  // extern "C"
