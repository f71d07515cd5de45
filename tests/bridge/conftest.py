"""Workloads emitted, and drivers run, for the tests of the bridge."""
import json
import os
import pathlib
import shutil
import subprocess
import sys

import numpy as np
import pytest

BUILD = pathlib.Path(os.environ["PTOWSP_BUILD_DIR"])
ROOT = pathlib.Path(__file__).resolve().parents[2]
BRIDGE = BUILD / "share/ptowsp/pto_runtime"
BUILTIN = BRIDGE / "builtin"
EXAMPLES = sorted(path for path in ROOT.glob("examples/*/*.json") if not path.name.endswith("locations.json"))
GIVEN = os.environ.get("PTO_RUNTIME_PATH", "")
HAS_PTO_RUNTIME = GIVEN not in ("", "OFF")
needs_pto_runtime = pytest.mark.skipif(
    not HAS_PTO_RUNTIME, reason="PTO_RUNTIME_PATH is not set: it names a checkout of pto-runtime")


def run(*command, env=None, **options):
    """A finished process, whatever its exit code."""
    return subprocess.run([str(part) for part in command], env={**os.environ, **(env or {})}, text=True,
                          capture_output=True, timeout=300, **options)


def python(*arguments, env=None, **options):
    return run(sys.executable, "-B", *arguments, env=env, **options)


def emitted(workload, folder):
    """The tree that ptowsp-gen emits for a workload file, with its inputs and expected results."""
    for command in ("emit", "eval"):
        name = ["--name", workload.stem] if command == "emit" else []
        done = run(os.environ["PTOWSP_GEN"], command, workload, "-o", folder, *name)
        assert done.returncode == 0, done.stderr
    return folder
