# SPDX-License-Identifier: MIT
"""What ptowsp-run shows of each task's tiles: --dump-tensors keeps them, --trap-nan looks for a NaN in them."""

import json

import numpy as np
import pytest
from pair import SANITIZED, Artifact, expect, run

# ---- --dump-tensors ----


def test_dump_keeps_what_every_task_read_and_wrote(artifact, tmp_path):
    folder = tmp_path / "dump"
    result = run(artifact.write(), "--dump-tensors", folder)
    expect(artifact, result, 0, "", "pair: right. 8 tasks, T ms, largest error 0 (abs) 0 (rel).\n")
    names = [*(f"00000{r}.twice.r={r}" for r in range(4)), *(f"00000{4 + q}.increment.q={q}" for q in range(4))]
    assert sorted(path.name for path in folder.iterdir()) == [*names, "index.json"]
    for task, name in enumerate(names):
        rows = artifact.x[2 * (task % 4) : 2 * (task % 4) + 2]
        read, wrote = (rows, 2 * rows) if task < 4 else (2 * rows, 2 * rows + 1)
        files = {path.name: np.load(path) for path in (folder / name).iterdir()}
        assert files.keys() == {"v.in.npy", "w.out.npy"}
        np.testing.assert_array_equal(files["v.in.npy"], read)
        np.testing.assert_array_equal(files["w.out.npy"], wrote)
        assert files["w.out.npy"].dtype == np.float32
    index = json.loads((folder / "index.json").read_text())
    assert index[6] == {"task": 6, "name": "increment[q=2]", "kernel": "increment", "tiles": [
        {"name": "v", "first": "t[4, 0]", "in": "000006.increment.q=2/v.in.npy"},
        {"name": "w", "first": "y[4, 0]", "out": "000006.increment.q=2/w.out.npy"}]}  # fmt: skip
    assert len(index) == 8


def test_dump_has_the_shape_of_the_tile(tmp_path):
    artifact = Artifact(tmp_path / "pair.ptowsp")
    for kernel in artifact.manifest["kernels"]:
        for tile in kernel["tiles"]:
            tile.update(rows=4, cols=2)  # the same bytes, seen as four rows
    folder = tmp_path / "dump"
    assert run(artifact.write(), "--dump-tensors", folder).returncode == 0
    np.testing.assert_array_equal(np.load(folder / "000001.twice.r=1/v.in.npy"), artifact.x[2:4].reshape(4, 2))


@pytest.mark.parametrize("patterns, tasks", [
    (["twice*"], [0, 1, 2, 3]), (["increment"], [4, 5, 6, 7]), (["*[?=1]"], [1, 5]),
    (["3"], [3]), (["twice[r=0]", "6"], [0, 6]),
])  # fmt: skip
def test_dump_of_chosen_tasks(artifact, tmp_path, patterns, tasks):
    folder = tmp_path / "dump"
    assert run(artifact.write(), "--dump-tensors", folder, "--dump-tasks", *patterns).returncode == 0
    assert sorted(int(path.name[:6]) for path in folder.glob("0*")) == tasks
    assert [entry["task"] for entry in json.loads((folder / "index.json").read_text())] == tasks


def test_dump_of_one_task_and_what_it_waits_for(artifact, tmp_path):
    folder = tmp_path / "dump"
    assert run(artifact.write(), "--dump-tensors", folder, "--only", 6).returncode == 0
    assert sorted(int(path.name[:6]) for path in folder.glob("0*")) == [2, 6]


def test_dump_of_no_task(artifact, tmp_path):
    result = run(artifact.write(), "--dump-tensors", tmp_path / "dump", "--dump-tasks", "thrice*")
    expect(artifact, result, 2, "--dump-tasks: error: found no task that runs and has such a name\n"
           "  fix: give numbers, or names in which * stands for any characters, like twice[r=0]\n", "")
    assert not (tmp_path / "dump").exists()


def test_dump_that_would_be_too_large(artifact, tmp_path):
    # 8 tasks with two files of 4 KiB each: 64 KiB.
    result = run(artifact.write(), "--dump-tensors", "dump", "--dump-limit", "63KiB")
    expect(artifact, result, 2,
           "--dump-tensors dump: error: the tiles of 8 tasks would take 0.0625 MiB in 16 files, and at most 0.0615 MiB are allowed\n"
           "  fix: choose tasks with --dump-tasks, for example --dump-tasks 'twice[r=0]', or allow more with --dump-limit\n", "")
    assert run(artifact, "--dump-tensors", tmp_path / "dump", "--dump-limit", "64KiB").returncode == 0


def test_dump_into_a_folder_that_is_not_empty(artifact, tmp_path):
    folder = tmp_path / "dump"
    folder.mkdir()
    assert run(artifact.write(), "--dump-tensors", folder).returncode == 0
    result = run(artifact, "--dump-tensors", folder)
    expect(artifact, result, 2, f"--dump-tensors {folder}: error: found a folder that is not empty\n"
           "  fix: give a new or an empty folder\n", "")


