// SPDX-License-Identifier: MIT
// class Runtime as small and as unforgiving as the pinned pto-runtime: what is beyond a limit is dropped
// without a word. For tests of what emitted orchestrations include.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <random>
#include <vector>

#include "ptowsp/limits.h"

// What launches hold differs from test to test; that they hold so much only is known beforehand.
#define RUNTIME_MAX_TASKS 1024

class Runtime {
 public:
  struct Task {
    std::vector<uint64_t> args;
    int func_id = 0, fanin = 0;
    std::vector<int> fanout;
    int fanout_count = 0;
  };
  struct Pair {
    void *host, *device;
    size_t size;
  };
  struct HostApi {
    void* (*device_malloc)(size_t);
    void (*device_free)(void*);
    int (*copy_to_device)(void*, const void*, size_t);
    int (*copy_from_device)(void*, const void*, size_t);
  } host_api = {allocate, [](void*) {}, copy, copy};

  explicit Runtime(const ptowsp::limits::LaunchLimits& limits) : limits_(limits) { memory().clear(); }
  ~Runtime() {
    for (void* block : memory()) std::free(block);
    memory().clear();
  }

  int add_task(const uint64_t* args, int count, int func_id, int) {
    if (get_task_count() == limits_.tasks || count > ptowsp::limits::kArguments) return -1;
    tasks_.push_back({{args, args + count}, func_id, 0, {}, 0});
    return get_task_count() - 1;
  }
  void add_successor(int from, int to) {
    Task& task = tasks_[static_cast<size_t>(from)];
    if (task.fanout_count == limits_.fanout) return;
    task.fanout.push_back(to);
    ++task.fanout_count;
    ++tasks_[static_cast<size_t>(to)].fanin;
  }
  void record_tensor_pair(void* host, void* device, size_t size) {
    if (get_tensor_pair_count() < limits_.pairs) pairs_.push_back({host, device, size});
  }
  int get_task_count() const { return static_cast<int>(tasks_.size()); }
  int get_tensor_pair_count() const { return static_cast<int>(pairs_.size()); }
  const Task* get_task(int id) const { return &tasks_[static_cast<size_t>(id)]; }

  // Runs the tasks, ready ones in random order, and brings the pairs back.
  template <class Call>
  void run(std::mt19937& rng, Call&& call) {
    std::vector<int> waits, ready;
    for (size_t i = 0; i < tasks_.size(); ++i) {
      waits.push_back(tasks_[i].fanin);
      if (tasks_[i].fanin == 0) ready.push_back(static_cast<int>(i));
    }
    while (!ready.empty()) {
      std::swap(ready[rng() % ready.size()], ready.back());
      const int id = ready.back();
      ready.pop_back();
      const Task& task = tasks_[static_cast<size_t>(id)];
      call(task);
      for (const int to : task.fanout) {
        if (--waits[static_cast<size_t>(to)] == 0) ready.push_back(to);
      }
    }
    for (const Pair& pair : pairs_) std::memcpy(pair.host, pair.device, pair.size);
  }

 private:
  static std::vector<void*>& memory() {
    static std::vector<void*> blocks;
    return blocks;
  }
  static void* allocate(size_t size) {
    memory().push_back(std::malloc(size));
    return std::memset(memory().back(), 0xCB, size);
  }
  static int copy(void* to, const void* from, size_t size) {
    std::memcpy(to, from, size);
    return 0;
  }

  ptowsp::limits::LaunchLimits limits_;
  std::vector<Task> tasks_;
  std::vector<Pair> pairs_;
};
