# SPDX-License-Identifier: MIT
"""ptowsp-run, end to end, on a hand-written artifact: right runs, wrong results, and its command line."""

import json
import os
import subprocess

import numpy as np
import pytest
from pair import LEVEL, RUN, SANITIZED, SIM, VERSION, expect, fnv1a64, run

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


# ---- command line, platforms ----

USAGE = {
    ("--bogus",): "The following argument was not expected: --bogus",
    ("--workers", "0"): "--workers: Value 0 not in range 1 to 1048576",
    ("--workers", "many"): "--workers: Value many not in range 1 to 1048576",
    ("--timeout", "-1"): "--timeout: found -1, expected seconds, 0 to 1000000",
    ("--timeout", "nan"): "--timeout: found nan, expected seconds, 0 to 1000000",
    ("--trace", ""): "--trace: found an empty text; leave the option out, or give it a value",
    ("--inputs", ""): "--inputs: found an empty text; leave the option out, or give it a value",
    ("--only", ""): "--only: found an empty text; leave the option out, or give it a value",
    ("--rtol", "nan"): "--rtol: found 'nan', expected a number of 0 or more, like 0.001 or 1e-3",
    ("--atol", "-1"): "--atol: found '-1', expected a number of 0 or more, like 0.001 or 1e-3",
    ("--schedule-seed", "-1"): "--schedule-seed: found '-1', expected a whole number from 0 to "
                               "18446744073709551615, without leading zeros",
    ("--dump-tensors", "d", "--dump-limit", "-1"): "--dump-limit: found -1, expected a size like 500MiB",
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


LOST = "standard output: error: cannot write to it: {}\n  fix: give it a file that can be written, or /dev/null\n"


@pytest.mark.parametrize("options", [(), ("--json",), ("--stats",)])
def test_results_that_do_not_arrive(artifact, options):
    """Who reads them would take an empty file of a run that was right for nothing to say."""
    command = [RUN, str(artifact.write().folder), "--runtime", str(SIM), *options]
    for redirection, reason in ((">/dev/full", "No space left on device"), (">&-", "Bad file descriptor")):
        done = subprocess.run(["sh", "-c", f'"$@" {redirection}', "sh", *command], stderr=subprocess.PIPE, text=True)
        assert (done.returncode, done.stderr) == (2, LOST.format(reason))
    # What is worse is what the exit code says.
    done = subprocess.run(["sh", "-c", '"$@" >/dev/full', "sh", *command[:1], str(artifact.use(increment="wrong").write().folder),
                           *command[2:]], stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1 and done.stderr.endswith(LOST.format("No space left on device"))


def test_a_file_beyond_the_limit_of_the_shell(artifact, tmp_path):
    """The kernel's signal for it would end the process without a word."""
    target = tmp_path / "trace.json"
    command = [RUN, str(artifact.write().folder), "--runtime", str(SIM), "--trace", str(target)]
    done = subprocess.run(["sh", "-c", 'ulimit -f 0; exec "$@"', "sh", *command], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (
        2, f"{target}: error: cannot write it: File too large\n  fix: give a file that can be written to --trace\n")


@pytest.mark.skipif(SANITIZED, reason="a sanitizer needs more address space than there is")
def test_more_threads_than_the_machine_has(artifact):
    command = [RUN, str(artifact.write().folder), "--runtime", str(SIM), "--workers", "4096"]
    done = subprocess.run(["sh", "-c", 'ulimit -v 500000; exec "$@"', "sh", *command], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (
        3, "pair: error: cannot start 4096 worker threads: Resource temporarily unavailable; ask for fewer workers\n"
           "  fix: ask for fewer --workers, or raise the limits of this shell (ulimit -u, ulimit -v)\n")


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
