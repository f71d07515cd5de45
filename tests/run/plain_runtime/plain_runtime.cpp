// SPDX-License-Identifier: MIT
// A runtime with nothing but the contract's C API. The environment's PLAIN_FAULT makes it fail as
// real runtimes do: silently drop a task ("drop"), never come back ("hang"), return an error
// ("launch", "finalize"), or crash ("crash").
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <map>
#include <new>
#include <vector>

#include "runtime.h"

namespace {

std::map<int, void (*)(int64_t*)> kernels;
std::vector<void*> allocations;

void* allocate(size_t size) {
  allocations.push_back(malloc(size));
  return allocations.back();
}

bool fault(const char* name) {
  const char* wanted = getenv("PLAIN_FAULT");
  return wanted && strcmp(wanted, name) == 0;
}

int copy(void* to, const void* from, size_t size) {
  memcpy(to, from, size);
  return 0;
}

}  // namespace

extern "C" {

size_t get_runtime_size(void) { return sizeof(Runtime); }
int set_device(int) { return 0; }

int register_kernel(int func_id, const uint8_t* image, size_t size) {
  if (size != 8) return -1;
  memcpy(&kernels[func_id], image, size);
  return 0;
}

int init_runtime(void* memory, const uint8_t* bytes, size_t size, const char* name, uint64_t* args,
                 int count) {
  Runtime* runtime = new (memory) Runtime{{allocate, [](void*) {}, copy, copy}, {}, {}};
  char file[] = "/tmp/plain_runtime_XXXXXX";
  const int fd = mkstemp(file);
  if (fd < 0 || write(fd, bytes, size) != static_cast<ssize_t>(size)) return -1;
  close(fd);
  void* library = dlopen(file, RTLD_NOW | RTLD_LOCAL);
  unlink(file);
  if (!library) return -2;
  const auto build = reinterpret_cast<int (*)(Runtime*, uint64_t*, int)>(dlsym(library, name));
  return build ? build(runtime, args, count) : -3;
}

int launch_runtime(void* memory, int, int, int, const uint8_t*, size_t, const uint8_t*, size_t) {
  Runtime* runtime = static_cast<Runtime*>(memory);
  if (fault("launch")) return -7;
  if (fault("crash")) abort();
  while (fault("hang")) usleep(1000);
  for (size_t i = 0; i < runtime->tasks.size(); ++i) {
    if (fault("drop") && i == 5) continue;
    kernels[runtime->tasks[i].func_id](reinterpret_cast<int64_t*>(runtime->tasks[i].args.data()));
  }
  return 0;
}

int finalize_runtime(void* memory) {
  if (fault("finalize")) return -9;
  Runtime* runtime = static_cast<Runtime*>(memory);
  for (const Runtime::Pair& pair : runtime->pairs) memcpy(pair.host, pair.device, pair.size);
  runtime->~Runtime();
  for (void* memory : allocations) free(memory);
  allocations.clear();
  return 0;
}

}  // extern "C"
