# SPDX-License-Identifier: MIT
"""The traps of pto-runtime (contract G1, section 4), provoked: each is reported or has no effect."""
import glob
import os
import re
import time

import numpy as np
import pytest
from conftest import GIVEN, artifact, needs_pto_runtime, python

pytestmark = needs_pto_runtime

VIEW = "[8*{0}:8*{0}+8, :]"


def twice(name="pair", tasks=4, mode="parallel", **tensor):
    """y = 2x, in tiles of 8 rows."""
    def tile(view):
        return view + VIEW.format("i")
    return {"ptowsp": 1, "name": name,
            "tensors": [{"name": "x", "dtype": "f32", "shape": [8 * tasks, 16], "role": "input"},
                        {"name": "y", "dtype": "f32", "shape": [8 * tasks, 16], "role": "output"}],
            "kernels": [{"name": "twice", "params": [
                {"name": "a", "tile": [8, 16], "dtype": "f32", "access": "in"},
                {"name": "b", "tile": [8, 16], "dtype": "f32", "access": "out"}],
                "body": [{"op": "mul", "args": ["a", 2.0], "result": "r"},
                         {"op": "store", "args": ["b", "r"]}]}],
            "program": [{"for": "i", "extent": tasks, "mode": mode, "body": [
                {"task": "twice", "args": {"a": tile("x"), "b": tile("y")}}]}]}


# Orchestrations of two tensors and a ledger, for faults that emitted ones cannot have.
TENSORS = """#include "runtime.h"
extern "C" const uint64_t ptowsp_runtime_object_size;
const uint64_t ptowsp_runtime_object_size = sizeof(Runtime);
extern "C" int build_pto_wsp_graph(Runtime* runtime, uint64_t* args, int count) {
  void* x = runtime->host_api.device_malloc(args[1]);
  void* y = runtime->host_api.device_malloc(args[3]);
  runtime->host_api.copy_to_device(x, (void*)args[0], args[1]);
  runtime->record_tensor_pair((void*)args[2], y, args[3]);
"""
ORCHESTRATION = TENSORS + """  for (uint64_t i = 0; i < 4; ++i) {
    uint64_t task[5] = {(uint64_t)x + 512 * i, (uint64_t)y + 512 * i, 128, (args[5] & ~1ull) + 8 * i, i + 1};
    if (!SKIP) runtime->add_task(task, 5, FUNC_ID, 1);
  }
  EDGES
  return 0;
}
"""


def orchestration(func_id="0", edges="", skip="false"):
    return ORCHESTRATION.replace("FUNC_ID", func_id).replace("EDGES", edges).replace("SKIP", skip)


def failure(done, message):
    assert (done.returncode, done.stdout.count("right")) == (3, 0), done.stdout + done.stderr
    assert message in done.stderr, done.stderr
    return done.stderr


def test_right(launched, tmp_path):
    before = leftovers()
    done = launched(artifact(twice(), tmp_path / "a"), "--repeat", 3)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("pair: right. 4 tasks"), "kernels were registered for each run (trap 9)"
    assert done.stderr == "", "what it prints is kept quiet"
    assert leftovers() <= before


def test_orchestration_by_hand_is_right(launched, tmp_path):
    """So the faults below are what fails."""
    done = launched(artifact(twice(), tmp_path / "a", orchestration()))
    assert done.returncode == 0, done.stderr


def fan(tasks):
    """One producer, many consumers."""
    workload = twice(tasks=tasks)
    workload["tensors"][1:1] = [{"name": "t", "dtype": "f32", "shape": [8, 16], "role": "temporary"}]
    workload["program"] = [
        {"task": "twice", "args": {"a": "x[0:8, :]", "b": "t"}},
        {"for": "i", "extent": tasks, "mode": "parallel", "body": [
            {"task": "twice", "args": {"a": "t", "b": "y" + VIEW.format("i")}}]}]
    return workload


