# SPDX-License-Identifier: MIT
"""ptowsp-run, end to end, on a hand-written artifact: right runs, and every way to go wrong.

Workload: x (8 x 4, input) -> twice -> t (temporary) -> increment -> y (output), four tiles of two rows.
Tasks 0..3 are twice[r=0..3], tasks 4..7 increment[q=0..3], task 4 + i waits for task i.
"""

import json
import os
import platform
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

RUN = os.environ["PTOWSP_RUN"]
SIM = os.environ["PTOWSP_SIM"]
LIBRARIES = Path(os.environ["PTOWSP_RUN_TEST_LIBRARIES"])
VERSION = os.environ["PTOWSP_VERSION"]
# Compiled without a level of its own, so what every CPU of the kind runs.
LEVEL = "aarch64" if platform.machine() == "aarch64" else "x86-64"
SANITIZED = os.environ.get("PTOWSP_SANITIZED") == "1"
REBUILD = "  fix: delete the artifact's folder and build the workload's target again, with one version of PtoWsp\n"


def fnv1a64(data):
    value = 0xCBF29CE484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001B3 % 2**64
    return f"{value:016x}"


def tile(name, access):
    return {"name": name, "access": access, "rows": 2, "cols": 4, "dtype": "f32", "strided": False}


def manifest():
    def kernel(name, func_id):
        return {"name": name, "func_id": func_id, "core_type": "aiv", "cycles": 100, "sources": {"a2a3sim": "k.cpp"},
                "tiles": [tile("v", "in"), tile("w", "out")], "scalars": []}

    def tensor(name, role):
        return {"name": name, "dtype": "f32", "shape": [8, 4], "role": role, "bytes": 128,
                "rtol": 1e-4, "atol": 1e-5}

    return {
        "ptowsp_manifest": 1, "version": VERSION, "contract": "G1", "name": "pair",
        "display_name": "two steps", "source": "pair.json", "source_hash": fnv1a64(b"{}\n"),
        "orchestration": {"source": "o.cpp", "function": "build_pto_wsp_graph"},
        "tensors": [tensor("x", "input"), tensor("t", "temporary"), tensor("y", "output")],
        "kernels": [kernel("twice", 0), kernel("increment", 1)],
        "relay": None,
        "graph": {"tasks": 8, "edges": 4, "edge_hash": "0", "critical_path": 2,
                  "dependences": "dataflow", "segments": 1, "cuts": [], "spills": []},
        "program": [{"for": "r", "extent": 4, "body": [{"task": 0}]},
                    {"for": "q", "extent": 4, "body": [{"task": 1}]}],
        "schedule": [],
    }


class Artifact:
    """An artifact folder that is right until a test changes `manifest`, `ready` or a file."""

    def __init__(self, folder):
        self.folder = folder
        self.manifest = manifest()
        self.ready = {
            "ptowsp_ready": 1, "version": VERSION, "manifest": "manifest.json", "manifest_hash": None,
            "platform": "a2a3sim", "kernel_arch": [LEVEL],
            "orchestrations": {"builtin": "orchestration_none.so", "pto-runtime": "orchestration_plain.so"},
            "kernels": {name: {LEVEL: f"{name}_none.so"} for name in ("twice", "increment")},
            "inputs": "inputs", "expected": "expected", "block_dim": 0, "aicpu_threads": 0,
        }
        self.x = np.arange(32, dtype=np.float32).reshape(8, 4) - 3
        (folder / "inputs").mkdir(parents=True)
        (folder / "expected").mkdir()
        np.save(folder / "inputs/x.npy", self.x)
        np.save(folder / "expected/y.npy", 2 * self.x + 1)

    def use(self, orchestration=None, **kernels):
        """Takes libraries with a fault."""
        if orchestration:
            self.ready["orchestrations"]["builtin"] = f"orchestration_{orchestration}.so"
        for name, fault in kernels.items():
            self.ready["kernels"][name][LEVEL] = f"{name}_{fault}.so"
        return self

    def write(self):
        text = json.dumps(self.manifest, indent=2) + "\n"
        (self.folder / "manifest.json").write_text(text)
        if self.ready["manifest_hash"] is None:
            self.ready["manifest_hash"] = fnv1a64(text.encode())
        (self.folder / "ready").write_text(json.dumps(self.ready, indent=2) + "\n")
        files = list(self.ready["orchestrations"].values())
        files += [f for levels in self.ready["kernels"].values() for f in levels.values()]
        for file in files:
            if (LIBRARIES / file).exists() and not (self.folder / file).exists():
                shutil.copy(LIBRARIES / file, self.folder / file)
        return self


@pytest.fixture
def artifact(tmp_path):
    return Artifact(tmp_path / "pair.ptowsp")


