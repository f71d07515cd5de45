# SPDX-License-Identifier: MIT
"""A stand-in for pto-runtime's module in PtoWsp's tests. For a2a3 it uses the toolkit that ASCEND_HOME_PATH
names as pto-runtime does; the host's library is the built-in runtime's."""
import os
import subprocess
import tempfile

_ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_CORE = ["-c", "-O3", "-g", "-x", "cce", "-Wall", "-std=c++17", "--cce-aicore-only"]
_MLLVM = ["-cce-aicore-stack-size=0x8000", "-cce-aicore-function-stack-size=0x8000",
          "-cce-aicore-record-overflow=false", "-cce-aicore-addr-transform",
          "-cce-aicore-dcci-insert-for-scalar=false"]
_AICPU = ["-Wall", "-Wextra", "-std=gnu++17", "-rdynamic", "-O3", "-fPIC", "-Werror",
          "-Wno-error=variadic-macros", "-fno-common", "-g"]


class RuntimeBuilder:
    def __init__(self, platform="a2a3", runtime_root=None):
        self.platform = platform

    def build(self, name):
        assert name == "host_build_graph"
        with open(os.environ["PTOWSP_SIM"], "rb") as file:
            host = file.read()
        source = os.path.join(_ROOT, "src/platform/a2a3")
        with tempfile.TemporaryDirectory() as folder:
            aicpu, aicore = os.path.join(folder, "aicpu.so"), os.path.join(folder, "aicore.o")
            if self.platform == "a2a3sim":
                for output in (aicpu, aicore):
                    _run("g++", "-shared", "-fPIC", "-o", output, f"{source}/aicpu/kernel.cpp")
            else:
                toolkit = os.environ["ASCEND_HOME_PATH"]
                compiler = f"{toolkit}/tools/hcc/bin/aarch64-target-linux-gnu-g++"
                _run(compiler, *_AICPU, "-c", "-o", f"{folder}/aicpu.o", f"{source}/aicpu/kernel.cpp")
                _run(compiler, "-shared", "-o", aicpu, f"{folder}/aicpu.o")
                parts = [_aicore(toolkit, folder, source, *core)
                         for core in (("cube", "__AIC__"), ("vec", "__AIV__"))]
                _run(f"{toolkit}/bin/ld.lld", "-m", "aicorelinux", "-Ttext=0", "-static", "-n", "-o", aicore,
                     *parts)
            return host, _bytes(aicpu), _bytes(aicore)


def _aicore(toolkit, folder, source, machine, define):
    """What runs on one type of core, compiled and combined."""
    part = f"{folder}/kernel_{machine}.o"
    _run(f"{toolkit}/bin/ccec", *_CORE, *(word for option in _MLLVM for word in ("-mllvm", option)),
         f"-I{source}/aicore", f"-D{define}", f"--cce-aicore-arch=dav-c220-{machine}", "-o", part,
         f"{source}/aicore/kernel.cpp")
    combined = f"{folder}/{machine}_combined.o"
    _run(f"{toolkit}/bin/ld.lld", "-r", "-o", combined, part)
    return combined


def _run(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed: {done.stderr}")


def _bytes(path):
    with open(path, "rb") as file:
        return file.read()
