# SPDX-License-Identifier: MIT
"""What the body of a kernel calls: values without elements, and ops that are noted, with the place each
was called from. How they are written into the workload file is here too; kernels themselves are in
_kernel.py.
"""
from __future__ import annotations

import operator
from _thread import _local

from pto_wsp._names import assigned_name, fit, unique
from pto_wsp.errors import Site, fail, here, nearest
from pto_wsp.types import DType, Scalar, Tensor, View

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn, Union

    from pto_wsp._kernel import Kernel, Param

    Operand = Union["Value", float, int]


class Op:
    """One op of a kernel's body. `result` is empty for a store; `attributes` are those of cast and
    constant."""

    __slots__ = ("name", "args", "result", "site", "attributes")

    def __init__(self, name: str, args: list[Any], result: str, site: Site | None,
                 attributes: dict[str, Any] | None = None) -> None:
        self.name = name
        self.args = args
        self.result = result
        self.site = site
        self.attributes = attributes or {}

    def ir(self) -> dict[str, Any]:
        """As the workload file has it."""
        ir: dict[str, Any] = {"op": self.name, "args": self.args, **self.attributes}
        if self.result:
            ir["result"] = self.result
        return ir


class Value:
    """A tile value inside a kernel: a parameter, or what an op gave. It knows `shape` (rows, cols)
    and `dtype`, but has no elements: + - * / and unary - note ops, as pto.add and so on do."""

    __slots__ = ("trace", "name", "shape", "dtype", "param", "loaded",
                 "number")

    def __init__(self, trace: KernelTrace, name: str, shape: tuple[int, int], dtype: DType,
                 param: Param | None = None, loaded: bool = False,
                 number: float | None = None) -> None:
        self.trace = trace
        self.name = name
        self.shape = shape
        self.dtype = dtype
        self.param = param    # of a parameter, or of what was loaded from one
        self.loaded = loaded  # what the parameter held when it was loaded, not what it holds now
        self.number = number  # of a number of Python's, whose dtype follows from the other operands

    @property
    def rows(self) -> int:
        return self.shape[0]

    @property
    def cols(self) -> int:
        return self.shape[1]

    def __add__(self, other: Any) -> Value:
        return elementwise("add", self, other)

    def __radd__(self, other: Any) -> Value:
        return elementwise("add", other, self)

    def __sub__(self, other: Any) -> Value:
        return elementwise("sub", self, other)

    def __rsub__(self, other: Any) -> Value:
        return elementwise("sub", other, self)

    def __mul__(self, other: Any) -> Value:
        return elementwise("mul", self, other)

    def __rmul__(self, other: Any) -> Value:
        return elementwise("mul", other, self)

    def __truediv__(self, other: Any) -> Value:
        return elementwise("div", self, other)

    def __rtruediv__(self, other: Any) -> Value:
        return elementwise("div", other, self)

    def __neg__(self) -> Value:
        return elementwise("neg", self)

    def __pos__(self) -> Value:
        return self

    def __abs__(self) -> Value:
        return elementwise("abs", self)

    def __matmul__(self, other: Any) -> Value:
        return matmul("matmul", self, other)

    def __rmatmul__(self, other: Any) -> Value:
        return matmul("matmul", other, self)

    def __pow__(self, exponent: Any) -> NoReturn:
        fail("unknown-name", "tiles have no operator **", "write x * x, or pto.exp and pto.log")

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Value:
        # numpy.float32(2) * x comes here, and so does numpy.exp(x).
        op = {"add": "add", "subtract": "sub", "multiply": "mul", "divide": "div",
              "true_divide": "div"}.get(ufunc.__name__)
        if method == "__call__" and op and not kwargs:
            return elementwise(op, *inputs)
        from pto_wsp import pto
        name = {"maximum": "maximum", "minimum": "minimum", "negative": "neg",
                "absolute": "abs"}.get(ufunc.__name__, ufunc.__name__)
        fail("unknown-name", f"numpy.{ufunc.__name__} cannot work on a tile of a kernel",
             f"write pto.{name}" if name in pto.__all__ else "use the ops of pto")

    def _no_value(self) -> NoReturn:
        fail("data-dependent", f"'{self.name}' has no value while the kernel is traced, so Python "
             "cannot decide on it",
             "a kernel does the same for all data: choose by arithmetic, such as pto.max(x, 0), or "
             "decide outside of the kernel")

    def __bool__(self) -> NoReturn:
        self._no_value()

    def __lt__(self, other: Any) -> NoReturn:
        self._no_value()

    __le__ = __gt__ = __ge__ = __lt__
    __eq__ = __ne__ = __lt__  # type: ignore[assignment]
    __hash__ = object.__hash__

    def __float__(self) -> NoReturn:
        self._no_value()

    __int__ = __index__ = __float__  # type: ignore[assignment]

    def __getitem__(self, items: Any) -> NoReturn:
        fail("bad-view", f"'{self.name}' is a whole tile, parts of it cannot be taken in a kernel",
             "give the task a view of that part, X[b, 0:8, 0:8]")

    def __setitem__(self, items: Any, value: Any) -> NoReturn:
        fail("bad-store", f"elements of '{self.name}' cannot be assigned to",
             f"write pto.store({self.name}, value)")

    def __iter__(self) -> NoReturn:
        fail("bad-view", f"'{self.name}' is a whole tile and cannot be iterated over",
             "use ops on whole tiles, such as pto.rowsum")

    def __repr__(self) -> str:
        return f"Value({self.name}: {_shape(self.shape)} {self.dtype})"


