# SPDX-License-Identifier: MIT
"""PTOCompiler for PtoWsp's built-in runtime, with the interface of pto-runtime's module of this
name. Compiles quietly; RuntimeError has what the compiler said."""
from __future__ import annotations

import os
import shlex
import subprocess
import tempfile

from _ptowsp_tree import check_platform, include_folder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Sequence


class PTOCompiler:
    """platform: "a2a3sim". The compiler is CXX of the environment, else g++."""

    def __init__(self, platform: str = "a2a3", ascend_home_path: str | None = None) -> None:
        check_platform(platform)
        self.platform = platform
        self._compiler = shlex.split(os.environ.get("CXX", "")) or ["g++"]

    def get_platform_include_dirs(self) -> list[str]:
        """The folders that an orchestration's includes are found in."""
        return [include_folder()]

    def compile_orchestration(self, source_path: str,
                              extra_include_dirs: Sequence[str] | None = None) -> bytes:
        """An orchestration as a shared library. The built-in runtime's runtime.h goes before any
        other in extra_include_dirs: a library that was made for another runtime would be
        refused."""
        folders = [*self.get_platform_include_dirs(), *(extra_include_dirs or ())]
        flags = ["-shared", "-fPIC", "-O3", "-g", "-std=c++17"]
        return self._compile(source_path, ".so", flags, folders)

    def compile_incore(self, source_path: str, core_type: str = "aiv",
                       pto_isa_root: str | None = None,
                       extra_include_dirs: Sequence[str] | None = None) -> bytes:
        """A kernel as an object file, of which extract_text_section() takes the code. core_type:
        "aiv" or "aic". pto_isa_root is for the device and not used."""
        if core_type not in ("aic", "aiv"):
            raise ValueError(f"core_type is {core_type!r}, expected 'aic' or 'aiv'")
        flags = ["-c", "-O2", "-fPIC", "-fno-plt", "-std=c++17"]
        return self._compile(source_path, ".o", flags, extra_include_dirs or ())

    def _compile(self, source: str, ending: str, flags: Sequence[str],
                 folders: Sequence[str]) -> bytes:
        source = os.path.abspath(source)
        if not os.path.isfile(source):
            raise FileNotFoundError(f"there is no source file {source}")
        with tempfile.TemporaryDirectory(prefix="ptowsp-") as scratch:
            result = os.path.join(scratch, "result" + ending)
            command = [*self._compiler, *flags,
                       *(f"-I{os.path.abspath(folder)}" for folder in folders),
                       "-o", result, source]
            try:
                done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                      stderr=subprocess.STDOUT, check=False)
            except FileNotFoundError:
                raise RuntimeError(f"the compiler {self._compiler[0]} was not found; install g++, "
                                   "or set CXX to a C++ compiler") from None
            if done.returncode != 0:
                said = done.stdout.decode(errors="replace").rstrip()
                raise RuntimeError(f"compiling {source} failed with status {done.returncode}:\n"
                                   f"{shlex.join(command)}\n{said}")
            with open(result, "rb") as file:
                return file.read()
