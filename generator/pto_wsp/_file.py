# SPDX-License-Identifier: MIT
"""Workload files in Python: loading one, choosing its workload, what it imported and read, and the
expected results that its golden() gives."""
from __future__ import annotations

import os
import sys

from pto_wsp.builder import Workload, WorkloadFunction
from pto_wsp.errors import CompileError, PtoError, did_you_mean, fail

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any, Callable, Mapping, Sequence
    import numpy
    from pto_wsp.trace import Traced, TracedTensor

    Parameters = dict[str, Any]


class UserError(Exception):
    """An exception of the user's own code, with its traceback from the user's file on."""

    def __init__(self, error: BaseException) -> None:
        import traceback
        own = os.path.dirname(os.path.abspath(__file__)) + os.sep
        trace = error.__traceback__
        while trace is not None and trace.tb_frame.f_code.co_filename.startswith((own, "<frozen")):
            trace = trace.tb_next
        text = "".join(traceback.format_exception(type(error), error, trace)).rstrip()
        if isinstance(error, ModuleNotFoundError):
            text += (f"\n  fix: install it for {sys.executable}, or use another interpreter, in "
                     "CMake by -DPTOWSP_PYTHON=...")
        super().__init__(text)


def _guarded(function: Callable[[], Any]) -> Any:
    # What the user's code raises, other than our own errors, is reported, not ours to crash on.
    try:
        return function()
    except PtoError:
        raise
    except (Exception, SystemExit) as error:
        raise UserError(error) from error


class Module:
    """A loaded workload file. path: of the file; namespace: the module."""

    def __init__(self, path: str, namespace: ModuleType) -> None:
        self.path = path
        self.namespace = namespace

    def workload(self, name: str | None, parameters: Mapping[str, Any]) -> Workload:
        """The workload `name`, or the only one, called with the parameters."""
        found = {key: value for key, value in vars(self.namespace).items()
                 if isinstance(value, (WorkloadFunction, Workload))
                 and getattr(value, "__module__", self.namespace.__name__) in
                 (self.namespace.__name__, "pto_wsp.builder")}
        shown = os.path.basename(self.path)
        if not found:
            raise CompileError(f"{shown} has no workload", rule="unknown-name",
                               fix="put @workload above a function")
        if name is None:
            if len(found) > 1:
                raise CompileError(f"{shown} has several workloads: {', '.join(found)}",
                                   rule="unknown-name", fix="say which one: --workload "
                                   f"{next(iter(found))}, or WORKLOAD {next(iter(found))} in CMake")
            name = next(iter(found))
        if name not in found:
            raise CompileError(f"{shown} has no workload '{name}'", rule="unknown-name",
                               fix=did_you_mean(name, found, "its workloads are"))
        chosen = found[name]
        if isinstance(chosen, Workload):
            if parameters:
                raise CompileError(f"workload '{name}' has no parameters",
                                   rule="unknown-argument")
            return chosen
        _check_parameters(chosen, parameters)
        result = _guarded(lambda: chosen(**parameters))
        assert isinstance(result, Workload)
        return result

    def trace(self, name: str | None, parameters: Mapping[str, Any]) -> Traced:
        """The workload `name`, or the only one, traced; its `files` are all that were imported from
        the user's tree, its `golden` the module's."""
        workload = self.workload(name, parameters)
        traced: Traced = _guarded(workload.traced)
        traced.files = list(dict.fromkeys([*traced.files, self.path, *imported_files()]))
        golden = getattr(self.namespace, "golden", None)
        traced.golden = golden if callable(golden) else None
        return traced


def _check_parameters(function: WorkloadFunction, parameters: Mapping[str, Any]) -> None:
    code = function.function.__code__
    names = code.co_varnames[:code.co_argcount + code.co_kwonlyargcount]
    for name in parameters:
        if name not in names and not code.co_flags & 0x08:
            fail("unknown-argument", f"workload '{function.name}' has no parameter '{name}'",
                 did_you_mean(name, names, "its parameters are"), function.site)
    without = code.co_argcount - len(function.function.__defaults__ or ())
    missing = [name for name in names[:without] if name not in parameters]
    if missing:
        fail("missing-argument", f"workload '{function.name}' needs the parameter"
             f"{'s' * (len(missing) > 1)} {', '.join(missing)}",
             f"give -p {missing[0]}=..., or PARAMETERS {missing[0]}=... in CMake", function.site)