def _shape(shape: tuple[int, int]) -> str:
    return f"{shape[0]}x{shape[1]}"


class KernelTrace:
    """What tracing a kernel gave: `params` and `body`, in the workload file's terms."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.params = kernel.params
        self.body: list[Op] = []
        self._names = {param.ir_name for param in self.params}
        self._stored: dict[str, Value] = {}  # by parameter: the value it was given last
        self._stale_read = False

    def parameter_values(self) -> dict[str, Value]:
        values = {}
        for param in self.params:
            shape = (1, 1) if isinstance(param.type, Scalar) else param.type.tile.shape
            values[param.name] = Value(self, param.ir_name, shape, param.dtype, param)
        return values

    def read(self, value: Value, loaded: bool = False) -> Value:
        """What `value` is by now: for a parameter that was stored to, what was stored."""
        param = value.param
        if value.trace is not self:
            fail("unknown-name", f"'{value.name}' is a tile of kernel "
                 f"'{value.trace.kernel.name}', used in kernel '{self.kernel.name}'",
                 "give it as a parameter")
        if param is None:
            return value
        if value.loaded:
            # Its name has another meaning after a store; end() then moves the stores to the end.
            self._stale_read |= param.name in self._stored
            return value
        if param.name in self._stored:
            return self.read(self._stored[param.name])
        if param.access == "out":
            fail("read-before-store", f"'{param.name}' is an Out tile and read before it is stored",
                 f"make it InOut[{param.type.tile!r}]")
        return Value(self, value.name, value.shape, value.dtype, param, True) if loaded else value

    @staticmethod
    def arg(value: Value) -> Any:
        """The operand as the workload file has it."""
        return value.name if value.number is None else value.number

    def add(self, op: str, args: list[Any], shape: tuple[int, int], dtype: DType,
            attributes: dict[str, Any] | None = None) -> Value:
        name = unique(fit(assigned_name() or "v", "v"), self._names)
        self.body.append(Op(op, args, name, here(), attributes))
        return Value(self, name, shape, dtype)

    def store(self, tile: Value, value: Value, arg: Any) -> None:
        param = tile.param
        assert param is not None
        self.body.append(Op("store", [param.ir_name, arg], "", here()))
        self._stored[param.name] = self.read(value, loaded=True)

    def end(self) -> None:
        """The checks and the order that need the whole body."""
        for param in self.params:
            if param.access in ("out", "inout") and param.name not in self._stored:
                fail("no-store", f"kernel '{self.kernel.name}' never stores to '{param.name}'",
                     f"write pto.store({param.name}, value), or make it In[...]", self.kernel.site)
        if not self._stored:
            fail("no-store", f"kernel '{self.kernel.name}' stores nothing",
                 "give it an Out parameter y, and write pto.store(y, value)", self.kernel.site)
        if self._stale_read:
            self._stores_last()

    def _stores_last(self) -> None:
        # What was loaded from a parameter is used after a store to it: the name must keep its old
        # meaning until then. Only the last store to each counts.
        last = {op.args[0]: op for op in self.body if op.name == "store"}
        others = [op for op in self.body if op.name != "store"]
        stores: list[Op] = []
        waiting = list(last.values())
        while waiting:
            # A store may come when no other one still reads what its parameter held.
            ready = [op for op in waiting
                     if not any(other is not op and other.args[1] == op.args[0]
                                for other in waiting)]
            if not ready:
                fail("bad-store", f"kernel '{self.kernel.name}' swaps tiles: each store needs what "
                     "the other one overwrites", "store an intermediate value, such as x * 1.0",
                     waiting[0].site)
            stores.append(ready[0])
            waiting.remove(ready[0])
        self.body = others + stores


class _State(_local):
    trace: KernelTrace | None = None


STATE = _State()  # which kernel is being traced


def _current(op: str) -> KernelTrace:
    if STATE.trace is None:
        fail("bad-program", f"pto.{op} is called outside of a kernel",
             "call it in a function with @kernel")
    return STATE.trace


def _operand(trace: KernelTrace, op: str, operand: Any) -> Value:
    if isinstance(operand, Value):
        return trace.read(operand)
    if isinstance(operand, (Tensor, View)):
        name = operand.name if isinstance(operand, Tensor) else str(operand)
        fail("wrong-type", f"pto.{op}: '{name}' is a tensor, not a tile of this kernel",
             "give it to the task as a view, for a parameter In[Tile[...]]")
    number = number_of(operand)
    if number is None:
        fail("wrong-type", f"pto.{op}: expected a tile or a number, found {type(operand).__name__}")
    return Value(trace, str(operand), (1, 1), DType.F32, number=number)


def number_of(value: Any) -> float | int | None:
    # A number that JSON can hold, or None.
    if isinstance(value, (bool, str)) or hasattr(value, "__len__"):
        return None
    try:
        number: float | int = operator.index(value)
    except TypeError:
        try:
            number = float(value)
        except (TypeError, ValueError):
            return None
    if number != number or number in (float("inf"), float("-inf")):
        fail("number-range", f"{number} cannot be written in a workload file",
             "use a finite number, such as -3e38 for the lowest, or a tensor with that element")
    return number


def _same_dtype(op: str, values: list[Value]) -> DType:
    tiles = [value for value in values if value.number is None]
    dtypes = {value.dtype for value in tiles}
    if len(dtypes) > 1:
        listed = ", ".join(f"'{value.name}' is {value.dtype}" for value in tiles)
        fail("wrong-dtype", f"pto.{op}: the operands differ in dtype: {listed}",
             f"nothing is converted unasked: write pto.cast(x, DType.{tiles[0].dtype.name})")
    dtype = dtypes.pop() if dtypes else DType.F32
    _check_dtype(op, tiles[0].name if tiles else "the operand", dtype)
    if dtype is DType.I32:
        for value in values:
            if value.number is not None:
                check_integer(f"pto.{op}", value.number)
    return dtype


def _check_dtype(op: str, name: str, dtype: DType) -> None:
    from pto_wsp import pto
    dtypes = pto._DTYPES[op]
    if dtype.value not in dtypes:
        fail("wrong-dtype", f"pto.{op} works on {', '.join(dtypes[:-1])} and {dtypes[-1]}, but "
             f"'{name}' is {dtype}", "cast it first: pto.cast(x, DType.F32)")


def check_integer(where: str, number: float | int) -> None:
    if number != int(number) or not -2**31 <= number < 2**31:
        fail("number-range", f"{where}: {number} is no i32",
             "i32 has the integers from -2147483648 to 2147483647")


# --- the forms of ops, as the op table has them ---------------------------------------------------


def elementwise(op: str, *operands: Any) -> Value:
    """An op on each element; operands broadcast as tile, row, column and scalar."""
    trace = _current(op)
    values = [_operand(trace, op, operand) for operand in operands]
    dtype = _same_dtype(op, values)
    shape = [1, 1]
    for axis in (0, 1):
        extents = {value.shape[axis] for value in values} - {1}
        if len(extents) > 1:
            shapes = " and ".join(_shape(value.shape) for value in values)
            fail("shape-mismatch", f"pto.{op}: {shapes} do not broadcast: "
                 f"{' and '.join(str(value.shape[axis]) for value in values)} "
                 f"{'columns' if axis else 'rows'}",
                 "operands are rows x cols, 1 x cols, rows x 1, or numbers")
        shape[axis] = extents.pop() if extents else 1
    return trace.add(op, [trace.arg(value) for value in values], (shape[0], shape[1]), dtype)


def row_reduction(op: str, operand: Any) -> Value:
    """An op from rows x cols to rows x 1."""
    trace, value = _reduced(op, operand)
    return trace.add(op, [trace.arg(value)], (value.rows, 1), value.dtype)


def col_reduction(op: str, operand: Any) -> Value:
    """An op from rows x cols to 1 x cols."""
    trace, value = _reduced(op, operand)
    return trace.add(op, [trace.arg(value)], (1, value.cols), value.dtype)


def _reduced(op: str, operand: Any) -> tuple[KernelTrace, Value]:
    trace = _current(op)
    value = _tile(trace, op, operand, "reduce a tile; of a scalar there is nothing to reduce")
    _check_dtype(op, value.name, value.dtype)
    return trace, value


def _tile(trace: KernelTrace, op: str, operand: Any, hint: str) -> Value:
    value = _operand(trace, op, operand)
    if value.number is not None or (value.param is not None and not value.param.access):
        fail("shape-mismatch", f"pto.{op}: expected a tile, found a scalar", hint)
    return value


def matmul(op: str, a: Any, b: Any, acc: Any = None) -> Value:
    """m x k and k x n, and perhaps an accumulator m x n, to m x n of f32."""
    trace = _current(op)
    hint = "multiply by a scalar with *"
    x, y = _tile(trace, op, a, hint), _tile(trace, op, b, hint)
    dtype = _same_dtype(op, [x, y])
    if x.cols != y.rows:
        fail("shape-mismatch", f"pto.{op}: {_shape(x.shape)} and {_shape(y.shape)} do not fit: "
             f"{x.cols} columns and {y.rows} rows",
             "the first operand has as many columns as the second has rows")
    args, shape = [trace.arg(x), trace.arg(y)], (x.rows, y.cols)
    if acc is not None:
        c = _tile(trace, op, acc, "give an accumulator of the product's shape")
        if c.shape != shape:
            fail("shape-mismatch", f"pto.{op}: the accumulator '{c.name}' is {_shape(c.shape)}, "
                 f"the product {_shape(shape)}", "give an accumulator of the product's shape")
        if c.dtype is not DType.F32:
            fail("wrong-dtype", f"pto.{op}: the accumulator '{c.name}' is {c.dtype}, the product "
                 f"of {dtype} is f32", "write pto.cast(acc, DType.F32)")
        args.append(trace.arg(c))
    return trace.add(op, args, shape, DType.F32)


def cast(op: str, operand: Any, dtype: DType) -> Value:
    """The operand in another dtype."""
    trace = _current(op)
    _check_is_dtype(op, dtype)
    value = _operand(trace, op, operand)
    return trace.add(op, [trace.arg(value)], value.shape, dtype, {"dtype": dtype.value})


def _check_is_dtype(op: str, dtype: Any) -> None:
    if not isinstance(dtype, DType):
        fail("wrong-dtype", f"pto.{op}: expected a DType, found {dtype!r}",
             f"write pto.{op}(..., DType.F16)")


def constant(op: str, value: Any, dtype: DType, rows: int, cols: int) -> Value:
    """A number as a value: rows x cols of it."""
    trace = _current(op)
    number = number_of(value)
    if number is None:
        fail("wrong-type", f"pto.{op}: expected a number, found {type(value).__name__}")
    _check_is_dtype(op, dtype)
    if dtype is DType.I32:
        check_integer(f"pto.{op}", number)
    attributes: dict[str, Any] = {"value": number, "dtype": dtype.value}
    for name, extent in (("rows", rows), ("cols", cols)):
        if not isinstance(extent, int) or isinstance(extent, bool) or extent < 1:
            fail("bad-shape", f"pto.{op}: {name} is an integer of at least 1, found {extent!r}")
        if extent != 1:
            attributes[name] = extent
    return trace.add(op, [], (rows, cols), dtype, attributes)


def store(op: str, tile: Any, operand: Any) -> None:
    """Writes a value to the whole tile of a parameter."""
    trace = _current(op)
    if not isinstance(tile, Value) or tile.param is None or not tile.param.access or \
            tile.loaded:
        found = f"'{tile.name}'" if isinstance(tile, Value) else type(tile).__name__
        fail("bad-store", f"pto.store writes to a tile parameter, found {found}",
             "write pto.store(tile, value), the kernel's Out or InOut parameter first")
    if tile.trace is not trace:
        trace.read(tile)
    if tile.param.access == "in":
        fail("bad-store", f"'{tile.param.name}' is an In tile and stored to",
             f"make it Out[{tile.param.type.tile!r}], or InOut[...] if it is read too")
    value = _operand(trace, op, operand)
    if value.shape != tile.shape:
        fail("shape-mismatch", f"pto.store: the tile '{tile.param.name}' is {_shape(tile.shape)}, "
             f"the value {_shape(value.shape)}", "store a value of exactly the tile's shape")
    if value.number is None and value.dtype != tile.dtype:
        fail("wrong-dtype", f"pto.store: the tile '{tile.param.name}' is {tile.dtype}, the value "
             f"{value.dtype}", f"write pto.cast(value, DType.{tile.dtype.name})")
    if value.number is not None and tile.dtype is DType.I32:
        check_integer("pto.store", value.number)
    trace.store(tile, value, trace.arg(value))


# --- what is no op of the table -------------------------------------------------------------------


def load(tile: Any) -> Value:
    """The value of a tile parameter as it is now; later stores to it do not change it."""
    trace = _current("load")
    if not isinstance(tile, Value):
        fail("wrong-type", f"pto.load: expected a tile of the kernel, found {type(tile).__name__}",
             "give the tensor to the task as a view, for a parameter In[Tile[...]]")
    return trace.read(tile, loaded=True)


def unknown(name: str, known: list[str]) -> NoReturn:
    """There is no such op; tells what may have been meant."""
    if name.startswith("_"):
        raise AttributeError(name)
    best = nearest(name, known)
    fail("unknown-name", f"there is no op 'pto.{name}'",
         f"did you mean 'pto.{best}'?" if best else f"ops: {', '.join(known)}")
