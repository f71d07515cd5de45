# SPDX-License-Identifier: MIT
"""The tier of this run and the seed of its random tests. Tier ci draws the same cases in each run: it fails
by what changed, never by an unlucky draw. Tier nightly (PTOWSP_TIER) draws new ones. PTOWSP_TEST_SEED
repeats what a run printed; tests/seed.h is the same for C++. Each test derives a seed of its own from SEED."""

import os
import random

NIGHTLY = os.environ.get("PTOWSP_TIER") == "nightly"


def _seed():
    if given := os.environ.get("PTOWSP_TEST_SEED"):
        return int(given, 0)
    return random.SystemRandom().getrandbits(31) if NIGHTLY else 1


SEED = _seed()
