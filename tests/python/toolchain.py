"""Runs the programs under test: ptowsp-gen, the compiler on an emitted tree, ptowsp-run.

Paths come from the environment, which the ctests set: PTOWSP_GEN, PTOWSP_RUN and CXX.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
from pathlib import Path

GEN_TIMEOUT = 20.0
RUNTIME_INCLUDE = Path(__file__).resolve().parents[2] / "runtime_glue/sim/include"


def generator(*arguments, cwd=None, timeout=GEN_TIMEOUT):
    return subprocess.run([os.environ["PTOWSP_GEN"], *map(str, arguments)], cwd=cwd,
                          timeout=timeout,
                          capture_output=True, text=True, errors="replace")


def expect_success(done):
    assert done.returncode == 0, f"{' '.join(done.args)}\nexit {done.returncode}\n{done.stderr}"
    return done


def kernel_levels():
    """The micro-architecture levels that this machine can run, lowest first."""
    if platform.machine() in ("aarch64", "arm64"):
        return ["aarch64"]
    flags = set()
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("flags"):
            flags = set(line.split())
            break
    levels = ["x86-64-v2"]
    if {"avx2", "fma", "bmi2", "f16c"} <= flags:
        levels.append("x86-64-v3")
        if {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"} <= flags:
            levels.append("x86-64-v4")
    return levels


def compile_artifact(workload_file, folder, level, optimisation="-O2", dependences="dataflow"):
    """Emits, evaluates, compiles and seals `workload_file` into `folder`, a ready artifact."""
    folder.mkdir(parents=True, exist_ok=True)
    expect_success(generator("emit", workload_file, "-o", folder, "--name", "w",
                             "--dependences", dependences))
    expect_success(generator("eval", workload_file, "-o", folder))
    manifest = json.loads((folder / "manifest.json").read_text())
    compiler = [os.environ.get("CXX", "c++"), "-std=c++17", "-fPIC", "-shared", "-w"]
    orchestration = folder / "orchestration.builtin.so"
    jobs = [[*compiler, "-O1", f"-I{RUNTIME_INCLUDE}", "-o", str(orchestration),
             str(folder / manifest["orchestration"]["source"])]]
    arguments = []
    march = "armv8-a" if level == "aarch64" else level
    for kernel in manifest["kernels"]:
        binary = folder / f"kernel_{kernel['name']}.so"
        jobs.append([*compiler, optimisation, f"-march={march}", "-ffp-contract=off", "-nostdlib",
                     "-o", str(binary), str(folder / kernel["sources"]["a2a3sim"])])
        arguments += ["--kernel", f"{kernel['name']}:{level}={binary}"]
    for job in jobs:
        done = subprocess.run(job, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, f"{' '.join(job)}\n{done.stderr}"
    expect_success(generator("seal", "--manifest", folder / "manifest.json", "--ready",
                             folder / "ready",
                             "--arch", level, "--orchestration", f"builtin={orchestration}",
                             *arguments,
                             "--inputs", folder / "inputs", "--expected", folder / "expected"))
    return folder


def run(artifact, outputs, workers, schedule_seed=None, timeout=60):
    command = [os.environ["PTOWSP_RUN"], str(artifact), "--workers", str(workers), "--timeout",
               "30",
               "--outputs", str(outputs)]
    if schedule_seed is not None:
        command += ["--schedule-seed", str(schedule_seed)]
    return subprocess.run(command, timeout=timeout, capture_output=True, text=True,
                          errors="replace")
