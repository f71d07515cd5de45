# SPDX-License-Identifier: MIT
"""Programs: workloads that are compiled for a target, and run on the arrays of their tensors.

    program = wl().compile(target="pto_runtime_a2a3sim")
    program.execute()
    print(program.stats.tasks, program.stats.wall_time)

target                 compile()                                              execute()
pto_runtime_a2a3sim    emits and builds the artifact (CMake, in the cache)    on the simulated chip:
                       the built-in runtime, or the pto-runtime that PTO_RUNTIME_PATH names
cpu_sim                checks the workload                                    by the reference
a2a3sim_codegen        emits the tree: codegen_artifact_dir                   raises
pto_runtime_a2a3       the same with the CANN toolkit, pto-runtime and PTO-   on the device
                       ISA that the environment names
a2a3_codegen           emits the tree, with kernels for the device            raises
The last two have never run on hardware: see docs/a2a3.md.
"""
from __future__ import annotations

import math
import os
import subprocess
import threading
import time
import weakref

from pto_wsp.errors import ExecutionError, PtoError, did_you_mean, fail

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Callable, Mapping, Sequence
    import numpy
    from pto_wsp._file import Module
    from pto_wsp._tools import Tools
    from pto_wsp.builder import Workload
    from pto_wsp.trace import Traced, TracedTensor

__all__ = ["Program", "Stats", "compile_workload"]

TARGETS = ("pto_runtime_a2a3sim", "pto_runtime_a2a3", "a2a3sim_codegen", "a2a3_codegen", "cpu_sim")
BLOCKS = 24  # of an A2 or A3 chip, as PTO-ISA's examples take it


class Stats:
    """Figures of a program: `program.stats.tasks`, or `program.stats().tasks`.

    tasks, edges, critical_path: of the task graph (critical_path: tasks on a longest path); 0 until
    they are known. wall_time: seconds that the tasks of the last execute() took, 0.0 before the
    first. execute_time: seconds of the whole of that execute(). compile_time: seconds of compile().
    Of the last execute(): aicpus: AICPU schedulers; window: the task window, 0 without one;
    window_high_water: most tasks from the oldest unfinished one to the newest that began;
    window_stalls: tasks that were ready outside of the window.
    total_cycles: predicted for one run on a whole chip, see Program.total_cycles(); 0 for targets that
    have no task graph.
    """

    _predict: Callable[[], int] | None = None

    def __init__(self) -> None:
        self.tasks = 0
        self.edges = 0
        self.critical_path = 0
        self.aicpus = 0
        self.window = 0
        self.window_high_water = 0
        self.window_stalls = 0
        self.wall_time = 0.0
        self.execute_time = 0.0
        self.compile_time = 0.0

    def __call__(self) -> Stats:
        return self

    @property
    def total_cycles(self) -> int:
        return self._predict() if self._predict else 0

    @property
    def task_count(self) -> int:
        return self.tasks

    @property
    def compile_time_ms(self) -> float:
        return self.compile_time * 1e3

    @property
    def execute_time_ms(self) -> float:
        return self.execute_time * 1e3

    def __repr__(self) -> str:
        return (f"Stats(tasks={self.tasks}, edges={self.edges}, wall_time={self.wall_time:.3g} s, "
                f"execute_time={self.execute_time:.3g} s)")


