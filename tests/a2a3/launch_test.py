# SPDX-License-Identifier: MIT
"""Runs on platform a2a3, with PtoWsp's own modules and the built-in runtime in the place of pto-runtime's
and a device's: how it is launched, not what a device does."""
import json
import os
import shutil
import subprocess
import sys

import pytest
from conftest import TOOLCHAIN, DeviceProject, lay_out
from project import run, workload

RUN = os.environ["PTOWSP_RUN"]


@pytest.fixture(scope="module")
def built(tmp_path_factory, package):
    folder = tmp_path_factory.mktemp("launch")
    project = DeviceProject(folder / "project", package, "Ninja", lay_out(folder / "stand_in"))
    project.put("one.json", workload(a=2.0, b=3.0))
    project.write("ptowsp_add_workload(one SOURCE one.json PLATFORMS a2a3sim a2a3)")
    project.configure()
    project.build("--target", "ptowsp.workloads")
    return project


@pytest.fixture
def artifact(built, tmp_path):
    """A copy to damage."""
    return shutil.copytree(built.artifact("one"), tmp_path / "one.ptowsp")


def launch(built, artifact, *options, env=None, runtime=None):
    done = subprocess.run(
        [RUN, str(artifact), "--platform", "a2a3", "--runtime",
         str(runtime or built.build_folder / "ptowsp.pto_runtime_a2a3"), *map(str, options)],
        env={**os.environ, **built.environment, **(env or {})}, capture_output=True, text=True, timeout=120)
    return done


def test_right_and_what_was_registered(built, tmp_path):
    log = tmp_path / "registered"
    done = launch(built, built.artifact("one"), "--json", env={"PTOWSP_TEST_REGISTERED": str(log)})
    assert (done.returncode, done.stderr) == (0, "")
    report = json.loads(done.stdout)
    assert (report["platform"], report["kernel_arch"]) == ("a2a3", "dav-c220")
    sizes = [(built.artifact("one") / f"a2a3/kernel_{k}.bin").stat().st_size for k in "ab"]
    assert log.read_text() == f"0 {sizes[0]}\n1 {sizes[1]}\n", "the code itself, not an address"


def test_the_device_that_is_asked_for(built):
    (built.device.parent / "davinci3").write_text("")
    done = launch(built, built.artifact("one"), "--device", 3, env={"PTOWSP_TEST_DEVICE": "3"})
    assert (done.returncode, done.stderr) == (0, "")


def test_no_device(built):
    done = launch(built, built.artifact("one"), "--device", 7)
    reason = f"there is no device 7: found no {built.device.parent}/davinci7, the file that stands for it"
    assert (done.returncode, done.stdout, done.stderr) == (77, "", f"platform a2a3: skipped: {reason}\n")
    done = launch(built, built.artifact("one"), env={"PTOWSP_REQUIRE": "a2a3", "PTOWSP_DEVICE_FILE": ""})
    assert (done.returncode, done.stdout, done.stderr) == (
        3, "", "platform a2a3: error: there is no device 0: found no /dev/davinci0, the file that stands for "
        "it; and PTOWSP_REQUIRE asks for a2a3\n"
        "  fix: take a2a3 out of PTOWSP_REQUIRE, or do what the reason says\n")


def test_wrong_code_is_a_wrong_result_and_damage_is_named(built, artifact):
    shutil.copy(artifact / "a2a3/kernel_a.bin", artifact / "a2a3/kernel_b.bin")
    done = launch(built, artifact)
    assert done.returncode == 1 and "one: error: y_b[0, 0] is " in done.stderr
    (artifact / "a2a3/kernel_b.bin").unlink()
    done = launch(built, artifact)
    assert (done.returncode, done.stderr) == (
        2, f"{artifact}/a2a3/kernel_b.bin: error: found no such file, expected the code of kernel b\n"
        "  fix: build the target one again\n")
    (artifact / "ready.a2a3").unlink()
    done = launch(built, artifact)
    assert (done.returncode, done.stderr) == (
        2, f"{artifact}: error: found no `ready.a2a3` file, which a build for a2a3 writes when it has finished\n"
        "  fix: build the workload's target and mend what that reports\n")


def test_kernels_and_runtime_of_different_toolchains(built, artifact):
    ready = artifact / "ready.a2a3"
    ready.write_text(ready.read_text().replace(TOOLCHAIN, "CANN 8.0"))
    done = launch(built, artifact)
    assert (done.returncode, done.stderr) == (
        2, f"{artifact}/ready.a2a3: error: found kernels compiled by CANN 8.0, expected the toolchain of the "
        f"runtime: {TOOLCHAIN}\n  fix: build the target one again\n")