def run(artifact, *options, environment=None, runtime=SIM):
    command = [RUN, artifact if isinstance(artifact, str) else str(artifact.folder),
               *(["--runtime", str(runtime)] if runtime else []), *map(str, options)]
    variables = {k: v for k, v in os.environ.items() if k not in ("PTOWSP_REQUIRE", "NO_COLOR")}
    return subprocess.run(command, capture_output=True, text=True, timeout=60,
                          env={**variables, **(environment or {})})


def normal(text, artifact):
    """Text without what differs from run to run: the folder, times, addresses."""
    text = text.replace(str(artifact.folder), "DIR")
    text = re.sub(r"\b\d+(\.\d+)? ms\b", "T ms", text)
    text = re.sub(r"\b\d+(\.\d+)? s\b", "T s", text)
    return re.sub(r"0x[0-9a-f]+", "0xADDRESS", text)


def expect(artifact, result, code, errors, output=None):
    assert normal(result.stderr, artifact) == errors
    if output is not None:
        assert normal(result.stdout, artifact) == output
    assert result.returncode == code


# ---- right runs ----


def test_right(artifact):
    result = run(artifact.write())
    expect(artifact, result, 0, "",
           "pair: right. 8 tasks, T ms, largest error 0 (abs) 0 (rel).\n")


def test_finds_the_runtime_beside_itself_and_takes_the_ready_file(artifact):
    artifact.write()
    result = run(str(artifact.folder / "ready"), runtime=None)
    expect(artifact, result, 0, "", "pair: right. 8 tasks, T ms, largest error 0 (abs) 0 (rel).\n")


@pytest.mark.parametrize("workers", [1, 2, 8])
def test_workers_and_random_schedules(artifact, workers):
    result = run(artifact.write(), "--workers", workers, "--schedule-seed", 7, "--repeat", 20)
    expect(artifact, result, 0, "",
           "pair: right. 8 tasks, 20 runs, T ms, largest error 0 (abs) 0 (rel).\n")


def test_blocks_and_aicpus(artifact):
    result = run(artifact.write(), "--block-dim", 6, "--aicpu-threads", 3, "--json")
    report = json.loads(result.stdout)
    assert (report["outcome"], report["stats"]["cores"], report["stats"]["aicpus"]) == ("right", 18, 3)


def test_an_inout_tensor_starts_afresh_in_every_run(artifact):
    # y becomes inout: its file is what it holds before, and the run overwrites all of it.
    artifact.manifest["tensors"][2]["role"] = "inout"
    before = np.full((8, 4), 5, np.float32)
    np.save(artifact.folder / "inputs/y.npy", before)
    result = run(artifact.write(), "--repeat", 3)
    expect(artifact, result, 0, "",
           "pair: right. 8 tasks, 3 runs, T ms, largest error 0 (abs) 0 (rel).\n")
    assert (np.load(artifact.folder / "inputs/y.npy") == before).all()


def test_json_says_everything(artifact):
    result = run(artifact.write(), "--json", "--repeat", 2)
    assert result.returncode == 0 and result.stderr == ""
    report = json.loads(result.stdout)
    assert report["ptowsp_run"] == 1 and report["version"] == VERSION
    assert (report["name"], report["platform"], report["kernel_arch"]) == ("pair", "a2a3sim", LEVEL)
    assert (report["outcome"], report["exit_code"], report["runs"]) == ("right", 0, 2)
    assert len(report["wall_ns"]) == 2 and all(ns > 0 for ns in report["wall_ns"])
    stats = report["stats"]
    assert (stats["tasks"], stats["edges"], stats["completed"], stats["critical_path"]) == (8, 4, 8, 2)
    assert [(k["name"], k["tasks"]) for k in stats["kernels"]] == [("twice", 4), ("increment", 4)]
    assert len(stats["core_busy_ns"]) == stats["cores"] and sum(stats["core_busy_ns"]) > 0
    assert report["tensors"] == [{"name": "y", "compared": 32, "differing": 0, "max_abs": 0,
                                  "max_rel": 0, "rtol": 0.0001, "atol": 1e-05}]


def test_stats(artifact):
    result = run(artifact.write(), "--stats", "--workers", 1, "--block-dim", 1)
    assert result.returncode == 0 and result.stderr == ""
    names = [line[2:17].strip() for line in result.stdout.splitlines()[1:]]
    assert names[:9] == ["tasks", "edges", "critical path", "predicted", "launches", "graph build",
                         "wall time", "workers", "cores"]
    # Four chains of two tasks of 100 cycles, on two vector cores.
    assert "  predicted       400 cycles on 1 block\n" in result.stdout
    assert "kernel" in names and "core" in names and names[-1] == "result"
    assert "  cores           3 (1 AIC, 2 AIV), 1 AICPU\n" in result.stdout