def load(path: str) -> Module:
    """Runs a workload file as a module. CompileError, or UserError for what its code raises."""
    path = os.path.abspath(path)
    try:
        with open(path, "rb") as file:
            source = file.read()
    except OSError as error:
        raise CompileError(f"{path} cannot be read: {error.strerror}",
                           rule="unreadable-file") from None
    module = type(sys)(os.path.splitext(os.path.basename(path))[0])
    if module.__name__ in sys.modules:
        module.__name__ += "_workload"
    module.__file__ = path
    sys.modules[module.__name__] = module
    sys.path.insert(0, os.path.dirname(path))
    # dont_inherit: this file's __future__ imports are not the user's.
    _guarded(lambda: exec(compile(source, path, "exec", dont_inherit=True), module.__dict__))
    return Module(path, module)


def parse_parameters(texts: Sequence[str]) -> Parameters:
    """NAME=VALUE as a dictionary: integers, floats, true and false, else strings. ValueError for
    what is not of that form."""
    parameters: Parameters = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name.isidentifier():
            raise ValueError(f"a parameter is NAME=VALUE, found '{text}'")
        if name in parameters:
            raise ValueError(f"parameter '{name}' is given twice")
        parameters[name] = _parsed(value)
    return parameters


def _parsed(value: str) -> Any:
    for kind in (int, float):
        try:
            return kind(value)
        except ValueError:
            pass
    return {"true": True, "false": False}.get(value.lower(), value)


# --- what was imported and read -------------------------------------------------------------------

_LIBRARIES = (os.path.dirname(os.path.abspath(os.__file__)) + os.sep,
              os.path.dirname(os.path.abspath(__file__)) + os.sep)


def _of_user(path: str) -> bool:
    parts = path.split(os.sep)
    return (os.path.isabs(path) and not path.startswith(_LIBRARIES)
            and "site-packages" not in parts and "dist-packages" not in parts
            and parts[1] not in ("proc", "sys", "dev") and not path.endswith(".pyc")
            and os.path.isfile(path))


def imported_files() -> list[str]:
    """The files of the user's tree that are imported as modules."""
    files = []
    for module in list(sys.modules.values()):
        path = getattr(module, "__file__", None)
        if isinstance(path, str) and _of_user(os.path.abspath(path)):
            files.append(os.path.abspath(path))
    return sorted(set(files))


class Reads:
    """Notes each file that the process opens to read, from now on."""

    def __init__(self, source: str) -> None:
        self._source = os.path.abspath(source)
        self._opened: set[str] = set()
        self._done = False
        sys.addaudithook(self._hook)

    def _hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event != "open" or self._done:
            return
        path, mode, flags = arguments
        writes = any(c in mode for c in "wax+") if isinstance(mode, str) else \
            flags & (os.O_WRONLY | os.O_RDWR)
        if isinstance(path, (str, bytes)) and not writes:
            self._opened.add(os.path.abspath(os.fsdecode(path)))

    def depfile(self, target: str, outputs: Sequence[str], failed: bool) -> str:
        """A depfile of `target`: the source, and every file of the user's that was imported or
        read. outputs: what the process wrote, files and folders. After a failure, which may be an
        import of what is not there yet, also a file that never exists: the next build then tries
        again."""
        self._done = True
        written = [os.path.abspath(path) for path in outputs]
        own = (*(path + os.sep for path in written),
               *(path.removesuffix("json") for path in written if path.endswith(".json")))
        files = {path for path in self._opened
                 if _of_user(path) and path not in written and not path.startswith(own)}
        files |= {self._source, *imported_files()}
        if failed:
            files.add(os.path.abspath(target) + ".retry")
        return " \\\n  ".join([_escaped(os.path.abspath(target)) + ":",
                               *map(_escaped, sorted(files))]) + "\n"


def _escaped(path: str) -> str:
    return path.replace("$", "$$").replace("#", "\\#").replace(" ", "\\ ")