def test_the_ledger_is_not_shared_with_a_device(built, artifact):
    """A kernel that stamps nothing is noticed from what came back; a crash leaves nothing to tell from."""
    silent = bytes.fromhex("c3" + "90" * 15) if os.uname().machine == "x86_64" else \
        bytes.fromhex("c0035fd6" + "1f2003d5" * 3)
    (artifact / "a2a3/kernel_b.bin").write_bytes(silent)
    done = launch(built, artifact)
    assert done.returncode == 3
    assert "one: error: the completion ledger is not as expected for 2 of 4 tasks" in done.stderr
    assert "--platform a2a3sim" in done.stderr
    crash = bytes.fromhex("0f0b" + "90" * 14) if os.uname().machine == "x86_64" else bytes(16)
    (artifact / "a2a3/kernel_b.bin").write_bytes(crash)
    done = launch(built, artifact)
    assert done.returncode == 3
    assert "which tasks ran is not known: on a device the ledger comes back with the results" in done.stderr


def test_platforms_that_do_not_fit(built):
    simulated, device = (built.build_folder / f"ptowsp.pto_runtime{end}" for end in ("", "_a2a3"))
    done = launch(built, built.artifact("one"), runtime=simulated)
    assert (done.returncode, done.stderr) == (
        2, f"{simulated}: error: found a runtime for platform a2a3sim, expected a2a3\n"
        "  fix: give --platform a2a3sim, or another --runtime\n")
    done = run(RUN, built.artifact("one"), "--runtime", device, succeed=None)
    assert (done.code, done.text) == (
        2, f"{device}: error: found a runtime for platform a2a3, expected a2a3sim\n"
        "  fix: give --platform a2a3, or another --runtime\n")


def test_a_runtime_that_does_not_build_says_why(built, tmp_path):
    project = built
    launcher = project.stand_in / "toolkit/bin/ld.lld"
    kept = launcher.read_text()
    launcher.write_text("#!/bin/sh\necho no such machine >&2\nexit 1\n")
    (project.build_folder / "ptowsp.pto_runtime_a2a3/runtime.json").unlink()
    try:
        text = project.build("--target", "ptowsp.pto_runtime_a2a3", succeed=False).text
        assert f"building the libraries of pto-runtime in {project.stand_in}/pto_runtime for a2a3 failed: " in text
        assert "no such machine" in text
        assert ("  fix: look whether CMake, make and the CANN toolkit in ASCEND_HOME_PATH work, or set "
                "ASCEND_HOME_PATH to OFF: a2a3 is skipped then\n") in text
    finally:
        launcher.write_text(kept)
    project.build("--target", "ptowsp.pto_runtime_a2a3")


def test_each_slot_of_the_ledger_has_a_cache_line(built):
    """The orchestration, called as launch.py does it for a device (bit 1 of the ledger's address)."""
    script = """
import struct, sys, ctypes
sys.path.insert(0, sys.argv[1])
import bindings
import numpy as np
folder, runtime_folder = sys.argv[2:]
runtime_class = bindings.bind_host_binary(runtime_folder + "/host.so")
x, y_a, y_b = (np.full((16, 16), value, np.float32) for value in (1, 0, 0))
for how, words in ((0, 1), (2, 8)):
    ledger = np.zeros((4, words), np.uint64)
    bindings.set_device(0)
    for func_id, name in enumerate("ab"):
        bindings.register_kernel(func_id, open(f"{folder}/a2a3/kernel_{name}.bin", "rb").read())
    runtime = runtime_class()
    runtime.initialize(open(folder + "/orchestration.pto-runtime.so", "rb").read(), "build_pto_wsp_graph",
                       [number for array in (x, y_a, y_b) for number in (array.ctypes.data, array.nbytes)]
                       + [0, ledger.ctypes.data | how])
    bindings.launch_runtime(runtime, 1, 1, 0, b"-", b"-")
    runtime.finalize()
    assert (y_a == 2).all() and (y_b == 3).all()
    print(ledger[:, 0].tolist(), int(ledger.sum()))
"""
    done = subprocess.run([sys.executable, "-B", "-c", script, built.environment["PTOWSP_TEST_BUILTIN"],
                           built.artifact("one"), built.build_folder / "ptowsp.pto_runtime_a2a3"],
                          capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "[1, 2, 3, 4] 10\n[1, 2, 3, 4] 10\n"), done.stderr
