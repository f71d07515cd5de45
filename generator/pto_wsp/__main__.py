# SPDX-License-Identifier: MIT
"""python3 -m pto_wsp: trace, check or run a workload without a CMake project."""
from __future__ import annotations

import sys

from pto_wsp._command import main

sys.exit(main(sys.argv[1:]))
