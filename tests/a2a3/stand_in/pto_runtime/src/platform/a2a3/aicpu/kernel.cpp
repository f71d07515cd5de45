// SPDX-License-Identifier: MIT
// Stands in for pto-runtime's scheduler.
extern "C" int aicpu_of_the_stand_in() { return 0; }
