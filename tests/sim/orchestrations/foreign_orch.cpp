// SPDX-License-Identifier: MIT
// Compiled with the runtime.h of another runtime, or with another version of ours: what matters is
// only the symbol by which the library tells them apart.
#include <cstdint>

#ifdef PTOWSP_TEST_VERSION
extern "C" {
extern const uint32_t ptowsp_runtime_api_version;
const uint32_t ptowsp_runtime_api_version = PTOWSP_TEST_VERSION;
}
#endif

#ifdef PTOWSP_TEST_NOT_INLINE
class Runtime {
 public:
  int get_task_count() const;
};
extern "C" int build_foreign(Runtime* runtime, uint64_t*, int) { return runtime->get_task_count(); }
#else
class Runtime;
extern "C" int build_foreign(Runtime*, uint64_t*, int) { return 0; }
#endif