@pytest.mark.parametrize("tasks", [520, 1100])
def test_1_and_2_more_successors_or_tasks_than_its_tables_hold(tasks, launched, tmp_path):
    """They are cut and relayed to fit."""
    done = launched(artifact(fan(tasks), tmp_path / "a"))
    assert done.returncode == 0, done.stderr  # relays, and several launches


# The emitted orchestration, which is told, after class Runtime has its tables, that one of them is larger.
UNLIMITED = """#include "runtime.h"
#undef RUNTIME_MAX_TABLE
#define RUNTIME_MAX_TABLE 100000
#include "pto_wsp_orch.cpp"
"""


@pytest.mark.parametrize("table, workload, code, message", [
    ("FANOUT", fan(520), -109, "ptowsp: the runtime lost an edge of task 0"),
    ("TASKS", twice(tasks=1100), -107, "ptowsp: task of twice: the runtime refused task 1024, or gave it an id out of order")])
def test_1_and_2_what_does_not_get_into_its_tables_is_noticed(table, workload, code, message, launched, tmp_path):
    folder = artifact(workload, tmp_path / "a", UNLIMITED.replace("TABLE", table))
    done = launched(folder, "--outputs", tmp_path / "out")
    text = failure(done, "pair: error: pto-runtime failed, while building the task graph (orchestration): "
                         f"init_runtime failed: {code}")
    assert f"note: pto-runtime: {message}\n" in text
    assert not (tmp_path / "out").exists()


def initialized(folder, host):
    """What its bindings and the orchestration say of the whole graph, which no runner looked at."""
    files = sorted([*folder.glob("inputs/*.npy"), *folder.glob("expected/*.npy")])
    return python("-c", f"""
import json, sys
import numpy as np
sys.path.insert(0, {GIVEN + "/python"!r})
import bindings
arrays = {{file.rpartition("/")[2][:-4]: np.load(file) for file in {[str(file) for file in files]!r}}}
manifest = json.load(open({str(folder / "manifest.json")!r}))
used = [arrays[t["name"]] for t in manifest["tensors"] if t["role"] != "temporary"]
runtime = bindings.bind_host_binary({str(host)!r})()
bindings.set_device(0)
runtime.initialize(open({str(folder / "orchestration.pto-runtime.so")!r}, "rb").read(), "build_pto_wsp_graph",
                   [number for array in used for number in (array.ctypes.data, array.nbytes)])
""")


def test_2_a_graph_of_several_launches_is_not_built_as_one(pto_runtime, tmp_path):
    done = initialized(artifact(fan(1100), tmp_path / "a"), pto_runtime / "host.so")
    assert done.returncode == 1 and done.stderr.endswith("RuntimeError: init_runtime failed: -103\n"), done.stderr
    assert "ptowsp: the whole graph was asked for: its 1101 tasks take 2 launches of this runtime, each with a " \
        "segment number\n" in done.stderr


def test_2_a_task_with_more_arguments_than_it_takes(launched, tmp_path):
    n = 18
    names = [f"x{i}" for i in range(n)]
    workload = {"ptowsp": 1, "name": "many", "tensors": [
        *({"name": name, "dtype": "f32", "shape": [8, 16], "role": "input"} for name in names),
        {"name": "y", "dtype": "f32", "shape": [8, 16], "role": "output"}],
        "kernels": [{"name": "sum", "params": [
            *({"name": name, "tile": [8, 16], "dtype": "f32", "access": "in"} for name in names),
            {"name": "y", "tile": [8, 16], "dtype": "f32", "access": "out"}],
            "body": [*({"op": "add", "args": ["x0" if i == 1 else f"s{i - 1}", f"x{i}"], "result": f"s{i}"}
                       for i in range(1, n)), {"op": "store", "args": ["y", f"s{n - 1}"]}]}],
        "program": [{"task": "sum", "args": {name: name for name in [*names, "y"]}}]}
    done = launched(artifact(workload, tmp_path / "a"))
    assert done.returncode == 0, done.stderr


