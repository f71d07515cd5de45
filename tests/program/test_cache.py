# SPDX-License-Identifier: MIT
"""The cache folder: nothing is built twice, nothing half-built is ever used, old entries go."""
import fcntl
import os
import pathlib
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from conftest import PACKAGE, SIM, entries, numbers, python, scaled
from pto_wsp import PtoError
from pto_wsp._cache import Cache

HERE = pathlib.Path(__file__).parent


def maker(size=0, log=None):
    def make(scratch, result):
        if log is not None:
            log.append(scratch)
        os.mkdir(result)
        pathlib.Path(result, "file").write_bytes(b"x" * size)
    return make


def refuse(scratch, result):
    raise AssertionError("made again")


# --- what programs do with it ---


def test_the_second_program_builds_nothing(filled_cache, monkeypatch):
    x, y = numbers(8, 4), np.zeros((8, 4), np.float32)
    (entry,) = entries(filled_cache)
    times = {path: path.stat().st_mtime_ns for path in entry.rglob("*") if path.name != ".entry"}
    monkeypatch.setattr(subprocess, "Popen", lambda *a, **k: pytest.fail("a process was started"))
    program = scaled(x, y)[0].compile(target=SIM)
    program.execute()
    np.testing.assert_array_equal(y, 2 * x)
    assert program.codegen_artifact_dir == str(entry)
    assert times == {path: path.stat().st_mtime_ns for path in entry.rglob("*") if path.name != ".entry"}


def test_what_differs_is_another_entry(filled_cache, monkeypatch):
    wl = scaled(None, None)[0]
    folders = {wl.compile(target="a2a3sim_codegen").codegen_artifact_dir}
    for other in (wl.named("other").compile(target="a2a3sim_codegen"),
                  wl.compile(target="a2a3sim_codegen", races="allow"),
                  wl.compile(target=SIM)):
        assert other.codegen_artifact_dir not in folders
        folders.add(other.codegen_artifact_dir)
    monkeypatch.setenv("CXXFLAGS", "-DNOTHING")
    flags = wl.compile(target=SIM).codegen_artifact_dir
    assert flags not in folders
    monkeypatch.delenv("CXXFLAGS")
    assert wl.compile(target=SIM).codegen_artifact_dir in folders


def test_processes_at_once(own_cache):
    processes = [subprocess.Popen([sys.executable, "-B", HERE / "snippet.py"], stderr=subprocess.PIPE,
                                  text=True, env={**os.environ, "PYTHONPATH": str(PACKAGE)})
                 for _ in range(3)]
    for process in processes:
        assert process.communicate(timeout=120)[1] == ""
        assert process.returncode == 0
    assert len(entries(own_cache)) == 1
    assert os.listdir(own_cache / "making") == []