def test_trace(artifact, tmp_path):
    file = tmp_path / "trace.json"
    assert run(artifact.write(), "--trace", file, "--block-dim", 2, "--aicpu-threads", 2).returncode == 0
    trace = json.loads(file.read_text())
    events = trace["traceEvents"]
    lanes = {(e["pid"], e["tid"]): e["args"]["name"] for e in events if e["name"] == "thread_name"}
    assert [lanes[1, c] for c in range(6)] == ["core 0 (AIC)", "core 1 (AIC)", "core 2 (AIV)",
                                               "core 3 (AIV)", "core 4 (AIV)", "core 5 (AIV)"]
    assert [lanes[2, a] for a in range(2)] == ["AICPU 0", "AICPU 1"]
    slices = [e for e in events if e["ph"] == "X"]
    on_cores = {e["name"]: e for e in slices if e["pid"] == 1}
    assert sorted(on_cores) == sorted([f"twice[r={i}]" for i in range(4)] +
                                      [f"increment[q={i}]" for i in range(4)])
    assert all(e["tid"] >= 2 for e in on_cores.values()), "vector kernels run on AIV cores"
    for i in range(4):
        first, second = on_cores[f"twice[r={i}]"], on_cores[f"increment[q={i}]"]
        assert first["ts"] + first["dur"] <= second["ts"] + 1e-3
    for lane in lanes:
        here = sorted((e["ts"], e["ts"] + e["dur"]) for e in slices if (e["pid"], e["tid"]) == lane)
        assert all(a[1] <= b[0] + 1e-3 for a, b in zip(here, here[1:])), f"overlap in {lanes[lane]}"


def test_outputs_and_own_inputs(artifact, tmp_path):
    own = tmp_path / "own"
    own.mkdir()
    x = np.full((8, 4), 10, np.float32)
    np.save(own / "x.npy", x)
    result = run(artifact.write(), "--inputs", own, "--outputs", tmp_path / "a/b")
    expect(artifact, result, 0, "", "pair: ran. 8 tasks, T ms, results not compared.\n")
    assert (np.load(tmp_path / "a/b/y.npy") == 21).all()
    np.save(own / "y.npy", np.full((8, 4), 21, np.float32))
    result = run(artifact, "--inputs", own, "--expected", own)
    expect(artifact, result, 0, "", "pair: right. 8 tasks, T ms, largest error 0 (abs) 0 (rel).\n")


def test_help_and_version():
    result = run("--help", runtime=None)
    assert result.returncode == 0 and "--only TASK" in result.stdout and result.stderr == ""
    result = run("--version", runtime=None)
    assert (result.returncode, result.stdout) == (0, f"ptowsp-run {VERSION}, contract G1\n")


def test_source_hash(artifact, tmp_path):
    source = tmp_path / "pair.json"
    source.write_text("{}\n")
    assert run(artifact.write(), "--source", source).returncode == 0
    source.write_text("{ }\n")
    result = run(artifact, "--source", source)
    expect(artifact, result, 2,
           f"{source}: error: found hash {fnv1a64(b'{ }' + bytes([10]))}, expected "
           f"{fnv1a64(b'{}' + bytes([10]))}, that of the workload file that the artifact was built from\n"
           "  fix: build the target pair again\n", "")


# ---- one task ----


def test_only_runs_what_the_task_waits_for(artifact, tmp_path):
    result = run(artifact.write(), "--only", "increment[q=2]", "--outputs", tmp_path / "out")
    expect(artifact, result, 0, "",
           "pair: right. Only task 6, increment[q=2] and 1 task that it waits for, T ms, "
           "8 elements compared, largest error 0 (abs) 0 (rel).\n")
    y = np.load(tmp_path / "out/y.npy")
    assert (y[4:6] == 2 * artifact.x[4:6] + 1).all()
    others = np.delete(y, [4, 5], axis=0)
    assert np.isnan(others).all(), "what no task wrote stays poisoned"


def test_only_passes_by_the_faults_of_other_tasks(artifact):
    artifact.use(increment="crash").write()
    assert run(artifact, "--only", 5).returncode == 0
    assert run(artifact, "--only", 6).returncode == 3


def test_only_on_a_task_without_results(artifact):
    result = run(artifact.write(), "--only", "twice[r=1]")
    expect(artifact, result, 0, "",
           "pair: ran. Only task 1, twice[r=1], T ms, it writes no result that stays, so nothing was "
           "compared.\n")


def test_only_sees_a_wrong_result(artifact):
    result = run(artifact.use(increment="wrong").write(), "--only", 6)
    expect(artifact, result, 1,
           "pair: error: y[5, 1] is 37.5, expected 37\n"
           "  note: 1 of 8 elements of y differs, largest error 0.5 (abs) 0.0135 (rel), allowed 1e-05 "
           "(abs) or 0.0001 (rel)\n"
           "  note: written by task 6, increment[q=2]\n",
           "pair: wrong. Only task 6, increment[q=2] and 1 task that it waits for, T ms, 8 elements "
           "compared, largest error 0.5 (abs) 0.0135 (rel).\n")