def many_results():
    n = 70
    workload = twice(tasks=1)
    workload["tensors"] = [workload["tensors"][0], *({**workload["tensors"][1], "name": f"out{i}"}
                                                     for i in range(n))]
    workload["program"] = [{"task": "twice", "args": {"a": "x", "b": f"out{i}"}} for i in range(n)]
    return workload


def test_3_more_results_than_it_records(launched, tmp_path):
    done = launched(artifact(many_results(), tmp_path / "a"))
    assert (done.returncode, done.stdout) == (2, "")
    assert "found a graph of which every launch brings back more than 64 tensors" in done.stderr


def test_3_a_result_that_is_not_recorded_is_noticed(pto_runtime, tmp_path):
    done = initialized(artifact(many_results(), tmp_path / "a"), pto_runtime / "host.so")
    assert done.returncode == 1 and done.stderr.endswith("RuntimeError: init_runtime failed: -104\n"), done.stderr
    assert "ptowsp: tensor out64: the runtime records only 64 tensors to bring back\n" in done.stderr


def test_4_and_13_a_cycle_that_is_reported_as_success(launched, tmp_path):
    edges = "runtime->add_successor(1, 2); runtime->add_successor(2, 3); runtime->add_successor(3, 1);"
    done = launched(artifact(twice(), tmp_path / "a", orchestration(edges=edges)), "--outputs", tmp_path / "out")
    text = failure(done, "the completion ledger is not as expected for 3 of 4 tasks")
    assert "not run to the end: 1 twice[i=1], 2 twice[i=2], 3 twice[i=3]" in text
    assert not (tmp_path / "out").exists(), "stale data are no results (trap 19)"


def test_7_an_orchestration_compiled_for_other_limits(launched, tmp_path):
    done = launched(artifact(twice(), tmp_path / "a", flags=["-DRUNTIME_MAX_TASKS=2048"]))
    failure(done, "pto-runtime failed, while loading the kernels and the orchestration: the orchestration was "
                  "compiled for a runtime object of ")


def test_8_two_orchestrations_one_after_the_other(tmp_path):
    """Two programs of one Python process, by turns."""
    script = tmp_path / "two.py"
    script.write_text("""
import numpy as np
from pto_wsp import DType, In, Out, Tensor, Tile, kernel, pto, workload
x = Tensor(data=np.ones((4, 4), np.float32), name="x")
programs = []
for factor in (2.0, 3.0):
    y = Tensor(data=np.zeros((4, 4), np.float32), name="y")
    @kernel
    def scale(a: In[Tile[4, 4, DType.F32]], b: Out[Tile[4, 4, DType.F32]]):
        pto.store(b, a * factor)
    @workload
    def wl():
        scale(x, y)
    programs.append((factor, y, wl().compile(target="pto_runtime_a2a3sim")))
for _ in range(2):
    for factor, y, program in programs:
        y.data[...] = 0
        program.execute()
        assert (y.data == factor).all(), (factor, y.data)
print("right", program.stats.tasks)
""")
    done = python(script, env={
        "PYTHONPATH": os.environ["PTOWSP_BUILD_DIR"] + "/python", "PTOWSP_CACHE_DIR": str(tmp_path / "cache")})
    assert (done.returncode, done.stdout) == (0, "right 1\n"), done.stderr


def test_10_a_kernel_that_is_not_registered(launched, tmp_path):
    done = launched(artifact(twice(), tmp_path / "a", orchestration(func_id="(i == 2 ? 7 : 0)")))
    text = failure(done, "the completion ledger is not as expected for 1 of 4 tasks")
    assert "not run to the end: 2 twice[i=2]" in text


def test_17_tasks_that_were_never_added(launched, tmp_path):
    done = launched(artifact(twice(), tmp_path / "a", orchestration(skip="(i == 1)")))
    failure(done, "not run to the end: 1 twice[i=1]")


