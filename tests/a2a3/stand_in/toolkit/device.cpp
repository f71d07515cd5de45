// SPDX-License-Identifier: MIT
// A stand-in for a device and CANN's runtime library in PtoWsp's tests with pto-runtime's own host library: it
// runs the tasks one after another on the host, by the code that was registered. pto-runtime's scheduler and
// what runs on its cores are loaded and not used; nothing here shows that they work.
#include <runtime/rt.h>
#include <sys/mman.h>

#include <cstring>
#include <vector>

#include "kernel_args.h"
#include "runtime.h"

namespace {

constexpr size_t kPage = 4096;  // the first one has the size

int runTasks(Runtime& runtime) {
  std::vector<int> ready;
  for (int i = 0; i < runtime.get_task_count(); ++i)
    if (runtime.get_task(i)->fanin == 0) ready.push_back(i);
  while (!ready.empty()) {
    Task& task = *runtime.get_task(ready.back());
    ready.pop_back();
    if (task.function_bin_addr == 0) return 1;  // not registered
    reinterpret_cast<void (*)(uint64_t*)>(task.function_bin_addr)(task.args);
    for (int i = 0; i < task.fanout_count; ++i)
      if (--runtime.get_task(task.fanout[i])->fanin == 0) ready.push_back(task.fanout[i]);
  }
  return 0;
}

}  // namespace

// Like device memory: not that of the host's heap, and kernels can run from it.
rtError_t rtMalloc(void** memory, uint64_t size, rtMemType_t, uint16_t) {
  void* pages = mmap(nullptr, size + kPage, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED) return 1;
  *static_cast<uint64_t*>(pages) = size + kPage;
  *memory = static_cast<char*>(pages) + kPage;
  std::memset(*memory, 0xcb, size);
  return 0;
}
rtError_t rtFree(void* memory) {
  char* pages = static_cast<char*>(memory) - kPage;
  return munmap(pages, *reinterpret_cast<uint64_t*>(pages));
}
rtError_t rtMemcpy(void* to, uint64_t most, const void* from, uint64_t size, rtMemcpyKind_t) {
  if (size > most) return 1;
  std::memcpy(to, from, size);
  return 0;
}
rtError_t rtSetDevice(int32_t) { return 0; }
rtError_t rtStreamCreate(rtStream_t* stream, int32_t) {
  *stream = new int;
  return 0;
}
rtError_t rtStreamDestroy(rtStream_t stream) {
  delete static_cast<int*>(stream);
  return 0;
}
rtError_t rtStreamSynchronize(rtStream_t) { return 0; }
rtError_t rtAicpuKernelLaunchExWithArgs(rtKernelType_t, const char*, uint32_t, const rtAicpuArgsEx_t* args, void*,
                                        rtStream_t, uint32_t) {
  const char* name = static_cast<const char*>(args->args) + args->kernelNameAddrOffset;
  if (std::strcmp(name, "DynTileFwkKernelServer") != 0) return 0;
  return runTasks(*static_cast<const KernelArgs*>(args->args)->runtime_args);
}
rtError_t rtRegisterAllKernel(const rtDevBinary_t* binary, void** handle) {
  *handle = const_cast<void*>(binary->data);
  return binary->length == 0;
}
rtError_t rtKernelLaunchWithHandleV2(void*, uint64_t, uint32_t, rtArgsEx_t*, void*, rtStream_t,
                                     const rtTaskCfgInfo_t*) {
  return 0;
}
