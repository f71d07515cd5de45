# SPDX-License-Identifier: MIT
"""pto-runtime's own Python drives the built-in runtime: its bindings, and its example, both unmodified."""
import pathlib
import shutil

import pytest
from builtin_test import KERNEL, ORCHESTRATION
from conftest import BUILD, BUILTIN, GIVEN, needs_pto_runtime, python

pytestmark = needs_pto_runtime


@pytest.mark.parametrize("threads", [1, 3])
def test_pto_runtimes_own_bindings_drive_the_builtin_runtime(threads, tmp_path):
    (tmp_path / "orch.cpp").write_text(ORCHESTRATION)
    (tmp_path / "kernel.cpp").write_text(KERNEL)
    done = python("-c", f"""
import sys
sys.path.insert(0, {str(BUILTIN)!r})
from runtime_builder import RuntimeBuilder
from elf_parser import extract_text_section
sys.path.insert(0, {GIVEN + "/python"!r})
import bindings
assert bindings.__file__.startswith({GIVEN!r})
import numpy as np
builder = RuntimeBuilder(platform="a2a3sim")
compiler = builder.get_pto_compiler()
Runtime = bindings.bind_host_binary({str(BUILD / "lib/libptowsp_sim.so")!r})
bindings.set_device(0)
code = extract_text_section(compiler.compile_incore("kernel.cpp"))
library = compiler.compile_orchestration("orch.cpp")
for _ in range(2):
    x = np.arange(8, dtype=np.float32)
    bindings.register_kernel(3, code)
    runtime = Runtime()
    runtime.initialize(library, "build", [x.ctypes.data, x.nbytes])
    bindings.launch_runtime(runtime, {threads}, {threads}, 0, b"-", b"-")
    runtime.finalize()
    assert (x == np.arange(8, dtype=np.float32) ** 4).all()
""", cwd=tmp_path)
    assert done.returncode == 0, done.stderr


def test_pto_runtimes_own_example_runs_on_the_builtin_runtime(tmp_path):
    """Unmodified; its main program looks for the modules in python/ two folders above itself."""
    name = "host_build_graph_sim_example"
    shutil.copytree(pathlib.Path(GIVEN, "examples", name), tmp_path / "examples" / name)
    (tmp_path / "python").symlink_to(BUILTIN)
    done = python(tmp_path / "examples" / name / "main.py", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "SUCCESS: All 16384 elements are correct" in done.stdout


def test_its_example_with_the_modules_loaded_first():
    main = pathlib.Path(GIVEN, "examples/host_build_graph_sim_example/main.py")
    done = python("-c", "import runpy, sys, bindings, elf_parser, runtime_builder; "
                  "runpy.run_path(sys.argv.pop(1), run_name='__main__')", main,
                  env={"PYTHONPATH": str(BUILTIN)})
    assert done.returncode == 0, done.stdout + done.stderr
    assert "SUCCESS: All 16384 elements are correct" in done.stdout
