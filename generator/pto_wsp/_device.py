# SPDX-License-Identifier: MIT
"""What programs for platform a2a3 are built with: the CANN toolkit, pto-runtime and PTO-ISA that the
environment names."""
from __future__ import annotations

import os
import subprocess
import sys

from pto_wsp import _tools
from pto_wsp.errors import fail

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pto_wsp._tools import Tools

_PACKAGE = os.path.dirname(os.path.abspath(__file__))
_HEADER = os.path.join("include", "pto", "pto-inst.hpp")


class Device:
    """toolkit, pto_isa: folders; toolchain: name and version of the toolkit."""

    def __init__(self, toolkit: str, toolchain: str, pto_isa: str) -> None:
        self.toolkit = toolkit
        self.toolchain = toolchain
        self.pto_isa = pto_isa

    def identity(self) -> list[object]:
        """What distinguishes these from others."""
        files = [os.path.join(self.toolkit, "bin", "ccec")]
        for folder, folders, names in os.walk(os.path.join(self.pto_isa, "include")):
            folders.sort()
            files += [os.path.join(folder, name) for name in sorted(names)]
        return [self.toolchain, *(_tools.fingerprint(file) for file in files)]


def find(tools: Tools, pto_runtime: str | None) -> Device:
    """CompileError that names everything that is missing."""
    toolkit = os.environ.get("ASCEND_HOME_PATH", "")
    pto_isa = _pto_isa()
    missing = []
    if toolkit in ("", "OFF"):
        missing.append("ASCEND_HOME_PATH names no CANN toolkit, which has ccec and the AICPU compiler")
    if pto_runtime is None:
        missing.append("PTO_RUNTIME_PATH names no pto-runtime, which runs the kernels")
    if pto_isa is None:
        missing.append("PTO_ISA_PATH names no PTO-ISA, which the kernels include")
    if missing or pto_isa is None:
        fail("missing-toolchain", "target pto_runtime_a2a3 cannot be built: " + "; ".join(missing),
             "set what is missing in the environment, or use target=\"pto_runtime_a2a3sim\"")
    done = subprocess.run([sys.executable, "-I", "-S", "-B", os.path.join(tools.bridge, "versions.py"),
                           "--toolkit", toolkit], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, check=False)
    if done.returncode != 0:
        message, _, fix = done.stderr.rstrip().partition("\n  fix: ")
        fail("missing-toolchain", "target pto_runtime_a2a3 cannot be built: " + message, fix)
    return Device(os.path.abspath(toolkit), done.stdout.strip(), pto_isa)


def _pto_isa() -> str | None:
    # As PtoWspExternalPaths.cmake looks for it.
    given = os.environ.get("PTO_ISA_PATH", "")
    if given == "OFF":
        return None
    if given:
        if not os.path.isfile(os.path.join(given, _HEADER)):
            fail("missing-toolchain", f"PTO_ISA_PATH is '{given}', and there is no {_HEADER} in it",
                 "set it to a checkout of PTO-ISA")
        return os.path.abspath(given)
    for tree in (os.path.join(_PACKAGE, "..", ".."), os.getcwd()):
        root = os.path.normpath(os.path.join(tree, "3rdparty", "pto-isa"))
        if os.path.isfile(os.path.join(root, _HEADER)):
            return root
    return None
