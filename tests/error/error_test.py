"""Error texts: `ptowsp-gen check` on each <folder>/<case>.json says exactly <case>.txt.

PTOWSP_UPDATE_GOLDENS=1 writes what is found as the new expectation: read the difference before you
commit it. A case without its text fails.
"""
import json
import os
import pathlib
import re
import subprocess
import sys

import jsonschema
import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from on_terminal import on_a_terminal  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
GEN = os.environ["PTOWSP_GEN"]
UPDATE = os.environ.get("PTOWSP_UPDATE_GOLDENS") == "1"
CASES = sorted(p for p in HERE.glob("*/*.json") if not p.name.endswith(".locations.json"))
# Rules that no workload file can break; their texts are tested below.
WITHOUT_CASE = {"unreadable-file"}


def check(workload, folder, *options):
    """What users see: run beside the file, so that its name is all there is of the path."""
    return subprocess.run([GEN, "check", workload, *options], cwd=folder, capture_output=True, text=True,
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
    checked = check("w.json", tmp_path, "--platform", "a2a3")
    assert (checked.returncode, checked.stdout, checked.stderr) == (1, "", done.stderr)
    assert check("w.json", tmp_path).returncode == 0
    report = json.loads(check("w.json", tmp_path, "--platform", "a2a3", "--json").stdout)
    assert {d["severity"] for d in report["diagnostics"]} == {"error"} and report["diagnostics"][0]["message"] in done.stderr


def device_workload(tmp_path):
    tensors = [{"name": n, "dtype": "f32", "shape": [4, 16], "role": role} for n, role in (("a", "input"), ("b", "output"))]
    kernel = {"name": "k", "params": [{"name": "x", "tile": [4, 16], "dtype": "f32", "access": "in"},
                                      {"name": "y", "tile": [4, 16], "dtype": "f32", "access": "out"}],
              "body": [{"op": "neg", "args": ["x"], "result": "v"}, {"op": "store", "args": ["y", "v"]}]}
    (tmp_path / "w.json").write_text(json.dumps(
        {"ptowsp": 1, "name": "w", "tensors": tensors, "kernels": [kernel],
         "program": [{"task": "k", "args": {"x": "a", "y": "b"}}]}))


def test_check_for_the_device_says_that_it_never_ran(tmp_path):
    device_workload(tmp_path)
    plain = check("w.json", tmp_path)
    done = check("w.json", tmp_path, "--platform", "a2a3")
    assert (plain.returncode, done.returncode, done.stderr) == (0, 0, "")
    assert done.stdout == plain.stdout + (
        "  a2a3: kernels can be emitted. PtoWsp has never run one on hardware: see docs/a2a3.md\n")
    report = json.loads(check("w.json", tmp_path, "--platform", "a2a3", "--json").stdout)
    assert not list(VALIDATOR.iter_errors(report)) and report["summary"]["text"] == done.stdout


# ---- the same as JSON ----

SCHEMA = json.loads((HERE.parents[1] / "docs" / "diagnostics.schema.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


@pytest.mark.parametrize("case", CASES, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_json_says_what_the_text_says(case):
    done = subprocess.run([GEN, "check", "--json", case.name], cwd=case.parent, capture_output=True, timeout=60)
    report = json.loads(done.stdout)
    assert not list(VALIDATOR.iter_errors(report))
    assert done.stderr == b""
    failed = any(d["severity"] == "error" for d in report["diagnostics"])
    assert (done.returncode, report["summary"] is None) == ((1, True) if failed else (0, False))
    text = case.with_suffix(".txt").read_text(encoding="utf-8", errors="replace")
    for d in report["diagnostics"][:1 if len(report["diagnostics"]) > 100 else None]:
        assert f": {d['severity']}: {d['message'].splitlines()[0]}"[:80] in text
        assert d["rule"] == "script" or f"[{d['rule']}]" in text
        assert d["fix"] in text
        for note in d["related"]:
            assert note["message"].splitlines()[0] in text


def test_json_of_a_good_workload():
    done = subprocess.run([GEN, "check", "--json", HERE.parents[1] / "examples/scale/scale.json"],
                          capture_output=True, timeout=60)  # fmt: skip
    report = json.loads(done.stdout)
    assert not list(VALIDATOR.iter_errors(report))
    assert (report["diagnostics"], report["summary"]["tasks"]) == ([], 4)


# ---- colours and progress, on a terminal ----


@pytest.mark.parametrize("options, variables, coloured", [
    ([], {}, True), (["--color", "never"], {}, False), ([], {"NO_COLOR": "1"}, False), ([], {"NO_COLOR": ""}, True),
    (["--color", "always"], {"NO_COLOR": "1"}, True), ([], {"TERM": "dumb"}, False), (["--color=auto"], {}, True),
])  # fmt: skip
def test_colours_on_a_terminal(options, variables, coloured):
    case = next(p for p in CASES if p.parent.name == "rules")
    text, code = on_a_terminal(GEN, "check", case, *options, **variables)
    assert code == 1
    assert ("\x1b[" in text) == coloured, text


@pytest.mark.parametrize("options, coloured", [([], False), (["--color", "always"], True)])
def test_colours_in_a_log(options, coloured):
    case = next(p for p in CASES if p.parent.name == "rules")
    done = subprocess.run([GEN, "check", case, *options], capture_output=True, text=True, timeout=60)
    assert ("\x1b[" in done.stderr) == coloured


def long_evaluation(tmp_path):
    """A product of large matrices, over and over: a reference evaluation of some seconds."""
    tile = [128, 128]
    workload = {"ptowsp": 1, "name": "long",
        "tensors": [{"name": n, "dtype": "f32", "shape": [128, 128], "role": r} for n, r in (("a", "input"), ("c", "inout"))],
        "kernels": [{"name": "step", "params": [{"name": "a", "tile": tile, "dtype": "f32", "access": "in"},
                                                {"name": "c", "tile": tile, "dtype": "f32", "access": "inout"}],
                     "body": [{"op": "matmul", "args": ["a", "a"], "result": "p"}, {"op": "store", "args": ["c", "p"]}]}],
        "program": [{"for": "i", "extent": 1500, "mode": "sequential", "body": [
            {"task": "step", "args": {"a": "a[0:128, 0:128]", "c": "c[0:128, 0:128]"}}]}]}  # fmt: skip
    (tmp_path / "long.json").write_text(json.dumps(workload))
    return tmp_path / "long.json"


def test_progress_of_a_long_evaluation(tmp_path):
    workload = long_evaluation(tmp_path)
    text, code = on_a_terminal(GEN, "eval", workload, "-o", tmp_path / "out")
    assert code == 0
    steps = [int(n) for n in re.findall(r"\r\x1b\[Keval: (\d+) of 1500 tasks", text)]
    assert steps and steps == sorted(steps) and steps[-1] <= 1500
    assert text.endswith("\r\x1b[K"), "the line is gone when it is over"
    done = subprocess.run([GEN, "eval", workload, "-o", tmp_path / "out"], capture_output=True, timeout=120)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b""), "a log has nothing of it"


def test_a_short_evaluation_says_nothing(tmp_path):
    assert on_a_terminal(GEN, "eval", HERE.parents[1] / "examples/scale/scale.json", "-o", tmp_path) == ("", 0)