SLOW = """#include <stdint.h>
#include <time.h>
extern "C" void KERNEL(int64_t* args) {
  timespec t = {3, 0};
  if (args[4] == 4) nanosleep(&t, nullptr);
  for (int i = 0; i < 128; ++i) ((float*)args[1])[i] = 2 * ((float*)args[0])[i];
  __atomic_fetch_add((uint64_t*)args[3], (uint64_t)args[4], __ATOMIC_RELAXED);
}
"""


def test_13_and_14_a_kernel_that_takes_long_is_abandoned(launched, tmp_path):
    """With one task before it that waits for it, the other never runs."""
    edges = "runtime->add_successor(3, 0); runtime->add_successor(3, 1); runtime->add_successor(3, 2);"
    done = launched(artifact(twice(), tmp_path / "a", orchestration(edges=edges), SLOW))
    text = failure(done, "the completion ledger is not as expected for 3 of 4 tasks")
    assert "not run to the end: 0 twice[i=0], 1 twice[i=1], 2 twice[i=2]" in text
    assert "fix: look at these tasks' kernels; pto-runtime gives up, without an error, on tasks that run longer" in text


def test_a_kernel_slower_than_its_limit_of_polls_but_not_much(launched, tmp_path):
    """20 ms. Its scheduler is held up while it waits, so it has not polled a million times by then."""
    kernel = SLOW.replace("{3, 0}", "{0, 20000000}")
    done = launched(artifact(twice(), tmp_path / "a", kernel=kernel))
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("options, message", [
    (["--block-dim", 3, "--aicpu-threads", 2], "found 3, expected a positive multiple of aicpu_threads, 2"),
    (["--block-dim", 25], "found 25, expected 24 at most, the blocks that pto-runtime has"),
    (["--aicpu-threads", 5], "--aicpu-threads"), (["--aicpu-threads", 0], "--aicpu-threads"),
    (["--block-dim", 0], "--block-dim")])
def test_15_counts_that_make_it_hang_or_run_nothing(options, message, launched, tmp_path):
    begun = time.monotonic()
    done = launched(artifact(twice(), tmp_path / "a"), *options)
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert message in done.stderr
    assert time.monotonic() - begun < 20


def test_15_counts_that_fit(launched, tmp_path):
    done = launched(artifact(twice(), tmp_path / "a"), "--block-dim", 2, "--aicpu-threads", 2)
    assert done.returncode == 0, done.stderr


CRASHING = SLOW.replace("nanosleep(&t, nullptr)", "*(volatile int*)0 = 0")
ENDLESS = SLOW.replace("nanosleep(&t, nullptr)", "for (;;) asm volatile(\"\")")


def leftovers():
    """Files of processes of pto-runtime that are no more; others on this machine may have theirs."""
    return {path for path in glob.glob("/tmp/aicpu_sim_*") + glob.glob("/tmp/orch_so_*")
            if not os.path.exists("/proc/" + re.sub(r"\D", "", os.path.basename(path)))}


def test_16_a_kernel_that_never_ends(launched, tmp_path):
    before = leftovers()
    done = launched(artifact(twice(), tmp_path / "a", kernel=ENDLESS), "--timeout", 3)
    text = failure(done, "pair: error: pto-runtime did not end within 3 s, while running the tasks")
    assert "3 twice[i=3]" in text
    assert "fix: give it more time with --timeout, or look at the kernels of the tasks that did not end" in text
    assert leftovers() <= before, "what a killed process leaves is removed"


def test_16_a_kernel_that_crashes(launched, tmp_path):
    done = launched(artifact(twice(), tmp_path / "a", kernel=CRASHING))
    text = failure(done, "pair: error: pto-runtime crashed, while running the tasks: signal 11 (Segmentation fault)")
    assert "note: not run to the end: " in text and "3 twice[i=3]" in text


