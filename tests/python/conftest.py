# SPDX-License-Identifier: MIT
"""What the tests share: the seed of this run, the tier, and what happens to a failing workload."""

from __future__ import annotations

import json
import os
import random
import shutil
import tempfile
from pathlib import Path

import pytest

# Small matrices gain nothing from threads, and tests run beside one another.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# Tests leave nothing in the source tree.
os.environ.setdefault("HYPOTHESIS_STORAGE_DIRECTORY", tempfile.gettempdir() + "/ptowsp-hypothesis")

from seed import NIGHTLY, SEED
from shrink import shrink


def pytest_report_header(config):
    return f"PTOWSP_TEST_SEED={SEED} tier={'nightly' if NIGHTLY else 'ci'}"


def pytest_terminal_summary(terminalreporter):
    if terminalreporter.stats.get("failed") or terminalreporter.stats.get("error"):
        terminalreporter.write_line(f"repeat with PTOWSP_TEST_SEED={SEED}")


def count(ci, nightly):
    return nightly if NIGHTLY else ci


class Cases:
    """Runs a check on many workloads; the first that fails is shrunk and kept as a file."""

    def __init__(self, folder, name):
        self.folder, self.name = folder, name

    def seeds(self, number):
        rng = random.Random(f"{SEED}/{self.name}")
        return [rng.getrandbits(40) for _ in range(number)]

    def write(self, workload, name="workload"):
        path = self.folder / f"{name}.json"
        path.write_text(json.dumps(workload, indent=1))
        return path

    def check(self, workload, failure, seed, seconds=30.0):
        """failure(workload) returns None, or what is wrong with it as a text."""
        message = failure(workload)
        if message is None:
            return
        # A candidate must fail in the same way, not in any: the first word of the message says how.
        kind = message.split()[0]
        small = shrink(workload, lambda w: (failure(w) or "-").split()[0] == kind, seconds)
        keep = Path(os.environ.get("PTOWSP_FAILURES")
                    or tempfile.gettempdir()) / f"{self.name}_{seed}"
        keep.mkdir(parents=True, exist_ok=True)
        (keep / "original.json").write_text(json.dumps(workload, indent=1))
        (keep / "shrunk.json").write_text(json.dumps(small, indent=1))
        for tensor in workload["tensors"]:
            if "npy" in tensor.get("init", {}):
                shutil.copy(self.folder / tensor["init"]["npy"], keep)
        pytest.fail(
            f"{failure(small)}\n\nworkload: {keep}/shrunk.json (whole: {keep}/original.json), "
                    f"case {seed}", pytrace=False)


@pytest.fixture
def cases(tmp_path, request):
    return Cases(tmp_path, request.node.name.replace("[", "_").replace("]", ""))
