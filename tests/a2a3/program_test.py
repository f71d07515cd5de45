# SPDX-License-Identifier: MIT
"""Programs for platform a2a3 from Python, on the stand-ins."""
import os
import subprocess
import sys

import pytest
from conftest import BUILD, TOOLCHAIN, lay_out

SCRIPT = """
import numpy as np, os, pathlib, json
from pto_wsp import DType, ExecutionError, In, Out, P, Tensor, Tile, kernel, pto, workload
x = Tensor(data=np.arange(128, dtype=np.float32).reshape(8, 16), name="x")
y = Tensor(data=np.zeros((8, 16), np.float32), name="y")
@kernel
def scale(a: In[Tile[4, 16, DType.F32]], b: Out[Tile[4, 16, DType.F32]]):
    pto.store(b, a * 2.0)
@workload
def wl():
    for i in P(2):
        scale(x[4 * i:4 * i + 4], y[4 * i:4 * i + 4])
program = wl().compile(target="pto_runtime_a2a3")
ready = json.loads(pathlib.Path(program.codegen_artifact_dir, "ready.a2a3").read_text())
print(program.target, ready["toolchain"], program.stats.tasks)
for factor in (1, 3):
    x.data[...] = factor
    try:
        program.execute()
    except ExecutionError as error:
        print(error)
        break
    assert (y.data == 2 * factor).all(), y.data
else:
    print("right")
"""


@pytest.fixture
def python(stand_in, tmp_path):
    device = tmp_path / "davinci0"
    device.write_text("")

    def run(**changes):
        environment = {**os.environ, "PTOWSP_TEST_STAND_IN": "1",
                       "PTOWSP_TEST_BUILTIN": str(BUILD / "share/ptowsp/pto_runtime/builtin"),
                       "ASCEND_HOME_PATH": str(stand_in / "toolkit"), "PTO_ISA_PATH": str(stand_in / "pto_isa"),
                       "PTO_RUNTIME_PATH": str(stand_in / "pto_runtime"), "PTOWSP_DEVICE_FILE": str(device),
                       "PTOWSP_CACHE_DIR": str(tmp_path / "cache"), "PYTHONPATH": str(BUILD / "python"), **changes}
        (tmp_path / "wl.py").write_text(SCRIPT)
        return subprocess.run([sys.executable, "-B", tmp_path / "wl.py"], env=environment, capture_output=True,
                              text=True, timeout=300)
    return run


def test_a_program_runs(python, stand_in):
    for _ in range(2):  # with an empty cache, and with a full one
        done = python(PTOWSP_TEST_REGISTERED=str(stand_in / "registered"))
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == f"pto_runtime_a2a3 {TOOLCHAIN} 2\nright\n"
    lines = (stand_in / "registered").read_text().splitlines()
    assert len(lines) == 4 and len(set(lines)) == 1 and int(lines[0].split()[1]) > 8

    # Where there is no device it is built all the same.
    done = python(PTOWSP_DEVICE_FILE="/nowhere/davinci{id}")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        f"pto_runtime_a2a3 {TOOLCHAIN} 2\n"
        "wl: error: platform a2a3: there is no device 0: found no /nowhere/davinci0, the file that stands for "
        "it\n  fix: run it on a machine with an Ascend device, or on a2a3sim\n")

    # Another PTO-ISA is another program.
    other = lay_out(stand_in.parent / "other")
    with open(other / "pto_isa/include/pto/pto-inst.hpp", "a") as file:
        file.write("#error another one\n")
    done = python(PTO_ISA_PATH=str(other / "pto_isa"))
    assert done.returncode == 1
    assert "error: ninja ended with status 1 [build-failed]" in done.stderr and "#error another one" in done.stderr