class Program:
    """A compiled workload. Made by `Workload.compile()`.

    target, name, stats; using_cpp_backend: True, nothing of a kernel is run by Python.
    codegen_artifact_dir: the folder of the emitted tree (a2a3sim_codegen, a2a3_codegen) or of the whole
    artifact (pto_runtime_a2a3sim, pto_runtime_a2a3), None for cpu_sim. It lies in the cache: do not
    change it, and copy what is to stay longer than the program.
    """

    using_cpp_backend = True

    def __init__(self, traced: Traced, target: str) -> None:
        self.name = traced.name
        self.target = target
        self.stats = Stats()
        self.codegen_artifact_dir: str | None = None
        self._traced = traced
        self._tensors = [tensor for tensor in traced.tensors if tensor.role != "temporary"]
        self._lock = threading.Lock()
        self._failure: BaseException | None = None
        self._remake: Callable[[Mapping[str, float | int]], Program]

    def execute(self) -> None:
        """Runs the workload on the arrays of its tensors and returns when the results are in them.

        ExecutionError for a run that failed: no array was written to then. CompileError for an
        array that has become unfit. Ctrl-C ends the run."""
        with self._lock:
            self._failure = None
            begun = time.perf_counter()
            try:
                self._execute()
            except BaseException as error:
                self._failure = error
                raise
            finally:
                self.stats.execute_time = time.perf_counter() - begun

    def _execute(self) -> None:
        raise NotImplementedError

    def total_cycles(self, block_dim: int = BLOCKS) -> int:
        """The predicted makespan of one run on `block_dim` blocks, each with a cube core and two vector
        cores, in cycles of a core (docs/cycles.md). An estimate, the same on every machine. Of a program
        with processes: when the last of them ends, on any number of blocks.

        ExecutionError where nothing but pto_runtime_a2a3sim has a task graph."""
        raise ExecutionError(f"{self.name}: error: target {self.target} has no task graph to predict\n"
                             "  fix: compile(target=\"pto_runtime_a2a3sim\")")

    def synchronize(self) -> None:
        """Nothing is left to wait for after execute(); raises what the last execute() raised."""
        if self._failure is not None:
            raise self._failure

    def set_symbol_u64(self, name: str, value: int) -> None:
        """Gives a symbol of the workload another value, an integer from 0 to 2**64 - 1, for all
        later runs. Builds the program anew when the value differs, as compile() does; a value that
        was set before is found in the cache. CompileError for a name that the workload does not
        use."""
        if name not in self._traced.symbols:
            fail("unknown-symbol", f"workload '{self.name}' has no symbol {name!r}",
                 did_you_mean(str(name), self._traced.symbols, "its symbols are")
                 or f"write Symbol({name!r}, value) for a scalar argument of a kernel")
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**64:
            fail("bad-option", f"symbol {name!r} is set to {value!r}, expected an integer from 0 "
                 "to 2**64 - 1")
        with self._lock:
            if self._traced.symbols[name] != value:
                self._rebuild({**self._traced.symbols, name: value})

    def _rebuild(self, symbols: dict[str, float | int]) -> None:
        other = self._remake(symbols)
        other._remake = self._remake
        other.stats.compile_time = self.stats.compile_time
        kept = {"_lock": self._lock}
        mine, theirs = dict(self.__dict__), dict(other.__dict__)
        self.__dict__.update({**theirs, **kept})
        # The old program's parts go with `other`, which nothing else refers to.
        other.__dict__.update({**mine, "_lock": other._lock})
        other.close()
        self._link_stats()

    def _link_stats(self) -> None:
        """stats asks this object, and not the one that it was made for."""

    def close(self) -> None:
        """Releases what the program holds. Also done by `with`, and when it is forgotten."""

    def __enter__(self) -> Program:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<program {self.name} for {self.target}>"


class _Emitted(Program):
    # a2a3sim_codegen, a2a3_codegen.

    def __init__(self, traced: Traced, target: str, tools: Tools, races: str) -> None:
        super().__init__(traced, target)
        from pto_wsp import _build
        self._entry = _build.emit(tools, traced, races, for_device=target == "a2a3_codegen")
        self.codegen_artifact_dir = self._entry.path
        _graph_of(self._entry.path, self.stats)

    def _execute(self) -> None:
        raise ExecutionError(f"{self.name}: error: target {self.target} emits sources and runs "
                             "nothing\n  fix: "
                             f"compile(target=\"pto_runtime_{self.target.split('_')[0]}\")")

    def close(self) -> None:
        self._entry.close()


