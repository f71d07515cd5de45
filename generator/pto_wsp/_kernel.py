# SPDX-License-Identifier: MIT
"""Kernels: from a Python function over tiles to a list of ops.

The function runs once, with tiles that know shape and dtype but no elements: _kernel_ops.py has what it
calls. Parameters and their types are here; where tasks call a kernel is not.
"""
from __future__ import annotations

from _thread import RLock

from pto_wsp._kernel_ops import STATE, KernelTrace, check_integer, number_of
from pto_wsp._names import bound_name, fit, unique
from pto_wsp._nodes import SymbolScalar, outside
from pto_wsp.errors import CompileError, Site, did_you_mean, fail, unsupported
from pto_wsp.types import DType, Scalar, Symbol, Tensor, Tile, View

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType
    from typing import Any, Callable


class _Access:
    access = ""
    what = ""

    def __init__(self, tile: Tile) -> None:
        self.tile = tile

    def __class_getitem__(cls, tile: Any) -> _Access:
        if not isinstance(tile, Tile):
            fail("bad-annotation", f"{cls.__name__}[{tile!r}] is no parameter type",
                 f"write {cls.__name__}[Tile[rows, cols, dtype]]")
        return cls(tile)

    def __repr__(self) -> str:
        return f"{type(self).__name__}[{self.tile!r}]"


class In(_Access):
    """A tile that the kernel reads: `x: In[Tile[16, 64, DType.F32]]`."""

    access = "in"


class Out(_Access):
    """A tile that the kernel writes, by pto.store, and cannot read before."""

    access = "out"


class InOut(_Access):
    """A tile that the kernel reads and writes."""

    access = "inout"


class Param:
    """A parameter: `type` is In, Out, InOut or Scalar; `name` the user's, `ir_name` the file's."""

    __slots__ = ("name", "ir_name", "type", "default")

    def __init__(self, name: str, ir_name: str, type: Any, default: Any) -> None:
        self.name = name
        self.ir_name = ir_name
        self.type = type
        self.default = default  # a number, or None

    @property
    def access(self) -> str:
        """"in", "out" or "inout"; empty for a scalar."""
        return "" if isinstance(self.type, Scalar) else self.type.access

    @property
    def dtype(self) -> DType:
        return self.type.dtype if isinstance(self.type, Scalar) else self.type.tile.dtype

    def ir(self) -> dict[str, Any]:
        """As the workload file has it."""
        if isinstance(self.type, Scalar):
            return {"name": self.ir_name, "scalar": self.dtype.value}
        return {"name": self.ir_name, "tile": list(self.type.tile.shape), "dtype": self.dtype.value,
                "access": self.access}