@pytest.mark.parametrize(
    "task, message, fix",
    [
        ("8", "found no such task, expected a number below 8 or a name", "give a task like 0 or twice[r=0]"),
        ("twice[r=4]", "found no such task, expected a number below 8 or a name",
         "give a task like 0 or twice[r=0]"),
        ("increment", "found more than one task of that name: 4 increment[q=0], 5 increment[q=1], "
         "6 increment[q=2], 7 increment[q=3]", "give the number of one of them"),
    ],
)
def test_only_with_a_bad_task(artifact, task, message, fix):
    expect(artifact, run(artifact.write(), "--only", task), 2,
           f"--only {task}: error: {message}\n  fix: {fix}\n", "")


# ---- wrong results ----


def test_wrong_result_names_element_and_task(artifact):
    result = run(artifact.use(twice="wrong").write())
    expect(artifact, result, 1,
           "pair: error: y[5, 1] is 37.5, expected 37\n"
           "  note: 1 of 32 elements of y differs, largest error 0.5 (abs) 0.0135 (rel), allowed 1e-05 "
           "(abs) or 0.0001 (rel)\n"
           "  note: written by task 6, increment[q=2]\n"
           "  fix: look at kernel increment; to run this task alone: --only 6\n",
           "pair: wrong. 8 tasks, T ms, largest error 0.5 (abs) 0.0135 (rel).\n")


def test_tolerances_can_be_given(artifact):
    artifact.use(increment="wrong").write()
    assert run(artifact, "--atol", 0.5).returncode == 0
    assert run(artifact, "--atol", 0.49).returncode == 1
    assert run(artifact, "--rtol", 0.02).returncode == 0


def test_json_of_a_wrong_result(artifact):
    result = run(artifact.use(increment="wrong").write(), "--json")
    report = json.loads(result.stdout)
    assert result.returncode == 1
    assert (report["outcome"], report["exit_code"]) == ("wrong", 1)
    assert report["error"]["message"] == "y[5, 1] is 37.5, expected 37"
    assert report["tensors"][0]["first"] == {"element": "y[5, 1]", "got": 37.5, "expected": 37}


def test_nan_is_wrong_where_a_number_is_expected(artifact):
    expected = 2 * artifact.x + 1
    expected[7, 3] = np.nan
    np.save(artifact.folder / "expected/y.npy", expected)
    result = run(artifact.write())
    expect(artifact, result, 1,
           "pair: error: y[7, 3] is 57, expected nan\n"
           "  note: 1 of 32 elements of y differs, largest error inf (abs) 0 (rel), allowed 1e-05 (abs) or "
           "0.0001 (rel)\n"
           "  note: written by task 7, increment[q=3]\n"
           "  fix: look at kernel increment; to run this task alone: --only 7\n")


# ---- failures at run time ----

LEDGER_FIX = ("  fix: the runtime lost or repeated tasks, or their kernels do not end as emitted ones do: "
              "build the target pair again\n")
BUILD_FIX = ("  fix: build the target pair again; if that does not help, report it with the workload "
             "file\n")

RUN_FAILURES = {
    "no ledger entry": (
        dict(increment="no_ledger"),
        "pair: error: the completion ledger is not as expected for 1 of 8 tasks\n"
        "  note: not run to the end: 6 increment[q=2]\n" + LEDGER_FIX),
    "run twice": (
        dict(twice="ledger_twice"),
        "pair: error: the completion ledger is not as expected for 1 of 8 tasks\n"
        "  note: run more than once: 2 twice[r=2]\n" + LEDGER_FIX),
    "lost task": (
        dict(orchestration="lost_task"),
        "pair: error: the completion ledger is not as expected for 1 of 8 tasks\n"
        "  note: not run to the end: 6 increment[q=2]\n" + LEDGER_FIX),
    "out of bounds": (
        dict(increment="out_of_bounds"),
        "pair: error: 4 bytes written behind tensor y on the device, the first at byte 128 of its 128 by "
        "task 6, increment[q=2] (kernel increment)\n"
        "  note: found by a second run with one worker and a check after each task\n"
        "  fix: keep the kernel's accesses inside the tiles it was given\n"),
    "out of bounds, temporary": (
        dict(twice="out_of_bounds"),
        "pair: error: 4 bytes written behind temporary t on the device, the first at byte 128 of its 128 by "
        "task 2, twice[r=2] (kernel twice)\n"
        "  note: found by a second run with one worker and a check after each task\n"
        "  fix: keep the kernel's accesses inside the tiles it was given\n"),
    "input changed": (
        dict(twice="input"),
        "pair: error: input x was changed on the device: found 99 in x[4, 1], expected 14\n"
        "  note: this element is read by 2 twice[r=2]\n"
        "  fix: a kernel may write only its out and inout tiles\n"),
    "orchestration refuses": (
        dict(orchestration="error_code"),
        "pair: error: building the task graph failed: build_pto_wsp_graph returned -42\n" + BUILD_FIX),
}


