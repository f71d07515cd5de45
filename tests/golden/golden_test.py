# SPDX-License-Identifier: MIT
"""Goldens: everything that ptowsp-gen writes for a few workloads, byte by byte.

PTOWSP_UPDATE_GOLDENS=1 writes what is found as the new expectation: read the difference before you
commit it. A case without its expectation fails.
"""

import json
import os
import subprocess
from pathlib import Path

import pytest

CASES = Path(__file__).parent / "cases"
GEN = os.environ["PTOWSP_GEN"]
UPDATE = os.environ.get("PTOWSP_UPDATE_GOLDENS") == "1"
ROOT = Path(__file__).resolve().parents[2]
# Copies of headers that lie in this repository; compared with them, not with a golden.
SUPPORT = {
    **{f"kernels/orchestration/ptowsp/{header}": f"runtime_glue/include/ptowsp/{header}"
       for header in ("access_layer.h", "argument_blocks.h", "channels.h", "dispatch.h", "launch_graph.h", "limits.h",
                      "orchestration.h", "processes.h", "regions.h", "segments.h", "task_graph.h")},
    **{f"kernels/sim_support/{header.name}": f"generator/emit/support/{header.name}"
       for header in (ROOT / "generator/emit/support").glob("*.h")
       if header.name != "ptowsp_pto.h"},
}
# Options that a case needs besides its workload.
OPTIONS = {"program_order": ["--dependences", "program_order"]}
# Cases that are emitted for the device, too.
FOR_DEVICE = ("arguments", "attention", "softmax")
DEVICE_SUPPORT = {"kernels/pto_support/ptowsp_pto.h": "generator/emit/support/ptowsp_pto.h"}


def run(*arguments):
    done = subprocess.run([GEN, *map(str, arguments)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def tree(folder):
    return {p.relative_to(folder).as_posix(): p for p in sorted(folder.rglob("*")) if p.is_file()}


def compare(found, expected):
    """`found`: texts by relative path; `expected`: the golden's folder."""
    if UPDATE:
        for path in tree(expected).values():
            path.unlink()
        for name, text in found.items():
            (expected / name).parent.mkdir(parents=True, exist_ok=True)
            (expected / name).write_text(text)
    golden = {name: path.read_text() for name, path in tree(expected).items()}
    assert golden, f"{expected} has no golden: run with PTOWSP_UPDATE_GOLDENS=1 and read it"
    assert sorted(found) == sorted(golden)
    for name, text in found.items():
        assert text == golden[name], name


def test_there_are_cases():
    assert len(list(CASES.glob("*.json"))) >= 5


@pytest.mark.parametrize("workload", sorted(CASES.glob("*.json")), ids=lambda p: p.stem)
def test_golden(workload, tmp_path):
    options = OPTIONS.get(workload.stem, [])
    out = tmp_path / "out"
    device = workload.stem in FOR_DEVICE
    run("emit", workload, "-o", out, "--name", workload.stem, *options,
        *(["--platform", "a2a3"] if device else []))
    found = {name: path.read_text() for name, path in tree(out).items()}
    for name, original in {**SUPPORT, **(DEVICE_SUPPORT if device else {})}.items():
        assert found.pop(name) == (ROOT / original).read_text(), f"{name} is not a copy of {original}"
    found["kernel_list"] = run("list", workload)
    found["print.json"] = run("print", workload)
    found["check.txt"] = run("check", workload, *options).replace(str(workload), workload.name)
    for form in ("dot", "mermaid", "json"):
        found[f"graph.{form}"] = run("graph", workload, "--format", form, *options)
    compare(found, CASES / workload.stem)


@pytest.mark.parametrize("workload", sorted(CASES.glob("*.json")), ids=lambda p: p.stem)
def test_emission_does_not_depend_on_its_place(workload, tmp_path):
    """Two folders, one with a blank and a letter beyond ASCII, the second time over an older tree."""
    for folder in (tmp_path / "a", tmp_path / "b é"):
        run("emit", workload, "-o", folder, "--name", "w")
        run("emit", workload, "-o", folder, "--name", "w")
    first, second = ({n: p.read_bytes() for n, p in tree(f).items()} for f in (tmp_path / "a", tmp_path / "b é"))
    assert first == second


def test_the_manifest_says_what_the_build_was_asked_for(tmp_path):
    run("emit", CASES / "scale.json", "-o", tmp_path, "--name", "scale", "--dependences", "program_order",
        "--races", "allow")
    enforced = dict.fromkeys(["builtin a2a3sim", "pto-runtime a2a3sim", "pto-runtime a2a3"], "enforced")
    assert json.loads((tmp_path / "manifest.json").read_text())["schedule"] == [
        {"directive": "dependences program_order", "support": enforced},
        {"directive": "races allow", "support": enforced}]


def test_a_missing_golden_fails(tmp_path):
    if UPDATE:
        pytest.skip("goldens are being updated")
    with pytest.raises(AssertionError, match="has no golden"):
        compare({"a": "b"}, tmp_path)


def test_a_different_golden_fails(tmp_path):
    if UPDATE:
        pytest.skip("goldens are being updated")
    (tmp_path / "a").write_text("c")
    with pytest.raises(AssertionError):
        compare({"a": "b"}, tmp_path)
