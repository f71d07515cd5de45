# SPDX-License-Identifier: MIT
"""Artifacts built by hand for the tests of the bridge, and programs run on pto-runtime."""
import fcntl
import json
import os
import pathlib
import subprocess
import sys
import threading
import time

import pytest

BUILD = pathlib.Path(os.environ["PTOWSP_BUILD_DIR"])
ROOT = pathlib.Path(__file__).resolve().parents[2]
BRIDGE = BUILD / "share/ptowsp/pto_runtime"
BUILTIN = BRIDGE / "builtin"
# The environment's, else the one that this build tree was configured with. Programs that tests start see it, too.
GIVEN = os.environ.get("PTO_RUNTIME_PATH") or os.environ.get("PTOWSP_TEST_PTO_RUNTIME", "")
os.environ["PTO_RUNTIME_PATH"] = GIVEN
MISSING = "no pto-runtime: set PTO_RUNTIME_PATH to a checkout, or git submodule update --init 3rdparty/pto-runtime, " \
    "and configure again"
needs_pto_runtime = pytest.mark.skipif(GIVEN in ("", "OFF"), reason=MISSING)
SKIPPED = 77
LEVEL = "aarch64" if os.uname().machine == "aarch64" else "x86-64-v2"
F_SETPIPE_SZ = 1031
PROJECT = """cmake_minimum_required(VERSION 3.25)
project(versions LANGUAGES CXX)
find_package(PtoWsp CONFIG REQUIRED)
enable_testing()
ptowsp_add_workload(scale SOURCE "%s")
"""


def pytest_collection_finish(session):
    """A file all of whose tests need pto-runtime is skipped as a whole, so that ctest says so."""
    if GIVEN in ("", "OFF") and session.items and all(
            needs_pto_runtime.mark in item.iter_markers("skipif") for item in session.items):
        pytest.exit(f"skipped: {MISSING}", SKIPPED)


def run(*command, env=None, **options):
    """A finished process, whatever its exit code."""
    environment = {name: value for name, value in os.environ.items() if name != "PTOWSP_REQUIRE"}
    return subprocess.run([str(part) for part in command], env={**environment, **(env or {})}, text=True,
                          capture_output=True, timeout=300, **options)


def python(*arguments, env=None, **options):
    return run(sys.executable, "-B", *arguments, env=env, **options)


def all_pass(build, *options):
    """ctest -L a2a3sim of a build tree, all of whose tests have to pass. On a busy machine pto-runtime gives up now
    and then; what that is reported for may try again, and nothing else."""
    for _ in range(5):
        done = run("ctest", "--test-dir", build, "-L", "a2a3sim", "--no-tests=error", "--output-on-failure", *options)
        failed = done.stdout.count("***Failed")
        if failed == 0 or failed != done.stdout.count("gives up, without an error"):
            break
    assert done.returncode == 0, done.stdout
    return done.stdout


def patient(*command, **options):
    """A finished process whose output is taken slowly where pto-runtime says that it waits, more and more so: then
    its scheduler does not give up on cores that a busy machine has not got round to. Exit code and output."""
    reader, writer = os.pipe2(os.O_CLOEXEC | os.O_DIRECT)  # one write at a time
    fcntl.fcntl(writer, F_SETPIPE_SZ, 1)
    lines = []

    def take():
        pause = 0.01
        while chunk := os.read(reader, 4096):
            lines.append(chunk)
            waits = b"idle iterations, progress" in chunk
            if waits:
                time.sleep(pause)
            pause = min(2 * pause, 0.2) if waits else 0.01

    taking = threading.Thread(target=take)
    taking.start()
    process = subprocess.Popen(["stdbuf", "-oL", *map(str, command)], stdout=writer, stderr=writer, **options)
    os.close(writer)
    code = process.wait(300)
    taking.join()
    os.close(reader)
    return code, b"".join(lines).decode(errors="replace")


def generate(command, *arguments):
    done = run(os.environ["PTOWSP_GEN"], command, *arguments)
    assert done.returncode == 0, done.stderr


def emitted(workload, folder):
    """The tree of a workload (its file, or the object in it), with inputs and expected results."""
    if isinstance(workload, dict):
        file = folder.parent / f"{workload['name']}.json"
        file.write_text(json.dumps(workload))
        workload = file
    generate("emit", workload, "-o", folder, "--name", workload.stem)
    generate("eval", workload, "-o", folder)
    return folder


def includes():
    done = python(BRIDGE / "versions.py", GIVEN)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[1:]


def compiled(source, library, *flags):
    done = run(os.environ.get("CXX", "g++"), "-shared", "-fPIC", "-O1", "-std=c++17", "-w", *flags, "-o",
               library, source)
    assert done.returncode == 0, done.stderr


def artifact(workload, folder, orchestration=None, kernel=None, flags=()):
    """An artifact for pto-runtime, as a build makes it. orchestration, kernel: C++ in the place of what was
    emitted, for all kernels; flags: for the orchestration."""
    emitted(workload, folder)
    source = folder / "kernels/orchestration/pto_wsp_orch.cpp"
    if orchestration:
        source = folder / "orchestration.cpp"
        source.write_text(orchestration)
    compiled(source, folder / "orchestration.pto-runtime.so", *flags,
             "-I", folder / "kernels/orchestration", *(f"-I{path}" for path in includes()))
    options = []
    for entry in json.loads((folder / "manifest.json").read_text())["kernels"]:
        library = folder / f"kernel_{entry['name']}.so"
        code = folder / entry["sources"]["a2a3sim"]
        if kernel:
            code = folder / f"{entry['name']}.cpp"
            code.write_text(kernel.replace("KERNEL", f"kernel_{entry['name']}"))
        compiled(code, library, "-O2", "-fno-stack-protector",
                 "-march=" + LEVEL.replace("aarch64", "armv8-a"))
        options += ["--kernel", f"{entry['name']}:{LEVEL}={library}"]
    generate("seal", "--manifest", folder / "manifest.json", "--ready", folder / "ready", "--arch", LEVEL,
             "--orchestration", f"pto-runtime={folder}/orchestration.pto-runtime.so",
             "--inputs", folder / "inputs", "--expected", folder / "expected", *options)
    return folder


@pytest.fixture
def project(tmp_path):
    """Configures a project with one workload; the finished cmake."""
    (tmp_path / "source").mkdir()
    (tmp_path / "source/CMakeLists.txt").write_text(PROJECT % (ROOT / "examples/scale/scale.json"))

    def configure(*options, environment=None):
        return run("cmake", "-G", "Ninja", "-S", tmp_path / "source", "-B", tmp_path / "build",
                   f"-DPtoWsp_DIR={BUILD}", *options, env={"PTO_RUNTIME_PATH": "", **(environment or {})})
    return configure


@pytest.fixture(scope="session")
def pto_runtime(tmp_path_factory):
    """The folder of pto-runtime's libraries."""
    folder = tmp_path_factory.mktemp("pto-runtime")
    done = python(BRIDGE / "build_runtime.py", GIVEN, "-o", folder)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    return folder


@pytest.fixture
def launched(pto_runtime):
    """Runs an artifact by ptowsp-run on pto-runtime."""
    def launch(folder, *options):
        return run(os.environ["PTOWSP_RUN"], folder, "--runtime", pto_runtime, *options)
    return launch