# --- golden ---------------------------------------------------------------------------------------


def inputs_of(traced: Traced, seed: int = 0) -> dict[str, numpy.ndarray]:
    """Copies of what input and inout tensors hold before the run, by the user's names."""
    from pto_wsp._random import default_init, elements
    inputs = {}
    for tensor in traced.tensors:
        if tensor.role not in ("input", "inout"):
            continue
        if tensor.tensor.array is not None:
            inputs[tensor.label] = tensor.tensor.gather().copy()
        else:
            init = tensor.ir().get("init", default_init(tensor.dtype))
            inputs[tensor.label] = elements(tensor.name, tensor.shape, tensor.dtype, init, seed)
    return inputs


def golden_results(traced: Traced, seed: int = 0) -> dict[str, numpy.ndarray]:
    """What the module's golden(**inputs) gives (of bf16 it gets the numbers, as f32), by the names
    in the workload file, of the tensors' shapes and dtypes; empty without a golden. It returns a
    dictionary by tensor, one array when there is one output, or a tuple in the outputs' order; None
    for an output leaves it to the reference."""
    golden = traced.golden
    if golden is None:
        return {}
    outputs = [tensor for tensor in traced.tensors if tensor.role in ("output", "inout")]
    dtypes = {tensor.label: tensor.dtype for tensor in traced.tensors}
    inputs = {name: dtypes[name].decode(array) for name, array in inputs_of(traced, seed).items()}
    code = getattr(golden, "__code__", None)
    if code is not None and not code.co_flags & 0x08:
        names = code.co_varnames[:code.co_argcount + code.co_kwonlyargcount]
        inputs = {name: array for name, array in inputs.items() if name in names}
    result = _guarded(lambda: golden(**inputs))
    if not isinstance(result, dict):
        values = result if isinstance(result, (tuple, list)) else (result,)
        if len(values) != len(outputs):
            fail("bad-golden", f"golden() returns {len(values)} arrays for {len(outputs)} outputs: "
                 f"{', '.join(tensor.label for tensor in outputs)}",
                 "return a dictionary, {\"y\": array}", _site(golden))
        result = {tensor.label: value for tensor, value in zip(outputs, values)}
    by_label = {tensor.label: tensor for tensor in outputs}
    for name in result:
        if name not in by_label:
            fail("bad-golden", f"golden() returns '{name}', which is no output",
                 did_you_mean(str(name), by_label, "the outputs are"), _site(golden))
    return {by_label[name].name: _result(by_label[name], value, golden)
            for name, value in result.items() if value is not None}


def _result(tensor: TracedTensor, value: Any, golden: Any) -> numpy.ndarray:
    import numpy
    array = numpy.asarray(value)
    if array.shape != tensor.shape or array.dtype.kind not in "fiub":
        fail("bad-golden", f"golden() gives {array.dtype.name}{list(array.shape)} for "
             f"'{tensor.label}', expected {tensor.dtype}{list(tensor.shape)}", "", _site(golden))
    # Of bf16 both numbers and bit patterns are taken.
    if array.dtype != tensor.dtype.numpy:
        array = tensor.dtype.encode(array)
    return numpy.ascontiguousarray(array)


def _site(function: Any) -> Any:
    from pto_wsp.errors import Site
    code = getattr(function, "__code__", None)
    return Site(code.co_filename, code.co_firstlineno) if code else None


def write_expected(traced: Traced, module: Module, folder: str, seed: int) -> list[str]:
    """Writes golden()'s results to `folder`, TENSOR.npy each, when their bytes change; removes
    those of outputs that it does not give (any more). The paths of what is there."""
    from pto_wsp.trace import npy_bytes, write_if_changed
    os.makedirs(folder, exist_ok=True)
    results = golden_results(traced, seed)
    paths = []
    for tensor in traced.tensors:
        path = os.path.join(folder, tensor.name + ".npy")
        if tensor.name in results:
            write_if_changed(path, npy_bytes(results[tensor.name]))
            paths.append(path)
        elif tensor.role in ("output", "inout") and os.path.exists(path):
            os.remove(path)
    return paths
