# SPDX-License-Identifier: MIT
"""How far the results of emitted kernels are from the exact ones, in units in the last place.

f16 and bf16: every element. f32: some two million elements all over the range, and all around the
places where ops have their edges; many more in the nightly tier. The exact results are numpy's in
long double, whose 64 bits of significand leave 2^-40 ulp of f32 to doubt.

generator/ops/accuracy.json has the figures, from which docs/ops_support.md is made. To measure them
again: PTOWSP_UPDATE_GOLDENS=1 ctest -R property.accuracy, then the target ptowsp_update_docs.
"""

import ctypes
import json
import math
import os
from pathlib import Path

import numpy as np
import pytest

import arithmetic
from conftest import count
from op_support import MAX_ULP, SIM_DTYPES
from seed import NIGHTLY
from toolchain import kernel_levels, unity_artifact
from workloads import kernel, task, tensor, tile, workload

FIGURES = Path(__file__).resolve().parents[2] / "generator/ops/accuracy.json"
UPDATE = os.environ.get("PTOWSP_UPDATE_GOLDENS") == "1"
FLOATS = ("f32", "f16", "bf16")
ROWS, COLS = 64, 1024
CHUNK = ROWS * COLS
# Bits of significand; exponent of the smallest number; exponent of the first power of 2 beyond.
FORMAT = {"f32": (24, -149, 128), "f16": (11, -24, 16), "bf16": (8, -133, 128)}
Long = np.longdouble


def _sigmoid(x):
    return 1 / (1 + np.exp(-x))


SQRT_8_PI = np.sqrt(Long(8) / (4 * np.arctan(Long(1))))
EXACT = {
    "neg": np.negative, "abs": np.abs, "relu": lambda x: np.maximum(x, 0), "exp": np.exp,
    "log": np.log, "sqrt": np.sqrt, "rsqrt": lambda x: 1 / np.sqrt(x), "tanh": np.tanh,
    "sigmoid": _sigmoid, "silu": lambda x: x * _sigmoid(x),
    "gelu": lambda x: x * _sigmoid(SQRT_8_PI * (x + Long("0.044715") * x * x * x)),
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.divide,
    "max": np.maximum, "min": np.minimum,
    "rowsum": lambda x: x.sum(axis=1, keepdims=True),
    "rowmean": lambda x: x.sum(axis=1, keepdims=True) / x.shape[1],
    "rowmax": lambda x: x.max(axis=1, keepdims=True),
    "rowmin": lambda x: x.min(axis=1, keepdims=True),
    "colsum": lambda x: x.sum(axis=0, keepdims=True),
    "colmax": lambda x: x.max(axis=0, keepdims=True),
    "colmin": lambda x: x.min(axis=0, keepdims=True),
    "matmul": lambda x, y: x @ y,
}
# f32: the ends of exp, of its subnormal results and of what saturates; zeros, minima, branches.
EDGES = (88.72284, 87.33655, 103.97208, 104, 89, 0.5, 1, 2, math.sqrt(0.5), math.sqrt(2), math.e,
         math.log(2) / 2, 0.625, 9.0109, 7.9, 16.6355, 17.3, 1.2784645, 0.7517916, 2.8, 5.17, 10.1, 13.4,
         1e-4, 2.0**-12, 2.0**-126)