class _Built(Program):
    # pto_runtime_a2a3sim, pto_runtime_a2a3.

    def __init__(self, traced: Traced, target: str, tools: Tools, races: str, workers: int,
                 timeout: float) -> None:
        super().__init__(traced, target)
        from pto_wsp import _build, _runtime
        library = _runtime.Library(tools.glue)
        root = _pto_runtime()
        device = None
        if target == "pto_runtime_a2a3":
            from pto_wsp import _device
            device = _device.find(tools, root)
        if root and workers:
            fail("bad-option", f"workers is {workers}, and the program runs on pto-runtime in "
                 f"{root}, which has no such option", "leave it out, or set PTO_RUNTIME_PATH=OFF "
                                                      "for the built-in runtime")
        self._runtime = _build.external_runtime(tools, root, device) if root else None
        folder = self._runtime.path if self._runtime else None
        artifact = self._artifact = _build.Artifact(tools, traced, races, library.level, root, device)
        # Without `self` in it, which would keep a forgotten program alive until garbage is
        # collected.
        self._load = lambda: _runtime.Executable(library, artifact.path, workers, timeout, folder)
        try:
            self._executable = self._load()
        except _runtime.DamagedArtifact:
            # Something in the cache was changed from outside, or the disk was full: make it anew,
            # once.
            self._artifact.rebuild()
            self._executable = self._load()
        self.codegen_artifact_dir = self._artifact.path
        self._closed = False
        self._death = ""
        self._predicted: dict[int, int] = {}
        self._link_stats()
        self._read_stats()

    def _link_stats(self) -> None:
        this = weakref.ref(self)
        self.stats._predict = lambda: program.total_cycles() if (program := this()) else 0

    def total_cycles(self, block_dim: int = BLOCKS) -> int:
        if block_dim < 1:
            raise ExecutionError(f"{self.name}: error: found a block_dim of {block_dim}, expected at "
                                 "least 1")
        with self._lock:
            if block_dim not in self._predicted:
                self._check_usable()
                self._predicted[block_dim] = self._executable.total_cycles(block_dim)
            return self._predicted[block_dim]

    def _read_stats(self) -> None:
        found = self._executable.stats
        self.stats.tasks = found.tasks
        self.stats.edges = found.edges
        self.stats.critical_path = found.critical_path
        self.stats.wall_time = found.wall_ns * 1e-9
        for name in ("aicpus", "window", "window_high_water", "window_stalls"):
            setattr(self.stats, name, getattr(found, name))

    def _check_usable(self) -> None:
        if self._closed:
            raise ExecutionError(f"{self.name}: error: the program is closed")
        if self._death:
            raise ExecutionError(f"{self.name}: error: the device is dead since an earlier "
                                 f"execute() failed\n  note: {self._death}\n  fix: compile the "
                                 "workload again, for a new device")
        if self._executable.belongs_to_parent:
            self._executable = self._load()

    def _execute(self) -> None:
        self._check_usable()
        arrays = _host_arrays(self._tensors)
        try:
            self._executable.run(arrays)
        except ExecutionError as error:
            from pto_wsp._build import identifier
            text = str(error).removeprefix(identifier(self.name) + ": ")
            self._death = text.splitlines()[0]
            raise ExecutionError(f"{self.name}: error: {text}") from None
        finally:
            self._read_stats()
        for tensor, array in zip(self._tensors, arrays):
            if tensor.role != "input":
                tensor.tensor.scatter(array)

    def close(self) -> None:
        with self._lock:
            self._closed = True
            self._executable.close()
            self._artifact.close()
            if self._runtime:
                self._runtime.close()


class _Reference(Program):
    # cpu_sim.

    def __init__(self, traced: Traced, tools: Tools, races: str, timeout: float) -> None:
        super().__init__(traced, "cpu_sim")
        from pto_wsp._check import check
        summary = check(traced, "--races", races).summary
        self.stats.tasks = summary["tasks"]
        self.stats.edges = summary["edges"]
        self.stats.critical_path = summary["critical_path"]
        self._tools = tools
        self._timeout = timeout

    def _execute(self) -> None:
        begun = time.perf_counter()
        given = {tensor.name: _host_array(tensor) for tensor in self._tensors}
        results = evaluate(self._tools, self._traced, given, self._timeout)
        self.stats.wall_time = time.perf_counter() - begun
        for tensor in self._tensors:
            if tensor.role != "input":
                tensor.tensor.scatter(results[tensor.name])


