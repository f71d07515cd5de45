# SPDX-License-Identifier: MIT
"""What is made once and used again: compilers behind ccache and distcc, and ptowsp-gen's own cache."""

import filecmp
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import time

import numpy
import pytest
from project import Project, run, workload

GENERATOR = os.environ["PTOWSP_GEN"]
CASES = sorted((pathlib.Path(__file__).resolve().parents[1] / "golden/cases").glob("*.json"))

# A part of the gallery with each kind of generated code: vector and cube kernels, split ones, channels, segments.
PART = ["scale", "bgemm", "mlp", "csp_pipeline", "lu"]


def needs(program):
    return pytest.mark.skipif(not shutil.which(program), reason=f"no {program}: apt install {program}")


# ---- compiler launchers -------------------------------------------------------------------------


@pytest.fixture
def gallery(tmp_path, package, source_dir):
    """Part of the gallery as one project."""
    project = Project(tmp_path / "gällery", package)
    calls = []
    for name in PART:
        folder = source_dir / "examples" / name
        file = folder / (f"{name}.json" if (folder / f"{name}.json").exists() else f"{name}.py")
        calls.append(f'ptowsp_add_workload({name} SOURCE "{file}")')
    project.write("\n".join(calls))
    return project


def artifacts(project):
    """Every file of the artifacts that was emitted or evaluated, with its bytes."""
    return {str(path.relative_to(project.build_folder)): path.read_bytes()
            for name in PART for path in sorted(project.artifact(name).rglob("*"))
            if path.is_file() and path.suffix in (".json", ".cpp", ".h", ".py", ".npy")}  # fmt: skip


@needs("ccache")
def test_a_second_clean_build_compiles_and_evaluates_nothing(gallery, tmp_path):
    env = {"CCACHE_DIR": str(tmp_path / "ccache"), "CCACHE_NODISABLE": "1"}

    def statistics():
        text = run("ccache", "--print-stats", env=env).text
        return {name: int(value) for name, value in re.findall(r"^(\w+)\t(\d+)$", text, re.MULTILINE)}

    def build():
        gallery.remove_build()
        run("ccache", "--zero-stats", env=env)
        gallery.configure("-DCMAKE_CXX_COMPILER_LAUNCHER=ccache", f"-DPTOWSP_CACHE_DIR={tmp_path / 'cäche'}")
        started = time.monotonic()
        result = gallery.build(env=env)
        print(f"built in {time.monotonic() - started:.2f} s")
        assert gallery.nothing_to_do()
        return result, statistics()

    first, counted = build()
    steps = len(first.compiled)
    assert steps >= 2 * len(PART)
    assert (counted["cache_miss"], counted["direct_cache_hit"]) == (steps, 0), counted
    made = artifacts(gallery)
    kept = age(tmp_path / "cäche")
    # Each is emitted; evaluated is what golden() does not give.
    assert len(kept) >= len(PART) + 1

    second, counted = build()
    assert len(second.compiled) == steps
    hits = counted["direct_cache_hit"] + counted["preprocessed_cache_hit"]
    assert (hits, counted["cache_miss"]) == (steps, 0), counted
    assert artifacts(gallery) == made
    assert used(tmp_path / "cäche", kept) == set(kept)
    assert gallery.ctest("-L", "a2a3sim").failed_tests == []


class Daemon:
    """A distccd of this machine that writes a log."""

    def __init__(self, folder, number):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.log = folder / f"distccd{number}.log"
        # Its own log file it would open as another user, who may not look into this folder.
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                ["distccd", "--no-detach", "--daemon", "--port", str(self.port), "--listen", "127.0.0.1", "--allow",
                 "127.0.0.1", "--jobs", "2", "--log-stderr", "--log-level", "info"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)  # fmt: skip

    def wait(self):
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        raise AssertionError(f"distccd did not start:\n{self.log.read_text()}")

    def compiled(self):
        return len(re.findall(r"COMPILE_OK", self.log.read_text()))

    def stop(self):
        self.process.terminate()
        self.process.wait()


