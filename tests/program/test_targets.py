# SPDX-License-Identifier: MIT
"""compile(): what each target gives, and what a missing or unfit tool says."""
import json
import os
import pathlib
import shutil
import subprocess
import sys

import numpy as np
import pytest
from conftest import BUILD, SIM, numbers, python, scale, scaled
from pto_wsp import (Channel, CompileError, DType, ExecutionError, In, Out, P, PtoError, Symbol, Tensor, Tile,
                     connect, consume, for_each, kernel, process, pto, send, task, workload)

HERE = pathlib.Path(__file__).parent
SNIPPET = (HERE / "snippet.py").read_text()


def test_the_snippet(own_cache):
    for _ in range(2):  # with an empty cache, and with a full one
        done = python(SNIPPET)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_snippet_with_an_installed_and_moved_package(tmp_path, own_cache):
    first, prefix = tmp_path / "first", tmp_path / "möved préfix"
    subprocess.run(["cmake", "--install", BUILD, "--prefix", first], check=True,
                   stdout=subprocess.DEVNULL)
    first.rename(prefix)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PTOWSP_")}
    environment["PYTHONPATH"] = str(prefix / "share" / "ptowsp" / "python")
    environment["PTOWSP_CACHE_DIR"] = str(own_cache)
    done = subprocess.run([sys.executable, "-B", HERE / "snippet.py"], env=environment, cwd=tmp_path,
                          capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_simulated():
    x = numbers(8, 4)
    wl, _, y = scaled(x, np.zeros((8, 4), np.float32))
    program = wl.compile(target=SIM)
    assert program.using_cpp_backend is True
    assert (program.name, program.target) == ("scale", SIM)
    assert (program.stats.tasks, program.stats.edges, program.stats.wall_time) == (2, 0, 0.0)
    folder = pathlib.Path(program.codegen_artifact_dir)
    assert {"manifest.json", "ready", "kernels", "kernel_scale.so"} <= set(os.listdir(folder))
    program.execute()
    program.synchronize()
    np.testing.assert_array_equal(y.data, 2 * x)
    assert program.stats().tasks == program.stats.task_count == 2
    assert program.stats.critical_path == 1
    assert 0 < program.stats.wall_time < program.stats.execute_time < 10
    assert program.stats.compile_time_ms > 0
    program.close()
    with pytest.raises(ExecutionError, match="^scale: error: the program is closed$"):
        program.execute()


def test_total_cycles():
    x = Tensor(data=numbers(40, 4), shape=(40, 4), dtype=DType.F32, name="x")
    y = Tensor(data=np.zeros((40, 4), np.float32), shape=(40, 4), dtype=DType.F32, name="y")

    @workload
    def ten():
        for i in P(10):
            scale(x_tile=x[4 * i:4 * i + 4], y_tile=y[4 * i:4 * i + 4], s=Symbol("s", 2.0))

    wl = ten().named("scale")
    program = wl.compile(target=SIM)
    manifest = json.loads((pathlib.Path(program.codegen_artifact_dir) / "manifest.json").read_text())
    cycles = manifest["kernels"][0]["cycles"]
    tasks = manifest["graph"]["tasks"]
    assert tasks == 10
    # Independent tasks on two vector cores for each block.
    assert program.total_cycles(block_dim=1) == 5 * cycles
    assert program.total_cycles(block_dim=2) == 3 * cycles
    assert program.stats.total_cycles == program.total_cycles() == cycles
    program.execute()
    np.testing.assert_array_equal(y.data, 2 * x.data)
    assert program.total_cycles(2) == 3 * cycles
    with pytest.raises(ExecutionError, match="^scale: error: found a block_dim of 0, expected at least 1$"):
        program.total_cycles(0)
    program.close()
    with pytest.raises(ExecutionError, match="^scale: error: the program is closed$"):
        program.total_cycles(3)
    reference = wl.compile(target="cpu_sim")
    assert reference.stats.total_cycles == 0
    with pytest.raises(ExecutionError) as error:
        reference.total_cycles()
    assert str(error.value) == ("scale: error: target cpu_sim has no task graph to predict\n"
                                "  fix: compile(target=\"pto_runtime_a2a3sim\")")


def csp_cycles(cycles, depth, latency, tokens):
    """When a maker and a user of `tokens` tokens end, by one recurrence for each event."""
    free, maker, user = [0] * max(depth, 1), 0, 0
    for token in range(tokens):
        slot = token % len(free)
        maker = max(maker, free[slot]) + cycles
        user = max(user, maker + latency)
        if depth == 0:
            maker = user
        free[slot] = user = user + cycles
    return max(maker, user)


@pytest.mark.parametrize("depth", [0, 1, 2])
def test_total_cycles_of_processes(depth, tmp_path):
    x = Tensor(data=numbers(20, 4), shape=(20, 4), dtype=DType.F32, name="x")
    t = Tensor(shape=(20, 4), dtype=DType.F32, name="t", temporary=True)
    y = Tensor(data=np.zeros((20, 4), np.float32), shape=(20, 4), dtype=DType.F32, name="y")

    @workload
    def pair():
        c = Channel("c", depth, latency=77)
        connect([process("maker").produces(c).body(for_each(5, lambda i: send(c, task(scale, [i], {
                    "x_tile": x[4 * i:4 * i + 4], "y_tile": t[4 * i:4 * i + 4], "s": Symbol("s", 2.0)})))),
                 process("user").consumes(c).body(consume(c, lambda i: task(scale, [i], {
                     "x_tile": t[4 * i:4 * i + 4], "y_tile": y[4 * i:4 * i + 4], "s": Symbol("s", 2.0)})))],
                [c])

    program = pair().compile(target=SIM)
    artifact = pathlib.Path(program.codegen_artifact_dir)
    cycles = json.loads((artifact / "manifest.json").read_text())["kernels"][0]["cycles"]
    expected = csp_cycles(cycles, depth, 77, 5)
    assert program.stats.total_cycles == expected
    assert [program.total_cycles(block_dim=n) for n in (1, 2, 100)] == [expected] * 3
    program.execute()
    np.testing.assert_array_equal(y.data, 4 * x.data)
    # The same from ptowsp-run, whatever block_dim it runs with.
    np.save(tmp_path / "x.npy", x.data)
    for blocks in ("1", "3"):
        done = subprocess.run([BUILD / "bin" / "ptowsp-run", artifact, "--inputs", tmp_path, "--json",
                               "--block-dim", blocks], stdout=subprocess.PIPE, text=True, check=True)
        stats = json.loads(done.stdout)["stats"]
        assert (stats["total_cycles"], stats["total_cycles_block_dim"]) == (expected, 0)


def test_reference_evaluation():
    x = numbers(8, 4)
    y = np.zeros((4, 8), np.float32).T
    wl, _, tensor = scaled(x, y)
    program = wl.compile(target="cpu_sim")
    assert program.using_cpp_backend is True
    assert program.codegen_artifact_dir is None
    program.execute()
    program.synchronize()
    np.testing.assert_array_equal(y, 2 * x)
    assert tensor.data is y
    assert (program.stats.tasks, program.stats.edges) == (2, 0)
    assert program.stats.wall_time > 0


def test_emit_only():
    x, y = numbers(8, 4), np.zeros((8, 4), np.float32)
    program = scaled(x, y)[0].compile(target="a2a3sim_codegen")
    folder = pathlib.Path(program.codegen_artifact_dir)
    assert program.using_cpp_backend is True
    assert (program.stats.tasks, program.stats.edges) == (2, 0)
    emitted = {str(path.relative_to(folder)) for path in folder.rglob("*")
               if path.is_file() and path.name != ".entry"}
    assert emitted == {"manifest.json", "include/scale_program.h", "kernels/kernel_config.py",
                       "kernels/orchestration/pto_wsp_orch.cpp",
                       *(f"kernels/orchestration/ptowsp/{header}.h" for header in
                         ("access_layer", "argument_blocks", "channels", "dispatch", "launch_graph", "limits",
                          "orchestration", "processes", "regions", "segments", "task_graph")),
                       "kernels/aiv_sim/kernel_scale.cpp",
                       *(f"kernels/sim_support/ptowsp_{header}.h" for header in
                         ("double", "elementwise", "float16", "math", "matmul", "reduce",
                          "vector"))}
    with pytest.raises(ExecutionError) as caught:
        program.execute()
    assert str(caught.value) == (
        "scale: error: target a2a3sim_codegen emits sources and runs nothing\n"
        "  fix: compile(target=\"pto_runtime_a2a3sim\")")
    with pytest.raises(ExecutionError, match="runs nothing"):
        program.synchronize()
    assert not y.any()


def test_the_artifact_has_the_same_tree():
    wl = scaled(None, None)[0]
    emitted = pathlib.Path(wl.compile(target="a2a3sim_codegen").codegen_artifact_dir)
    built = pathlib.Path(wl.compile(target=SIM).codegen_artifact_dir)
    for path in emitted.rglob("*"):
        if path.is_file() and path.name != ".entry":
            assert (built / path.relative_to(emitted)).read_bytes() == path.read_bytes()


def test_emission_for_the_device():
    program = scaled(None, None)[0].compile(target="a2a3_codegen")
    tree = pathlib.Path(program.codegen_artifact_dir)
    assert "PTOWSP_DEVICE_KERNEL void kernel_scale(" in (tree / "kernels/aiv/kernel_scale.cpp").read_text()
    assert json.loads((tree / "manifest.json").read_text())["kernels"][0]["sources"]["a2a3"] == \
        "kernels/aiv/kernel_scale.cpp"
    with pytest.raises(ExecutionError) as caught:
        program.execute()
    assert str(caught.value) == ("scale: error: target a2a3_codegen emits sources and runs nothing\n"
                                 "  fix: compile(target=\"pto_runtime_a2a3\")")


@pytest.fixture
def no_device(monkeypatch):
    for name in ("ASCEND_HOME_PATH", "PTO_RUNTIME_PATH", "PTO_ISA_PATH"):
        monkeypatch.setenv(name, "OFF")
    return monkeypatch


NO_TOOLKIT = "ASCEND_HOME_PATH names no CANN toolkit, which has ccec and the AICPU compiler"
NO_RUNTIME = "PTO_RUNTIME_PATH names no pto-runtime, which runs the kernels"
NO_ISA = "PTO_ISA_PATH names no PTO-ISA, which the kernels include"
USE_SIM = "set what is missing in the environment, or use target=\"pto_runtime_a2a3sim\""


def device_error():
    line = sys._getframe().f_lineno + 2
    with pytest.raises(CompileError) as caught:
        scaled(None, None)[0].compile(target="pto_runtime_a2a3")
    error = caught.value
    assert (error.rule, error.file, error.line) == ("missing-toolchain", __file__, line)
    return error


def test_no_toolchain_for_the_device(no_device, tmp_path):
    error = device_error()
    assert str(error) == (
        f"{__file__}:{error.line}: error: target pto_runtime_a2a3 cannot be built: {NO_TOOLKIT}; {NO_RUNTIME}; "
        f"{NO_ISA} [missing-toolchain]\n  fix: {USE_SIM}")
    no_device.setenv("ASCEND_HOME_PATH", "/opt/ascend")
    no_device.setenv("PTO_RUNTIME_PATH", str(tmp_path))
    error = device_error()
    assert (error.message, error.fix) == (f"target pto_runtime_a2a3 cannot be built: {NO_ISA}", USE_SIM)
    no_device.setenv("PTO_ISA_PATH", "/nowhere")
    error = device_error()
    assert (error.message, error.fix) == (
        "PTO_ISA_PATH is '/nowhere', and there is no include/pto/pto-inst.hpp in it",
        "set it to a checkout of PTO-ISA")
    (tmp_path / "isa/include/pto").mkdir(parents=True)
    (tmp_path / "isa/include/pto/pto-inst.hpp").write_text("")
    no_device.setenv("PTO_ISA_PATH", str(tmp_path / "isa"))
    error = device_error()
    assert (error.message, error.fix) == (
        "target pto_runtime_a2a3 cannot be built: ASCEND_HOME_PATH is '/opt/ascend', and there is no such folder",
        "set it to a CANN toolkit (the folder that its set_env.sh names), or to OFF for none")


@kernel
def half_precision(x: In[Tile[4, 16, DType.BF16]], y: Out[Tile[4, 16, DType.BF16]]):
    pto.store(y, pto.add(x, x))


@kernel
def large(x: In[Tile[128, 512, DType.F32]], y: Out[Tile[128, 512, DType.F32]]):
    pto.store(y, pto.neg(x))


def line_of(text):
    return next(i for i, line in enumerate(open(__file__), 1) if text in line)


@pytest.mark.parametrize("function, shape, dtype, rule, message", [
    (half_precision, (4, 16), DType.BF16, "unsupported-feature",
     "op 'add' on bf16, for which PTO-ISA has no instruction, is not supported on a2a3"),
    (large, (128, 512), DType.F32, "tile-too-large",
     "kernel 'large' takes 524288 bytes of the unified buffer, which has 188416 for tiles; at op 'neg' 524288 are "
     "live: 'x' (128 x 512 f32) 262144, 'v' (128 x 512 f32) 262144"),
])
def test_mistakes_for_the_device_only_name_the_line(function, shape, dtype, rule, message):
    def wl():
        @workload
        def w():
            function(Tensor(shape=shape, dtype=dtype, name="a"), Tensor(shape=shape, dtype=dtype, name="b"))
        return w()

    wl().compile(target="a2a3sim_codegen")
    with pytest.raises(CompileError) as caught:
        wl().compile(target="a2a3_codegen")
    error = caught.value
    at = line_of("pto.store(y, pto.add(x, x))" if function is half_precision else "pto.store(y, pto.neg(x))")
    assert (error.rule, error.file, error.line) == (rule, __file__, at)
    assert error.message == message
    assert str(error).startswith(f"{__file__}:{at}: error: {message} [{rule}]\n  fix: ")


@pytest.mark.parametrize("arguments, message, fix", [
    ({"target": "pto_runtime_a2a3sin"}, "there is no target 'pto_runtime_a2a3sin'",
     "did you mean 'pto_runtime_a2a3sim'?"),
    ({"target": SIM, "races": "ignore"}, "races is 'ignore'", 'write races="error" or races="allow"'),
    ({"target": SIM, "workers": -1}, "workers is -1, expected a number of threads, or 0", ""),
    ({"target": SIM, "timeout": float("nan")}, "timeout is nan, expected seconds, or 0 for no limit",
     ""),
])
def test_bad_options(arguments, message, fix):
    with pytest.raises(CompileError) as caught:
        scaled(None, None)[0].compile(**arguments)
    assert (caught.value.message, caught.value.fix) == (message, fix)
    assert caught.value.file == __file__


def racing():
    x = Tensor(data=numbers(8, 4), name="x")
    y = Tensor(data=np.zeros((4, 4), np.float32), name="y")

    @workload
    def wl():
        for i in P(2):
            scale(x_tile=x[4 * i:4 * i + 4], y_tile=y, s=2.0)

    return wl(), x, y


@pytest.mark.parametrize("target", [SIM, "cpu_sim", "a2a3sim_codegen"])
def test_mistakes_that_the_generator_finds(target):
    wl, _, _ = racing()
    with pytest.raises(CompileError) as caught:
        wl.compile(target=target)
    assert caught.value.rule == "race"
    assert caught.value.file == __file__
    source = pathlib.Path(__file__).read_text().splitlines()
    assert "P(2)" in source[caught.value.line - 1] or "scale(" in source[caught.value.line - 1]


@pytest.mark.parametrize("target", [SIM, "cpu_sim"])
def test_races_allowed(target):
    wl, x, y = racing()
    program = wl.compile(target=target, races="allow")
    program.execute()
    np.testing.assert_array_equal(y.data, 2 * x.data[4:])
    assert program.stats.edges == 1


@pytest.mark.parametrize("name", ["select", "main", "größe 2", "class", "2nd", "ptowsp", "_", "a__b", "test"])
def test_any_name_will_do(name):
    program = scaled(None, None)[0].named(name).compile(target="a2a3sim_codegen")
    assert program.name == name


def test_names_that_cmake_keeps_are_built_too():
    x, y = numbers(8, 4), np.zeros((8, 4), np.float32)
    program = scaled(x, y)[0].named("select").compile(target=SIM)
    program.execute()
    np.testing.assert_array_equal(y, 2 * x)


@pytest.mark.parametrize("missing, package", [("cmake", "cmake"), ("ninja", "ninja-build"), ("c++", "g++")])
def test_missing_tools(missing, package, tmp_path, monkeypatch):
    for tool in {"cmake", "ninja", "c++"} - {missing}:
        (tmp_path / tool).symlink_to(shutil.which(tool))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CXX", raising=False)
    with pytest.raises(PtoError) as caught:
        scaled(None, None)[0].compile(target=SIM)
    assert str(caught.value) == (
        f"error: {missing} was not found on PATH; programs are built with CMake, Ninja and a C++ "
        f"compiler\n  fix: on Debian: apt install {package}")


def test_a_compiler_that_fails(own_cache, monkeypatch):
    monkeypatch.setenv("CXX", "false")
    with pytest.raises(CompileError) as caught:
        scaled(None, None)[0].compile(target=SIM)
    lines = str(caught.value).splitlines()
    assert lines[0] == "scale: error: ninja ended with status 1 [build-failed]"
    assert lines[-1].startswith("  fix: look whether CMake, Ninja and the compiler work")
    assert any(line.startswith("  | FAILED: ") for line in lines)


def test_a_package_without_its_tools(tmp_path):
    shutil.copytree(BUILD / "python" / "pto_wsp", tmp_path / "pto_wsp")
    done = python("from conftest import *; scaled(None, None)[0].compile(target=SIM)", cwd=HERE,
                  env={"PYTHONPATH": f"{tmp_path}:{HERE}", "PTOWSP_GEN": "", "PTOWSP_BUILD_DIR": "/",
                       "PATH": "/nowhere"})
    assert done.returncode == 1
    assert "ptowsp-gen was not found beside this package or on PATH" in done.stderr


@pytest.mark.parametrize("target", ["cpu_sim", SIM])
def test_a_symbol_takes_another_value(target):
    x = Tensor(data=numbers(4, 4), name="x")
    y = Tensor(data=np.zeros((4, 4), np.float32), name="y")

    @workload
    def wl():
        scale(x, y, Symbol("factor", 3))

    with wl().compile(target=target) as program:
        program.execute()
        assert np.allclose(y.data, x.data * 3)
        program.set_symbol_u64("factor", 5)
        program.execute()
        assert np.allclose(y.data, x.data * 5)
        assert program.stats.tasks == 1
        with pytest.raises(CompileError) as caught:
            program.set_symbol_u64("facto", 3)
        assert str(caught.value).split(": ", 1)[1] == (
            "error: workload 'wl' has no symbol 'facto' [unknown-symbol]\n  fix: did you mean 'factor'?")
        assert caught.value.file == __file__
        with pytest.raises(CompileError, match="symbol 'factor' is set to -1, expected an integer from 0"):
            program.set_symbol_u64("factor", -1)


def test_symbols_of_workloads_without_any():
    program = scaled(None, None)[0].compile(target="cpu_sim")
    with pytest.raises(CompileError) as caught:
        program.set_symbol_u64("n", 3)
    assert str(caught.value).split(": ", 1)[1] == (
        "error: workload 'scale' has no symbol 'n' [unknown-symbol]\n  fix: write Symbol('n', value) for a "
        "scalar argument of a kernel")


def test_a_symbol_has_one_value():
    x = Tensor(data=numbers(4, 4), name="x")
    y = Tensor(data=np.zeros((4, 4), np.float32), name="y")

    @workload
    def wl():
        scale(x, y, Symbol("n", 3))
        scale(x, y, Symbol("n", 4))

    with pytest.raises(CompileError, match="the symbol 'n' has two values, 3 and 4"):
        wl().traced()


def test_tools_of_the_package_that_ptowsp_dir_names(tmp_path):
    code = "from pto_wsp._check import find_tool; print(find_tool('ptowsp-gen', 'PTOWSP_GEN'))"
    for folder in ("", "lib/cmake/PtoWsp", "lib/x86_64-linux-gnu/cmake/PtoWsp"):
        tool = tmp_path / "prefix" / "bin" / "ptowsp-gen"
        tool.parent.mkdir(parents=True, exist_ok=True)
        tool.write_text("")
        tool.chmod(0o755)
        package = tmp_path / "prefix" / folder
        package.mkdir(parents=True, exist_ok=True)
        done = python(code, env={"PTOWSP_GEN": "", "PtoWsp_DIR": str(package)})
        assert done.stdout == f"{tool}\n", done.stderr
    done = python(code, env={"PTOWSP_GEN": "", "PtoWsp_DIR": str(tmp_path)})
    assert done.returncode == 1
    assert done.stderr.endswith(
        f"error: PtoWsp_DIR is '{tmp_path}', and ptowsp-gen is not in a PtoWsp there\n"
        "  fix: set it to the folder of PtoWspConfig.cmake, or unset it\n")


def test_empty_workloads_and_temporaries():
    x = Tensor(data=numbers(4, 4), name="x")
    t = Tensor(shape=(4, 4), dtype=DType.F32, temporary=True, name="t")
    y = Tensor(data=np.zeros((4, 4), np.float32), name="y")

    @workload
    def wl():
        scale(x, t, 3.0)
        scale(t, y, 5.0)

    program = wl().compile(target=SIM)
    program.execute()
    np.testing.assert_array_equal(y.data, x.data * 3 * 5)
    assert (program.stats.tasks, program.stats.edges, program.stats.critical_path) == (2, 1, 2)
