# SPDX-License-Identifier: MIT
"""What ptowsp-run prints for machines (--json, docs/run.schema.json) and on a terminal."""

import json
import re
import sys
import time
from pathlib import Path

import jsonschema
import pytest
from pair import RUN, SANITIZED, SIM, run

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from on_terminal import on_a_terminal  # noqa: E402

SCHEMA = json.loads((Path(__file__).resolve().parents[2] / "docs/run.schema.json").read_text())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


# ---- --json ----


def wrong_in_one_element(artifact):
    artifact.use(increment="wrong")


def nan_that_was_not_expected(artifact):
    artifact.use(increment="nan")


def crash(artifact):
    artifact.use(increment="crash")


def cycle(artifact):
    artifact.use(orchestration="cycle")


def another_version(artifact):
    artifact.manifest["ptowsp_manifest"] = 99


def nothing(artifact):
    pass


@pytest.mark.parametrize("prepare, options, outcome, code", [
    (nothing, [], "right", 0),
    (nothing, ["--repeat", "3", "--stats"], "right", 0),
    (nothing, ["--only", "6"], "right", 0),
    (nothing, ["--trap-nan"], "right", 0),
    (wrong_in_one_element, [], "wrong", 1),
    (nan_that_was_not_expected, [], "wrong", 1),
    (nan_that_was_not_expected, ["--trap-nan"], "failed", 3),
    (crash, [], "failed", 3),
    (cycle, [], "failed", 3),
    (another_version, [], "bad artifact", 2),
    (nothing, ["--only", "no such task"], "bad artifact", 2),
    (nothing, ["--skip", "there is no x"], "skipped", 77),
])  # fmt: skip
def test_json_is_as_its_schema_says(artifact, prepare, options, outcome, code):
    if SANITIZED and prepare is crash:
        pytest.skip("the sanitizer ends the process first")
    prepare(artifact)
    result = run(artifact.write(), "--json", *options)
    report = json.loads(result.stdout)
    assert not list(VALIDATOR.iter_errors(report))
    assert (report["outcome"], report["exit_code"], result.returncode) == (outcome, code, code)
    if outcome != "right":  # the error is on stderr, too
        assert report["error"]["message"] in result.stderr


def test_json_has_a_remark(artifact):
    import numpy as np

    np.save(artifact.folder / "inputs/x.npy", artifact.x * np.nan)
    np.save(artifact.folder / "expected/y.npy", artifact.x * np.nan)
    report = json.loads(run(artifact.write(), "--json", "--trap-nan").stdout)
    assert not list(VALIDATOR.iter_errors(report))
    assert report["remark"] == "no task made a NaN; 8 tasks were given one with what they read, first task 0, twice[r=0]"


# ---- on a terminal ----


def on_terminal(artifact, *options, **variables):
    return on_a_terminal(RUN, artifact.folder, "--runtime", SIM, *options, **variables)


@pytest.mark.parametrize("options, variables, coloured", [
    ([], {}, True), (["--color", "never"], {}, False), ([], {"NO_COLOR": "1"}, False), ([], {"NO_COLOR": ""}, True),
    (["--color", "always"], {"NO_COLOR": "1"}, True), ([], {"TERM": "dumb"}, False),
])  # fmt: skip
def test_colours(artifact, options, variables, coloured):
    text, code = on_terminal(artifact.use(increment="wrong").write(), *options, **variables)
    assert code == 1 and "error:" in text
    assert ("\x1b[1;31m" in text) == coloured
    assert ("\x1b[" in text) == coloured


def test_colours_in_a_log(artifact):
    artifact.use(increment="wrong").write()
    plain, coloured = run(artifact), run(artifact, "--color", "always")
    assert "\x1b" not in plain.stderr + plain.stdout
    assert "\x1b[1;31merror:\x1b[0m" in coloured.stderr and "\x1b[1;31mwrong.\x1b[0m" in coloured.stdout


def test_progress_of_many_runs(artifact):
    built, count, took = artifact.write(), 5_000, 0.0
    while took < 3:  # the line comes up after a second
        count *= 4
        begun = time.monotonic()
        text, code = on_terminal(built, "--repeat", count, "--workers", "1")
        took = time.monotonic() - begun
        assert code == 0
    runs = [int(n) for n in re.findall(rf"\r\x1b\[Kpair: [a-z][^,\r]*, run (\d+) of {count}", text)]
    assert runs and runs == sorted(runs)
    assert re.search(rf"\r\x1b\[Kpair: \S+right\.\S* 8 tasks, {count} runs", text), "the line is gone when the result comes"


def test_progress_names_the_tasks_that_ran(artifact):
    text, code = on_terminal(artifact.use(increment="endless").write(), "--timeout", "2", "--workers", "1")
    assert code == 3
    assert re.search(r"\r\x1b\[Kpair: running the tasks, [5-7] of 8 tasks", text), text


def test_no_progress_of_a_short_run_or_in_a_log(artifact):
    artifact.write()
    assert "\x1b[K" not in on_terminal(artifact)[0]
    result = run(artifact.use(increment="endless").write(), "--timeout", 2)
    assert result.returncode == 3 and "\x1b" not in result.stderr and "\r" not in result.stderr
