# SPDX-License-Identifier: MIT
"""From a traced workload to what its targets need: the emitted tree, or the artifact that a CMake
project with one ptowsp_add_workload() makes. Both lie in the cache."""
from __future__ import annotations

import os
import subprocess
import sys

from pto_wsp import _tools
from pto_wsp._cache import Cache, Entry
from pto_wsp._check import check
from pto_wsp._names import fit
from pto_wsp.errors import CompileError, PtoError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable
    from pto_wsp._device import Device
    from pto_wsp._tools import Tools
    from pto_wsp.trace import Traced

# Everything in the environment that changes what CMake and the compiler make.
_VARIABLES = ("CXX", "CXXFLAGS", "CPPFLAGS", "LDFLAGS", "CPATH", "CPLUS_INCLUDE_PATH",
              "LIBRARY_PATH", "COMPILER_PATH")
_FORMAT = 1  # of the entries; another number makes all programs anew

_PROJECT = """\
cmake_minimum_required(VERSION 3.25)
project(program LANGUAGES CXX)
find_package(PtoWsp CONFIG REQUIRED)
ptowsp_add_workload({name} SOURCE {name}.json NO_DATA RACES {races} DEPENDENCIES {dependences}
  PLATFORMS {platforms} OUTPUT_DIRECTORY ../result)
"""


_OPTIONS = (
    "-DCMAKE_BUILD_TYPE=Release",
    # Leaves out a test program whose results (sizes of types, folders of libraries) nothing here
    # uses.
    "-DCMAKE_CXX_ABI_COMPILED=1",
)


def identifier(name: str) -> str:
    """The workload's name as a CMake target has it. With its ending it is no name that C, C++ or
    CMake keep for themselves."""
    return fit(name, "workload").rstrip("_") + "_program"


def emit(tools: Tools, traced: Traced, races: str, for_device: bool) -> Entry:
    """The emitted tree, as `ptowsp-gen emit` writes it. CompileError for mistakes."""
    platforms = ["--platform", "a2a3sim", "--platform", "a2a3"] if for_device else []

    def make(scratch: str, result: str) -> None:
        check(traced, "--races", races, *platforms)
        source = _write_source(scratch, traced)
        _run([tools.gen, "emit", source, "-o", result, "--name", identifier(traced.name),
              "--races", races, "--dependences", traced.dependences, *platforms], traced)

    key = _key(["emit", _tools.fingerprint(tools.gen), races, traced.dependences, *platforms],
               traced.json_text)
    return Cache().take(key, make)


class Artifact:
    """What a build makes, in the cache. path: its folder."""

    def __init__(self, tools: Tools, traced: Traced, races: str, level: str,
                 pto_runtime: str | None, device: Device | None) -> None:
        cmake = _tools.find_program("cmake", "cmake")
        ninja = _tools.find_program("ninja", "ninja-build")
        compiler = _tools.find_compiler()
        environment = sorted((name, value) for name, value in os.environ.items()
                             if name in _VARIABLES or name.startswith("CMAKE_"))
        self._key = _key(["artifact", tools.identity(),
                          *map(_tools.fingerprint, (cmake, ninja, compiler)),
                          environment, level, races, traced.dependences,
                          _runtime_identity(tools, pto_runtime),
                          device.identity() if device else []], traced.json_text)
        self._make = _maker(tools, traced, races, cmake, ninja, pto_runtime, device)
        self._cache = Cache()
        self._entry = self._cache.take(self._key, self._make)

    @property
    def path(self) -> str:
        return self._entry.path

    def rebuild(self) -> None:
        """Makes it anew, when what is in the cache turned out to be damaged."""
        self._entry.close()
        self._cache.discard(self._key)
        self._entry = self._cache.take(self._key, self._make)

    def close(self) -> None:
        """It may be evicted from the cache."""
        self._entry.close()


