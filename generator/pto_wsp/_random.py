# SPDX-License-Identifier: MIT
"""Elements of tensors that have no array: the generator that docs/ir.md describes, as ptowsp-gen
has it."""
from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Mapping
    import numpy
    from pto_wsp.types import DType

_WORD = (1 << 64) - 1


def _mix(z: Any) -> Any:
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 & _WORD
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB & _WORD
    return z ^ (z >> 31)


def _fnv1a64(text: str) -> int:
    value = 0xCBF29CE484222325
    for byte in text.encode():
        value = (value ^ byte) * 0x100000001B3 & _WORD
    return value


def _uniforms(key: int, indices: numpy.ndarray) -> numpy.ndarray:
    import numpy
    u64 = numpy.uint64
    with numpy.errstate(over="ignore"):
        z = u64(key) + (indices + u64(1)) * u64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> u64(30))) * u64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> u64(27))) * u64(0x94D049BB133111EB)
        z = z ^ (z >> u64(31))
    return (z >> u64(11)).astype(numpy.float64) * 2.0 ** -53


def default_init(dtype: DType) -> Mapping[str, Any]:
    """What a tensor without `init` has."""
    return {"uniform": [-100, 100] if dtype.value == "i32" else [-1, 1]}


def elements(name: str, shape: tuple[int, ...], dtype: DType, init: Mapping[str, Any],
             seed: int) -> numpy.ndarray:
    """The elements of tensor `name`: of the given shape and dtype, by `init`, as the workload file
    has it."""
    import numpy
    count = 1
    for extent in shape:
        count *= extent
    (kind, given), = init.items()
    index = numpy.arange(count, dtype=numpy.uint64)
    key = _fnv1a64(name) ^ _mix(seed & _WORD)
    if kind == "constant":
        values = numpy.full(count, float(given))
    elif kind == "arange":
        values = given[0] + index.astype(numpy.float64) * given[1]
    elif kind == "uniform":
        values = given[0] + (given[1] - given[0]) * _uniforms(key, index)
    elif kind == "normal":
        two = numpy.uint64(2)
        first, second = _uniforms(key, index * two), _uniforms(key, index * two + numpy.uint64(1))
        values = given[0] + given[1] * numpy.sqrt(-2.0 * numpy.log(1.0 - first)) * \
            numpy.cos(2.0 * numpy.pi * second)
    else:
        raise ValueError(f"init {kind!r}")
    if dtype.value == "i32":
        values = numpy.floor(values) if kind == "uniform" else numpy.rint(values)
        values = numpy.clip(values, -2.0 ** 31, 2.0 ** 31 - 1)
    return dtype.encode(values).reshape(shape)