@pytest.mark.skipif(not (shutil.which("distcc") and shutil.which("distccd")), reason="no distcc: apt install distcc")
def test_two_machines_compile_all_of_it(gallery, tmp_path):
    """Generated code leaves the machine preprocessed; nothing falls back to compiling here."""
    (tmp_path / "distcc").mkdir()
    daemons = [Daemon(tmp_path, number) for number in range(2)]
    try:
        for daemon in daemons:
            daemon.wait()
        hosts = " ".join(f"127.0.0.1:{daemon.port}/1" for daemon in daemons)
        env = {"DISTCC_HOSTS": hosts, "DISTCC_FALLBACK": "0", "DISTCC_DIR": str(tmp_path / "distcc"),
               "DISTCC_SKIP_LOCAL_RETRY": "1"}  # fmt: skip
        gallery.configure("-DCMAKE_CXX_COMPILER_LAUNCHER=distcc")
        # Two at once: distcc goes to the first host as long as that has time.
        steps = len(run("cmake", "--build", gallery.build_folder, "--parallel", "2", env=env).compiled)
        compiled = [daemon.compiled() for daemon in daemons]
    finally:
        for daemon in daemons:
            daemon.stop()
    print(f"{steps} compiles: {compiled}")
    assert steps >= 2 * len(PART) and sum(compiled) == steps and min(compiled) > 0, compiled
    assert gallery.ctest("-L", "a2a3sim").failed_tests == []


# ---- ptowsp-gen's cache -------------------------------------------------------------------------

A_DAY = 86400


def entries(cache):
    return [path for path in (cache / "generated").glob("*/*")] if cache.exists() else []


def age(cache):
    """Makes every entry look as if it was last used yesterday; the entries."""
    for entry in entries(cache):
        os.utime(entry, (time.time() - A_DAY,) * 2)
    return entries(cache)


def used(cache, kept):
    """Which entries were found since age()."""
    return {entry for entry in kept if entry.stat().st_mtime > time.time() - A_DAY / 2}


def generate(command, file, folder, *options, cache=None, succeed=True, env=None, program=GENERATOR):
    name = ["--name", "w"] if command == "emit" else []
    env = {**(env or {}), "PTOWSP_CACHE_DIR": str(cache) if cache else ""}
    return run(program, command, file, "-o", folder, *name, *options, env=env, succeed=succeed)


def same(one, other):
    """Whether two folders hold the same files with the same bytes."""
    compared = filecmp.dircmp(one, other)
    if compared.left_only or compared.right_only or compared.funny_files:
        return False
    _, differ, errors = filecmp.cmpfiles(one, other, compared.common_files, shallow=False)
    return not differ and not errors and all(same(one / sub, other / sub) for sub in compared.common_dirs)


@pytest.mark.parametrize("file", CASES, ids=[case.stem for case in CASES])
@pytest.mark.parametrize("command", ["emit", "eval"])
def test_a_hit_is_byte_identical(command, file, tmp_path):
    """Cold, warm, and without: the same files; what the second run wrote was found."""
    cache = tmp_path / "cache"
    results = [generate(command, file, tmp_path / name, cache=cache if name != "without" else None)
               for name in ("without", "cold")]  # fmt: skip
    kept = age(cache)
    assert len(kept) == (1 if "warning" not in results[0].text else 0)
    results.append(generate(command, file, tmp_path / "warm", cache=cache))
    assert used(cache, kept) == set(kept) and entries(cache) == kept
    assert {result.text for result in results} == {results[0].text}
    assert same(tmp_path / "without", tmp_path / "cold") and same(tmp_path / "without", tmp_path / "warm")
    assert any((tmp_path / "warm").rglob("*.*"))


def described(folder, factor=2.0, **tensor):
    description = workload(a=factor, b=3.0)
    description["tensors"][0].update(tensor)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "w.json").write_text(json.dumps(description))
    return folder / "w.json"