def test_dump_into_a_file(artifact, tmp_path):
    (tmp_path / "file").write_text("")
    result = run(artifact.write(), "--dump-tensors", tmp_path / "file/dump")
    expect(artifact, result, 2, f"--dump-tensors {tmp_path}/file/dump: error: cannot make the folder: Not a directory\n"
           "  fix: give a folder that can be written\n", "")


@pytest.mark.skipif(SANITIZED, reason="the sanitizer ends the process first")
def test_dump_keeps_what_a_crashed_task_had_read(artifact, tmp_path):
    artifact.use(increment="crash")
    folder = tmp_path / "dump"
    result = run(artifact.write(), "--dump-tensors", folder)
    assert result.returncode == 3 and "task 6 is increment[q=2]" in result.stderr
    np.testing.assert_array_equal(np.load(folder / "000006.increment.q=2/v.in.npy"), 2 * artifact.x[4:6])
    assert not (folder / "000006.increment.q=2/w.out.npy").exists()


# ---- --trap-nan ----

# x counts from -3, so that its first 10 is element [1, 1] of the second tile.
TRAPPED = """pair: error: task 1, twice[r=1] made {what}: element [1, 1] of its tile w, t[3, 1]
  note: it read v, from x[2, 0] on: least 5, mean 8.5, most 12; [1, 1] is 10
  note: it wrote w: {wrote}
  fix: look at kernel twice; its tiles as files: --only 1 --dump-tensors DIR
"""
FINITE = "least 10, mean 14, most 18"


@pytest.mark.parametrize("order", [("--workers", 1), ("--workers", 2), *(("--schedule-seed", seed) for seed in range(12))])
def test_trap_finds_the_first_in_program_order(artifact, tmp_path, order):
    result = run(artifact.use(twice="nan").write(), "--trap-nan", "--block-dim", 4, *order)
    expect(artifact, result, 3, TRAPPED.format(what="a NaN", wrote=FINITE + ", 3 NaN"))
    assert result.stdout.startswith("pair: failed. ")


def test_trap_stops_what_comes_behind(artifact):
    result = run(artifact.use(twice="nan").write(), "--trap-nan", "--workers", 1, "--json")
    report = json.loads(result.stdout)
    # In whatever order: task 1 ran, and nothing that had its NaN from it.
    assert 2 <= report["stats"]["completed"] <= 7
    assert report["outcome"] == "failed"


@pytest.mark.parametrize("workers", [1, 2])
def test_trap_of_a_later_step(artifact, workers):
    """twice gives 10 or more from the fourth tile row on: its element [1, 0] is the first, 2 (x = 5)."""
    result = run(artifact.use(increment="nan").write(), "--trap-nan", "--workers", workers)
    expect(artifact, result, 3, """pair: error: task 5, increment[q=1] made a NaN: element [0, 0] of its tile w, y[2, 0]
  note: it read v, from t[2, 0] on: least 10, mean 17, most 24; [0, 0] is 10
  note: it wrote w: no finite element, 8 NaN
  fix: look at kernel increment; its tiles as files: --only 5 --dump-tensors DIR
""")


def test_trap_passes_a_right_run(artifact):
    result = run(artifact.write(), "--trap-nan")
    expect(artifact, result, 0, "", "pair: right. 8 tasks, T ms, largest error 0 (abs) 0 (rel).\n")


def test_trap_tells_of_a_nan_that_came_with_an_input(artifact):
    x = artifact.x.copy()
    x[5, 2] = np.nan
    np.save(artifact.folder / "inputs/x.npy", x)
    np.save(artifact.folder / "expected/y.npy", 2 * x + 1)
    result = run(artifact.write(), "--trap-nan")
    expect(artifact, result, 0, "", "pair: right. 8 tasks, T ms, largest error 0 (abs) 0 (rel).\n"
           "  note: no task made a NaN; 2 tasks were given one with what they read, first task 2, twice[r=2]\n")


def test_a_wrong_nan_leads_to_the_trap(artifact):
    result = run(artifact.use(twice="nan").write())
    assert result.returncode == 1
    assert "y[3, 1] is nan, expected 21\n" in result.stderr
    assert "\n  note: --trap-nan names the first task that makes a NaN\n" in result.stderr


def test_trap_of_infinities(artifact):
    artifact.use(twice="inf")
    assert run(artifact.write(), "--trap-nan").returncode == 1, "wrong, but no NaN"
    result = run(artifact, "--trap-inf")
    expect(artifact, result, 3, TRAPPED.format(what="a negative infinity", wrote=FINITE + ", 3 infinite"))


def test_trap_and_dump_are_for_two_runs(artifact, tmp_path):
    result = run(artifact.write(), "--trap-nan", "--dump-tensors", tmp_path / "dump")
    assert result.returncode == 2 and "excludes" in result.stderr