@pytest.mark.parametrize("case", RUN_FAILURES)
def test_run_failure(artifact, case):
    libraries, errors = RUN_FAILURES[case]
    if SANITIZED and "out of bounds" in case:
        pytest.skip("the sanitizer ends the process first")
    result = run(artifact.use(**libraries).write())
    expect(artifact, result, 3, errors)
    assert result.stdout.startswith("pair: failed. ")


def test_disorder_is_seen(artifact):
    result = run(artifact.write(), runtime=LIBRARIES / "disorderly_runtime.so")
    expect(artifact, result, 3,
           "pair: error: task 4, increment[q=0] started 2.000 us before task 0, twice[r=0] had ended, which "
           "it waits for\n"
           "  fix: the runtime breaks the graph's order: report it\n")


BUILD_AGAIN = "  fix: build the target pair again\n"

# Errors that the built-in runtime words; what the runner adds is below them.
SIM_FAILURES = {
    "crash": (
        dict(increment="crash"), [],
        "pair: error: task 6, kernel increment (func_id 1), on core N (AIV) crashed: SIGSEGV at address "
        "0xADDRESS\n"
        "  note: task 6 is increment[q=2]\n"
        "  fix: run it alone under a debugger: --only 6\n"),
    "endless": (
        dict(twice="endless"), ["--timeout", 0.3],
        "pair: error: the run did not end within T s: task 2, kernel twice (func_id 0), on core N (AIV), is "
        "still running; look for a kernel that never ends, or allow more time\n"
        "  note: task 2 is twice[r=2]\n"
        "  fix: give it more time with --timeout, or run it alone under a debugger: --only 2\n"),
    "unregistered kernel": (
        dict(orchestration="unregistered"), [],
        "pair: error: task 5 needs the kernel with func_id 7, which is not registered; call "
        "register_kernel(7, ...) before launch_runtime\n"
        "  note: task 5 is increment[q=1]\n" + BUILD_AGAIN),
    "cycle": (
        dict(orchestration="cycle"), [],
        "pair: error: 2 tasks wait for each other in a cycle: 2 -> 6 -> 2; nothing was run\n"
        "  note: task 2 is twice[r=2]\n"
        "  note: task 6 is increment[q=2]\n" + BUILD_AGAIN),
}


@pytest.mark.parametrize("case", SIM_FAILURES)
def test_failure_that_the_runtime_words(artifact, case):
    libraries, options, errors = SIM_FAILURES[case]
    result = run(artifact.use(**libraries).write(), *options)
    result.stderr = re.sub(r"on core \d+", "on core N", result.stderr)
    expect(artifact, result, 3, errors)
    assert re.fullmatch(r"pair: failed\. [0-7] of 8 tasks ran\.\n", result.stdout)


def test_a_failed_run_leaves_its_trace(artifact, tmp_path):
    result = run(artifact.use(increment="crash").write(), "--trace", tmp_path / "t.json", "--json")
    assert result.returncode == 3
    names = {e["name"] for e in json.loads((tmp_path / "t.json").read_text())["traceEvents"]}
    assert {"twice[r=2]", "increment[q=2]"} <= names
    report = json.loads(result.stdout)
    assert (report["outcome"], report["exit_code"]) == ("failed", 3)
    assert report["error"]["notes"] == ["task 6 is increment[q=2]"]


@pytest.mark.skipif(SANITIZED, reason="the sanitizer reports crashes itself")
@pytest.mark.parametrize(
    "fault, errors",
    [
        ("crash",
         "pair: error: crashed while building the task graph (orchestration): a memory access that is not "
         "allowed (SIGSEGV)\n"
         "  fix: run it under a debugger: gdb --args ptowsp-run ...\n"),
        ("write_input",
         "pair: error: crashed while building the task graph (orchestration): a memory access that is not "
         "allowed (SIGSEGV)\n"
         "  note: it touched the host's array of input x, which is read-only\n"
         "  fix: run it under a debugger: gdb --args ptowsp-run ...\n"),
        ("hang",
         "pair: error: not finished after T s, while building the task graph (orchestration)\n"
         "  fix: look where it stands with a debugger, or give it more time with --timeout\n"),
    ],
)
def test_orchestration_that_never_comes_back(artifact, fault, errors):
    expect(artifact, run(artifact.use(orchestration=fault).write(), "--timeout", 0.2), 3, errors, "")


# ---- a runtime that has the contract's C API and nothing else ----

PLAIN = LIBRARIES / "plain_runtime.so"


def test_plain_runtime(artifact):
    result = run(artifact.write(), "--repeat", 2, "--stats", runtime=PLAIN)
    assert result.returncode == 0 and result.stderr == ""
    assert normal(result.stdout.splitlines()[0], artifact) == (
        "pair: right. 8 tasks, 2 runs, T ms, largest error 0 (abs) 0 (rel).")


