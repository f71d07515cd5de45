# SPDX-License-Identifier: MIT
"""Tensors, views of them, dtypes, and the axes that loops run over."""
from __future__ import annotations

import operator
from enum import Enum
from itertools import count

from pto_wsp._affine import Affine
from pto_wsp._names import assigned_name
from pto_wsp.errors import CompileError, Site, fail, here, unsupported

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Iterator, Mapping, NoReturn, Sequence
    import numpy
    from pto_wsp._affine import Index

__all__ = ["DType", "Tensor", "View", "Tile", "Scalar", "Dense", "DenseDyn", "Ragged", "Sparse",
           "Symbol"]


class DType(Enum):
    """Element types. F16 is IEEE 754 half precision, BF16 the upper half of an F32, I32 wraps."""

    F32 = "f32"
    F16 = "f16"
    BF16 = "bf16"
    I32 = "i32"

    @property
    def itemsize(self) -> int:
        """Bytes of one element."""
        return 4 if self in (DType.F32, DType.I32) else 2

    @property
    def numpy(self) -> numpy.dtype:
        """The numpy dtype of arrays of this type; bf16 are bit patterns in uint16."""
        import numpy
        return numpy.dtype({"f32": "<f4", "f16": "<f2", "bf16": "<u2", "i32": "<i4"}[self.value])

    def encode(self, values: Any) -> numpy.ndarray:
        """Numbers as an array of this type, rounded to nearest, ties to even: numpy.float32,
        float16, int32, or for BF16 the bit patterns in uint16."""
        import numpy
        with numpy.errstate(over="ignore", invalid="ignore"):
            if self is not DType.BF16:
                return numpy.asarray(values).astype(self.numpy)
            exact = numpy.asarray(values, numpy.float64)
            near = exact.astype(numpy.float32)
            bits = near.view(numpy.uint32)
        # Rounded to odd, so that the second rounding cannot err where the first one met a tie.
        inexact = (near != exact) & numpy.isfinite(exact)
        away = inexact & (numpy.abs(near) > numpy.abs(exact))
        bits = numpy.where(inexact, (bits - away) | 1, bits)
        rounded = (bits + (0x7FFF + (bits >> 16 & 1))) >> 16
        return numpy.where(numpy.isnan(exact), bits >> 16 | 0x40, rounded).astype(numpy.uint16)

    def decode(self, array: Any) -> numpy.ndarray:
        """The numbers that the elements of an array of this type are; F32 for BF16's bit
        patterns."""
        import numpy
        array = numpy.asarray(array)
        if self is not DType.BF16:
            return array
        return (array.astype(numpy.uint32) << 16).view(numpy.float32)

    def __str__(self) -> str:
        return self.value


class Tile:
    """The type of a tile, `Tile[rows, cols, dtype]`, as kernels' parameters have it."""

    __slots__ = ("rows", "cols", "dtype")

    def __init__(self, rows: int, cols: int, dtype: DType) -> None:
        self.rows = rows
        self.cols = cols
        self.dtype = dtype

    @property
    def shape(self) -> tuple[int, int]:
        return (self.rows, self.cols)

    def __class_getitem__(cls, items: Any) -> Tile:
        items = items if isinstance(items, tuple) else (items,)
        if len(items) != 3 or not isinstance(items[2], DType):
            fail("bad-annotation", f"Tile[{', '.join(map(str, items))}] is no tile type",
                 "write Tile[rows, cols, dtype], such as Tile[16, 64, DType.F32]")
        extents = []
        for extent in items[:2]:
            try:
                extents.append(operator.index(extent))
            except TypeError:
                fail("bad-annotation", f"a tile's extent is an integer, found {extent!r}",
                     "write Tile[rows, cols, dtype] with numbers of Python")
            if extents[-1] < 1:
                fail("bad-shape", f"a tile's extent is at least 1, found {extents[-1]}")
        return cls(extents[0], extents[1], items[2])

    def __repr__(self) -> str:
        return f"Tile[{self.rows}, {self.cols}, DType.{self.dtype.name}]"


