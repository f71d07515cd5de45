# SPDX-License-Identifier: MIT
"""Looking into tasks: a debugger stops in a kernel and shows the lines of the workload, wherever that was written;
--dump-tensors keeps tiles, on kernels as they are emitted."""

import json
import os
import shutil
import subprocess

import numpy as np
import pytest

ENVIRONMENT = {key: value for key, value in os.environ.items() if key != "PTOWSP_DEBUG_KERNELS"}


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


@pytest.mark.skipif(not shutil.which("gdb"), reason="gdb is not installed")
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
    assert "kernel_softmax_rows (args=0x" in said
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


# Kernel `mix` multiplies and then adds 1, so it is split into a cube and a vector task; its tiles are columns of
# wider tensors, so that their rows are apart in memory.
MIX = {
    "ptowsp": 1, "name": "mix",
    "tensors": [{"name": "a", "dtype": "f32", "shape": [16, 32], "role": "input", "init": {"uniform": [-1, 1]}},
                {"name": "b", "dtype": "f16", "shape": [16, 64], "role": "input", "init": {"uniform": [-1, 1]}},
                {"name": "c", "dtype": "f32", "shape": [16, 64], "role": "output"},
                {"name": "d", "dtype": "f32", "shape": [16, 32], "role": "output"}],
    "kernels": [{"name": "mix", "params": [{"name": "u", "tile": [16, 16], "dtype": "f32", "access": "in"},
                                           {"name": "v", "tile": [16, 16], "dtype": "f32", "access": "out"}],
                 "body": [{"op": "matmul", "args": ["u", "u"], "result": "p"}, {"op": "add", "args": ["p", 1.0], "result": "s"},
                          {"op": "store", "args": ["v", "s"]}]},
                {"name": "widen", "params": [{"name": "h", "tile": [16, 16], "dtype": "f16", "access": "in"},
                                             {"name": "w", "tile": [16, 16], "dtype": "f32", "access": "out"}],
                 "body": [{"op": "cast", "args": ["h"], "dtype": "f32", "result": "f"}, {"op": "store", "args": ["w", "f"]}]}],
    "program": [{"for": "r", "extent": 2, "mode": "parallel", "body": [
                    {"task": "mix", "args": {"u": "a[:, 16*r:16*r+16]", "v": "d[:, 16*r:16*r+16]"}}]},
                {"for": "q", "extent": 4, "mode": "parallel", "body": [
                    {"task": "widen", "args": {"h": "b[:, 16*q:16*q+16]", "w": "c[:, 16*q:16*q+16]"}}]}],
}  # fmt: skip


def test_tiles_of_emitted_kernels(package, tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    (source / "mix.json").write_text(json.dumps(MIX))
    (source / "CMakeLists.txt").write_text("cmake_minimum_required(VERSION 3.25)\nproject(mix LANGUAGES CXX)\n"
                                           "find_package(PtoWsp REQUIRED)\nptowsp_add_workload(mix SOURCE mix.json)\n")  # fmt: skip
    artifact = build(package, source, tmp_path / "build", "-GNinja", "-DCMAKE_BUILD_TYPE=Release") / "mix.ptowsp"
    tiles = tmp_path / "tiles"
    done = subprocess.run([os.environ["PTOWSP_RUN"], artifact, "--dump-tensors", tiles], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    a, b = (np.load(artifact / f"inputs/{name}.npy") for name in "ab")
    index = json.loads((tiles / "index.json").read_text())
    assert [task["name"] for task in index] == [
        "mix[r=0] stage 1/2", "mix[r=0] stage 2/2", "mix[r=1] stage 1/2", "mix[r=1] stage 2/2", *(f"widen[q={q}]" for q in range(4))]
    files = {(task["name"], tile["name"]): tile for task in index for tile in task["tiles"]}
    for r in range(2):
        u = files[f"mix[r={r}] stage 1/2", "u"]
        assert u["first"] == f"a[0, {16 * r}]" and u["in"] == f"{2 * r:06}.mix.r={r}.stage.1-2/u.in.npy"
        block = a[:, 16 * r : 16 * r + 16]
        np.testing.assert_array_equal(np.load(tiles / u["in"]), block)
        np.testing.assert_allclose(np.load(tiles / files[f"mix[r={r}] stage 2/2", "v"]["out"]), block @ block + 1, rtol=1e-5, atol=1e-5)
    for q in range(4):
        tile = np.load(tiles / files[f"widen[q={q}]", "h"]["in"])
        assert tile.dtype == np.float16
        np.testing.assert_array_equal(tile, b[:, 16 * q : 16 * q + 16])
