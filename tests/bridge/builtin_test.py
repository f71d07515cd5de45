# SPDX-License-Identifier: MIT
"""PtoWsp's modules in the place of pto-runtime's: they compile and run trees on the built-in runtime."""
import importlib
import pathlib
import subprocess
import sys

import numpy as np
import pytest
from conftest import BUILD, BUILTIN, python

ORCHESTRATION = """#include "runtime.h"
extern "C" int build(Runtime* runtime, uint64_t* args, int count) {
  if (count != 2) return -7;
  void* memory = runtime->host_api.device_malloc(args[1]);
  if (!memory || runtime->host_api.copy_to_device(memory, (void*)args[0], args[1]) != 0) return -8;
  runtime->record_tensor_pair((void*)args[0], memory, args[1]);
  uint64_t task[2] = {(uint64_t)memory, args[1] / 4};
  int first = runtime->add_task(task, 2, 3, 1), second = runtime->add_task(task, 2, 3, 1);
  if (first != 0 || second != 1) return -9;
  runtime->add_successor(first, second);
  return 0;
}
"""
KERNEL = """#include <stdint.h>
extern "C" void kernel(int64_t* args) {
  float* x = (float*)args[0];
  for (int64_t i = 0; i < args[1]; ++i) x[i] = x[i] * x[i];
}
"""


@pytest.fixture(scope="module")
def modules():
    sys.path.insert(0, str(BUILTIN))
    names = ["bindings", "elf_parser", "pto_compiler", "runtime_builder"]
    loaded = {name: importlib.import_module(name) for name in names}
    sys.path.remove(str(BUILTIN))
    assert all(pathlib.Path(module.__file__).parent == BUILTIN for module in loaded.values())
    return loaded


@pytest.fixture
def builder(modules):
    return modules["runtime_builder"].RuntimeBuilder(platform="a2a3sim")


def test_a_graph_by_hand(modules, builder, tmp_path):
    bindings, elf = modules["bindings"], modules["elf_parser"]
    (tmp_path / "orch.cpp").write_text(ORCHESTRATION)
    (tmp_path / "kernel.cpp").write_text(KERNEL)
    assert builder.list_runtimes() == ["host_build_graph"]
    host, aicpu, aicore = builder.build("host_build_graph")
    compiler = builder.get_pto_compiler()
    orchestration = compiler.compile_orchestration(str(tmp_path / "orch.cpp"), extra_include_dirs=[
        "/nowhere", *compiler.get_platform_include_dirs()])
    code = elf.extract_text_section(compiler.compile_incore(str(tmp_path / "kernel.cpp"), core_type="aiv"))
    x = np.arange(1, 9, dtype=np.float32)
    for library in (host, str(BUILD / "lib/libptowsp_sim.so"), BUILD / "lib/libptowsp_sim.so"):
        Runtime = bindings.bind_host_binary(library)
        bindings.set_device(0)
        for threads, blocks in ((1, 1), (3, 3)):  # kernels are registered before each run
            data = x.copy()
            bindings.register_kernel(3, code)
            runtime = Runtime()
            runtime.initialize(orchestration, "build", [data.ctypes.data, data.nbytes])
            bindings.launch_runtime(runtime, aicpu_thread_num=threads, block_dim=blocks, device_id=0,
                                    aicpu_binary=aicpu, aicore_binary=aicore)
            runtime.finalize()
            assert (data == x ** 4).all()


def test_failures_have_the_runtimes_message(modules, builder, tmp_path):
    bindings = modules["bindings"]
    Runtime = bindings.bind_host_binary(builder.build("host_build_graph")[0])
    bindings.set_device(0)
    (tmp_path / "orch.cpp").write_text(ORCHESTRATION)
    compiler = builder.get_pto_compiler()
    orchestration = compiler.compile_orchestration(tmp_path / "orch.cpp")
    data = np.zeros(8, np.float32)
    with pytest.raises(RuntimeError, match="^init_runtime failed: -.*-7"):
        Runtime().initialize(orchestration, "build", [1])
    with pytest.raises(RuntimeError, match="^init_runtime failed: .*no_such_function"):
        Runtime().initialize(orchestration, "no_such_function")
    runtime = Runtime()
    runtime.initialize(orchestration, "build", [data.ctypes.data, data.nbytes])
    with pytest.raises(RuntimeError, match="^launch_runtime failed: .*kernel.*3"):
        bindings.launch_runtime(runtime, 1, 1, 0, b"", b"")
    with pytest.raises(RuntimeError, match="^register_kernel failed: "):
        bindings.register_kernel(-1, b"code")
    with pytest.raises(ValueError, match="binary_data is empty"):
        bindings.register_kernel(3, b"")