class Scalar:
    """The type of a scalar parameter, `Scalar[dtype]`."""

    __slots__ = ("dtype",)

    def __init__(self, dtype: DType) -> None:
        self.dtype = dtype

    def __class_getitem__(cls, dtype: Any) -> Scalar:
        if not isinstance(dtype, DType):
            fail("bad-annotation", f"Scalar[{dtype}] is no scalar type", "write Scalar[DType.F32]")
        return cls(dtype)

    def __repr__(self) -> str:
        return f"Scalar[DType.{self.dtype.name}]"


# --- axes ----------------------------------------------------------------------------------------


def _count(value: Any, what: str) -> int:
    try:
        count = operator.index(value)
    except TypeError:
        fail("bad-axis", f"{what} is an integer, found {value!r}")
    if count < 0:
        fail("bad-axis", f"{what} is not negative, found {count}")
    return count


class _Sized:
    __slots__ = ("size",)

    def __init__(self, size: int) -> None:
        self.size = _count(size, "an axis's size")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.size})"


class Dense(_Sized):
    """An axis of a size known beforehand, `Dense[8]()`. `size`: its number of iterations."""

    __slots__ = ()
    _class_size: int | None = None

    def __init__(self, size: int | None = None) -> None:
        size = self._class_size if size is None else size
        if size is None:
            fail("bad-axis", "Dense() has no size", "write Dense[8]()")
        super().__init__(size)

    def __class_getitem__(cls, size: Any) -> type[Dense]:
        return type("Dense", (cls,), {"_class_size": _count(size, "an axis's size"),
                                      "__slots__": ()})


class DenseDyn(_Sized):
    """An axis whose size is a number of Python's when the workload is traced: `DenseDyn(n)`."""

    __slots__ = ()


class Lookup:
    """A number out of a list known beforehand, by an index that is not: `ragged.length(b)`."""

    __slots__ = ("values", "index", "what")

    def __init__(self, values: Sequence[Any], index: Affine, what: str) -> None:
        self.values = values
        self.index = index
        self.what = what

    def at(self, index: int, site: Site | None = None) -> Any:
        if not 0 <= index < len(self.values):
            fail("out-of-bounds", f"{self.what} has {len(self.values)} rows, there is no row "
                                  f"{index}",
                 f"rows are 0 to {len(self.values) - 1}", site)
        return self.values[index]


class Ragged:
    """Rows of different lengths: `Ragged(2, [3, 5])`.

    Looping over it counts all elements, 0 to `total()` - 1. `length(i)` is the number of elements
    in row i: `for b in P(r.outer_size): for t in P(r.length(b))`. `offset(i)` is where row i
    begins.
    """

    __slots__ = ("outer_size", "lengths")

    def __init__(self, outer_size: int, lengths: Sequence[int]) -> None:
        self.outer_size = _count(outer_size, "outer_size")
        if not hasattr(lengths, "__len__"):
            unsupported("Ragged with lengths that are not known when traced", "give a list")
        self.lengths = [_count(n, "a length") for n in lengths]
        if len(self.lengths) != self.outer_size:
            fail("bad-axis", f"Ragged has {self.outer_size} rows but {len(self.lengths)} lengths")

    def length(self, row: Index) -> Any:
        """The length of a row; of the row of a loop variable, something to loop over."""
        return _row(self.lengths, row, "Ragged")

    def total(self) -> int:
        """The number of all elements."""
        return sum(self.lengths)

    def offset(self, row: int) -> int:
        """The number of elements in the rows before `row`."""
        return sum(self.lengths[:_count(row, "a row")])

    def __repr__(self) -> str:
        return f"Ragged({self.outer_size}, {self.lengths})"