def test_whatever_changes_the_result_makes_another_entry(tmp_path):
    """Each variation against an uncached run; entries of the others lie beside it."""
    cache = tmp_path / "cache"
    file = described(tmp_path / "one")
    numpy.save(tmp_path / "x.npy", numpy.arange(256, dtype=numpy.float32).reshape(16, 16))
    numpy.save(tmp_path / "y.npy", numpy.ones((16, 16), numpy.float32))
    (tmp_path / "one/v.json").write_bytes(file.read_bytes())
    other = tmp_path / "ptowsp-gen"
    shutil.copy(GENERATOR, other)
    other.open("ab").write(b"\0")  # as if it were another build
    emitted = [
        [file], [described(tmp_path / "two", 2.5)], [tmp_path / "one/v.json"], [file, "--name", "v"],
        [file, "--dependences", "program_order"], [file, "--dependences", "explicit"], [file, "--races", "allow"],
        [file, "--limits", "pinned"], [file, "--platform", "a2a3sim", "--platform", "a2a3"],
    ]  # fmt: skip
    evaluated = [
        [file], [tmp_path / "two/w.json"], [file, "--seed", "1"], [file, "--input", f"x={tmp_path / 'x.npy'}"],
        [file, "--expected", f"y_a={tmp_path / 'y.npy'}"],
    ]  # fmt: skip

    def check(number, command, file, *options, program=GENERATOR):
        folders = [tmp_path / f"{number} {how}" for how in ("without", "with")]
        name = ["--name", "w"] if command == "emit" and "--name" not in options else []
        for folder, kept in zip(folders, ("", str(cache))):
            run(program, command, file, "-o", folder, *name, *options, env={"PTOWSP_CACHE_DIR": kept})
        assert same(*folders), options

    for again in range(2):
        for n, options in enumerate(emitted):
            check(f"{again} emit {n}", "emit", *options)
        for n, options in enumerate(evaluated):
            check(f"{again} eval {n}", "eval", *options)
        assert len(entries(cache)) == len(emitted) + len(evaluated)
    check("other emit", "emit", file, program=other)
    check("other eval", "eval", file, program=other)
    assert len(entries(cache)) == len(emitted) + len(evaluated) + 2


def test_inputs_are_known_by_their_content(tmp_path):
    """A file that changes in place is noticed; the same numbers from elsewhere are the same inputs."""
    cache = tmp_path / "cache"
    file = described(tmp_path, init={"npy": "x.npy"})
    ones = numpy.ones((16, 16), numpy.float32)
    for factor in (1, 5):
        numpy.save(tmp_path / "x.npy", factor * ones)
        generate("eval", file, tmp_path / "out", cache=cache)
        assert (numpy.load(tmp_path / "out/expected/y_a.npy") == 2 * factor * ones).all()
    assert len(entries(cache)) == 2
    kept = age(cache)
    numpy.save(tmp_path / "elsewhere.npy", ones)
    generate("eval", file, tmp_path / "out", "--input", f"x={tmp_path / 'elsewhere.npy'}", cache=cache)
    assert (numpy.load(tmp_path / "out/expected/y_a.npy") == 2 * ones).all()
    assert len(used(cache, kept)) == 1 and len(entries(cache)) == 2
    # All results given: nothing is evaluated, and nothing kept.
    numpy.save(tmp_path / "y.npy", ones)
    given = [f"--expected=y_{kernel}={tmp_path / 'y.npy'}" for kernel in "ab"]
    generate("eval", file, tmp_path / "given", *given, cache=tmp_path / "nothing")
    assert not entries(tmp_path / "nothing")


