// SPDX-License-Identifier: MIT
// A stand-in for CANN's header in PtoWsp's tests: nothing is logged.
#pragma once

#include <cstdio>

enum { AICPU = 1 };
enum { DLOG_DEBUG, DLOG_INFO, DLOG_WARN, DLOG_ERROR };
inline bool CheckLogLevel(int, int) { return false; }
#define dlog_debug(module, ...) ((void)std::snprintf(nullptr, 0, __VA_ARGS__))
#define dlog_info(module, ...) dlog_debug(module, __VA_ARGS__)
#define dlog_warn(module, ...) dlog_debug(module, __VA_ARGS__)
#define dlog_error(module, ...) dlog_debug(module, __VA_ARGS__)
