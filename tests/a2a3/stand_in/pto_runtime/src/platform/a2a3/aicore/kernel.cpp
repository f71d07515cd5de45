// SPDX-License-Identifier: MIT
// Stands in for what pto-runtime runs on a core: a symbol for each type of core.
#ifdef __AIC__
extern "C" int aicore_of_the_stand_in_aic() { return 0; }
#else
extern "C" int aicore_of_the_stand_in_aiv() { return 1; }
#endif
