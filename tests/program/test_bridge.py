# SPDX-License-Identifier: MIT
"""The helpers for an external pto-runtime."""
import shutil
import sys

import numpy as np
import pytest
from conftest import BUILD, python
from pto_wsp import pto_runtime_bridge as bridge
from pto_wsp.pto_runtime_abi import build_orch_func_args

MODULES = {"runtime_builder": bridge.import_runtime_builder, "pto_compiler": bridge.import_pto_compiler,
           "bindings": bridge.import_bindings, "elf_parser": bridge.import_elf_parser}


def test_orchestration_arguments():
    a, b = np.zeros((4, 4), np.float32), np.zeros(3, np.int32)
    assert build_orch_func_args([a, b]) == [a.ctypes.data, 64, b.ctypes.data, 12]
    assert build_orch_func_args([]) == []
    with pytest.raises(TypeError, match="^argument 1 is list, expected numpy.ndarray$"):
        build_orch_func_args([a, [1.0]])
    with pytest.raises(ValueError, match="is not C-contiguous"):
        build_orch_func_args([a[:, ::2]])


@pytest.fixture
def runtime(tmp_path, monkeypatch):
    """A folder with modules of pto-runtime's names, forgotten afterwards."""
    folder = tmp_path / "pto-runtime" / "python"
    folder.mkdir(parents=True)
    for name in MODULES:
        folder.joinpath(f"{name}.py").write_text("import sys\npath = list(sys.path)\n")
    monkeypatch.setenv("PTO_RUNTIME_PATH", str(folder.parent))
    yield folder
    for name in MODULES:
        sys.modules.pop(name, None)


@pytest.mark.parametrize("name", MODULES)
def test_modules_are_found(name, runtime):
    before = list(sys.path)
    module = MODULES[name]()
    assert module.__file__ == str(runtime / f"{name}.py")
    assert module.path[0] == str(runtime), "on the path during the import"
    assert sys.path == before, "and not after it"
    assert MODULES[name]() is module


def test_a_checkout_beside_the_sources(runtime, tmp_path, monkeypatch):
    monkeypatch.delenv("PTO_RUNTIME_PATH")
    (tmp_path / "3rdparty").mkdir()
    runtime.parent.rename(tmp_path / "3rdparty" / "pto-runtime")
    monkeypatch.chdir(tmp_path)
    assert bridge.import_bindings().__file__ == str(tmp_path / "3rdparty/pto-runtime/python/bindings.py")


def test_a_broken_module_leaves_the_path_alone(runtime):
    (runtime / "bindings.py").write_text("import nothing_of_this_name\n")
    before = list(sys.path)
    with pytest.raises(ModuleNotFoundError, match="nothing_of_this_name"):
        bridge.import_bindings()
    assert sys.path == before


@pytest.mark.parametrize("off", [None, "OFF"])
@pytest.mark.parametrize("name", MODULES)
def test_builtin_modules_when_nothing_is_found(name, off, tmp_path, monkeypatch):
    monkeypatch.delenv("PTO_RUNTIME_PATH", raising=False)
    if off:
        monkeypatch.setenv("PTO_RUNTIME_PATH", off)
    monkeypatch.chdir(tmp_path)
    before = list(sys.path)
    module = MODULES[name]()
    assert sys.path == before
    for other in [*MODULES, "_ptowsp_tree"]:
        sys.modules.pop(other, None)
    assert module.__file__ == str(BUILD / "share/ptowsp/pto_runtime/builtin" / f"{name}.py")


def test_nothing_is_found(tmp_path):
    shutil.copytree(BUILD / "python" / "pto_wsp", tmp_path / "pto_wsp")
    done = python("from pto_wsp.pto_runtime_bridge import import_bindings; import_bindings()", cwd=tmp_path,
                  env={"PYTHONPATH": str(tmp_path), "PTO_RUNTIME_PATH": ""})
    assert done.returncode == 1
    assert done.stderr.endswith(
        "ImportError: bindings belongs to pto-runtime, which was not found, and PtoWsp's own module in its "
        "place was not found beside this package\n  fix: set PTO_RUNTIME_PATH to a checkout of pto-runtime, "
        "run git submodule update --init --recursive where 3rdparty/pto-runtime is, or build or install all "
        "of PtoWsp\n")


def test_wrong_folders(runtime, tmp_path, monkeypatch):
    (runtime / "bindings.py").unlink()
    with pytest.raises(ImportError, match="has no python/bindings.py\n  fix: set PTO_RUNTIME_PATH"):
        bridge.import_bindings()
    monkeypatch.setenv("PTO_RUNTIME_PATH", str(tmp_path / "none"))
    with pytest.raises(ImportError, match="there is no such folder\n  fix: set it to a checkout"):
        bridge.import_bindings()


def test_another_module_of_the_name(runtime, tmp_path, monkeypatch):
    other = type(sys)("bindings")
    other.__file__ = str(tmp_path / "bindings.py")
    monkeypatch.setitem(sys.modules, "bindings", other)
    with pytest.raises(ImportError, match="another module 'bindings' is loaded already"):
        bridge.import_bindings()