class Sparse:
    """Rows of indices, in CSR form: row i has `indices[indptr[i]:indptr[i + 1]]`.

    `for e in P.sel(s)` runs over all indices in order, `for e in P.sel(s[b])` over those of a row.
    """

    __slots__ = ("outer_size", "indptr", "indices")

    def __init__(self, outer_size: int, indptr: Sequence[int], indices: Sequence[int]) -> None:
        self.outer_size = _count(outer_size, "outer_size")
        if not hasattr(indptr, "__len__") or not hasattr(indices, "__len__"):
            unsupported("Sparse with indices that are not known when traced", "give lists")
        self.indptr = [_count(n, "indptr") for n in indptr]
        self.indices = [_count(n, "an index") for n in indices]
        rising = all(a <= b for a, b in zip(self.indptr, self.indptr[1:]))
        if (len(self.indptr) != self.outer_size + 1 or not rising or self.indptr[0] != 0
                or self.indptr[-1] != len(self.indices)):
            fail("bad-axis", f"Sparse has {self.outer_size} rows and {len(self.indices)} indices, "
                 f"which indptr {self.indptr} does not describe",
                 "indptr begins with 0, does not fall, ends with the number of indices, and has "
                 "one number more than there are rows")

    def nnz(self) -> int:
        """The number of all indices."""
        return len(self.indices)

    def row_nnz(self, row: Index) -> Any:
        """The number of indices in a row."""
        return _row([b - a for a, b in zip(self.indptr, self.indptr[1:])], row, "Sparse")

    def __getitem__(self, row: Index) -> Any:
        """The indices of a row."""
        rows = [self.indices[a:b] for a, b in zip(self.indptr, self.indptr[1:])]
        return _row(rows, row, "Sparse")

    def __repr__(self) -> str:
        return f"Sparse({self.outer_size}, {self.indptr}, {self.indices})"


def _row(values: Sequence[Any], row: Any, what: str) -> Any:
    index = Affine.of(row)
    if index is None:
        fail("bad-axis", f"a row of {what} is an integer, found {row!r}")
    lookup = Lookup(values, index, what)
    return lookup if index.terms else lookup.at(index.const)


class Symbol:
    """A number with a name, for scalar arguments of kernels. `program.set_symbol_u64(name, ...)`
    gives it another value after the workload was compiled."""

    __slots__ = ("name", "value")

    def __init__(self, name: str, value: float | None = None) -> None:
        self.name = name
        self.value = value

    def __repr__(self) -> str:
        return f"Symbol({self.name!r})"


# --- tensors -------------------------------------------------------------------------------------

_MOST_DIMENSIONS = 8
_serials = count()


