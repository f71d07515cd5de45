# SPDX-License-Identifier: MIT
"""Long steps of tools/demo and tools/bench: followed on a terminal, one line in a log."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(SOURCE / "tests"))
from on_terminal import on_a_terminal  # noqa: E402

STEP = f'set -euo pipefail; source "{SOURCE}/tools/steps.sh"; step "Building it" "$1/made/log" bash -c "$2"'
PYTHON = (f"import sys, time; sys.path.insert(0, {str(SOURCE / 'tests/bench')!r}); from progress import step\n"
          "with step('kernels'): time.sleep(1.3)")  # fmt: skip


def in_a_log(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)


def test_a_step_in_a_log(tmp_path):
    done = in_a_log("bash", "-c", STEP, "bash", tmp_path, "echo one; sleep 1; echo two >&2")
    assert done.returncode == 0
    assert re.fullmatch(r"Building it: \d+ s\n", done.stdout)
    assert (tmp_path / "made/log").read_text() == "one\ntwo\n"


def test_a_step_on_a_terminal(tmp_path):
    command = "echo '[1/2] compiling'; sleep 1; echo '[2/2] linking'; sleep 1"
    text, code = on_a_terminal("/bin/bash", "-c", STEP, "bash", tmp_path, command)
    assert code == 0
    assert text.index("\r\x1b[KBuilding it, ") < text.index("[1/2] compiling") < text.index("[2/2] linking")
    assert re.search(r"\r\x1b\[KBuilding it: \d+ s\r\n$", text), "the line is gone when it is over"


def test_a_step_that_fails(tmp_path):
    done = in_a_log("bash", "-c", STEP, "bash", tmp_path, "echo no such thing; exit 3")
    assert done.returncode == 3
    assert done.stdout == f"Building it: failed (exit code 3), the end of {tmp_path}/made/log:\n  no such thing\n"


def test_an_interrupted_step_takes_its_command_along(tmp_path):
    started = subprocess.Popen(["bash", "-c", STEP, "bash", str(tmp_path), f"echo $$ > {tmp_path}/pid; exec sleep 60"],
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT)  # fmt: skip
    pid = tmp_path / "pid"
    for _ in range(200):
        if pid.exists() and pid.read_text().endswith("\n"):
            break
        time.sleep(0.1)
    child = int(pid.read_text())
    started.send_signal(signal.SIGTERM)
    started.wait(20)
    assert started.returncode != 0
    for _ in range(100):
        if not Path(f"/proc/{child}").exists():
            break
        time.sleep(0.1)
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)


def test_a_benchmark_in_a_log_and_on_a_terminal():
    assert re.fullmatch(r"\[1/5\] kernels: \d+ s\n", in_a_log(sys.executable, "-c", PYTHON).stdout)
    text, code = on_a_terminal(sys.executable, "-c", PYTHON)
    assert code == 0
    assert "\r\x1b[K[1/5] kernels, 1 s" in text and re.search(r"\r\x1b\[K\[1/5\] kernels: \d+ s\r\n$", text)
