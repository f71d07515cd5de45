# SPDX-License-Identifier: MIT
"""Platform a2a3 with pto-runtime's own builder, bindings and host library, and stand-ins for the toolkit, the
device and PTO-ISA (tests/a2a3/stand_in): it shows how pto-runtime is built and called for a device, and that the
graph and the code of kernels get there; not that anything runs on one."""
import json
import os
import pathlib
import shutil
import subprocess
import sys

import pytest
from conftest import BRIDGE, GIVEN, ROOT, artifact, generate, needs_pto_runtime, python, run
from traps_test import twice

pytestmark = needs_pto_runtime
TOOLCHAIN = "CANN 0 (stand-in of PtoWsp's tests)"


@pytest.fixture(scope="module")
def stand_in(tmp_path_factory):
    """The toolkit, with a device and CANN's libraries behind it."""
    folder = shutil.copytree(ROOT / "tests/a2a3/stand_in", tmp_path_factory.mktemp("device") / "stand_in",
                             symlinks=True)
    toolkit = folder / "toolkit"
    (toolkit / "lib64").mkdir()
    source = pathlib.Path(GIVEN, "src")
    for library, text in (("runtime", (toolkit / "device.cpp").read_text()), ("ascendcl", "int nothing;")):
        subprocess.run(["g++", "-shared", "-fPIC", "-O1", "-std=c++17", "-w", f"-I{toolkit}/include",
                        f"-I{source}/runtime/host_build_graph/runtime", f"-I{source}/platform/a2a3/common", "-x", "c++",
                        "-o", toolkit / f"lib64/lib{library}.so", "-"], input=text, text=True, check=True)
    return folder


@pytest.fixture(scope="module")
def device_runtime(stand_in):
    """pto-runtime's libraries for a2a3, by its own RuntimeBuilder."""
    folder = stand_in.parent / "runtime"
    done = python(BRIDGE / "build_runtime.py", GIVEN, "-o", folder, "--platform", "a2a3", "--toolchain", TOOLCHAIN,
                  env={"PTOWSP_TEST_STAND_IN": "1", "ASCEND_HOME_PATH": str(stand_in / "toolkit")})
    assert (done.returncode, done.stderr) == (0, "")
    return folder


def device_artifact(workload, folder, stand_in):
    """An artifact for both platforms, as a build makes it."""
    artifact(workload, folder)
    generate("emit", folder.parent / f"{workload['name']}.json", "-o", folder, "--name", workload["name"], "--platform",
             "a2a3", "--limits", "pinned")
    for listed in sorted(folder.glob("kernels/device/*.list")):
        done = subprocess.run(
            [sys.executable, "-B", BRIDGE / "device_kernel.py", listed.stem.removeprefix("kernel_"), "--tree", folder, "-o",
             folder / "a2a3", "--toolchain", TOOLCHAIN, "--pto-isa", stand_in / "pto_isa", "--",
             stand_in / "toolkit/bin/ccec"], env={**os.environ, "PTOWSP_TEST_STAND_IN": "1"}, capture_output=True,
            text=True)
        assert done.returncode == 0, done.stderr
    generate("seal", "--platform", "a2a3", "--manifest", folder / "manifest.json", "--ready", folder / "ready.a2a3",
             "--arch", "dav-c220", "--toolchain", TOOLCHAIN, "--orchestration",
             f"pto-runtime={folder}/orchestration.pto-runtime.so", "--device-kernels", folder / "a2a3",
             "--inputs", folder / "inputs", "--expected", folder / "expected")
    return folder


@pytest.fixture
def launched(stand_in, device_runtime, tmp_path):
    device = tmp_path / "davinci0"
    device.write_text("")

    def launch(folder, *options):
        return run(os.environ["PTOWSP_RUN"], folder, "--platform", "a2a3", "--runtime", device_runtime, *options,
                   env={"PTOWSP_DEVICE_FILE": str(device), "LD_LIBRARY_PATH": str(stand_in / "toolkit/lib64")})
    return launch


def test_graphs_and_kernels_get_to_the_device(launched, stand_in, tmp_path):
    done = launched(device_artifact(twice(), tmp_path / "a", stand_in), "--repeat", 2)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("pair: right. 4 tasks")


def chain(tasks):
    """More tasks than one launch holds, each with the one before it: launches, and memory between them."""
    workload = twice(name="chain", tasks=1)
    workload["tensors"][0]["init"] = {"constant": 0}
    workload["tensors"][0]["role"] = workload["tensors"][1]["role"] = "inout"
    workload["tensors"][1]["init"] = {"constant": 0}
    workload["program"] = [{"for": "i", "extent": tasks // 2, "mode": "sequential", "body": [
        {"task": "twice", "args": {"a": "x", "b": "y"}}, {"task": "twice", "args": {"a": "y", "b": "x"}}]}]
    return workload


def test_several_launches_in_one_process(launched, stand_in, tmp_path):
    folder = device_artifact(chain(1500), tmp_path / "a", stand_in)
    assert json.loads((folder / "manifest.json").read_text())["graph"]["segments"] == 2
    done = launched(folder)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_kernel_that_was_not_registered(launched, stand_in, tmp_path):
    """Whoever calls it with another image registered notices from the ledger."""
    folder = device_artifact(twice(), tmp_path / "a", stand_in)
    silent = bytes.fromhex("c3" + "90" * 15) if os.uname().machine == "x86_64" else bytes.fromhex("c0035fd6" * 4)
    (folder / "a2a3/kernel_twice.bin").write_bytes(silent)
    done = launched(folder)
    assert done.returncode == 3
    assert "pair: error: the completion ledger is not as expected for 4 of 4 tasks" in done.stderr
