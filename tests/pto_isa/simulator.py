# SPDX-License-Identifier: MIT
"""Artifacts whose kernels are those for the device, on PTO-ISA's CPU simulator.

The built-in runtime runs them as it runs kernels for a2a3sim, and ptowsp-run holds the results against
the reference evaluation, and the ledger against the graph.
"""

import json
import os
import resource
import subprocess

import toolchain

# The simulator has all tiles of a kernel on the stack, none in another's place.
STACK = 256 << 20


def emit(workload_file, folder):
    """The process of ptowsp-gen for both platforms."""
    return toolchain.generator("emit", workload_file, "-o", folder, "--name", "w",
                               "--platform", "a2a3sim", "--platform", "a2a3")


def device_sources(folder):
    manifest = json.loads((folder / "manifest.json").read_text())
    return [folder / kernel["sources"]["a2a3"] for kernel in manifest["kernels"]]


def compile_kernels(sources, library):
    """All kernels as one library: nearly all of the time goes into PTO-ISA's headers."""
    unity = sources[0].with_name("unity.cpp")
    unity.write_text("\n".join(source.read_text() for source in sources))
    isa = os.environ["PTOWSP_TEST_PTO_ISA"]
    done = subprocess.run(
        [os.environ["PTOWSP_TEST_PTO_ISA_CLANG"], "-std=c++20", "-O1", "-w", "-D__CPU_SIM",
         "-DPTO_CPU_MAX_THREADS=1u", "-include", "cstdint", "-include", "cstddef", f"-I{isa}/include",
         "-ffp-contract=off", "-fPIC", "-shared", "-o", library, unity],
        capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr


def artifact(workload_file, folder):
    """A ready artifact of the workload."""
    folder.mkdir(parents=True, exist_ok=True)
    toolchain.expect_success(emit(workload_file, folder))
    toolchain.expect_success(toolchain.generator("eval", workload_file, "-o", folder, timeout=300))
    manifest = json.loads((folder / "manifest.json").read_text())
    library = folder / "kernels.so"
    compile_kernels(device_sources(folder), library)
    toolchain.compile_all([toolchain.orchestration_job(folder, manifest)])
    return toolchain.seal_artifact(folder, toolchain.kernel_levels()[0],
                                   dict.fromkeys(toolchain.libraries(manifest), library))


def run(folder):
    """ptowsp-run's process; threads get the stack that is allowed when it starts."""
    hard = resource.getrlimit(resource.RLIMIT_STACK)[1]
    size = STACK if hard == resource.RLIM_INFINITY else min(STACK, hard)
    return subprocess.run(
        [os.environ["PTOWSP_RUN"], str(folder), "--workers", "1", "--timeout", "240"],
        capture_output=True, text=True, timeout=300,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_STACK, (size, hard)))


def failure(workload_file, folder):
    """What is wrong with the workload's kernels, or None."""
    done = run(artifact(workload_file, folder))
    return None if done.returncode == 0 else f"exit {done.returncode}\n{done.stdout}{done.stderr}"
