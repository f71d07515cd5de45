# SPDX-License-Identifier: MIT
"""Where the tools are that programs are built and run with. Nothing is run here."""
from __future__ import annotations

import glob
import os
import re
import shutil

from pto_wsp._check import find_tool
from pto_wsp.errors import PtoError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn


def _missing(what: str, fix: str) -> NoReturn:
    raise PtoError(f"error: {what}\n  fix: {fix}")


class Tools:
    """PtoWsp's own tools, in one build tree or install tree.

    gen: ptowsp-gen; cmake_dir: the folder of PtoWspConfig.cmake; glue: libptowsp_glue_c.so.
    """

    def __init__(self) -> None:
        self.gen = find_tool("ptowsp-gen", "PTOWSP_GEN")
        self.root = os.path.dirname(os.path.dirname(os.path.realpath(self.gen)))

    @property
    def cmake_dir(self) -> str:
        """The folder of PtoWspConfig.cmake."""
        return os.path.dirname(self._below(
            ["PtoWspConfig.cmake", "lib*/cmake/PtoWsp/PtoWspConfig.cmake",
             "lib/*/cmake/PtoWsp/PtoWspConfig.cmake"], "PtoWsp's CMake package"))

    @property
    def glue(self) -> str:
        """libptowsp_glue_c.so, which runs programs."""
        return self._below(["lib*/libptowsp_glue_c.so", "lib/*/libptowsp_glue_c.so"],
                           "libptowsp_glue_c.so")

    @property
    def bridge(self) -> str:
        """The folder of the programs that drive an external pto-runtime."""
        return os.path.dirname(self._below(["share/ptowsp/pto_runtime/build_runtime.py"],
                                           "the bridge to pto-runtime"))

    def _below(self, patterns: list[str], what: str) -> str:
        for pattern in patterns:
            found = sorted(glob.glob(os.path.join(glob.escape(self.root), pattern)))
            if found:
                return found[0]
        _missing(f"{what} was not found below {self.root}, where ptowsp-gen is",
                 "install PtoWsp again, or build all of its build tree")

    def identity(self) -> list[object]:
        """What distinguishes this PtoWsp from another: its tools, and its CMake function."""
        config = os.path.join(self.cmake_dir, "PtoWspConfig.cmake")
        with open(config, encoding="utf-8", errors="surrogateescape") as file:
            included = re.search(r'include\("(.*/)?PtoWspAddWorkload\.cmake"\)', file.read())
        folder = (included.group(1) if included else None) or self.cmake_dir
        if folder.startswith("${"):  # installed: beside the configuration
            folder = self.cmake_dir
        functions = sorted(glob.glob(os.path.join(glob.escape(folder), "PtoWsp*.cmake")))
        return [fingerprint(path) for path in (
            self.gen, self.glue, os.path.join(os.path.dirname(self.glue), "libptowsp_sim.so"),
            config, *functions)]


def fingerprint(path: str) -> list[object]:
    """Path, size and time of a file: different for different contents of tools."""
    path = os.path.realpath(path)
    try:
        status = os.stat(path)
    except OSError:
        return [path, 0, 0]
    return [path, status.st_size, status.st_mtime_ns]


def find_program(name: str, debian: str) -> str:
    """A program on PATH."""
    path = shutil.which(name)
    if path is None:
        _missing(f"{name} was not found on PATH; programs are built with CMake, Ninja and a C++ "
                 "compiler", f"on Debian: apt install {debian}")
    return path


def find_compiler() -> str:
    """The C++ compiler that CMake will take, for the cache's key and a clear error."""
    given = os.environ.get("CXX", "").split()
    if given:
        return find_program(given[0], "g++, or set CXX to a compiler that exists")
    for name in ("c++", "g++", "clang++"):
        path = shutil.which(name)
        if path is not None:
            return path
    return find_program("c++", "g++")
