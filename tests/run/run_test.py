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
SANITIZED = bool(os.environ.get("ASAN_OPTIONS") or os.environ.get("TSAN_OPTIONS"))
REBUILD = "  fix: build the workload's target again, with one version of PtoWsp throughout\n"


def fnv1a64(data):
    value = 0xCBF29CE484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001B3 % 2**64
    return f"{value:016x}"


def tile(name, access):
    return {"name": name, "access": access, "rows": 2, "cols": 4, "dtype": "f32", "strided": False}


def manifest():
    def kernel(name, func_id):
        return {"name": name, "func_id": func_id, "core_type": "aiv", "sources": {"a2a3sim": "k.cpp"},
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
        "graph": {"tasks": 8, "edges": 4, "edge_hash": "0", "critical_path": 2,
                  "dependences": "dataflow", "segments": 1, "spills": []},
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
    assert names[:8] == ["tasks", "edges", "critical path", "launches", "graph build", "wall time",
                         "workers", "cores"]
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
