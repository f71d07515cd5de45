"""Error texts: `ptowsp-gen check` on each <folder>/<case>.json says exactly <case>.txt.

PTOWSP_UPDATE_GOLDENS=1 writes what is found as the new expectation: read the difference before you
commit it. A case without its text fails.
"""
import json
import os
import pathlib
import re
import subprocess

import pytest

HERE = pathlib.Path(__file__).resolve().parent
GEN = os.environ["PTOWSP_GEN"]
UPDATE = os.environ.get("PTOWSP_UPDATE_GOLDENS") == "1"
CASES = sorted(p for p in HERE.glob("*/*.json") if not p.name.endswith(".locations.json"))
# Rules that no workload file can break; their texts are tested below.
WITHOUT_CASE = {"unreadable-file"}


def check(workload, folder):
    """What users see: run beside the file, so that its name is all there is of the path."""
    return subprocess.run([GEN, "check", workload], cwd=folder, capture_output=True, text=True,
                          encoding="utf-8", errors="surrogateescape", timeout=60)


def rules_in(text):
    return set(re.findall(r"^\S.*: (?:error|warning): .* \[([a-z0-9-]+)\]$", text, re.M))


def documented_rules():
    docs = (HERE.parents[1] / "docs" / "ir.md").read_text(encoding="utf-8")
    return set(re.findall(r"^\| `([a-z0-9-]+)` \| (?:form|rule|graph) \|", docs, re.M))


@pytest.mark.parametrize("case", CASES, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_text(case):
    done = check(case.name, case.parent)
    expected = case.with_suffix(".txt")
    if UPDATE:
        expected.write_text(done.stderr, encoding="utf-8")
    assert expected.exists(), f"{expected} is missing: run with PTOWSP_UPDATE_GOLDENS=1 and read it"
    assert done.stderr == expected.read_text(encoding="utf-8")
    failed = ": error: " in done.stderr
    assert done.returncode == (1 if failed else 0)
    assert bool(done.stdout) != failed, "a summary is printed exactly when nothing is wrong"
    assert rules_in(done.stderr), "no rule was broken"


def test_every_rule_has_a_case_and_is_documented():
    assert len(CASES) > 80
    shown = set()
    for case in CASES:
        shown |= rules_in(case.with_suffix(".txt").read_text(encoding="utf-8"))
    assert shown | WITHOUT_CASE == documented_rules()


def test_every_text_has_its_case():
    assert {p.with_suffix(".json") for p in HERE.glob("*/*.txt")} == set(CASES)


def test_missing_file(tmp_path):
    done = check("nowhere.json", tmp_path)
    assert done.returncode == 1
    assert done.stderr == ("nowhere.json: error: cannot read 'nowhere.json': "
                           "No such file or directory [unreadable-file]\n")


def test_folder_instead_of_file(tmp_path):
    done = check(".", tmp_path)
    assert done.returncode == 1
    assert done.stderr == ".: error: cannot read '.': Is a directory [unreadable-file]\n"


# Op, or none for a copy, and its operand's tile; the texts are in device/*.stderr.
DEVICE_REFUSALS = {
    "no_instruction": (["add", "x", "x"], {"tile": [4, 16], "dtype": "bf16"}),
    "rows": (None, {"tile": [5000, 1], "dtype": "f32"}),
    "buffers": (["neg", "x"], {"tile": [128, 512], "dtype": "f32"}),
}


@pytest.mark.parametrize("case", DEVICE_REFUSALS)
def test_refused_for_the_device_only(case, tmp_path):
    """What the device cannot do is an error when its kernels are asked for, and not otherwise."""
    op, tile = DEVICE_REFUSALS[case]
    tensors = [{"name": n, "dtype": tile["dtype"], "shape": tile["tile"], "role": role}
               for n, role in (("a", "input"), ("b", "output"))]
    kernel = {"name": "k", "params": [{"name": "x", **tile, "access": "in"},
                                      {"name": "y", **tile, "access": "out"}],
              "body": ([{"op": op[0], "args": op[1:], "result": "v"}] if op else []) +
                      [{"op": "store", "args": ["y", "v" if op else "x"]}]}
    (tmp_path / "w.json").write_text(json.dumps(
        {"ptowsp": 1, "name": "w", "tensors": tensors, "kernels": [kernel],
         "program": [{"task": "k", "args": {"x": "a", "y": "b"}}]}))

    def emit(*platforms):
        return subprocess.run([GEN, "emit", "w.json", "-o", "out", "--name", "w", *platforms], cwd=tmp_path,
                              capture_output=True, text=True, timeout=60)

    assert emit().returncode == 0
    done = emit("--platform", "a2a3")
    expected = HERE / "device" / f"{case}.stderr"
    if UPDATE:
        expected.parent.mkdir(exist_ok=True)
        expected.write_text(done.stderr)
    assert done.stderr == expected.read_text()
    assert done.returncode == 1
