// SPDX-License-Identifier: MIT
// Options of the sanitizers for this program: a size that no machine has must give null, as it does
// without them.
extern "C" const char* __asan_default_options();
extern "C" const char* __tsan_default_options();
extern "C" const char* __asan_default_options() { return "allocator_may_return_null=1"; }
extern "C" const char* __tsan_default_options() { return "allocator_may_return_null=1"; }
