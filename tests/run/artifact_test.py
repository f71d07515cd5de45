# SPDX-License-Identifier: MIT
"""Artifacts that are not whole, or do not fit together, are refused with the file, the reason and the fix."""

import json
import os
import re

import numpy as np
import pytest
from pair import BUILD_AGAIN, LEVEL, REBUILD, VERSION, expect, run


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
