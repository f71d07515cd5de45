# SPDX-License-Identifier: MIT
"""Runs that fail or are interrupted: the error, the arrays, and the process afterwards."""
import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest
from conftest import PACKAGE, entries, python

HERE = pathlib.Path(__file__).parent

# A program whose kernel was replaced, in a process of its own.
START = """
import sys, time, threading
sys.path.insert(0, sys.argv[1])
from conftest import *
import pto_wsp
x, y = numbers(8, 4), np.full((8, 4), 7, np.float32)
def compiled(**options):
    return scaled(x, y)[0].compile(target=SIM, **options)
def error_of(call):
    try:
        call()
    except pto_wsp.PtoError as error:
        return str(error)
"""
ENDLESS = "volatile int go = 1; while (go) {}"
CRASH = "volatile int* nowhere = 0; *nowhere = 1;"
SILENT = ""


@pytest.fixture
def replaced(filled_cache, tmp_path):
    """Replaces the kernel of scaled() in a cache of its own by a function with this body."""
    def replace(body):
        source = tmp_path / "kernel.cpp"
        source.write_text("#include <cstdint>\nextern \"C\" void kernel_scale(int64_t*) { %s }\n" % body)
        library = tmp_path / "kernel.so"
        subprocess.run(["c++", "-shared", "-fPIC", "-O1", source, "-o", library], check=True)
        (entry,) = entries(filled_cache)
        os.replace(library, entry / "kernel_scale.so")
    return replace


def run(code):
    done = python(START + code, str(HERE))
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout.splitlines()


def test_a_kernel_that_never_ends(replaced):
    replaced(ENDLESS)
    begun = time.monotonic()
    lines = run("""
program = compiled(timeout=0.5, workers=1)
counted = []
def count():
    while not counted or counted[-1] >= 0:
        counted.append(len(counted))
        time.sleep(0.01)
threading.Thread(target=count, daemon=True).start()
first = error_of(program.execute)
ticks = len(counted)
print(first)
print(error_of(program.synchronize) == first)
print(error_of(program.execute))
print((y == 7).all(), ticks >= 10)
again = compiled(timeout=0.1, workers=1)
print(error_of(again.execute).splitlines()[0])
""")
    assert time.monotonic() - begun < 60
    head = "the run did not end within 0.5 s: task 0, kernel scale (func_id 0), on core 1 (AIV), is still running"
    assert lines[0].startswith(f"scale: error: {head}")
    death = lines[0].removeprefix("scale: error: ")
    assert lines[1:4] == [
        "  note: task 0 is scale[i=0]",
        "  fix: give it a longer time limit, or look at the kernel of the task that still runs",
        "True"]
    assert lines[4:7] == [
        "scale: error: the device is dead since an earlier execute() failed",
        f"  note: {death}",
        "  fix: compile the workload again, for a new device"]
    assert lines[7] == "True True", "the arrays are as they were; other threads run meanwhile"
    assert lines[8].startswith("scale: error: the run did not end within 0.1 s")
    assert len(lines) == 9


def test_a_kernel_that_crashes(replaced):
    replaced(CRASH)
    lines = run("""
program = compiled(workers=1)
print(error_of(program.execute))
print((y == 7).all())
""")
    assert "task 0, kernel scale (func_id 0), on core 1 (AIV) crashed: SIGSEGV" in lines[0]
    assert lines[1:] == [
        "  note: task 0 is scale[i=0]",
        "  fix: look at the kernel of this task; ptowsp-run runs it alone under a debugger", "True"]


def test_a_kernel_that_says_nothing_is_found_by_the_ledger(replaced):
    replaced(SILENT)
    lines = run("print(error_of(compiled().execute)); print((y == 7).all())")
    assert lines[0] == "scale: error: the completion ledger is not as expected for 2 of 2 tasks"
    assert lines[1] == "  note: not run to the end: 0 scale[i=0], 1 scale[i=1]"
    assert lines[-1] == "True", "the arrays are as they were"


def test_ctrl_c(replaced):
    replaced(ENDLESS)
    code = START + """
program = compiled(timeout=0)
print("running", flush=True)
try:
    program.execute()
except KeyboardInterrupt:
    print("interrupted", (y == 7).all(), flush=True)
try:
    program.synchronize()
except KeyboardInterrupt:
    print("said again", flush=True)
program.execute()
"""
    environment = {**os.environ, "PYTHONPATH": str(PACKAGE)}
    process = subprocess.Popen([sys.executable, "-B", "-c", code, str(HERE)], env=environment, text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        assert process.stdout.readline() == "running\n"
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == "interrupted True\n"
        assert process.stdout.readline() == "said again\n"
        time.sleep(0.3)  # in the second execute(): an interrupted program can be run again
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == -signal.SIGINT
    assert errors.splitlines()[-1] == "KeyboardInterrupt"
