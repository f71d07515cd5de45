// SPDX-License-Identifier: MIT
// Kernels vectorised by hand, for arrays of whole vectors and ordinary numbers: no tails, no NaN, no
// overflow, contraction allowed. What emitted kernels, which have all of that, are measured against.
#include <cstdint>
#include <cstring>

namespace {

#if defined(__AVX512F__)
constexpr int kWidth = 16;
#elif defined(__AVX__)
constexpr int kWidth = 8;
#else
constexpr int kWidth = 4;
#endif
typedef float Vector __attribute__((vector_size(4 * kWidth), aligned(4), may_alias));
typedef int32_t Ints __attribute__((vector_size(4 * kWidth)));

Vector* at(float* p) { return reinterpret_cast<Vector*>(p); }
const Vector* at(const float* p) { return reinterpret_cast<const Vector*>(p); }

inline Vector larger(Vector a, Vector b) { return a > b ? a : b; }

inline float sum(Vector x) {
  float total = 0;
  for (int i = 0; i < kWidth; ++i) total += x[i];
  return total;
}
inline float largest(Vector x) {
  float most = x[0];
  for (int i = 1; i < kWidth; ++i) most = x[i] > most ? x[i] : most;
  return most;
}

// 2^n times a polynomial of degree 6, within 2 units in the last place as the emitted one is.
inline Vector exponential(Vector x) {
  const Vector shifted = x * 1.44269504f + 12582912.0f;
  const Vector n = shifted - 12582912.0f;
  const Vector r = x - n * 0.693359375f + n * 2.12194440e-4f;
  Vector p = r * 0.00138196f + 0.00836789f;
  p = p * r + 0.0416682f;
  p = p * r + 0.1666650f;
  p = p * r + 0.5f;
  p = p * r + 1.0f;
  p = p * r + 1.0f;
  return (Vector)((Ints)p + ((Ints)shifted << 23));
}

}  // namespace

extern "C" {

void hand_scale(const float* x, const float*, float* y, int rows, int cols) {
  for (int i = 0; i < rows * cols; i += kWidth) *at(y + i) = *at(x + i) * 2.0f;
}

void hand_exp(const float* x, const float*, float* y, int rows, int cols) {
  for (int i = 0; i < rows * cols; i += kWidth) *at(y + i) = exponential(*at(x + i));
}

void hand_softmax(const float* x, const float*, float* y, int rows, int cols) {
  for (int r = 0; r < rows; ++r, x += cols, y += cols) {
    Vector most = *at(x);
    for (int c = kWidth; c < cols; c += kWidth) most = larger(most, *at(x + c));
    const float m = largest(most);
    Vector sums{};
    for (int c = 0; c < cols; c += kWidth) {
      const Vector e = exponential(*at(x + c) - m);
      *at(y + c) = e;
      sums += e;
    }
    const float factor = 1 / sum(sums);
    for (int c = 0; c < cols; c += kWidth) *at(y + c) *= factor;
  }
}

void hand_rmsnorm(const float* x, const float* w, float* y, int rows, int cols) {
  for (int r = 0; r < rows; ++r, x += cols, y += cols) {
    Vector first{}, second{};
    for (int c = 0; c < cols; c += 2 * kWidth) {
      first += *at(x + c) * *at(x + c);
      second += *at(x + c + kWidth) * *at(x + c + kWidth);
    }
    const float factor =
        1 / __builtin_sqrtf(sum(first + second) / static_cast<float>(cols) + 1e-6f);
    for (int c = 0; c < cols; c += kWidth) *at(y + c) = *at(x + c) * factor * *at(w + c);
  }
}

}  // extern "C"
