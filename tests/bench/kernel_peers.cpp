// SPDX-License-Identifier: MIT
// Turns of kernel_bench.py: calls of an emitted kernel, of its peers here and of OpenBLAS, measured by
// the time that this thread had a processor, so that other processes take none of it.
#include <cblas.h>
#include <time.h>

#include <cstdint>

extern "C" {

using Peer = void (*)(const float* x, const float* w, float* y, int rows, int cols);

void blas_gemm(const float* a, const float* b, float* c, int rows, int cols) {
  cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, rows, cols, cols, 1, a, cols, b, cols, 0, c,
              cols);
}

static double now() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

// Seconds for one call.
double emitted_turn(void (*kernel)(int64_t*), int64_t* args, int calls) {
  const double start = now();
  for (int i = 0; i < calls; ++i) {
    kernel(args);
    asm volatile("" ::: "memory");
  }
  return (now() - start) / calls;
}

double peer_turn(Peer peer, const float* x, const float* w, float* y, int rows, int cols, int calls) {
  const double start = now();
  for (int i = 0; i < calls; ++i) {
    peer(x, w, y, rows, cols);
    asm volatile("" ::: "memory");
  }
  return (now() - start) / calls;
}

}  // extern "C"
