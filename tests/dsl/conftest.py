# SPDX-License-Identifier: MIT
"""The package of the build tree, and ptowsp-gen's opinion of what is traced."""
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

sys.path.insert(0, str(pathlib.Path(os.environ["PTOWSP_BUILD_DIR"]) / "python"))
GEN = os.environ["PTOWSP_GEN"]


@pytest.fixture
def results(tmp_path):
    """Checks a workload and evaluates it from its arrays; the results by tensor."""
    def evaluate(workload, *options):
        traced = workload.traced()
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.json"
        traced.write(str(path))
        from pto_wsp._check import check
        assert check(traced, *options).warnings == []
        folder = path.with_suffix("")
        done = subprocess.run([GEN, "eval", str(path), "-o", str(folder), *options],
                              capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return {tensor.name: np.load(folder / "expected" / f"{tensor.name}.npy")
                for tensor in traced.tensors if tensor.role in ("output", "inout")}
    return evaluate


@pytest.fixture
def summary():
    """Tasks, edges and so on, as ptowsp-gen counts them."""
    def of(workload, *options):
        from pto_wsp._check import check
        return check(workload.traced(), *options).summary
    return of


def random(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)
