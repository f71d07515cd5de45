# SPDX-License-Identifier: MIT
"""pto-runtime's Python modules, or PtoWsp's own in their place.

They are looked for in PTO_RUNTIME_PATH, else in 3rdparty/pto-runtime of the source tree that this
package belongs to, or of the current folder (folder python/ of a checkout). Where there is none,
modules of the same names and interfaces are taken that drive the built-in runtime; they belong to
PtoWsp.
"""
from __future__ import annotations

import importlib
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

__all__ = ["import_bindings", "import_elf_parser", "import_pto_compiler", "import_runtime_builder"]


def import_runtime_builder() -> ModuleType:
    """Module runtime_builder: `RuntimeBuilder(platform=...)`. ImportError says what to do."""
    return _import("runtime_builder")


def import_pto_compiler() -> ModuleType:
    """Module pto_compiler: `PTOCompiler`. ImportError says what to do."""
    return _import("pto_compiler")


def import_bindings() -> ModuleType:
    """Module bindings: `bind_host_binary`, `set_device`, `register_kernel`, `launch_runtime`.
    ImportError says what to do."""
    return _import("bindings")


def import_elf_parser() -> ModuleType:
    """Module elf_parser: `extract_text_section`. ImportError says what to do."""
    return _import("elf_parser")


def _import(name: str) -> ModuleType:
    root = find_pto_runtime()
    folder = os.path.join(root, "python") if root else _builtin_modules(name)
    path = os.path.join(folder, name + ".py")
    if not os.path.isfile(path):
        raise ImportError(f"pto-runtime at {os.path.dirname(folder)} has no python/{name}.py\n"
                          "  fix: set PTO_RUNTIME_PATH to a whole checkout of pto-runtime")
    loaded = sys.modules.get(name)
    if loaded is not None and not _is_file(loaded, path):
        raise ImportError(f"cannot import {path}: another module '{name}' is loaded already, from "
                          f"{getattr(loaded, '__file__', None)}\n  fix: use a process of its own")
    sys.path.insert(0, folder)
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(folder)


def _is_file(module: ModuleType, path: str) -> bool:
    file = getattr(module, "__file__", None)
    return bool(file) and os.path.realpath(file) == os.path.realpath(path)


def find_pto_runtime() -> str | None:
    """The checkout of pto-runtime that is to be used, or None for the built-in runtime.
    PTO_RUNTIME_PATH may be OFF: none then. ImportError when it names no folder."""
    given = os.environ.get("PTO_RUNTIME_PATH")
    if given == "OFF":
        return None
    if given:
        if not os.path.isdir(given):
            raise ImportError(f"PTO_RUNTIME_PATH is '{given}', and there is no such folder\n"
                              "  fix: set it to a checkout of pto-runtime")
        return os.path.abspath(given)
    for tree in (os.path.join(_PACKAGE, "..", ".."), os.getcwd()):
        root = os.path.join(tree, "3rdparty", "pto-runtime")
        if os.path.isdir(os.path.join(root, "python")):
            return os.path.normpath(root)
    return None


_PACKAGE = os.path.dirname(os.path.abspath(__file__))


def _builtin_modules(name: str) -> str:
    # <build>/python/pto_wsp, <prefix>/share/ptowsp/python/pto_wsp
    for tree in (("..", "..", "share", "ptowsp"), ("..", "..")):
        folder = os.path.normpath(os.path.join(_PACKAGE, *tree, "pto_runtime", "builtin"))
        if os.path.isfile(os.path.join(folder, name + ".py")):
            return folder
    raise ImportError(f"{name} belongs to pto-runtime, which was not found, and PtoWsp's own "
                      "module in its place was not found beside this package\n  fix: set "
                      "PTO_RUNTIME_PATH to a checkout of pto-runtime, run git submodule update "
                      "--init --recursive where 3rdparty/pto-runtime is, or build or install all "
                      "of PtoWsp")