def compile_workload(workload: Workload, target: str = "cpu_sim", *, timeout: float = 60.0,
                     workers: int = 0, races: str = "error") -> Program:
    """Traces, checks and builds a workload for a target; what `Workload.compile()` calls.

    timeout: seconds that one execute() may take, 0 for no limit. workers: threads that run kernels
    on the simulated chip, 0 for one for each CPU. races: "error", or "allow": iterations of a
    parallel loop that conflict are put in program order. CompileError for a mistake in the
    workload, PtoError for a tool that is missing.
    """
    if target not in TARGETS:
        fail("unknown-target", f"there is no target {target!r}",
             did_you_mean(str(target), TARGETS, "the targets are"))
    if races not in ("error", "allow"):
        fail("bad-option", f"races is {races!r}", "write races=\"error\" or races=\"allow\"")
    if not isinstance(workers, int) or not 0 <= workers < 2**31:
        fail("bad-option", f"workers is {workers!r}, expected a number of threads, or 0")
    if not isinstance(timeout, (int, float)) or not 0 <= timeout < math.inf:
        fail("bad-option", f"timeout is {timeout!r}, expected seconds, or 0 for no limit")
    begun = time.perf_counter()
    traced = workload.traced()
    from pto_wsp._tools import Tools
    tools = Tools()

    def make(traced: Traced) -> Program:
        if target in ("a2a3sim_codegen", "a2a3_codegen"):
            return _Emitted(traced, target, tools, races)
        if target == "cpu_sim":
            return _Reference(traced, tools, races, timeout)
        return _Built(traced, target, tools, races, workers, timeout)

    def remake(symbols: Mapping[str, float | int]) -> Program:
        from pto_wsp.trace import trace
        return make(trace(workload, symbols))

    program = make(traced)
    program._remake = remake
    program.stats.compile_time = time.perf_counter() - begun
    return program


def _pto_runtime() -> str | None:
    from pto_wsp.pto_runtime_bridge import find_pto_runtime
    try:
        return find_pto_runtime()
    except ImportError as error:
        raise PtoError(f"error: {error}") from None


def _host_arrays(tensors: Sequence[TracedTensor]) -> list[numpy.ndarray]:
    import numpy
    arrays = [_host_array(tensor) for tensor in tensors]
    for i, tensor in enumerate(tensors):
        # Which memory belongs to which tensor is what the run's checks go by.
        if tensor.role != "input" and any(numpy.may_share_memory(arrays[i], other)
                                          for other in arrays[:i] + arrays[i + 1:]):
            arrays[i] = arrays[i].copy()
    return arrays


def _host_array(tensor: TracedTensor) -> numpy.ndarray:
    # The array that a run reads, and writes where it is a result: the user's own where it can be.
    import numpy
    array = tensor.tensor.allocate()
    if tensor.role == "input":
        return tensor.tensor.gather()
    tensor.tensor.check_writable()
    if array.dtype == tensor.dtype.numpy and array.flags.c_contiguous:
        return array
    return tensor.tensor.gather() if tensor.role == "inout" else \
        numpy.empty(tensor.shape, tensor.dtype.numpy)


def _graph_of(artifact: str, stats: Stats) -> None:
    import json
    with open(os.path.join(artifact, "manifest.json"), encoding="utf-8") as file:
        graph = json.load(file)["graph"]
    stats.tasks, stats.edges = graph["tasks"], graph["edges"]
    stats.critical_path = graph["critical_path"]


