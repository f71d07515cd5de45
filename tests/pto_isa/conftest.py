# SPDX-License-Identifier: MIT
"""Without PTO-ISA, or a clang that compiles its CPU simulator, the whole run ends with 77: skipped."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "python"))
SKIPPED = 77
OLDEST_CLANG = 17


def missing():
    """What these tests lack, or nothing."""
    if not os.environ.get("PTOWSP_TEST_PTO_ISA"):
        return ("no PTO-ISA: set PTO_ISA_PATH to a checkout, or git submodule update --init "
                "3rdparty/pto-isa, and configure again")
    clang = os.environ.get("PTOWSP_TEST_PTO_ISA_CLANG", "")
    if not os.access(clang, os.X_OK):
        return f"no clang++, and PTO-ISA's CPU simulator needs clang {OLDEST_CLANG} or newer"
    version = subprocess.run([clang, "--version"], capture_output=True, text=True, check=True).stdout
    found = re.search(r"version (\d+)", version)
    if not found or int(found[1]) < OLDEST_CLANG:
        return f"{clang} is not clang {OLDEST_CLANG} or newer, which PTO-ISA's CPU simulator needs"
    return ""


def pytest_sessionstart(session):
    reason = missing()
    if reason:
        pytest.exit(f"skipped: {reason}", SKIPPED)
