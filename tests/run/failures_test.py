# SPDX-License-Identifier: MIT
"""Runs that fail: every fault of a kernel, an orchestration and a runtime is seen, and told with its place."""

import json
import re

import pytest
from pair import BUILD_AGAIN, LIBRARIES, SANITIZED, expect, normal, run

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
