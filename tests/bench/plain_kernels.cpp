#include "tests/bench/plain_kernels.h"

#include <algorithm>
#include <cmath>

namespace ptowsp::bench {

void plainScale(const float* x, float* y, int count, float s) {
  for (int i = 0; i < count; ++i) y[i] = x[i] * s;
}

void plainExp(const float* x, float* y, int count) {
  for (int i = 0; i < count; ++i) y[i] = std::exp(x[i]);
}

void plainSoftmax(const float* x, float* y, int rows, int cols) {
  for (int r = 0; r < rows; ++r, x += cols, y += cols) {
    float largest = x[0];
    for (int c = 1; c < cols; ++c) largest = std::max(largest, x[c]);
    float sum = 0;
    for (int c = 0; c < cols; ++c) sum += y[c] = std::exp(x[c] - largest);
    for (int c = 0; c < cols; ++c) y[c] /= sum;
  }
}

void plainRmsnorm(const float* x, const float* w, float* y, int rows, int cols) {
  for (int r = 0; r < rows; ++r, x += cols, y += cols) {
    float squares = 0;
    for (int c = 0; c < cols; ++c) squares += x[c] * x[c];
    const float factor = 1 / std::sqrt(squares / static_cast<float>(cols) + 1e-6f);
    for (int c = 0; c < cols; ++c) y[c] = x[c] * factor * w[c];
  }
}

}  // namespace ptowsp::bench
