# SPDX-License-Identifier: MIT
"""many_runs.py keeps what it found: it goes on where it was ended, and tells right from wrong."""
import json

import many_runs
import pytest
from conftest import ROOT, python

IDENTITY = {"pto_runtime": "0db0ea4b", "runner": "0.1.0"}


def test_a_table_goes_on_where_it_was_ended(tmp_path):
    table = many_runs.Table(tmp_path, IDENTITY, again=False)
    table.add("a/a", "right", 0.25, "")
    table.add("a/a", "reported", 1.5, "a: error: the ledger\n  fix: look\n")
    assert table.good, "what is reported is no result"
    again = many_runs.Table(tmp_path, IDENTITY, again=False)
    assert again.runs("a/a") == 2 and again.runs("b/b") == 0
    again.add("b/b", "wrong", 0.5, "b: error: y[0] is 1\n")
    assert not again.good
    rows = json.loads((tmp_path / "table.json").read_text())["workloads"]
    assert rows["a/a"] == {"right": 1, "reported": 1, "wrong": 0, "other": 0, "seconds": [0.25, 1.5],
                           "messages": ["reported: a: error: the ledger\n  fix: look"]}
    assert (rows["b/b"]["right"], rows["b/b"]["wrong"]) == (0, 1)
    log = [line.split(" ", 1)[1] for line in (tmp_path / "progress.log").read_text().splitlines()]
    assert log == ["a/a 1 right 0.25 s", "a/a 2 reported 1.50 s  a: error: the ledger",
                   "b/b 1 wrong 0.50 s  b: error: y[0] is 1"]
    assert [line.split() for line in again.text().splitlines()[1:]] == [
        ["a/a", "1", "1", "0", "0", "0.88"], ["b/b", "0", "0", "1", "0", "0.50"]]
    assert many_runs.Table(tmp_path, IDENTITY, again=True).runs("a/a") == 0


def test_an_end_that_is_none_of_these_is_not_good(tmp_path):
    table = many_runs.Table(tmp_path, IDENTITY, again=False)
    table.add("a/a", "exit 2", 0.1, "usage")
    assert not table.good and table.row("a/a")["other"] == 1


def test_another_runtime_is_another_table(tmp_path):
    many_runs.Table(tmp_path, IDENTITY, again=False).add("a/a", "right", 1, "")
    with pytest.raises(SystemExit, match="table.json is about other programs: .*0db0ea4b.*, now .*4242.*; --again begins anew"):
        many_runs.Table(tmp_path, {**IDENTITY, "pto_runtime": "4242"}, again=False)


@pytest.mark.parametrize("program, said, outcome", [
    ("exit 0", "", "right"), ("exit 1", "", "wrong"), ("echo no >&2; exit 3", "no\n", "reported"), ("exit 2", "", "exit 2"),
    ("kill -9 $$", "", "exit -9")])
def test_outcomes_are_exit_codes_of_the_runner(program, said, outcome, tmp_path, monkeypatch):
    runner = tmp_path / "run"
    runner.write_text(f"#!/bin/sh\n{program}\n")
    runner.chmod(0o755)
    monkeypatch.setenv("PTOWSP_RUN", str(runner))
    found, seconds, message = many_runs.run_once(tmp_path, tmp_path)
    assert (found, message) == (outcome, said) and 0 < seconds < 60


def test_without_a_runtime_it_is_a_skip(tmp_path):
    program = ROOT / "tests/bridge/many_runs.py"
    done = python(program, "-o", tmp_path, env={"PTO_RUNTIME_PATH": "OFF"})
    assert (done.returncode, done.stdout) == (
        77, "skipped: no pto-runtime: set PTO_RUNTIME_PATH to a checkout\n")
    done = python(program, "-o", tmp_path, "--nightly", env={"PTO_RUNTIME_PATH": "/x", "PTOWSP_TIER": "ci"})
    assert (done.returncode, done.stdout) == (77, "skipped: a long test: PTOWSP_TIER=nightly runs it\n")
    done = python(program, "-o", tmp_path, "soft", env={"PTO_RUNTIME_PATH": "/x"})
    assert done.returncode == 2 and "there is no example soft; there are attention" in done.stderr
