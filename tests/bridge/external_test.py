# SPDX-License-Identifier: MIT
"""Runs in a process of their own, as on an external runtime, on a stand-in for one: the built-in runtime
behind its modules with pto-runtime's interfaces. So this way is tested where there is no pto-runtime."""
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from conftest import BRIDGE, BUILD, BUILTIN, LEVEL, compiled, emitted, generate, run
from traps_test import CRASHING, ENDLESS, twice

WRAPPED = """#include "pto_wsp_orch.cpp"
extern "C" const uint64_t ptowsp_runtime_object_size;
const uint64_t ptowsp_runtime_object_size = SIZE;
"""


@pytest.fixture
def standin(tmp_path):
    """A folder like that of pto-runtime's libraries."""
    folder = tmp_path / "runtime"
    folder.mkdir()
    (folder / "host.so").symlink_to(BUILD / "lib/libptowsp_sim.so")
    for name in ("aicpu.so", "aicore.so"):
        (folder / name).write_text("-")
    (folder / "runtime.json").write_text(json.dumps({
        "ptowsp_runtime": 1, "name": "stand-in", "version": "G1", "platform": "a2a3sim", "root": "/",
        "python": sys.executable, "launcher": str(BRIDGE / "launch.py"), "bindings": str(BUILTIN),
        "host": "host.so", "aicpu": "aicpu.so", "aicore": "aicore.so", "most_blocks": 2,
        "leftovers": [str(tmp_path / "left.{pid}")], "waiting": "", "pause": 0, "longest_pause": 0}))
    return folder


def artifact(folder, kernel=None, size="sizeof(Runtime)"):
    emitted(twice(), folder)
    source = folder / "kernels/orchestration/wrapped.cpp"
    source.write_text(WRAPPED.replace("SIZE", size))
    library = folder / "orchestration.so"
    compiled(source, library, "-I", BUILD / "include/ptowsp/sim", "-I", source.parent)
    code = folder / "kernels/aiv_sim/kernel_twice.cpp"
    if kernel:
        code = folder / "kernel.cpp"
        code.write_text(kernel.replace("KERNEL", "kernel_twice"))
    compiled(code, folder / "kernel_twice.so", "-O2", "-fno-stack-protector",
             "-march=" + LEVEL.replace("aarch64", "armv8-a"))
    generate("seal", "--manifest", folder / "manifest.json", "--ready", folder / "ready", "--arch", LEVEL,
             "--orchestration", f"pto-runtime={library}", "--kernel", f"twice:{LEVEL}={folder}/kernel_twice.so",
             "--inputs", folder / "inputs", "--expected", folder / "expected")
    return folder


def launch(folder, standin, *options):
    return run(os.environ["PTOWSP_RUN"], folder, "--runtime", standin, *options)


def test_right(standin, tmp_path):
    done = launch(artifact(tmp_path / "a"), standin, "--repeat", 3, "--outputs", tmp_path / "out")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.match(r"pair: right\. 4 tasks, .* 3 runs|pair: right\. 4 tasks", done.stdout)
    x = np.load(tmp_path / "a/inputs/x.npy")
    assert (np.load(tmp_path / "out/y.npy") == 2 * x).all()


def test_a_crash_names_what_had_not_run(standin, tmp_path):
    done = launch(artifact(tmp_path / "a", CRASHING), standin, "--timeout", 20)
    assert done.returncode == 3
    assert "pair: error: stand-in " in done.stderr and "3 twice[i=3]" in done.stderr


def test_a_kernel_that_never_ends(standin, tmp_path):
    begun = time.monotonic()
    done = launch(artifact(tmp_path / "a", ENDLESS), standin, "--timeout", 2)
    assert done.returncode == 3
    lines = done.stderr.splitlines()
    assert lines[0] == "pair: error: stand-in did not end within 2 s, while running the tasks"
    assert lines[1].startswith("  note: not run to the end: ") and "3 twice[i=3]" in lines[1]
    assert lines[-1] == ("  fix: give it more time with --timeout, or look at the kernels of the tasks that did "
                         "not end")
    assert time.monotonic() - begun < 30


def test_a_kernel_that_leaves_no_stamp(standin, tmp_path):
    kernel = "#include <stdint.h>\nextern \"C\" void KERNEL(int64_t* args) {}\n"
    done = launch(artifact(tmp_path / "a", kernel), standin, "--outputs", tmp_path / "out")
    assert done.returncode == 3
    assert "the completion ledger is not as expected for 4 of 4 tasks" in done.stderr
    assert not (tmp_path / "out").exists()