class Kernel:
    """A function with @kernel. Calling it in a workload makes a task; `k[b, t](...)` names the
    task.

    name: the user's; params: its parameters.
    """

    def __init__(self, function: Callable[..., Any], frame: FrameType | None) -> None:
        self.function = function
        self.name: str = function.__name__
        code = function.__code__
        self.site = Site(code.co_filename, code.co_firstlineno)
        self.__doc__ = function.__doc__
        self.__name__ = self.name
        self.params = self._read_params(frame)
        self._trace: KernelTrace | None = None
        self._lock = RLock()

    def _read_params(self, frame: FrameType | None) -> list[Param]:
        code = self.function.__code__
        names = code.co_varnames[:code.co_argcount + code.co_kwonlyargcount]
        if code.co_flags & 0x0C:
            fail("bad-annotation", f"kernel '{self.name}' has parameters *args or **kwargs",
                 "name each parameter, with its type", self.site)
        defaults = dict(zip(names[code.co_argcount - len(self.function.__defaults__ or ()):],
                            self.function.__defaults__ or ()))
        defaults.update(self.function.__kwdefaults__ or {})
        params: list[Param] = []
        taken: set[str] = set()
        for name in names:
            kind = self._annotation(name, frame)
            if isinstance(kind, Tile):
                fail("bad-annotation", f"parameter '{name}' of kernel '{self.name}' does not say "
                     "whether it is read or written", f"write {name}: In[{kind!r}], Out[...] or "
                     "InOut[...]", self.site)
            if not isinstance(kind, (_Access, Scalar)):
                fail("bad-annotation", f"parameter '{name}' of kernel '{self.name}' has no type",
                     f"write {name}: In[Tile[rows, cols, DType.F32]], Out[...], InOut[...] or "
                     "Scalar[DType.F32]", self.site)
            default = defaults.get(name)
            if default is not None and not isinstance(kind, Scalar):
                fail("bad-annotation", f"parameter '{name}' of kernel '{self.name}' is a tile and "
                     "has a default", "only scalars have defaults", self.site)
            params.append(Param(name, unique(fit(name, "p"), taken), kind, default))
        return params

    def _annotation(self, name: str, frame: FrameType | None) -> Any:
        kind = self.function.__annotations__.get(name)
        if not isinstance(kind, str):
            return kind
        # `from __future__ import annotations` leaves text, over names of where the kernel stands.
        scope = dict(self.function.__globals__)
        scope.update(frame.f_locals if frame else {})
        try:
            return eval(compile(kind, self.site.file, "eval", dont_inherit=True), scope)
        except CompileError as error:
            error.site = self.site
            raise
        except NameError as error:
            fail("bad-annotation", f"the type of parameter '{name}' of kernel '{self.name}' cannot "
                 f"be evaluated: {error}", "", self.site)

    def trace(self) -> KernelTrace:
        """The kernel's parameters and ops; traced once."""
        with self._lock:
            if self._trace is None:
                trace = KernelTrace(self)
                outer, STATE.trace = STATE.trace, trace
                try:
                    returned = outside(self.function, trace.parameter_values())
                finally:
                    STATE.trace = outer
                if returned is not None:
                    fail("bad-store", f"kernel '{self.name}' returns a value, which goes nowhere",
                         "write it to an Out parameter y, pto.store(y, value)", self.site)
                trace.end()
                self._trace = trace
            return self._trace

    def __getitem__(self, coords: Any) -> BoundKernel:
        return BoundKernel(self, coords if isinstance(coords, tuple) else (coords,))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        from pto_wsp.builder import call_kernel
        return call_kernel(self, (), args, kwargs)

    def bind(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        """By parameter: a View for a tile, a number for a scalar."""
        names = [param.name for param in self.params]
        if len(args) > len(names):
            fail("unknown-argument", f"kernel '{self.name}' has {len(names)} parameters, found "
                 f"{len(args)} arguments", f"its parameters are {', '.join(names)}")
        given = dict(zip(names, args))
        for name, value in kwargs.items():
            if name not in names:
                fail("unknown-argument", f"kernel '{self.name}' has no parameter '{name}'",
                     did_you_mean(name, [n for n in names if n not in given and n not in kwargs] or
                                  names, "its parameters are"))
            if name in given:
                fail("unknown-argument", f"parameter '{name}' of kernel '{self.name}' is given "
                                         "twice",
                     "give it once, by place or by name")
            given[name] = value
        missing = [param.name for param in self.params
                   if param.name not in given and param.default is None]
        if missing:
            fail("missing-argument", f"kernel '{self.name}' is called without "
                 f"{' and '.join(repr(name) for name in missing)}",
                 f"call {self.name}({', '.join(f'{name}=...' for name in names)})")
        return {param.name: self._argument(param, given.get(param.name, param.default))
                for param in self.params}

    def _argument(self, param: Param, value: Any) -> Any:
        where = f"parameter '{param.name}' of kernel '{self.name}'"
        if param.access:
            if isinstance(value, Tensor):
                value = value[()]
            if isinstance(value, View):
                value.tensor.name = value.tensor.name or bound_name(value.tensor) or ""
                if value.dtype is not param.dtype:
                    fail("wrong-dtype", f"tensor '{value.tensor.name}' is {value.dtype}, {where} "
                         f"is a tile of {param.dtype}", "give the tensor "
                         f"dtype=DType.{param.dtype.name}, or the parameter's tile "
                         f"DType.{value.dtype.name}")
                return value
            fail("wrong-argument", f"{where} is a tile, found {type(value).__name__}",
                 "make it a tensor: Tensor(data=array)" if hasattr(value, "__array_interface__")
                 or hasattr(value, "__dlpack__") else "give a tensor or a view of one")
        symbol = value if isinstance(value, Symbol) else None
        if symbol is not None:
            if symbol.value is None:
                unsupported(f"the symbol '{symbol.name}', whose value is set at run time,",
                            "give a number")
            value = symbol.value
        if isinstance(value, (Tensor, View)):
            fail("wrong-argument", f"{where} is a scalar, found a tensor",
                 "give a number, or make the parameter In[Tile[1, 1, DType.F32]]")
        if type(value).__name__ == "Affine":
            unsupported(f"the scalar {where} that changes with '{value}'",
                        "give the number by a tensor with an element for each iteration")
        number = number_of(value)
        if number is None:
            fail("wrong-argument", f"{where} is a scalar, found {type(value).__name__}",
                 "give a number")
        if param.dtype is DType.I32:
            check_integer(where, number)
        return number if symbol is None else SymbolScalar(symbol.name, number)

    def __repr__(self) -> str:
        return f"<kernel {self.name} at {self.site}>"


class BoundKernel:
    """A kernel and the coordinates of its next task."""

    __slots__ = ("kernel", "coords")

    def __init__(self, kernel: Kernel, coords: tuple[Any, ...]) -> None:
        self.kernel = kernel
        self.coords = coords

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        from pto_wsp.builder import call_kernel
        return call_kernel(self.kernel, self.coords, args, kwargs)