class Tensor:
    """A tensor that tasks read and write.

    data: the array of its elements, any numpy view or DLPack object, or None: then `execute()`
    makes one. shape: 1 to 8 extents; default: the array's. dtype: default: the array's. name:
    default: the variable's. temporary: it lives on the device only, between tasks. init: elements
    for tests where there is no array, as in the workload file: {"uniform": [-1, 1]}. rtol, atol:
    tolerance of comparisons.

    Whether it is input, output or both follows from what kernels do with it. Results are in `data`,
    in the very array that was given.
    """

    __array_ufunc__ = None

    def __init__(self, data: Any = None, shape: Sequence[int] | None = None,
                 dtype: DType | None = None, name: str | None = None, *, temporary: bool = False,
                 init: Mapping[str, Any] | None = None, rtol: float | None = None,
                 atol: float | None = None) -> None:
        self.serial = next(_serials)
        self.site: Site | None = here()
        self.named = name is not None
        self.name: str = name if name is not None else assigned_name() or ""
        self.temporary = temporary
        if init is not None and not hasattr(init, "keys"):
            fail("bad-init", f"init of {self._called()} is a dictionary, found {init!r}",
                 'write it as in a workload file: init={"uniform": [-1, 1]}')
        self.init = dict(init) if init is not None else None
        self.rtol = self._checked_tolerance("rtol", rtol)
        self.atol = self._checked_tolerance("atol", atol)
        self._take(data)
        if shape is None:
            if self._array is None:
                fail("bad-shape", f"{self._called()} has neither shape nor data",
                     "give shape=(rows, cols)")
            shape = self._array.shape
        self.shape = self._checked_shape(shape)
        self.dtype = self._checked_dtype(dtype)
        if self._array is not None:
            self._check_array()

    @property
    def data(self) -> Any:
        """The array that was given. Another one of the same shape may be assigned between runs."""
        return self._data

    @data.setter
    def data(self, data: Any) -> None:
        before = self._data, self._array
        try:
            self._take(data)
            if self._array is not None:
                self._check_array()
        except CompileError:
            self._data, self._array = before
            raise

    def _take(self, data: Any) -> None:
        self._data = data
        self._array: numpy.ndarray | None = None
        if data is not None:
            self._array = _as_array(data, self._called())
            if not hasattr(data, "__array_interface__") and not hasattr(data, "__dlpack__"):
                self._data = self._array  # a list has no memory to write results to

    def _called(self) -> str:
        return f"tensor '{self.name}'" if self.name else "the tensor"

    def _checked_tolerance(self, which: str, value: Any) -> float | None:
        if value is None:
            return None
        number = value.item() if hasattr(value, "dtype") and hasattr(value, "item") else value
        if isinstance(number, (int, float)) and not isinstance(number, bool) and \
                0 <= number < float("inf"):
            return number
        fail("bad-tolerance", f"{which} of {self._called()} is a number of 0 or more, found {value!r}",
             f"write {which}=1e-3, or leave it out")

    def _checked_shape(self, shape: Any) -> tuple[int, ...]:
        try:
            extents = tuple(operator.index(n) for n in
                            (shape if hasattr(shape, "__iter__") else (shape,)))
        except TypeError:
            fail("bad-shape", f"the shape of {self._called()} is a tuple of integers, found "
                 f"{shape!r}")
        if not 1 <= len(extents) <= _MOST_DIMENSIONS or min(extents) < 1:
            fail("bad-shape", f"{self._called()} has the shape {extents}; a tensor has 1 to "
                 f"{_MOST_DIMENSIONS} dimensions, each of at least 1",
                 "reshape the array" if self._array is not None else "")
        return extents

    def _checked_dtype(self, dtype: Any) -> DType:
        if isinstance(dtype, DType):
            return dtype
        if dtype is not None:
            fail("wrong-dtype", f"the dtype of {self._called()} is a DType, found {dtype!r}",
                 "write dtype=DType.F32")
        if self._array is None:
            return DType.F32
        found = {"float32": DType.F32, "float16": DType.F16, "int32": DType.I32}.get(
            self._array.dtype.name)
        if found is None:
            fail("wrong-dtype", f"{self._called()} has an array of {self._array.dtype.name}, and "
                 "no dtype", "give dtype=DType.F32, and an array of numpy.float32")
        return found

    def _check_array(self) -> None:
        array = self._array
        assert array is not None
        if array.shape != self.shape:
            fail("wrong-shape", f"{self._called()} has the shape {self.shape}, its array "
                 f"{array.shape}", f"reshape the array, or give shape={array.shape}")
        if self.temporary:
            fail("bad-role", f"{self._called()} is temporary, on the device only, and has an array",
                 "remove data= or temporary=True")
        if self.init is not None:
            fail("bad-init", f"{self._called()} has an array and init=", "remove one of them")
        if array.dtype != self.dtype.numpy:
            self.gather()

    @property
    def array(self) -> numpy.ndarray | None:
        """The array of `data` as numpy sees it, the same memory; None when there is none."""
        return self._array

    def allocate(self) -> numpy.ndarray:
        """Makes `data` an array of zeros when there is none; the array."""
        if self._array is None:
            import numpy
            self._array = self._data = numpy.zeros(self.shape, self.dtype.numpy)
        return self._array

    def gather(self) -> numpy.ndarray:
        """The elements in row-major order, of the tensor's dtype: the very array where it is so
        already, else a copy. CompileError when an element cannot be converted exactly."""
        import numpy
        array = self.allocate()
        wanted = self.dtype.numpy
        if array.dtype == wanted:
            return numpy.ascontiguousarray(array)
        kinds = "fiub" if self.dtype is not DType.BF16 else ""
        with numpy.errstate(all="ignore"):
            converted = array.astype(wanted) if array.dtype.kind in kinds else None
            exact = converted is not None and bool(numpy.all(
                (converted.astype(array.dtype) == array) | (array != array)))
        if converted is None or not exact:
            fail("wrong-dtype", f"{self._called()} is {self.dtype}, its array {array.dtype.name}, "
                 "and the conversion is not exact",
                 f"give an array of numpy.{_NUMPY_NAMES[self.dtype]}", self.site)
        return numpy.ascontiguousarray(converted)

    def check_writable(self) -> None:
        """CompileError when results cannot be put into the given array."""
        array = self._array
        if array is None:
            return
        if not array.flags.writeable:
            fail("read-only", f"{self._called()} is written, and its array is read-only",
                 "give an array that can be written, such as a copy", self.site)
        import numpy
        if array.dtype != self.dtype.numpy and not numpy.can_cast(self.dtype.numpy, array.dtype,
                                                                  "safe"):
            fail("wrong-dtype", f"{self._called()} is {self.dtype} and written, its array "
                 f"{array.dtype.name} cannot hold every result exactly",
                 f"give an array of numpy.{_NUMPY_NAMES[self.dtype]}", self.site)

    def scatter(self, result: numpy.ndarray) -> None:
        """Puts results, row-major and of the tensor's dtype, into the array that was given."""
        array = self.allocate()
        if result is not array:
            array[...] = result.reshape(self.shape)

    def __getitem__(self, items: Any) -> View:
        return View(self, [(Affine(0), n) for n in self.shape])[items]

    def __setitem__(self, items: Any, value: Any) -> NoReturn:
        fail("bad-view", f"elements of {self._called()} cannot be assigned to",
             "write to its array, .data, or in a kernel by pto.store")

    def __iter__(self) -> NoReturn:
        fail("bad-view", f"{self._called()} cannot be iterated over",
             "loop over an axis, for i in P(n), and take the view of i")

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        return f"Tensor({self.name or '?'}: {self.dtype}{list(self.shape)})"