def test_nothing_is_loaded_yet():
    done = python("-c", "import bindings; bindings.set_device(0)", env={"PYTHONPATH": str(BUILTIN)})
    assert done.stderr.endswith("RuntimeError: no runtime is loaded; call bind_host_binary() first\n")


def test_mistakes_of_callers(modules, builder, tmp_path, monkeypatch):
    bindings, compiler = modules["bindings"], modules["pto_compiler"].PTOCompiler(platform="a2a3sim")
    with pytest.raises(FileNotFoundError, match="there is no library /nowhere/lib.so"):
        bindings.bind_host_binary("/nowhere/lib.so")
    with pytest.raises(ValueError, match="^runtime 'other' is unknown; the built-in runtime is host_build_graph$"):
        builder.build("other")
    for make in (modules["runtime_builder"].RuntimeBuilder, modules["pto_compiler"].PTOCompiler):
        with pytest.raises(ValueError, match="use platform='a2a3sim', or set PTO_RUNTIME_PATH"):
            make(platform="a2a3")
        with pytest.raises(ValueError, match="^unknown platform 'x'; the built-in runtime has a2a3sim$"):
            make(platform="x")
    with pytest.raises(FileNotFoundError, match="there is no source file /nowhere.cpp"):
        compiler.compile_incore("/nowhere.cpp")
    with pytest.raises(ValueError, match="core_type is 'cube', expected 'aic' or 'aiv'"):
        compiler.compile_incore("/nowhere.cpp", core_type="cube")
    (tmp_path / "bad.cpp").write_text("no C++\n")
    with pytest.raises(RuntimeError, match="(?s)^compiling .*/bad.cpp failed with status 1:\n.*error:"):
        compiler.compile_orchestration(str(tmp_path / "bad.cpp"))
    monkeypatch.setenv("CXX", "/nowhere/g++")
    with pytest.raises(RuntimeError, match="the compiler /nowhere/g\\+\\+ was not found; install g"):
        modules["pto_compiler"].PTOCompiler("a2a3sim").compile_incore(str(tmp_path / "bad.cpp"))


def test_code_that_would_be_wrong_alone_is_refused(modules, tmp_path):
    extract = modules["elf_parser"].extract_text_section
    compiler = modules["pto_compiler"].PTOCompiler(platform="a2a3sim")
    (tmp_path / "k.cpp").write_text('extern "C" float pi(float x) { return x * 3.14159f; }\n')
    with pytest.raises(ValueError, match="^the object: .text has 1 relocations, which are lost"):
        extract(compiler.compile_incore(str(tmp_path / "k.cpp")))
    (tmp_path / "k.cpp").write_text("int x = 3;\n")
    with pytest.raises(ValueError, match="has no code in a section .text"):
        extract(compiler.compile_incore(str(tmp_path / "k.cpp")))
    (tmp_path / "k.cpp").write_text(KERNEL)
    good = compiler.compile_incore(str(tmp_path / "k.cpp"))
    (tmp_path / "k.o").write_bytes(good)
    listing = subprocess.run(["objcopy", "-O", "binary", "-j", ".text", tmp_path / "k.o", tmp_path / "k.bin"])
    assert listing.returncode == 0
    assert extract(tmp_path / "k.o") == extract(str(tmp_path / "k.o")) == (tmp_path / "k.bin").read_bytes()
    with pytest.raises(ValueError, match="is cut off"):
        extract(good[:len(good) // 2])
    for bad in (b"", b"\x7fELF\x01\x01" + bytes(100), b"not an object"):
        with pytest.raises(ValueError, match="is no object file"):
            extract(bad)
    with pytest.raises(FileNotFoundError):
        extract("/nowhere.o")
