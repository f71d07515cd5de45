# SPDX-License-Identifier: MIT
"""Every kernel of every example, as it is emitted for the device, on PTO-ISA's CPU simulator."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import simulator

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("PTOWSP_BUILD_DIR", ""))
EXAMPLES = sorted(p.name for p in (ROOT / "examples").iterdir()
                  if any((p / f"{p.name}{suffix}").exists() for suffix in (".py", ".json")))
# Of these the device has not the instructions; what ptowsp-gen says of them.
REFUSED = {}


def workload_of(example, folder):
    """The example's workload file, a Python one traced; random inputs where its arrays are made by its
    build."""
    source = ROOT / "examples" / example / f"{example}.py"
    if source.exists():
        file = folder / "workload.json"
        subprocess.run([sys.executable, "-m", "pto_wsp", "trace", source, "-o", file], check=True,
                       env={**os.environ, "PYTHONPATH": str(BUILD / "python")})
        return file
    workload = json.loads(source.with_suffix(".json").read_text())
    for tensor in workload["tensors"]:
        if "npy" in tensor.get("init", {}):
            tensor["init"] = {"uniform": [-1, 1]}
    file = folder / "workload.json"
    file.write_text(json.dumps(workload))
    return file


def test_there_are_examples():
    assert len(EXAMPLES) >= 15


@pytest.mark.parametrize("example", EXAMPLES)
def test_example(example, tmp_path):
    workload = workload_of(example, tmp_path)
    if example in REFUSED:
        done = simulator.emit(workload, tmp_path / "artifact")
        assert done.returncode == 1 and REFUSED[example] in done.stderr, done.stderr
        return
    assert simulator.failure(workload, tmp_path / "artifact") is None


def test_a_wrong_kernel_is_noticed(tmp_path, monkeypatch):
    """With one instruction for another the same test fails."""
    right = simulator.device_sources

    def spoilt(folder):
        sources = right(folder)
        for source in sources:
            source.write_text(source.read_text().replace("TROWSUM", "TROWMAX"))
        return sources

    monkeypatch.setattr(simulator, "device_sources", spoilt)
    found = simulator.failure(workload_of("softmax", tmp_path), tmp_path / "artifact")
    assert found.startswith("exit 1\n"), found
