# SPDX-License-Identifier: MIT
"""A consumer project for platform a2a3, with stand-ins for what it needs: nothing here shows that anything
works on a device."""
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
STAND_IN = HERE / "stand_in"
sys.path.insert(0, str(HERE.parent / "cmake"))

import project as consumer  # noqa: E402

BUILD = pathlib.Path(os.environ["PTOWSP_BUILD_DIR"])
TOOLCHAIN = "CANN 0 (stand-in of PtoWsp's tests)"


def lay_out(folder):
    """The stand-ins: a toolkit, PTO-ISA and pto-runtime."""
    shutil.copytree(STAND_IN, folder, symlinks=True)
    header = folder / "pto_runtime/src/runtime/host_build_graph/runtime/runtime.h"
    header.write_text(header.read_text().replace("BUILTIN_RUNTIME_H", str(BUILD / "include/ptowsp/sim/runtime.h")))
    return folder


class DeviceProject(consumer.Project):
    """All commands run with the stand-ins in the environment, and so do tests."""

    def __init__(self, folder, package, generator, stand_in):
        super().__init__(folder, package, generator)
        self.stand_in = stand_in
        self.device = folder / "davinci0"
        self.device.write_text("")

    @property
    def environment(self):
        return {"PTOWSP_TEST_STAND_IN": "1", "PTOWSP_TEST_BUILTIN": str(BUILD / "share/ptowsp/pto_runtime/builtin"),
                "ASCEND_HOME_PATH": str(self.stand_in / "toolkit"),
                "PTO_ISA_PATH": str(self.stand_in / "pto_isa"),
                "PTO_RUNTIME_PATH": str(self.stand_in / "pto_runtime"),
                "PTOWSP_DEVICE_FILE": str(self.device.parent / "davinci{id}")}

    def configure(self, *options, succeed=True, env=None):
        return super().configure("-DCMAKE_BUILD_TYPE=Release", *options, succeed=succeed,
                                 env={**self.environment, **(env or {})})

    def build(self, *arguments, env=None, **more):
        return super().build(*arguments, env={**self.environment, **(env or {})}, **more)

    def ctest(self, *arguments, env=None, **more):
        return super().ctest(*arguments, env={**self.environment, **(env or {})}, **more)

    def device_compiles(self, result):
        """Kernels that a build compiled for the device."""
        return sorted(line.rpartition("Compiling ")[2].removesuffix(" for a2a3")
                      for line in result.text.splitlines() if line.endswith(" for a2a3") and "Compiling" in line)


@pytest.fixture(scope="session")
def package(tmp_path_factory):
    prefix = tmp_path_factory.mktemp("prefix") / "préfix"
    subprocess.run(["cmake", "--install", BUILD, "--prefix", prefix], check=True, stdout=subprocess.DEVNULL)
    return prefix


@pytest.fixture
def stand_in(tmp_path):
    return lay_out(tmp_path / "stand_in")


@pytest.fixture(params=consumer.GENERATORS, ids=["ninja", "ninja-multi", "make"])
def project(request, tmp_path, package, stand_in):
    return DeviceProject(tmp_path / "pröject with blanks", package, request.param, stand_in)


@pytest.fixture
def ninja_project(tmp_path, package, stand_in):
    return DeviceProject(tmp_path / "pröject with blanks", package, "Ninja", stand_in)


def multiply(then=None):
    """y = x x for a cube core, in one kernel with another op behind it for two."""
    body = [{"op": "matmul", "args": ["u", "u"], "result": "s"}]
    if then:
        body += [{"op": then, "args": ["s", 2.0], "result": "e"}]
    body += [{"op": "store", "args": ["v", "e" if then else "s"]}]
    tensors = [{"name": name, "dtype": "f32", "shape": [16, 16], "role": role}
               for name, role in (("x", "input"), ("y", "output"))]
    params = [{"name": name, "tile": [16, 16], "dtype": "f32", "access": access}
              for name, access in (("u", "in"), ("v", "out"))]
    return {"ptowsp": 1, "name": "product", "tensors": tensors,
            "kernels": [{"name": "square", "params": params, "body": body}],
            "program": [{"task": "square", "args": {"u": "x", "v": "y"}}]}
