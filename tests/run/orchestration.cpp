// SPDX-License-Identifier: MIT
// Hand-written orchestration of the test workload: for r: twice(x[r], t[r]); for q: increment(t[q],
// y[q]). PTOWSP_FAULT, set at compile time, makes it go wrong in one way. Compiled once against the
// built-in runtime's runtime.h and once against plain_runtime/runtime.h.
#include <unistd.h>

#include "runtime.h"

namespace {

constexpr int kRows = 8, kCols = 4, kTiles = 4;
constexpr uint64_t kBytes = kRows * kCols * sizeof(float);
constexpr uint64_t kTileBytes = kBytes / kTiles;
constexpr uint64_t kTileElements = kTileBytes / sizeof(float);

enum Fault { none, cycle, unregistered, error_code, crash, hang, lost_task, write_input };

}  // namespace

extern "C" int build_pto_wsp_graph(Runtime* runtime, uint64_t* args, int arg_count) {
  if (arg_count != 6 || args[1] != kBytes || args[3] != kBytes || args[4] != 0) return -1;
  if (PTOWSP_FAULT == error_code) return -42;
  if (PTOWSP_FAULT == crash) *reinterpret_cast<volatile int*>(8) = 1;
  if (PTOWSP_FAULT == write_input) *reinterpret_cast<volatile float*>(args[0]) = 1;
  while (PTOWSP_FAULT == hang) usleep(1000);

  void* x_host = reinterpret_cast<void*>(args[0]);
  void* y_host = reinterpret_cast<void*>(args[2]);
  void* ledger_host = reinterpret_cast<void*>(args[5]);
  const uint64_t ledger_bytes = 2 * kTiles * sizeof(uint64_t);
  char* x = static_cast<char*>(runtime->host_api.device_malloc(kBytes));
  char* t = static_cast<char*>(runtime->host_api.device_malloc(kBytes));
  char* y = static_cast<char*>(runtime->host_api.device_malloc(kBytes));
  uint64_t* ledger = static_cast<uint64_t*>(runtime->host_api.device_malloc(ledger_bytes));
  if (!x || !t || !y || !ledger) return -2;
  if (runtime->host_api.copy_to_device(x, x_host, kBytes) != 0) return -3;
  if (runtime->host_api.copy_to_device(ledger, ledger_host, ledger_bytes) != 0) return -3;
  runtime->record_tensor_pair(y_host, y, kBytes);
  runtime->record_tensor_pair(ledger_host, ledger, ledger_bytes);

  for (int task = 0; task < 2 * kTiles; ++task) {
    const bool first = task < kTiles;
    const uint64_t offset = static_cast<uint64_t>(task % kTiles) * kTileBytes;
    uint64_t task_args[] = {reinterpret_cast<uint64_t>(first ? x : t) + offset,
                            reinterpret_cast<uint64_t>(first ? t : y) + offset, kTileElements,
                            reinterpret_cast<uint64_t>(ledger + task),
                            static_cast<uint64_t>(task) + 1};
    const int func_id = PTOWSP_FAULT == unregistered && task == 5 ? 7 : !first;
    if (PTOWSP_FAULT == lost_task && task == 6) continue;
    if (runtime->add_task(task_args, 5, func_id, 1) < 0) return -4;
    if (!first && PTOWSP_FAULT != lost_task) runtime->add_successor(task - kTiles, task);
  }
  if (PTOWSP_FAULT == cycle) runtime->add_successor(6, 2);
  return 0;
}