def evaluate(tools: Tools, traced: Traced, arrays: Mapping[str, numpy.ndarray],
             timeout: float) -> dict[str, numpy.ndarray]:
    """The reference evaluation of a workload on `arrays`, by the names in the workload file."""
    import tempfile
    import numpy
    from pto_wsp.trace import npy_bytes
    with tempfile.TemporaryDirectory(prefix="ptowsp-") as folder:
        source = os.path.join(folder, "workload.json")
        with open(source, "w", encoding="utf-8") as file:
            file.write(traced.json_text)
        command = [tools.gen, "eval", source, "-o", folder]
        for tensor in traced.tensors:
            if tensor.role in ("input", "inout"):
                path = os.path.join(folder, f"{tensor.name}.npy")
                with open(path, "wb") as binary:
                    binary.write(npy_bytes(arrays[tensor.name]))
                command += ["--input", f"{tensor.name}={path}"]
        try:
            done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True,
                                  timeout=timeout or None, check=False)
        except subprocess.TimeoutExpired:
            raise ExecutionError(f"{traced.name}: error: the reference evaluation did not end "
                                 f"within {timeout:g} s\n  fix: compile(..., timeout=...) gives it "
                                 "more time; 0 is no limit") from None
        if done.returncode != 0:
            raise ExecutionError(f"{traced.name}: error: the reference evaluation failed\n"
                                 + done.stderr.decode(errors="replace").rstrip())
        return {tensor.name: numpy.load(os.path.join(folder, "expected", f"{tensor.name}.npy"))
                for tensor in traced.tensors if tensor.role in ("output", "inout")}


# --- python3 -m pto_wsp run -----------------------------------------------------------------------


def run_command(module: Module, workload: Workload, target: str) -> int:
    """Compiles a workload of a module, runs it, and compares the results with the module's
    golden(), or else with the reference evaluation. Prints a line; the exit status, 1 for wrong
    results."""
    import sys
    from pto_wsp import _file
    from pto_wsp._tools import Tools
    program = compile_workload(workload, target)
    traced = workload.traced()
    golden = getattr(module.namespace, "golden", None)
    traced.golden = golden if callable(golden) else None
    if isinstance(program, _Emitted):
        print(program.codegen_artifact_dir)
        return 0
    inputs = _file.inputs_of(traced)
    for tensor in traced.tensors:
        if tensor.label in inputs and tensor.tensor.array is None:
            tensor.tensor.allocate()[...] = inputs[tensor.label]
    expected = _file.golden_results(traced)
    results = [tensor for tensor in traced.tensors if tensor.role in ("output", "inout")]
    if any(tensor.name not in expected for tensor in results):
        given = {tensor.name: inputs[tensor.label] for tensor in traced.tensors
                 if tensor.label in inputs}
        expected = {**evaluate(Tools(), traced, given, 0), **expected}
    program.execute()
    figures = f"{program.stats.tasks} task{'s' * (program.stats.tasks != 1)}, " \
        f"{program.stats.wall_time * 1e3:.2f} ms"
    wrong = [text for tensor in results
             for text in _difference(tensor, expected[tensor.name])]
    print(f"{program.name}: {'wrong' if wrong else 'right'}. {figures}.")
    for text in wrong:
        print(f"{program.name}: error: {text}", file=sys.stderr)
    return 1 if wrong else 0


# Relative and absolute, by dtype, as the workload file's reference has them.
_TOLERANCES = {"f32": (1e-4, 1e-5), "f16": (1e-2, 1e-3), "bf16": (2e-2, 1e-2), "i32": (0.0, 0.0)}


def _difference(tensor: TracedTensor, expected: numpy.ndarray) -> Sequence[str]:
    import numpy
    got = tensor.tensor.gather()
    if tensor.dtype.value == "bf16":  # bit patterns: the upper halves of f32
        got, expected = ((a.astype(numpy.uint32) << 16).view(numpy.float32)
                         for a in (got, expected))
    rtol, atol = _TOLERANCES[tensor.dtype.value]
    if tensor.dtype.value != "i32":
        rtol = tensor.tensor.rtol if tensor.tensor.rtol is not None else rtol
        atol = tensor.tensor.atol if tensor.tensor.atol is not None else atol
    a, b = got.astype(numpy.float64), expected.astype(numpy.float64)
    with numpy.errstate(invalid="ignore"):
        error = numpy.abs(a - b)
        right = (a == b) | (numpy.isnan(a) & numpy.isnan(b)) | (error <= atol) \
            | (numpy.isfinite(b) & (error <= rtol * numpy.abs(b)))
    if right.all():
        return []
    at = tuple(int(i) for i in numpy.argwhere(~right)[0])
    return [f"{tensor.label}{list(at)} is {a[at]:.9g}, expected {b[at]:.9g}; "
            f"{int((~right).sum())} of {right.size} elements differ"]
