# SPDX-License-Identifier: MIT
"""A debugger stops in a kernel and shows the lines of the workload, wherever that was written."""

import os
import shutil
import subprocess

import pytest

ENVIRONMENT = {key: value for key, value in os.environ.items() if key != "PTOWSP_DEBUG_KERNELS"}

pytestmark = pytest.mark.skipif(not shutil.which("gdb"), reason="gdb is not installed")


def debug(build, stop, *commands):
    """What gdb says, run once on the workload, from a folder that has nothing to do with it."""
    script = ["set breakpoint pending on", "set debuginfod enabled off", f"break {stop}", "run", *commands, "kill"]
    arguments = [argument for command in script for argument in ("-ex", command)]
    done = subprocess.run(["gdb", "-batch", "-nx", *arguments, "--args", os.environ["PTOWSP_RUN"], build / "softmax.ptowsp",
                           "--workers", "1"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd="/",
                          timeout=120)  # fmt: skip
    return done.stdout


def build(package, source, folder, *options):
    command = ["cmake", "-S", source, "-B", folder, f"-DCMAKE_PREFIX_PATH={package}", *options]
    for step in (command, ["cmake", "--build", folder]):
        done = subprocess.run(step, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=ENVIRONMENT)
        assert done.returncode == 0, done.stdout
    return folder


@pytest.mark.parametrize("options", [
    ["-GNinja", "-DCMAKE_BUILD_TYPE=Debug"],
    ["-GNinja", "-DCMAKE_BUILD_TYPE=Release", "-DPTOWSP_DEBUG_KERNELS=ON"],
    ["-GUnix Makefiles", "-DCMAKE_BUILD_TYPE=Release", "-DPTOWSP_DEBUG_KERNELS=ON"],
], ids=["debug", "release", "make"])  # fmt: skip
def test_breakpoint_in_the_dsl(package, source_dir, tmp_path, options):
    source = tmp_path / "source"
    shutil.copytree(source_dir / "examples/softmax", source)
    lines = (source / "softmax.py").read_text().splitlines()
    stop = 1 + next(i for i, line in enumerate(lines) if "pto.exp(" in line)
    folder = build(package, source, tmp_path / "build", *options)
    said = debug(folder, f"softmax.py:{stop}", "backtrace", f"list {stop},{stop + 1}")
    if "Operation not permitted" in said:
        pytest.skip("no process may be traced here")
    assert f"softmax.py:{stop}\n{stop}\t{lines[stop - 1]}\n" in said, said
    assert f"kernel_softmax_rows (args=0x" in said
    assert f"{stop + 1}\t{lines[stop]}\n" in said
    # The lines are named without their folder, which the debug information has.
    text = (folder / "softmax.ptowsp/kernels/aiv_sim/kernel_softmax_rows.cpp").read_text()
    assert f'#line {stop} "softmax.py"' in text and str(tmp_path) not in text


def test_without_the_option_a_moved_line_moves_no_byte(package, source_dir, tmp_path):
    source = tmp_path / "source"
    shutil.copytree(source_dir / "examples/softmax", source)
    folder = build(package, source, tmp_path / "build", "-GNinja", "-DCMAKE_BUILD_TYPE=Release")
    kernel = folder / "softmax.ptowsp/kernels/aiv_sim/kernel_softmax_rows.cpp"
    before = (kernel.stat().st_mtime_ns, kernel.read_bytes())
    assert b"#line" not in before[1]
    script = source / "softmax.py"
    script.write_text("# one line more\n" + script.read_text())
    assert subprocess.run(["cmake", "--build", folder], env=ENVIRONMENT, stdout=subprocess.DEVNULL).returncode == 0
    assert (kernel.stat().st_mtime_ns, kernel.read_bytes()) == before
