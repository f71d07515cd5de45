// SPDX-License-Identifier: MIT
// runtime.h of a small runtime that knows the contract and no extension, for tests of the runner.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <vector>

struct Runtime {
  struct HostApi {
    void* (*device_malloc)(size_t);
    void (*device_free)(void*);
    int (*copy_to_device)(void*, const void*, size_t);
    int (*copy_from_device)(void*, const void*, size_t);
  } host_api;
  struct Pair {
    void* host;
    void* device;
    size_t size;
  };
  struct Task {
    std::vector<uint64_t> args;
    int func_id;
  };
  std::vector<Task> tasks;
  std::vector<Pair> pairs;

  int add_task(uint64_t* args, int count, int func_id, int) {
    tasks.push_back({{args, args + count}, func_id});
    return static_cast<int>(tasks.size()) - 1;
  }
  // Tasks run in the order in which they were added, which all graphs of the tests allow.
  void add_successor(int, int) {}
  void record_tensor_pair(void* host, void* device, size_t size) {
    pairs.push_back({host, device, size});
  }
};