def samples(dtype):
    """Elements as arrays of the dtype hold them, a multiple of CHUNK."""
    if dtype != "f32":
        return np.arange(65536, dtype=np.uint16).view(arithmetic.ARRAYS[dtype])
    step, near, beside = count((2053, 1500, 8), (101, 40000, 200))
    parts = [np.arange(0, 2**32, step)]
    for point in EDGES:
        bits = int(np.float32(point).view(np.uint32))
        parts += [np.arange(bits - near, bits + near) | sign for sign in (0, 1 << 31)]
    for exponent in range(256):
        around = np.arange((exponent << 23) - beside, (exponent << 23) + beside) & 0x7FFFFFFF
        parts += [around, around | 1 << 31]
    bits = np.concatenate(parts).astype(np.uint32)
    return np.resize(bits, -(-len(bits) // CHUNK) * CHUNK).view(np.float32)


def pairs(dtype):
    """For ops of two operands: any with any, and such that are close to one another in size."""
    rng = np.random.default_rng(1)
    x = rng.integers(0, 2**32 if dtype == "f32" else 2**16, 8 * CHUNK)
    y = rng.integers(0, 2**32 if dtype == "f32" else 2**16, 8 * CHUNK)
    shift = 23 if dtype == "f32" else 10 if dtype == "f16" else 7
    fraction = rng.integers(0, 1 << shift, 8 * CHUNK)
    close = x >> shift << shift | fraction
    y = np.where(rng.random(8 * CHUNK) < 0.5, y, close)
    word = np.uint32 if dtype == "f32" else np.uint16
    return tuple(bits.astype(word).view(arithmetic.ARRAYS[dtype]) for bits in (x, y))


def positive(dtype, shape, seed=2):
    """For sums: nothing cancels, so that ulp mean something."""
    return arithmetic.to_array(np.random.default_rng(seed).uniform(0.5, 1.5, shape), dtype)


def numbers(array, dtype):
    """Exactly what the elements are."""
    return arithmetic.from_array(array, dtype).astype(Long)


def worst(got, exact, dtype):
    """The largest distance in ulp of `dtype`; infinite where one is NaN and the other is not."""
    bits, lowest, top = FORMAT[dtype]
    beyond = np.ldexp(Long(1), top)  # an infinity stands for the first power that is too large
    with np.errstate(all="ignore"):
        both = np.isnan(got) & np.isnan(exact)
        exact = np.clip(exact, -beyond, beyond)
        got = np.clip(got, -beyond, beyond)
        _, exponent = np.frexp(np.where(np.isfinite(exact), np.abs(exact), 1))
        unit = np.ldexp(Long(1), np.maximum(np.minimum(exponent, top) - bits, lowest))
        distance = np.where(both, 0, np.abs(got - exact) / unit)
    return float(np.where(np.isnan(distance), np.inf, distance).max())


def arguments(op, dtype):
    """The operands, one array each; of elementwise ops of any multiple of CHUNK."""
    if op == "matmul":
        return positive(dtype, (64, 64), 3), positive(dtype, (64, 64), 4)
    if op.startswith(("row", "col")):
        return (positive(dtype, (ROWS, COLS)),)
    if op in arithmetic.BINARY:
        return pairs(dtype)
    return (samples(dtype),)


def jobs():
    """(name, op, dtype, result's dtype) of all there are kernels for."""
    for op in EXACT:
        for dtype in FLOATS:
            if dtype in SIM_DTYPES[op]:
                yield f"{op}_{dtype}", op, dtype, "f32" if op == "matmul" else dtype
    for dtype in FLOATS:
        for to in FLOATS:
            if {dtype, to} <= SIM_DTYPES["cast"] and dtype != to:
                yield f"cast_{dtype}_{to}", "cast", dtype, to


def accuracy_workload():
    """One kernel for each job; the program only has to be there."""
    tensors, kernels, program = {}, [], []

    def given(role, dtype, rows, cols):
        name = f"{role}_{dtype}_{rows}_{cols}"
        tensors[name] = tensor(name, [rows, cols], role, dtype=dtype)
        return name

    for name, op, dtype, to in jobs():
        shape = (64, 64) if op == "matmul" else (ROWS, COLS)
        result = (ROWS, 1) if op.startswith("row") else (1, COLS) if op.startswith("col") else shape
        operands = ["x", "z"] if op in arithmetic.BINARY or op == "matmul" else ["x"]
        params = [dict(tile(p, *shape, "in"), dtype=dtype) for p in operands]
        params.append(dict(tile("y", *result, "out"), dtype=to))
        made = kernel(f"k_{name}", params, f"r = {op} {' '.join(operands)}", "store y r")
        if op == "cast":
            made["body"][0]["dtype"] = to
        kernels.append(made)
        args = {p: given("input", dtype, *shape) for p in operands}
        program.append(task(f"k_{name}", y=given("output", to, *result), **args))
    return workload(list(tensors.values()), kernels, program)


class Library:
    """The kernels of accuracy_workload(), called directly."""

    def __init__(self, file):
        self.library = ctypes.CDLL(str(file))

    def call(self, name, operands, result):
        addresses = [a.ctypes.data for a in (*operands, result)] + [result.size, 0, 0]
        function = self.library[f"kernel_k_{name}"]
        function.restype = None
        function((ctypes.c_int64 * len(addresses))(*addresses))

    def run(self, name, op, operands, to):
        if op == "matmul" or op.startswith(("row", "col")):
            shape = {"r": (ROWS, 1), "c": (1, COLS), "m": (64, 64)}[op[0]]
            result = np.zeros(shape, arithmetic.ARRAYS[to])
            self.call(name, operands, result)
            return result
        result = np.zeros(len(operands[0]), arithmetic.ARRAYS[to])
        for at in range(0, len(result), CHUNK):
            self.call(name, [a[at:at + CHUNK] for a in operands], result[at:at + CHUNK])
        return result


@pytest.fixture(scope="module")
def exact():
    """Operands and exact results of each job, once for all levels."""
    known = {}

    def of(op, dtype):
        if (op, dtype) not in known:
            operands = arguments(op, dtype)
            with np.errstate(all="ignore"):
                known[op, dtype] = operands, EXACT.get(op, lambda x: x)(
                    *(numbers(a, dtype) for a in operands))
        return known[op, dtype]
    return of


@pytest.fixture(scope="module")
def measured(tmp_path_factory, exact):
    """{op: {dtype: ulp}}, or {"cast": {"f32 to f16": ulp}}: the worst of all levels."""
    figures = {}
    for level in kernel_levels():
        folder = tmp_path_factory.mktemp(level.replace("-", "_"))
        (folder / "w.json").write_text(json.dumps(accuracy_workload()))
        unity_artifact(folder / "w.json", folder, level, "-O2")
        library = Library(folder / "kernels.so")
        for name, op, dtype, to in jobs():
            operands, wanted = exact(op, dtype)
            got = numbers(library.run(name, op, operands, to), to)
            key = f"{dtype} to {to}" if op == "cast" else dtype
            of = figures.setdefault(op, {})
            # Upwards, so that what is written is a bound; by two digits.
            ulp = worst(got, wanted, to)
            of[key] = max(of.get(key, 0), math.ceil(100 * ulp - 1e-6) / 100 if ulp < 1e6 else ulp)
    return figures


def goal(op, to):
    """What docs/ops.md promises, in ulp of the result's dtype."""
    promised = MAX_ULP[op]
    if op == "cast":
        return 0.5
    if to == "f32" or promised == 0:
        # Sums have a bound of their own; of positive elements it is far away from this.
        return 16 if promised is None else promised
    return 0.51


@pytest.mark.parametrize("name, op, dtype, to", jobs(), ids=[name for name, *_ in jobs()])
def test_results_are_as_close_as_promised(measured, name, op, dtype, to):
    ulp = measured[op][f"{dtype} to {to}" if op == "cast" else dtype]
    assert ulp <= goal(op, to), f"{op} on {dtype} is off by {ulp} ulp, promised are {goal(op, to)}"


@pytest.mark.skipif(NIGHTLY, reason="nightly samples are others than those of the written figures")
def test_the_written_figures_are_those_measured(measured):
    if UPDATE:
        rows = [f'  {json.dumps(op)}: {json.dumps(measured[op])}' for op in sorted(measured)]
        FIGURES.write_text("{\n" + ",\n".join(rows) + "\n}\n")
    written = json.loads(FIGURES.read_text())
    whole = len(kernel_levels()) == 3  # else another machine has levels that this one cannot run
    for op, of in measured.items():
        for key, ulp in of.items():
            figure = written.get(op, {}).get(key, -1)
            # The last digit may hang on the machine's long double functions.
            assert figure - (0.01 if whole else math.inf) <= ulp <= figure + 0.01, (
                f"{op} {key}: measured {ulp}, written {figure}; the head of this file says how to "
                "write it")


def test_a_wrong_result_is_measured():
    one = Long([1])
    assert worst(one, one, "f32") == 0
    assert worst(one + Long(2)**-23, one, "f32") == 1
    assert worst(one - Long(2)**-24, one, "f32") == 0.5
    assert worst(Long([65504]), Long([65520]), "f16") == 0.5
    assert worst(Long([np.inf]), Long([65520]), "f16") == 0.5
    assert worst(Long([np.inf]), Long([70000]), "f16") == 0
    assert worst(Long([0]), Long([2])**-26, "f16") == 0.25
    assert worst(Long([np.nan]), one, "bf16") == np.inf and worst(one, Long([np.nan]), "bf16") == np.inf
    assert worst(Long([-np.inf]), Long([np.inf]), "f32") > 1e6
