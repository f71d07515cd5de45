# SPDX-License-Identifier: MIT
"""A hand-written artifact, and ptowsp-run on it.

Workload: x (8 x 4, input) -> twice -> t (temporary) -> increment -> y (output), four tiles of two rows.
Tasks 0..3 are twice[r=0..3], tasks 4..7 increment[q=0..3], task 4 + i waits for task i.
"""

import json
import os
import platform
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np

RUN = os.environ["PTOWSP_RUN"]
SIM = os.environ["PTOWSP_SIM"]
LIBRARIES = Path(os.environ["PTOWSP_RUN_TEST_LIBRARIES"])
VERSION = os.environ["PTOWSP_VERSION"]
# Compiled without a level of its own, so what every CPU of the kind runs.
LEVEL = "aarch64" if platform.machine() == "aarch64" else "x86-64"
SANITIZED = os.environ.get("PTOWSP_SANITIZED") == "1"
BUILD_AGAIN = "  fix: build the target pair again\n"
REBUILD = "  fix: delete the artifact's folder and build the workload's target again, with one version of PtoWsp\n"


def fnv1a64(data):
    value = 0xCBF29CE484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001B3 % 2**64
    return f"{value:016x}"


def tile(name, access):
    return {"name": name, "access": access, "rows": 2, "cols": 4, "dtype": "f32", "strided": False}


def manifest():
    def kernel(name, func_id):
        return {"name": name, "func_id": func_id, "core_type": "aiv", "cycles": 100, "sources": {"a2a3sim": "k.cpp"},
                "tiles": [tile("v", "in"), tile("w", "out")], "scalars": []}

    def tensor(name, role):
        return {"name": name, "dtype": "f32", "shape": [8, 4], "role": role, "bytes": 128,
                "rtol": 1e-4, "atol": 1e-5}

    return {
        "ptowsp_manifest": 1, "version": VERSION, "contract": "G1", "name": "pair",
        "display_name": "two steps", "source": "pair.json", "source_hash": fnv1a64(b"{}\n"),
        "orchestration": {"source": "o.cpp", "function": "build_pto_wsp_graph"},
        "tensors": [tensor("x", "input"), tensor("t", "temporary"), tensor("y", "output")],
        "kernels": [kernel("twice", 0), kernel("increment", 1)],
        "relay": None,
        "graph": {"tasks": 8, "edges": 4, "edge_hash": "0", "critical_path": 2,
                  "dependences": "dataflow", "segments": 1, "cuts": [], "spills": []},
        "program": [{"for": "r", "extent": 4, "body": [{"task": 0}]},
                    {"for": "q", "extent": 4, "body": [{"task": 1}]}],
        "schedule": [],
    }


class Artifact:
    """An artifact folder that is right until a test changes `manifest`, `ready` or a file."""

    def __init__(self, folder):
        self.folder = folder
        self.manifest = manifest()
        self.ready = {
            "ptowsp_ready": 1, "version": VERSION, "manifest": "manifest.json", "manifest_hash": None,
            "platform": "a2a3sim", "kernel_arch": [LEVEL],
            "orchestrations": {"builtin": "orchestration_none.so", "pto-runtime": "orchestration_plain.so"},
            "kernels": {name: {LEVEL: f"{name}_none.so"} for name in ("twice", "increment")},
            "inputs": "inputs", "expected": "expected", "block_dim": 0, "aicpu_threads": 0,
        }
        self.x = np.arange(32, dtype=np.float32).reshape(8, 4) - 3
        (folder / "inputs").mkdir(parents=True)
        (folder / "expected").mkdir()
        np.save(folder / "inputs/x.npy", self.x)
        np.save(folder / "expected/y.npy", 2 * self.x + 1)

    def use(self, orchestration=None, **kernels):
        """Takes libraries with a fault."""
        if orchestration:
            self.ready["orchestrations"]["builtin"] = f"orchestration_{orchestration}.so"
        for name, fault in kernels.items():
            self.ready["kernels"][name][LEVEL] = f"{name}_{fault}.so"
        return self

    def write(self):
        text = json.dumps(self.manifest, indent=2) + "\n"
        (self.folder / "manifest.json").write_text(text)
        if self.ready["manifest_hash"] is None:
            self.ready["manifest_hash"] = fnv1a64(text.encode())
        (self.folder / "ready").write_text(json.dumps(self.ready, indent=2) + "\n")
        files = list(self.ready["orchestrations"].values())
        files += [f for levels in self.ready["kernels"].values() for f in levels.values()]
        for file in files:
            if (LIBRARIES / file).exists() and not (self.folder / file).exists():
                shutil.copy(LIBRARIES / file, self.folder / file)
        return self


def run(artifact, *options, environment=None, runtime=SIM):
    command = [RUN, artifact if isinstance(artifact, str) else str(artifact.folder),
               *(["--runtime", str(runtime)] if runtime else []), *map(str, options)]
    variables = {k: v for k, v in os.environ.items() if k not in ("PTOWSP_REQUIRE", "NO_COLOR")}
    return subprocess.run(command, capture_output=True, text=True, timeout=60,
                          env={**variables, **(environment or {})})


def normal(text, artifact):
    """Text without what differs from run to run: the folder, times, addresses."""
    text = text.replace(str(artifact.folder), "DIR")
    text = re.sub(r"\b\d+(\.\d+)? ms\b", "T ms", text)
    text = re.sub(r"\b\d+(\.\d+)? s\b", "T s", text)
    return re.sub(r"0x[0-9a-f]+", "0xADDRESS", text)


def expect(artifact, result, code, errors, output=None):
    assert normal(result.stderr, artifact) == errors
    if output is not None:
        assert normal(result.stdout, artifact) == output
    assert result.returncode == code