@pytest.mark.parametrize("file, damage", [
    ("kernel_scale.so", lambda data: data[:len(data) // 2]),
    ("manifest.json", lambda data: data.replace(b'"tasks": 2', b'"tasks": 3')),
    ("ready", None),
])
def test_damaged_entries_are_made_anew(filled_cache, file, damage):
    code = ("import sys; sys.path.insert(0, sys.argv[1])\nfrom conftest import *\n"
            "x, y = numbers(8, 4), np.zeros((8, 4), np.float32)\n"
            "scaled(x, y)[0].compile(target=SIM).execute()\nassert (y == 2 * x).all()\n")
    (entry,) = entries(filled_cache)
    path, data = entry / file, (entry / file).read_bytes()
    if damage is None:
        path.unlink()
    else:
        assert damage(data) != data
        path.write_bytes(damage(data))
    done = python(code, str(HERE))
    assert (done.returncode, done.stderr) == (0, "")
    assert (entry / file).read_bytes() == data
    assert len(entries(filled_cache)) == 1


def test_an_interrupted_build_leaves_nothing(own_cache):
    code = ("import sys; sys.path.insert(0, sys.argv[1])\nfrom conftest import *\n"
            "print('begun', flush=True)\nscaled(None, None)[0].compile(target=SIM)\n")
    process = subprocess.Popen([sys.executable, "-B", "-c", code, str(HERE)], text=True,
                               env={**os.environ, "PYTHONPATH": str(PACKAGE)}, stdout=subprocess.PIPE)
    assert process.stdout.readline() == "begun\n"
    limit = time.monotonic() + 30
    while not list(own_cache.glob("making/*/build")) and time.monotonic() < limit:
        time.sleep(0.005)
    process.kill()
    process.wait()
    assert entries(own_cache) == []
    assert os.listdir(own_cache / "making") != [], "it was killed while it built"
    x, y = numbers(8, 4), np.zeros((8, 4), np.float32)
    scaled(x, y)[0].compile(target=SIM).execute()
    np.testing.assert_array_equal(y, 2 * x)
    assert len(entries(own_cache)) == 1
    # A compiler may have outlived the process for a moment.
    limit = time.monotonic() + 30
    while os.listdir(own_cache / "making") and time.monotonic() < limit:
        time.sleep(0.1)
        Cache().take(f"{time.monotonic_ns():040}", maker())
    assert os.listdir(own_cache / "making") == []


# --- the folder itself ---


def test_entries_are_made_once(own_cache):
    log = []
    first = Cache().take("ab1", maker(log=log))
    again = Cache().take("ab1", refuse)
    assert first.path == again.path == str(own_cache / "programs" / "ab1")
    assert pathlib.Path(first.path, "file").exists()
    assert len(log) == 1 and not os.path.exists(log[0])


def test_a_build_that_fails_leaves_nothing_and_is_tried_again(own_cache):
    def broken(scratch, result):
        maker()(scratch, result)
        raise RuntimeError("half made")

    with pytest.raises(RuntimeError):
        Cache().take("ab1", broken)
    assert entries(own_cache) == [] and os.listdir(own_cache / "making") == []
    Cache().take("ab1", maker())


def test_threads_at_once(own_cache):
    log, paths = [], []

    def slow(scratch, result):
        time.sleep(0.05)
        maker(log=log)(scratch, result)

    threads = [threading.Thread(target=lambda: paths.append(Cache().take("ab1", slow).path))
               for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(log) == 1 and len(paths) == 8


def test_an_entry_that_lost_its_mark_is_made_anew(own_cache):
    path = pathlib.Path(Cache().take("ab1", maker()).path)
    (path / ".entry").unlink()
    (path / "file").unlink()
    assert os.path.exists(os.path.join(Cache().take("ab1", maker()).path, "file"))


def test_a_discarded_entry_is_made_anew(own_cache):
    log = []
    entry = Cache().take("ab1", maker())
    entry.close()
    Cache().discard("ab1")
    Cache().discard("ab1")  # another process was first
    Cache().take("ab1", maker(log=log))
    assert len(log) == 1


def test_the_entries_not_used_for_longest_go(own_cache, monkeypatch):
    monkeypatch.setenv("PTOWSP_CACHE_SIZE", "4")
    for n, key in enumerate(["aa", "bb", "cc"]):
        entry = Cache().take(key, maker(size=1 << 20))
        os.utime(os.path.join(entry.path, ".entry"), ns=(n, n))
        entry.close()
    Cache().take("aa", refuse).close()  # used last now
    Cache().take("dd", maker(size=(2 << 20) - 9000)).close()
    assert [path.name for path in entries(own_cache)] == ["aa", "cc", "dd"]


def test_what_is_in_use_stays(own_cache, monkeypatch):
    monkeypatch.setenv("PTOWSP_CACHE_SIZE", "1")
    used = Cache().take("aa", maker(size=1 << 20))
    Cache().take("bb", maker(size=1 << 20)).close()
    Cache().take("cc", maker(size=1 << 20)).close()
    assert "aa" in [path.name for path in entries(own_cache)]
    used.close()
    Cache().take("dd", maker(size=1 << 20)).close()
    assert "aa" not in [path.name for path in entries(own_cache)]


def test_what_killed_processes_left_is_swept_and_what_others_make_is_not(own_cache):
    making = own_cache / "making"
    for name in ("left", "busy", "new", "old"):
        (making / name).mkdir(parents=True)
    (making / "left" / ".lock").touch()
    lock = os.open(making / "busy" / ".lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(lock, fcntl.LOCK_EX)
    os.utime(making / "old", (1, 1))
    Cache().take("aa", maker())
    assert sorted(os.listdir(making)) == ["busy", "new"]
    os.close(lock)


def test_a_bad_size(own_cache, monkeypatch):
    monkeypatch.setenv("PTOWSP_CACHE_SIZE", "1 GB")
    with pytest.raises(PtoError) as caught:
        Cache()
    assert str(caught.value) == ("error: PTOWSP_CACHE_SIZE is '1 GB', expected a number of MiB\n"
                                 "  fix: set it to a whole number, or unset it (1024)")


def test_a_folder_that_cannot_be_used(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("PTOWSP_CACHE_DIR", str(tmp_path / "file"))
    with pytest.raises(PtoError) as caught:
        scaled(None, None)[0].compile(target=SIM)
    first, fix = str(caught.value).splitlines()
    assert first.startswith(f"error: the cache folder {tmp_path / 'file'} cannot be used: ")
    assert fix == "  fix: set PTOWSP_CACHE_DIR to a folder that can be written"


def test_where_it_is(tmp_path, monkeypatch):
    monkeypatch.delenv("PTOWSP_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert Cache().folder == str(tmp_path / "xdg" / "ptowsp")
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert Cache().folder == str(tmp_path / ".cache" / "ptowsp")