def test_a_table_in_a_file_is_part_of_what_is_emitted(tmp_path):
    cache = tmp_path / "cache"
    shutil.copytree(CASES[0].parent, tmp_path / "cases")
    description = json.loads((tmp_path / "cases/dispatch_table.json").read_text())
    policy = description["schedule"]["dispatch"]["dispatch_by"]["aicpu"]
    table, policy["table"] = policy["table"], "table.npy"
    file = tmp_path / "cases/w.json"
    file.write_text(json.dumps(description))
    for turned in (0, 1):
        numpy.save(tmp_path / "cases/table.npy", numpy.roll(numpy.array(table, numpy.int32), turned))
        generate("emit", file, tmp_path / f"with {turned}", cache=cache)
        generate("emit", file, tmp_path / f"without {turned}")
        assert same(tmp_path / f"with {turned}", tmp_path / f"without {turned}")
    assert not same(tmp_path / "with 0", tmp_path / "with 1") and len(entries(cache)) == 2


def test_mistakes_and_warnings_are_told_each_time(tmp_path, source_dir):
    cache = tmp_path / "cache"
    warned = source_dir / "tests/error/rules/unused.json"
    broken = described(tmp_path / "broken", 2.0, shape=[8, 16])
    texts = {file: [generate("emit", file, tmp_path / "out", cache=cache, succeed=file == warned).text
                    for _ in range(2)] for file in (warned, broken)}  # fmt: skip
    assert "warning" in texts[warned][0] and "error" in texts[broken][0]
    assert all(first == second for first, second in texts.values())
    assert not entries(cache)


@pytest.mark.parametrize("command", ["emit", "eval"])
def test_a_damaged_entry_is_told_and_made_again(command, tmp_path):
    cache = tmp_path / "cache"
    file = described(tmp_path)
    generate(command, file, tmp_path / "right")
    generate(command, file, tmp_path / "out", cache=cache)
    (entry,) = entries(cache)
    whole = entry.read_bytes()
    for damaged in (whole[: len(whole) // 2], whole[:-40] + b"\0" + whole[-39:], b""):
        entry.write_bytes(damaged)
        told = generate(command, file, tmp_path / "again", cache=cache).text
        assert told == f"ptowsp-gen: warning: the cache entry '{entry}' is damaged and is made again\n"
        assert entry.read_bytes() == whole and same(tmp_path / "right", tmp_path / "again")


def test_a_cache_that_cannot_be_used_fails_nothing(tmp_path):
    file = described(tmp_path)
    cache = tmp_path / "w.json" / "cache"
    told = generate("emit", file, tmp_path / "out", cache=cache).text
    folder = re.escape(f"{cache}/generated/")
    assert re.fullmatch(
        f"ptowsp-gen: warning: nothing is kept in the cache: cannot make folder '{folder}..': Not a directory\n", told
    )
    assert (tmp_path / "out/manifest.json").exists()
    told = generate("emit", file, tmp_path / "out", cache=cache, succeed=False, env={"PTOWSP_CACHE_SIZE": "1G"})
    assert told.code == 2
    assert told.text == (
        "ptowsp-gen: error: PTOWSP_CACHE_SIZE is '1G', expected a number of MiB\n"
        "  fix: set it to a whole number, or unset it (1024)\n"
    )


def test_many_processes_share_a_cache_that_is_too_small(tmp_path):
    """Entries come and go under them: 1 MiB, of which an evaluation of 200 KiB takes a fifth."""
    cache = tmp_path / "cache"
    files = []
    for n in range(6):
        file = described(tmp_path / f"{n}", float(n))
        description = json.loads(file.read_text())
        for tensor in description["tensors"]:
            tensor["shape"] = [1600, 16]
        description["program"][0]["extent"] = 200
        file.write_text(json.dumps(description))
        generate("eval", file, tmp_path / f"right {n}")
        files.append(file)
    env = {**os.environ, "PTOWSP_CACHE_DIR": str(cache), "PTOWSP_CACHE_SIZE": "1"}
    running = []
    for turn in range(5):
        for n, file in enumerate(files):
            folder = tmp_path / f"out {turn} {n}"
            running.append((n, folder, subprocess.Popen([GENERATOR, "eval", file, "-o", folder], env=env,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)))  # fmt: skip
    for n, folder, process in running:
        told, _ = process.communicate()
        assert (process.returncode, told) == (0, "")
        assert same(folder, tmp_path / f"right {n}")
    assert entries(cache)