@pytest.mark.parametrize(
    "fault, errors",
    [
        ("drop", "pair: error: the completion ledger is not as expected for 1 of 8 tasks\n"
         "  note: not run to the end: 5 increment[q=1]\n" + LEDGER_FIX),
        ("launch", "pair: error: running the tasks failed: launch_runtime returned -7\n"),
        ("finalize", "pair: error: finalize_runtime failed with code -9\n"),
        ("hang", "pair: error: not finished after T s, while running the tasks\n"
         "  fix: look where it stands with a debugger, or give it more time with --timeout\n"),
        ("crash", "pair: error: crashed while running the tasks: an abort (SIGABRT)\n"
         "  fix: run it under a debugger: gdb --args ptowsp-run ...\n"),
    ],
)
def test_plain_runtime_fails(artifact, fault, errors):
    result = run(artifact.write(), "--timeout", 0.3, runtime=PLAIN, environment={"PLAIN_FAULT": fault})
    expect(artifact, result, 3, errors)


@pytest.mark.parametrize("option, value", [("--workers", 2), ("--schedule-seed", 1), ("--only", 0),
                                           ("--trace", "t.json")])
def test_plain_runtime_refuses_what_it_cannot_do(artifact, option, value):
    expect(artifact, run(artifact.write(), option, value, runtime=PLAIN), 2,
           f"{option}: error: found a runtime that has no such feature: {PLAIN}\n"
           "  fix: leave it out, or use the built-in runtime\n", "")


def test_a_library_that_is_no_runtime(artifact):
    library = LIBRARIES / "twice_none.so"
    expect(artifact, run(artifact.write(), runtime=library), 2,
           f"{library}: error: found no function get_runtime_size, set_device, register_kernel, "
           "init_runtime, launch_runtime, finalize_runtime, expected a runtime with pto-runtime's C API\n"
           "  fix: give the host library of a runtime to --runtime\n", "")


# ---- bad artifacts ----


def replace(folder, file, text):
    (folder / file).write_text(text)


def truncate(file):
    def change(artifact):
        path = artifact.folder / file
        path.write_bytes(path.read_bytes()[:-2000])
    return change


def npy(file, array):
    return lambda artifact: np.save(artifact.folder / file, array)


def remove(file):
    return lambda artifact: (artifact.folder / file).unlink()


def set_ready(key, value):
    return lambda artifact: artifact.ready.__setitem__(key, value)


def set_manifest(key, value):
    return lambda artifact: artifact.manifest.__setitem__(key, value)


