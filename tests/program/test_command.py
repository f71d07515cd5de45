# SPDX-License-Identifier: MIT
"""python3 -m pto_wsp run FILE."""
import os
import subprocess
import sys

import pytest
from conftest import PACKAGE

FILE = """\
import numpy as np
from pto_wsp import DType, In, Out, Scalar, Tensor, Tile, kernel, pto, workload

x = Tensor(data=np.arange(16, dtype=np.float32).reshape(4, 4))
r = Tensor(shape=(4, 4), dtype=DType.F32)
y = Tensor(shape=(4, 4), dtype=DType.F32)

@kernel
def scale(a: In[Tile[4, 4, DType.F32]], b: In[Tile[4, 4, DType.F32]], c: Out[Tile[4, 4, DType.F32]],
          s: Scalar[DType.F32]):
    pto.store(c, (a + b) * s)

@workload
def wl(s=2.0):
    scale(x, r, y, s)
"""
GOLDEN = "def golden(x, r):\n    return (x + r) * 2\n"


@pytest.fixture
def run(tmp_path):
    def run_file(text, *arguments):
        (tmp_path / "wl.py").write_text(text)
        return subprocess.run([sys.executable, "-B", "-m", "pto_wsp", "run", "wl.py", *arguments],
                              cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(PACKAGE)},
                              capture_output=True, text=True)
    return run_file


@pytest.mark.parametrize("target", ["pto_runtime_a2a3sim", "cpu_sim"])
@pytest.mark.parametrize("golden", ["", GOLDEN], ids=["reference", "golden"])
def test_right(run, target, golden):
    done = run(FILE + golden, "--target", target)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("wl: right. 1 task, ")


def test_wrong(run):
    done = run(FILE + GOLDEN, "-p", "s=4.0")
    assert done.returncode == 1
    assert done.stdout.startswith("wl: wrong. 1 task, ")
    assert done.stderr.startswith("wl: error: y[0, 0] is ")
    assert done.stderr.endswith("; 16 of 16 elements differ\n")


def test_emit_only(run):
    done = run(FILE, "--target", "a2a3sim_codegen")
    assert done.returncode == 0
    assert os.path.exists(os.path.join(done.stdout.strip(), "kernels", "kernel_config.py"))


def test_the_device_is_not_there(run, monkeypatch):
    monkeypatch.setenv("ASCEND_HOME_PATH", "OFF")
    done = run(FILE, "--target", "pto_runtime_a2a3")
    assert done.returncode == 1
    assert "target pto_runtime_a2a3 cannot be built: ASCEND_HOME_PATH names no CANN toolkit" in done.stderr