_NUMPY_NAMES = {DType.F32: "float32", DType.F16: "float16", DType.I32: "int32",
                DType.BF16: "uint16 (bit patterns of bf16)"}


def _as_array(data: Any, called: str) -> numpy.ndarray:
    import numpy
    if isinstance(data, numpy.ndarray):
        return data
    array: Any = None
    if hasattr(data, "__dlpack__"):
        try:
            array = numpy.from_dlpack(data)
        except Exception as error:
            fail("bad-data", f"{called}: numpy cannot read the DLPack object: {error}",
                 "give an array in the host's memory")
        # numpy before 2.1 takes all DLPack memory as read-only; an __array__ of the same memory is
        # not, and is what results can be written to.
        if not array.flags.writeable and hasattr(data, "__array__"):
            other = numpy.asarray(data)
            if other.__array_interface__["data"][0] == array.__array_interface__["data"][0]:
                array = other
        return array
    try:
        array = numpy.asarray(data)
    except Exception as error:
        fail("bad-data", f"{called}: data is no array: {error}")
    if array.dtype.kind not in "fiub":
        fail("bad-data", f"{called}: data is no array of numbers, found {type(data).__name__}",
             "give a numpy array or an object with DLPack")
    return array


class View:
    """A part of a tensor: what `X[b][t]`, `X[b, t]` and `X[b, 8*i:8*i+8]` give.

    Each dimension has a start and an extent; one that was indexed has the extent None and is no
    dimension of the view any more, as in numpy.
    """

    __array_ufunc__ = None
    __slots__ = ("tensor", "dims")

    def __init__(self, tensor: Tensor, dims: list[tuple[Affine, int | None]]) -> None:
        self.tensor = tensor
        self.dims = dims

    @property
    def shape(self) -> tuple[int, ...]:
        """The extents of the dimensions that were not indexed."""
        return tuple(n for _, n in self.dims if n is not None)

    @property
    def dtype(self) -> DType:
        return self.tensor.dtype

    def __getitem__(self, items: Any) -> View:
        items = items if isinstance(items, tuple) else (items,)
        open_dims = [i for i, (_, n) in enumerate(self.dims) if n is not None]
        at = next((i for i, item in enumerate(items) if item is Ellipsis), None)
        if at is not None:
            missing = len(open_dims) - (len(items) - 1)
            items = items[:at] + (slice(None),) * max(0, missing) + items[at + 1:]
        if len(items) > len(open_dims):
            fail("bad-subscript", f"{self} has {len(open_dims)} "
                 f"dimension{'s' * (len(open_dims) != 1)}, found {len(items)} subscripts",
                 f"tensor '{self.tensor.name}' has the shape {self.tensor.shape}")
        dims = list(self.dims)
        for at, item in zip(open_dims, items):
            start, extent = self.dims[at]
            assert extent is not None
            dims[at] = self._slice(start, extent, item) if isinstance(item, slice) else \
                (start + self._index(extent, item), None)
        return View(self.tensor, dims)

    def _index(self, extent: int, item: Any) -> Affine:
        index = Affine.of(item)
        if index is None:
            hint = "an index that depends on data cannot be traced" if hasattr(item, "shape") \
                else ""
            fail("bad-subscript", f"an index of tensor '{self.tensor.name}' is an integer, a loop "
                 f"variable or a slice, found {type(item).__name__}", hint)
        # As in numpy a number below 0 counts from the end; a loop variable's value is never below.
        return index + extent if not index.terms and -extent <= index.const < 0 else index

    def _slice(self, start: Affine, extent: int, item: slice) -> tuple[Affine, int]:
        if item.step is not None and item.step != 1:
            fail("bad-subscript", f"a slice of tensor '{self.tensor.name}' has the step "
                                  f"{item.step}",
                 "slices have no step; give the tensor a transposed or strided numpy view instead")
        first = Affine(0) if item.start is None else self._index(extent, item.start)
        stop = Affine(extent) if item.stop is None else self._index(extent, item.stop)
        length = stop - first
        if length.terms:
            fail("bad-subscript", f"the extent of the slice {first}:{stop} of tensor "
                 f"'{self.tensor.name}' is not the same in every iteration: {length}",
                 "write start : start + constant")
        if length.const < 1:
            fail("bad-subscript", f"the slice {first}:{stop} of tensor '{self.tensor.name}' has "
                 f"the extent {length.const}", "write start : start + constant, with a constant "
                                               "above 0")
        return start + first, length.const

    def __iter__(self) -> Iterator[Any]:
        fail("bad-view", f"the view {self} cannot be iterated over",
             "loop over an axis, for i in P(n), and take the view of i")

    def __setitem__(self, items: Any, value: Any) -> NoReturn:
        fail("bad-view", f"elements of tensor '{self.tensor.name}' cannot be assigned to",
             "write it in a kernel, by pto.store")

    def __bool__(self) -> bool:
        return True

    def __str__(self) -> str:
        return self.text(self.tensor.name or "tensor", lambda loop: loop.hint)

    __repr__ = __str__

    def text(self, name: str, loop_name: Any) -> str:
        """As a workload file has it: `x[b, 8*t:8*t+8]`."""
        parts = []
        for (start, extent), whole in zip(self.dims, self.tensor.shape):
            if extent is None:
                parts.append(start.text(loop_name))
            elif extent == whole and not start.terms and start.const == 0:
                parts.append(":")
            else:
                parts.append(f"{start.text(loop_name)}:{(start + extent).text(loop_name)}")
        while parts and parts[-1] == ":":
            parts.pop()
        return f"{name}[{', '.join(parts)}]" if parts else name
