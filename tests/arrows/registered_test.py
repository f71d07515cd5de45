# SPDX-License-Identifier: MIT
"""Every file of tests is run by ctest: one that nobody registered passes forever."""

import json
import os
import subprocess
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]


def test_every_file_of_tests_is_registered():
    done = subprocess.run(["ctest", "--show-only=json-v1"], cwd=os.environ["PTOWSP_BUILD_DIR"], capture_output=True,
                          text=True, check=True)  # fmt: skip
    registered = {word for test in json.loads(done.stdout)["tests"] for word in test.get("command", [])}
    files = [*TESTS.rglob("test_*.py"), *TESTS.rglob("*_test.py")]
    assert len(files) > 50
    assert [str(file) for file in files if str(file) not in registered] == []