def external_runtime(tools: Tools, root: str, device: Device | None) -> Entry:
    """The libraries of the pto-runtime in a checkout, built by its own RuntimeBuilder. PtoError
    when that fails, or the version is unknown."""
    environment, options = dict(os.environ), []
    if device:
        environment["ASCEND_HOME_PATH"] = device.toolkit
        options = ["--platform", "a2a3", "--toolchain", device.toolchain]

    def make(scratch: str, result: str) -> None:
        done = subprocess.run(
            [sys.executable, "-B", os.path.join(tools.bridge, "build_runtime.py"), root,
             "-o", result, *options], env=environment,
            stdin=subprocess.DEVNULL, capture_output=True, close_fds=False, check=False)
        if done.returncode != 0:
            raise PtoError("error: " + done.stderr.decode(errors="replace").rstrip())

    identity = device.identity() if device else []
    return Cache().take(_key(["pto-runtime", _runtime_identity(tools, root), identity], ""), make)


def _runtime_identity(tools: Tools, root: str | None) -> list[object]:
    if root is None:
        return []
    files = [sys.executable,
             *(os.path.join(tools.bridge, name) for name in sorted(os.listdir(tools.bridge)))]
    for part in ("python", "src"):
        for folder, folders, names in os.walk(os.path.join(root, part)):
            folders[:] = sorted(name for name in folders if name != "__pycache__")
            files += [os.path.join(folder, name) for name in sorted(names)]
    return [_tools.fingerprint(file) for file in files]


def _maker(tools: Tools, traced: Traced, races: str, cmake: str, ninja: str,
           pto_runtime: str | None, device: Device | None) -> Callable[[str, str], None]:
    platforms, options = ["a2a3sim"], ["-DASCEND_HOME_PATH=OFF", "-DPTO_ISA_PATH=OFF"]
    if device:
        platforms.append("a2a3")
        options = [f"-DASCEND_HOME_PATH={device.toolkit}", f"-DPTO_ISA_PATH={device.pto_isa}"]

    def make(scratch: str, result: str) -> None:
        check(traced, "--races", races, *(word for platform in platforms
                                          for word in ("--platform", platform)))
        name = identifier(traced.name)
        source = os.path.dirname(_write_source(scratch, traced))
        with open(os.path.join(source, "CMakeLists.txt"), "w", encoding="utf-8") as file:
            file.write(_PROJECT.format(name=name, races=races, dependences=traced.dependences,
                                       platforms=" ".join(platforms)))
        build = os.path.join(scratch, "build")
        _run([cmake, "-G", "Ninja", "-S", source, "-B", build, f"-DCMAKE_MAKE_PROGRAM={ninja}",
              f"-DPtoWsp_DIR={tools.cmake_dir}", f"-DPTO_RUNTIME_PATH={pto_runtime or 'OFF'}",
              *options, *_OPTIONS], traced)
        _run([ninja, "-C", build, name], traced)

    return make


def _write_source(scratch: str, traced: Traced) -> str:
    folder = os.path.join(scratch, "source")
    os.mkdir(folder)
    path = os.path.join(folder, identifier(traced.name) + ".json")
    with open(path, "w", encoding="utf-8") as file:
        file.write(traced.json_text)
    return path


def _key(parts: list[object], workload: str) -> str:
    import hashlib
    text = repr([_FORMAT, parts, workload]).encode("utf-8", "surrogateescape")
    return hashlib.sha256(text).hexdigest()[:40]


def _run(command: list[str], traced: Traced) -> None:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, close_fds=False, check=False)
    if done.returncode == 0:
        return
    output = done.stdout.decode(errors="replace").strip().splitlines()
    shown = ["..."] * (len(output) > 40) + output[-40:]
    raise CompileError(
        f"building '{traced.name}' failed: {os.path.basename(command[0])} ended with status "
        f"{done.returncode}", rule="build-failed",
        text="\n".join([f"{traced.name}: error: {os.path.basename(command[0])} ended with status "
                        f"{done.returncode} [build-failed]", *(f"  | {line}" for line in shown),
                        "  fix: look whether CMake, Ninja and the compiler work; if they do, "
                        "report it"]))
