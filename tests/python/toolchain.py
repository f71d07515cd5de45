# SPDX-License-Identifier: MIT
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


# Runtimes to compile an orchestration for; the second has the limits of the pinned pto-runtime.
RUNTIMES = ("builtin", "builtin_limits")
PINNED_LIMITS = ["-DRUNTIME_MAX_TASKS=1024", "-DRUNTIME_MAX_FANOUT=512", "-DRUNTIME_MAX_ARGS=16",
                 "-DRUNTIME_MAX_TENSOR_PAIRS=64"]


def compile_artifact(workload_file, folder, level, optimisation="-O2", dependences="dataflow",
                     limits=()):
    """Emits, evaluates, compiles and seals `workload_file` into `folder`, a ready artifact. With
    `limits`, compiler options, there is an orchestration for ptowsp-run --pinned-limits too."""
    manifest = emit_artifact(workload_file, folder, dependences)
    jobs = [orchestration_job(folder, manifest)]
    if limits:
        jobs.append(orchestration_job(folder, manifest, "builtin_limits", limits))
    binaries = {}
    for name, source in libraries(manifest).items():
        binaries[name] = folder / f"kernel_{name}.so"
        jobs.append([*kernel_compiler(level, optimisation), "-o", str(binaries[name]),
                     str(folder / source)])
    compile_all(jobs)
    return seal_artifact(folder, level, binaries, RUNTIMES if limits else RUNTIMES[:1])


def libraries(manifest):
    """By kernel as the user named it: its source. That of a kernel that was split by core includes
    its parts."""
    sources = [kernel["sources"] for kernel in manifest["kernels"]]
    sources = [source.get("library", source["a2a3sim"]) for source in sources]
    return {Path(source).stem.removeprefix("kernel_"): source for source in sources}


def unity_artifact(workload_file, folder, level, optimisation="-O1"):
    """The same with all kernels in one library, which is much faster to build."""
    manifest = emit_artifact(workload_file, folder)
    library = folder / "kernels.so"
    sources = [folder / kernel["sources"]["a2a3sim"] for kernel in manifest["kernels"]]
    lines = [line for source in sources for line in source.read_text().splitlines()]
    # The second name that each kernel has would be there more than once.
    lines = [line for line in lines if not line.startswith("PTOWSP_KERNEL_ENTRY(")]
    unity = sources[0].with_name("unity.cpp")  # where the headers are found
    unity.write_text("\n".join(lines) + "\n")
    compile_all([orchestration_job(folder, manifest),
                 [*kernel_compiler(level, optimisation), "-o", str(library), str(unity)]])
    return seal_artifact(folder, level, dict.fromkeys(libraries(manifest), library))


def emit_artifact(workload_file, folder, dependences="dataflow", races="error"):
    """The emitted tree, inputs and expected outputs; the manifest."""
    folder.mkdir(parents=True, exist_ok=True)
    expect_success(generator("emit", workload_file, "-o", folder, "--name", "w",
                             "--dependences", dependences, "--races", races))
    expect_success(generator("eval", workload_file, "-o", folder))
    return json.loads((folder / "manifest.json").read_text())


def _compiler():
    return [os.environ.get("CXX", "c++"), "-std=c++17", "-fPIC", "-shared", "-w"]


def kernel_compiler(level, optimisation):
    march = "armv8-a" if level == "aarch64" else level
    return [*_compiler(), optimisation, f"-march={march}", "-ffp-contract=off", "-nostdlib"]


def orchestration_job(folder, manifest, runtime="builtin", options=()):
    """Not optimised: one graph is built for each compilation."""
    return [*_compiler(), "-O0", f"-I{RUNTIME_INCLUDE}", *options, "-o",
            str(folder / f"orchestration.{runtime}.so"),
            str(folder / manifest["orchestration"]["source"])]


def compile_all(jobs):
    for job in jobs:
        done = subprocess.run(job, capture_output=True, text=True, timeout=600)
        assert done.returncode == 0, f"{' '.join(job)}\n{done.stderr}"


def seal_artifact(folder, level, binaries, runtimes=RUNTIMES[:1]):
    """`binaries`: by kernel, the library that has it."""
    arguments = []
    for runtime in runtimes:
        arguments += ["--orchestration", f"{runtime}={folder}/orchestration.{runtime}.so"]
    for name, binary in binaries.items():
        arguments += ["--kernel", f"{name}:{level}={binary}"]
    expect_success(generator("seal", "--manifest", folder / "manifest.json", "--ready",
                             folder / "ready", "--arch", level, *arguments,
                             "--inputs", folder / "inputs", "--expected", folder / "expected"))
    return folder


def run(artifact, outputs, workers, schedule_seed=None, timeout=60, more=()):
    command = [os.environ["PTOWSP_RUN"], str(artifact), "--workers", str(workers), "--timeout",
               "30",
               "--outputs", str(outputs), *more]
    if schedule_seed is not None:
        command += ["--schedule-seed", str(schedule_seed)]
    return subprocess.run(command, timeout=timeout, capture_output=True, text=True,
                          errors="replace")