# Before the files are written, after, and the whole error text.
BAD_ARTIFACTS = {
    "no ready file": (
        None, remove("ready"),
        "DIR: error: found no `ready` file, which a build writes when it has finished\n"
        "  fix: build the workload's target and mend what that reports\n"),
    "truncated ready file": (
        None, lambda a: replace(a.folder, "ready", '{"ptowsp_ready": 1,'),
        "DIR/ready: error: truncated: found the end of the file after 19 bytes inside a JSON value\n" + REBUILD),
    "truncated manifest": (
        None, lambda a: replace(a.folder, "manifest.json", '{"ptowsp_manifest": 1, "vers'),
        "DIR/manifest.json: error: truncated: found the end of the file after 28 bytes inside a JSON value\n"
        + REBUILD),
    "empty manifest": (
        None, lambda a: replace(a.folder, "manifest.json", ""),
        "DIR/manifest.json: error: truncated: found the end of the file after 0 bytes inside a JSON value\n"
        + REBUILD),
    "missing manifest": (
        None, remove("manifest.json"),
        "DIR/manifest.json: error: found no such file, expected the manifest that DIR/ready names\n"
        "  fix: build the workload's target again\n"),
    "manifest of another build": (
        set_ready("manifest_hash", "0123456789abcdef"), None,
        "DIR/manifest.json: error: found hash HASH, expected 0123456789abcdef, that of the manifest when the "
        "build finished\n"
        "  fix: build the workload's target again\n"),
    "manifest of another version": (
        set_manifest("version", "0.0.1"), None,
        f"DIR/manifest.json: error: found version 0.0.1, expected {VERSION}, the version of this program\n"
        "  note: at /version\n" + REBUILD),
    "ready file of another version": (
        set_ready("version", "9.0.0"), None,
        f"DIR/ready: error: found version 9.0.0, expected {VERSION}, the version of this program\n"
        "  note: at /version\n" + REBUILD),
    "another platform": (
        set_ready("platform", "a2a3"), None,
        "DIR/ready: error: found an artifact for platform a2a3, expected a2a3sim\n"
        "  fix: add a2a3sim to the workload's PLATFORMS\n"),
    "no orchestration for the runtime": (
        set_ready("orchestrations", {"other": "orchestration_none.so"}), None,
        "DIR/ready: error: found no orchestration for runtime builtin, expected one\n" + BUILD_AGAIN),
    "missing orchestration": (
        None, remove("orchestration_none.so"),
        "DIR/orchestration_none.so: error: found no such file, expected the orchestration library\n"
        + BUILD_AGAIN),
    "truncated orchestration": (
        None, truncate("orchestration_none.so"),
        "DIR/orchestration_none.so: error: cannot load the library of the orchestration: truncated: found "
        "SIZE bytes, expected at least SIZE\n" + BUILD_AGAIN),
    "orchestration for another runtime": (
        set_ready("orchestrations", {"builtin": "orchestration_plain.so"}), None,
        "DIR/orchestration_plain.so: error: found no function ptowsp_runtime_api_version, expected one\n"
        + BUILD_AGAIN),
    "orchestration without its function": (
        lambda a: a.manifest["orchestration"].update(function="build_graph"), None,
        "DIR/orchestration_none.so: error: found no function build_graph, expected one\n" + BUILD_AGAIN),
    "missing kernel": (
        None, remove("increment_none.so"),
        "DIR/increment_none.so: error: found no such file, expected the library of kernel increment\n"
        + BUILD_AGAIN),
    "truncated kernel": (
        None, truncate("increment_none.so"),
        "DIR/increment_none.so: error: cannot load the library of kernel increment: truncated: found SIZE "
        "bytes, expected at least SIZE\n" + BUILD_AGAIN),
    "kernel that is no library": (
        None, lambda a: replace(a.folder, "twice_none.so", "text"),
        "DIR/twice_none.so: error: cannot load the library of kernel twice: found 4 bytes that are no shared "
        "library\n" + BUILD_AGAIN),
    "kernel of another name": (
        lambda a: a.ready["kernels"]["twice"].update({LEVEL: "increment_none.so"}), None,
        "DIR/increment_none.so: error: found no function kernel_twice, expected one\n" + BUILD_AGAIN),
    "kernel not in the ready file": (
        lambda a: a.ready["kernels"].pop("twice"), None,
        "DIR/ready: error: found no library for kernel twice, expected one\n" + BUILD_AGAIN),
    "kernel without the level": (
        lambda a: a.ready["kernels"].update(twice={"x86-64-v9": "twice_none.so"}), None,
        f"DIR/ready: error: found no library of level {LEVEL} for kernel twice, expected one for each level of "
        "kernel_arch\n" + BUILD_AGAIN),
    "level that this CPU has not": (
        set_ready("kernel_arch", ["sparc", "x86-64-v9"]), None,
        "DIR/ready: error: found kernels for sparc, x86-64-v9, expected a level that this CPU runs: LEVELS\n"
        "  fix: configure with -DPTOWSP_KERNEL_ARCH=LEVEL and build again\n"),
    "missing input": (
        None, remove("inputs/x.npy"),
        "DIR/inputs/x.npy: error: input x: cannot open: No such file or directory\n"
        "  fix: build the workload's target again\n"),
    "input of another shape": (
        npy("inputs/x.npy", np.zeros((4, 8), np.float32)), None,
        "DIR/inputs/x.npy: error: input x: found shape (4, 8), expected (8, 4)\n"
        "  fix: give an array of shape (8, 4)\n"),
    "missing expected result": (
        None, remove("expected/y.npy"),
        "DIR/expected/y.npy: error: expected y: cannot open: No such file or directory\n"
        "  fix: build the workload's target again\n"),
    "expected result of another dtype": (
        npy("expected/y.npy", np.zeros((8, 4))), None,
        "DIR/expected/y.npy: error: expected y: found dtype <f8, expected <f4\n"
        "  fix: save it with numpy.save(file, numpy.ascontiguousarray(array, dtype=\"<f4\"))\n"),
    "truncated expected result": (
        None, lambda a: os.truncate(a.folder / "expected/y.npy", 200),
        "DIR/expected/y.npy: error: expected y: truncated: found 72 bytes of data, expected 128\n"
        "  fix: write the file again\n"),
}


@pytest.mark.parametrize("case", BAD_ARTIFACTS)
def test_bad_artifact(artifact, case):
    before, after, errors = BAD_ARTIFACTS[case]
    if before:
        before(artifact)
    artifact.write()
    if after:
        after(artifact)
    result = run(artifact)
    result.stderr = re.sub(r"found hash [0-9a-f]{16}", "found hash HASH", result.stderr)
    result.stderr = re.sub(r"found \d+ bytes, expected at least \d+", "found SIZE bytes, expected at least SIZE",
                           result.stderr)
    result.stderr = re.sub(r"runs: [\w, -]+\n", "runs: LEVELS\n", result.stderr)
    result.stderr = re.sub(r"KERNEL_ARCH=\S+", "KERNEL_ARCH=LEVEL", result.stderr)
    expect(artifact, result, 2, errors, "")