def test_18_order_is_not_that_of_submission(launched, tmp_path):
    """Each task needs the one before it: 12 tasks that double a tile in place."""
    workload = twice(tasks=1)
    workload["tensors"] = [{"name": "z", "dtype": "f32", "shape": [8, 16], "role": "inout"}]
    workload["kernels"][0]["params"] = [{"name": "z", "tile": [8, 16], "dtype": "f32", "access": "inout"}]
    workload["kernels"][0]["body"] = [{"op": "mul", "args": ["z", 2.0], "result": "r"},
                                      {"op": "store", "args": ["z", "r"]}]
    workload["program"] = [{"for": "i", "extent": 12, "mode": "sequential", "body": [
        {"task": "twice", "args": {"z": "z"}}]}]
    done = launched(artifact(workload, tmp_path / "a"), "--outputs", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    z = np.load(tmp_path / "a/inputs/z.npy")
    assert (np.load(tmp_path / "out/z.npy") == z * 4096).all()


def test_19_and_21_arrays_of_a_program_that_failed_are_as_they_were(tmp_path):
    script = tmp_path / "fails.py"
    script.write_text("""
import glob, os, shutil, subprocess, sys
import numpy as np
from pto_wsp import DType, ExecutionError, In, Out, Tensor, Tile, kernel, pto, workload
x = Tensor(data=np.ones((8, 16), np.float32), name="x")
y = Tensor(data=np.full((8, 16), 7, np.float32), name="y")
@kernel
def scale(a: In[Tile[8, 16, DType.F32]], b: Out[Tile[8, 16, DType.F32]]):
    pto.store(b, a * 2.0)
@workload
def wl():
    scale(x, y)
program = wl().compile(target="pto_runtime_a2a3sim", timeout=2.5)
library = program.codegen_artifact_dir + "/kernel_scale.so"
os.remove(library)
subprocess.run(["g++", "-shared", "-fPIC", "-o", library, sys.argv[1]], check=True)
try:
    program.execute()
except ExecutionError as error:
    print(error)
print((y.data == 7).all(), (x.data == 1).all())
""")
    kernel = tmp_path / "kernel.cpp"
    kernel.write_text('#include <stdint.h>\nextern "C" void kernel_scale(int64_t*) { for (;;) asm volatile(""); }\n')
    done = python(script, kernel, env={
        "PYTHONPATH": os.environ["PTOWSP_BUILD_DIR"] + "/python", "PTOWSP_CACHE_DIR": str(tmp_path / "cache")})
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "wl: error: pto-runtime did not end within 2.5 s, while running the tasks"
    assert "  note: not run to the end: 0 scale" in lines
    assert lines[-1] == "True True"


# The emitted orchestration, with one function of the runtime exchanged before it is called.
EXCHANGED = """#define build_pto_wsp_graph emitted_graph
#include "pto_wsp_orch.cpp"
#undef build_pto_wsp_graph
extern "C" __attribute__((visibility("default"))) int build_pto_wsp_graph(Runtime* runtime, uint64_t* args, int n) {
  BEFORE
  return emitted_graph(runtime, args, n);
}
"""


@pytest.mark.parametrize("function, instead, code", [
    ("copy_to_device", "[](void*, const void*, size_t) { return -3; }", -106),
    ("device_malloc", "[](size_t) -> void* { return nullptr; }", -105)])
def test_5_device_memory_that_cannot_be_had_or_filled(function, instead, code, launched, tmp_path):
    orchestration = EXCHANGED.replace("BEFORE", f"runtime->host_api.{function} = {instead};")
    done = launched(artifact(twice(), tmp_path / "a", orchestration), "--outputs", tmp_path / "out")
    text = failure(done, "pair: error: pto-runtime failed, while building the task graph (orchestration): "
                         f"init_runtime failed: {code}")
    assert "note: pto-runtime: ptowsp: " in text
    assert not (tmp_path / "out").exists()


HALF = """#include <stdint.h>
extern "C" void KERNEL(int64_t* args) {
  for (int i = 0; i < 127; ++i) ((float*)args[1])[i] = 2 * ((float*)args[0])[i];
  __atomic_fetch_add((uint64_t*)args[3], (uint64_t)args[4], __ATOMIC_RELAXED);
}
"""


def test_5_device_memory_is_not_initialised(launched, tmp_path):
    """What no kernel wrote is whatever was there, here made sure of by filling it: a wrong result."""
    fill = """static decltype(runtime->host_api.device_malloc) real;
  real = runtime->host_api.device_malloc;
  runtime->host_api.device_malloc = [](size_t size) {
    void* memory = real(size);
    if (memory) memset(memory, 0x55, size);
    return memory;
  };"""
    done = launched(artifact(twice(), tmp_path / "a", EXCHANGED.replace("BEFORE", fill)))
    assert done.returncode == 0, done.stderr
    done = launched(artifact(twice(), tmp_path / "b", EXCHANGED.replace("BEFORE", fill), HALF))
    assert done.returncode == 1, done.stderr
    assert "y[7, 15] is 1.46601547e+13, expected " in done.stderr
    assert "4 of 512 elements of y differ" in done.stderr


SCALAR = {"ptowsp": 1, "name": "scaled",
          "tensors": [{"name": "x", "dtype": "f32", "shape": [8, 16], "role": "input", "init": {"constant": 1}},
                      {"name": "y", "dtype": "f32", "shape": [8, 16], "role": "output"}],
          "kernels": [{"name": "scale", "params": [
              {"name": "a", "tile": [8, 16], "dtype": "f32", "access": "in"},
              {"name": "b", "tile": [8, 16], "dtype": "f32", "access": "out"}, {"name": "s", "scalar": "f32"}],
              "body": [{"op": "mul", "args": ["a", "s"], "result": "r"}, {"op": "store", "args": ["b", "r"]}]}],
          "program": [{"task": "scale", "args": {"a": "x", "b": "y", "s": 2.0}}]}


def test_6_the_upper_half_of_a_scalar(launched, tmp_path):
    """Emitted code clears it: a kernel that takes all 64 bits for the number gets 2.0f and nothing else.
    Emitted kernels do not look at it: with any bits there they are right."""
    whole = """#include <stdint.h>
extern "C" void KERNEL(int64_t* args) {
  for (int i = 0; i < 128; ++i) ((float*)args[1])[i] = args[2] == 0x40000000 ? 2 : 0;
  __atomic_fetch_add((uint64_t*)args[4], (uint64_t)args[5], __ATOMIC_RELAXED);
}
"""
    done = launched(artifact(SCALAR, tmp_path / "a", kernel=whole))
    assert done.returncode == 0, done.stderr
    dirty = TENSORS + """  uint64_t task[6] = {(uint64_t)x, (uint64_t)y, 0xdeadbeef40000000, 128, args[5] & ~1ull, 1};
  runtime->add_task(task, 6, 0, 1);
  return 0;
}
"""
    done = launched(artifact(SCALAR, tmp_path / "b", dirty))
    assert done.returncode == 0, done.stderr
    done = launched(artifact(SCALAR, tmp_path / "c", dirty, whole))
    assert done.returncode == 1 and "scaled: error: y[0, 0] is 0, expected 2" in done.stderr, done.stderr


def test_12_one_runtime_in_a_process(pto_runtime, tmp_path):
    """Its bindings know one library, the last: programs of one process never meet there, since nothing of
    pto-runtime is loaded into it."""
    (tmp_path / "copy.so").write_bytes((pto_runtime / "host.so").read_bytes())
    done = python("-c", f"""
import sys
sys.path.insert(0, {GIVEN + "/python"!r})
import bindings
first = bindings.bind_host_binary({str(pto_runtime / "host.so")!r})
library = first().lib
second = bindings.bind_host_binary({str(tmp_path / "copy.so")!r})
print(first().lib is library, first().lib is second().lib)
""")
    assert (done.returncode, done.stdout) == (0, "False True\n"), done.stderr
    script = tmp_path / "programs.py"
    script.write_text("""
import os
import numpy as np
from pto_wsp import DType, In, Out, Tensor, Tile, kernel, pto, workload
x = Tensor(data=np.ones((4, 4), np.float32), name="x")
y = Tensor(data=np.zeros((4, 4), np.float32), name="y")
@kernel
def double(a: In[Tile[4, 4, DType.F32]], b: Out[Tile[4, 4, DType.F32]]):
    pto.store(b, a * 2.0)
@workload
def wl():
    double(x, y)
external = wl().compile(target="pto_runtime_a2a3sim")
os.environ["PTO_RUNTIME_PATH"] = "OFF"
builtin = wl().compile(target="pto_runtime_a2a3sim")
for program in (external, builtin, external):
    y.data[...] = 0
    program.execute()
    assert (y.data == 2).all()
maps = open("/proc/self/maps").read()
print("host.so" in maps, "libptowsp_sim" in maps)
""")
    done = python(script, env={
        "PYTHONPATH": os.environ["PTOWSP_BUILD_DIR"] + "/python", "PTOWSP_CACHE_DIR": str(tmp_path / "cache")})
    assert (done.returncode, done.stdout) == (0, "False True\n"), done.stderr


MEGABYTES = 64


def test_20_memory_that_is_not_recorded(pto_runtime, launched, tmp_path):
    """Each run allocates 64 MiB and records none of it. In one process its bindings keep that of all runs;
    PtoWsp's runs have processes of their own, and what is left ends with them."""
    extra = f"memset(runtime->host_api.device_malloc({MEGABYTES} << 20), 1, {MEGABYTES} << 20);"
    folder = artifact(twice(), tmp_path / "a", EXCHANGED.replace("BEFORE", extra))
    done = python("-c", f"""
import ctypes, struct, sys
sys.path.insert(0, {GIVEN + "/python"!r})
import bindings
import numpy as np
runtime_class = bindings.bind_host_binary({str(pto_runtime / "host.so")!r})
kernel = ctypes.CDLL({str(folder / "kernel_twice.so")!r}).kernel_twice
image = struct.pack("=Q", ctypes.cast(kernel, ctypes.c_void_p).value)
read = lambda name: open({str(pto_runtime)!r} + "/" + name, "rb").read()
orchestration = open({str(folder / "orchestration.pto-runtime.so")!r}, "rb").read()
x, y = np.ones((32, 16), np.float32), np.zeros((32, 16), np.float32)
sizes = []
for _ in range(4):
    bindings.set_device(0)
    bindings.register_kernel(0, image)
    runtime = runtime_class()
    runtime.initialize(orchestration, "build_pto_wsp_graph", [x.ctypes.data, x.nbytes, y.ctypes.data, y.nbytes])
    bindings.launch_runtime(runtime, 1, 1, 0, read("aicpu.so"), read("aicore.so"))
    runtime.finalize()
    sizes.append(int(open("/proc/self/statm").read().split()[1]) * 4096 >> 20)
print(*sizes, file=sys.stderr)
""")
    assert done.returncode == 0, done.stderr
    sizes = [int(word) for word in done.stderr.splitlines()[-1].split()]
    assert sizes[3] - sizes[0] > 1.8 * MEGABYTES, sizes
    measured = python("-c", f"""
import resource, subprocess, sys
done = subprocess.run({[os.environ["PTOWSP_RUN"], str(folder), "--runtime", str(pto_runtime), "--repeat", "4"]!r})
print(done.returncode, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss >> 10, file=sys.stderr)
""")
    code, most = measured.stderr.splitlines()[-1].split()
    assert code == "0" and int(most) < 1.9 * MEGABYTES, measured.stderr