def test_inputs_cannot_be_written_on_the_host(standin, tmp_path):
    """They are mapped read-only in the process; the orchestration's address shows it."""
    folder = artifact(tmp_path / "a")
    source = folder / "kernels/orchestration/wrapped.cpp"
    source.write_text(WRAPPED.replace("SIZE", "sizeof(Runtime)") + """
extern "C" __attribute__((visibility("default"))) int write_input(Runtime* runtime, uint64_t* args, int count) {
  *(volatile float*)args[0] = 1;
  return build_pto_wsp_graph(runtime, args, count);
}
""")
    compiled(source, folder / "orchestration.so", "-I", BUILD / "include/ptowsp/sim", "-I", source.parent)
    manifest = (folder / "manifest.json").read_text().replace("build_pto_wsp_graph", "write_input")
    (folder / "manifest.json").write_text(manifest)
    generate("seal", "--manifest", folder / "manifest.json", "--ready", folder / "ready", "--arch", LEVEL,
             "--orchestration", f"pto-runtime={folder}/orchestration.so",
             "--kernel", f"twice:{LEVEL}={folder}/kernel_twice.so",
             "--inputs", folder / "inputs", "--expected", folder / "expected")
    done = launch(folder, standin)
    assert done.returncode == 3
    assert "stand-in crashed, while building the task graph (orchestration): signal 11" in done.stderr


def test_another_size_of_the_runtime_object(standin, tmp_path):
    done = launch(artifact(tmp_path / "a", size="12345"), standin)
    assert done.returncode == 3
    assert "the orchestration was compiled for a runtime object of 12345 bytes, the library has one of " in done.stderr


def test_an_error_of_its_modules_is_shown_with_what_they_printed(standin, tmp_path):
    modules = tmp_path / "modules"
    modules.mkdir()
    (modules / "bindings.py").write_text(
        "import sys\nprint('a line')\nprint('another', file=sys.stderr)\nraise ImportError('no such thing')\n")
    description = json.loads((standin / "runtime.json").read_text())
    (standin / "runtime.json").write_text(json.dumps({**description, "bindings": str(modules)}))
    done = launch(artifact(tmp_path / "a"), standin)
    assert done.stderr == (
        "pair: error: stand-in failed, while loading pto-runtime: no such thing\n"
        "  note: stand-in: another\n  fix: build the target pair again\n")


def test_blocks_that_it_does_not_have(standin, tmp_path):
    done = launch(artifact(tmp_path / "a"), standin, "--block-dim", 3)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == ("block_dim: error: found 3, expected 2 at most, the blocks that stand-in has\n"
                           "  fix: change BLOCK_DIM or --block-dim\n")


@pytest.mark.parametrize("option", [["--workers", 1], ["--only", "0"], ["--schedule-seed", 1]])
def test_options_that_only_the_builtin_runtime_has(option, standin, tmp_path):
    done = launch(artifact(tmp_path / "a"), standin, *option)
    assert done.returncode == 2
    assert f"{option[0]}: error: found a runtime that has no such feature: {standin}" in done.stderr


def test_its_process_ends_with_the_runner(standin, tmp_path):
    folder = artifact(tmp_path / "a", ENDLESS)
    runner = subprocess.Popen([os.environ["PTOWSP_RUN"], folder, "--runtime", standin])
    try:
        deadline = time.monotonic() + 30
        children = []
        while not children and time.monotonic() < deadline:
            time.sleep(0.05)
            children = pathlib.Path(f"/proc/{runner.pid}/task/{runner.pid}/children").read_text().split()
        assert children
    finally:
        runner.send_signal(signal.SIGKILL)
        runner.wait(30)
    deadline = time.monotonic() + 30
    while any(alive(child) for child in children):
        assert time.monotonic() < deadline, "it outlives the runner"
        time.sleep(0.05)


def alive(process):
    try:
        return pathlib.Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_who_waits_is_held_up_more_and_more(standin, tmp_path):
    """A line with its text is kept, and each next one twice as long, up to a limit; any other line ends that.
    Lines that are not taken hold up who prints them: here it measures that."""
    modules = tmp_path / "modules"
    modules.mkdir()
    (modules / "bindings.py").write_text("""
import os, time
def milliseconds(lines):
    begun = time.monotonic()
    for line in lines:
        os.write(1, line)
    os.write(1, b"other\\n")  # is not taken before the last of them
    os.write(1, b"other\\n")
    return int((time.monotonic() - begun) * 1000)
waits = b"it waits\\n"
held = milliseconds([waits] * 6), milliseconds([waits, b"other\\n"] * 8)
raise ImportError("held " + " ".join(map(str, held)))
""")
    folder = artifact(tmp_path / "a")
    description = json.loads((standin / "runtime.json").read_text())

    def held(longest):
        (standin / "runtime.json").write_text(json.dumps({
            **description, "bindings": str(modules), "waiting": "it waits", "pause": 30, "longest_pause": longest}))
        text = launch(folder, standin).stderr
        return map(int, re.search(r"held (\d+) (\d+)\n", text).groups())

    row, apart = held(longest=4000)  # far from what the other ways would take, on a busy machine too
    assert row >= 30 + 60 + 120 + 240 + 480 + 960
    assert 8 * 30 <= apart < 4000
    row, apart = held(longest=40)
    assert 30 + 5 * 40 <= row < 1000
