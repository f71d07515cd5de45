# SPDX-License-Identifier: MIT
"""Where the files of this PtoWsp lie: its build tree, or the folder that it was installed to."""
from __future__ import annotations

import glob
import os

# <tree>/share/ptowsp/pto_runtime/builtin/_ptowsp_tree.py
TREE = os.path.abspath(os.path.join(os.path.dirname(os.path.realpath(__file__)), *[os.pardir] * 4))


def _below(*patterns: str) -> str:
    for pattern in patterns:
        found = sorted(glob.glob(os.path.join(glob.escape(TREE), pattern)))
        if found:
            return found[0]
    raise FileNotFoundError(f"{os.path.basename(patterns[0])} was not found below {TREE}; build "
                            "all of PtoWsp's build tree, or install it again")


def runtime_library() -> str:
    """The built-in runtime, libptowsp_sim.so."""
    return _below("lib*/libptowsp_sim.so", "lib/*/libptowsp_sim.so")


def include_folder() -> str:
    """The folder of the built-in runtime's runtime.h."""
    return os.path.dirname(_below("include/ptowsp/sim/runtime.h"))


def check_platform(platform: str) -> None:
    """ValueError for a platform that the built-in runtime does not have."""
    if platform == "a2a3":
        raise ValueError("platform 'a2a3' is a device, and the built-in runtime is a simulator; "
                         "use platform='a2a3sim', or set PTO_RUNTIME_PATH to a checkout of "
                         "pto-runtime")
    if platform != "a2a3sim":
        raise ValueError(f"unknown platform {platform!r}; the built-in runtime has a2a3sim")
