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

import numpy as np
import pytest

BUILD = pathlib.Path(os.environ["PTOWSP_BUILD_DIR"])
ROOT = pathlib.Path(__file__).resolve().parents[2]
BRIDGE = BUILD / "share/ptowsp/pto_runtime"
BUILTIN = BRIDGE / "builtin"
GIVEN = os.environ.get("PTO_RUNTIME_PATH", "")
needs_pto_runtime = pytest.mark.skipif(
    GIVEN in ("", "OFF"), reason="PTO_RUNTIME_PATH is not set: it names a checkout of pto-runtime")
LEVEL = "aarch64" if os.uname().machine == "aarch64" else "x86-64-v2"
F_SETPIPE_SZ = 1031


def run(*command, env=None, **options):
    """A finished process, whatever its exit code."""
    environment = {name: value for name, value in os.environ.items() if name != "PTOWSP_REQUIRE"}
    return subprocess.run([str(part) for part in command], env={**environment, **(env or {})}, text=True,
                          capture_output=True, timeout=300, **options)


def python(*arguments, env=None, **options):
    return run(sys.executable, "-B", *arguments, env=env, **options)


def patient(*command, pause=0.01, **options):
    """A finished process whose output is taken slowly where pto-runtime says that it waits: so its scheduler
    does not give up on cores that a busy machine has not got round to. Exit code and output."""
    reader, writer = os.pipe2(os.O_CLOEXEC | os.O_DIRECT)  # one write at a time
    fcntl.fcntl(writer, F_SETPIPE_SZ, 1)
    lines = []

    def take():
        while chunk := os.read(reader, 4096):
            lines.append(chunk)
            if b"idle iterations, progress" in chunk:
                time.sleep(pause)

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
