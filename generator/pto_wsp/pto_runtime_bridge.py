"""The Python modules of an external pto-runtime (its folder python/).

They are looked for in PTO_RUNTIME_PATH, else in 3rdparty/pto-runtime of the source tree that this
package belongs to, or of the current folder. This version of PtoWsp has no modules of its own in their
place: its built-in runtime needs none of them.
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
    """Module bindings: `bind_host_binary`, `register_kernel`, `launch_runtime`. ImportError says what
    to do."""
    return _import("bindings")


def import_elf_parser() -> ModuleType:
    """Module elf_parser: `extract_text_section`. ImportError says what to do."""
    return _import("elf_parser")


def _import(name: str) -> ModuleType:
    folder = os.path.join(_root(name), "python")
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


def _root(name: str) -> str:
    given = os.environ.get("PTO_RUNTIME_PATH")
    if given:
        if not os.path.isdir(given):
            raise ImportError(f"PTO_RUNTIME_PATH is '{given}', and there is no such folder\n"
                              "  fix: set it to a checkout of pto-runtime")
        return os.path.abspath(given)
    package = os.path.dirname(os.path.abspath(__file__))
    for tree in (os.path.join(package, "..", ".."), os.getcwd()):
        root = os.path.join(tree, "3rdparty", "pto-runtime")
        if os.path.isdir(os.path.join(root, "python")):
            return os.path.normpath(root)
    raise ImportError(f"{name} belongs to pto-runtime, which was not found\n"
                      "  fix: set PTO_RUNTIME_PATH to a checkout of pto-runtime, or run "
                      "git submodule update --init --recursive where 3rdparty/pto-runtime is; "
                      "compile(target=\"pto_runtime_a2a3sim\") needs neither")