def test_bad_artifact_as_json(artifact):
    artifact.write()
    (artifact.folder / "manifest.json").unlink()
    result = run(artifact, "--json")
    report = json.loads(result.stdout)
    assert result.returncode == 2
    assert (report["outcome"], report["exit_code"]) == ("bad artifact", 2)
    assert report["error"]["place"].endswith("manifest.json")


def test_no_artifact(tmp_path):
    result = run(str(tmp_path / "none"))
    assert result.returncode == 2
    assert result.stderr == (
        f"{tmp_path}/none: error: found no such artifact, expected a folder made by ptowsp_add_workload(), or "
        "the `ready` file in it\n  fix: build the workload's target\n")


def test_the_best_level_that_fits_is_taken(artifact):
    # Of a level that no CPU has there is no file, and nobody looks for it.
    artifact.ready["kernel_arch"] = ["x86-64-v9", LEVEL]
    for name in ("twice", "increment"):
        artifact.ready["kernels"][name]["x86-64-v9"] = "missing.so"
    assert json.loads(run(artifact.write(), "--json").stdout)["kernel_arch"] == LEVEL


# ---- command line, platforms ----

USAGE = {
    ("--bogus",): "The following argument was not expected: --bogus",
    ("--workers", "0"): "--workers: Value 0 not in range 1 to 1048576",
    ("--workers", "many"): "--workers: Value many not in range 1 to 1048576",
    ("--timeout", "-1"): "--timeout: found -1, expected seconds, 0 to 1000000",
    ("--timeout", "nan"): "--timeout: found nan, expected seconds, 0 to 1000000",
    ("--repeat",): "--repeat: 1 required N:INT in [1 - 1048576] missing",
}


@pytest.mark.parametrize("options", USAGE)
def test_usage(artifact, options):
    expect(artifact, run(artifact.write(), *options), 2,
           f"ptowsp-run: error: {USAGE[options]}\n  fix: see ptowsp-run --help\n", "")


def test_blocks_that_do_not_fit_the_aicpus(artifact):
    expect(artifact, run(artifact.write(), "--block-dim", 3, "--aicpu-threads", 2), 2,
           "block_dim: error: found 3, expected a positive multiple of aicpu_threads, 2\n"
           "  fix: change BLOCK_DIM or --block-dim, AICPU_THREADS or --aicpu-threads\n", "")


def test_the_device_platform_is_skipped(artifact):
    reason = ("no runtime for it is given: --runtime takes the folder of a pto-runtime's libraries for a2a3, and "
              "the built-in runtime is a simulator")
    artifact.write()
    expect(artifact, run(artifact, "--platform", "a2a3", runtime=None), 77, f"platform a2a3: skipped: {reason}\n", "")
    for required in ("a2a3", "a2a3sim,a2a3", "x;a2a3"):
        expect(artifact, run(artifact, "--platform", "a2a3", runtime=None, environment={"PTOWSP_REQUIRE": required}), 3,
               f"platform a2a3: error: {reason}; and PTOWSP_REQUIRE asks for a2a3\n"
               "  fix: take a2a3 out of PTOWSP_REQUIRE, or do what the reason says\n", "")
    result = run(artifact, "--platform", "a2a3", runtime=None, environment={"PTOWSP_REQUIRE": "a2a3sim"})
    assert result.returncode == 77
    for platform in ("a2a3", "a2a3sim"):
        expect(artifact, run(artifact, "--platform", platform, "--skip", "there is no x"), 77,
               f"platform {platform}: skipped: there is no x\n", "")
    expect(artifact, run(artifact, "--platform", "tpu"), 2,
           "--platform: error: found tpu, expected a2a3sim or a2a3\n  fix: give one of these\n", "")


def test_a_file_that_cannot_be_written(artifact, tmp_path):
    target = tmp_path / "no/trace.json"
    expect(artifact, run(artifact.write(), "--trace", target), 2,
           f"{target}: error: cannot write it: No such file or directory\n"
           "  fix: give a file that can be written to --trace\n", "")


def test_colour_is_for_terminals(artifact):
    artifact.use(increment="wrong").write()
    command = [RUN, str(artifact.folder), "--runtime", SIM]

    def on_a_terminal(environment):
        master, slave = os.openpty()
        base = {k: v for k, v in os.environ.items() if k != "NO_COLOR"}
        with subprocess.Popen(command, stdout=slave, stderr=slave, env={**base, **environment}) as process:
            process.wait(timeout=60)
        os.close(slave)
        text = os.read(master, 65536).decode()
        os.close(master)
        return text

    assert "\033[" not in run(artifact).stderr
    assert "pair: \033[1;31merror:\033[0m y[5, 1]" in on_a_terminal({})
    assert "\033[" not in on_a_terminal({"NO_COLOR": "1"})
