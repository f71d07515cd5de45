# SPDX-License-Identifier: MIT
"""The ops of a workload on numpy arrays, each with a bound on how far a right answer may be away.

An op is evaluated in double and rounded once to its dtype. Beside its value every element
carries an error bound, so that two right implementations can be compared without a guessed
tolerance: a bound of 0 asks for equal bits, an infinite one says that nothing can be known (a
cancelled divisor, a value at the edge of overflow). This file shares nothing with the generator.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

F32_MAX = float(np.finfo(np.float32).max)
F32_TINY = float(np.finfo(np.float32).tiny)
# Half a unit beyond the largest float: from here on rounding gives infinity.
F32_OVERFLOW = F32_MAX * (1 + 2.0**-25)


@dataclass(frozen=True)
class Accuracy:
    """What an implementation promises: ulp of exp, log and rsqrt, unit of one addition in a sum."""

    ulp: float
    sum_unit: float


# The reference evaluates in double: only a result next to a rounding boundary may fall either way.
REFERENCE = Accuracy(ulp=1.0, sum_unit=2.0**-52)
# Kernels work in f32, whatever the dtype: at most 2 ulp of f32 from the true value (half a unit more
# from the rounded one) and sums in an order of their own, as docs/ops.md states.
KERNEL = Accuracy(ulp=2.5, sum_unit=2.0**-24)


def _round_bf16(x):
    """8 bits of significand, to nearest, ties to even; the exponents of f32."""
    _, exponent = np.frexp(x)
    quantum = np.ldexp(1.0, np.maximum(exponent - 8, -133))
    rounded = np.where(np.isfinite(x), np.rint(x / quantum) * quantum, x)
    return np.where(np.abs(rounded) >= 2.0**128, np.copysign(np.inf, x), rounded)


ROUND = {
    "f32": lambda x: x.astype(np.float32).astype(np.float64),
    "f16": lambda x: x.astype(np.float16).astype(np.float64),
    "bf16": _round_bf16,
}
FLOATS = tuple(ROUND)
ARRAYS = {"f32": np.float32, "f16": np.float16, "bf16": np.uint16, "i32": np.int32}


def rounded(x, dtype):
    """Numbers of the dtype, as float64; of an i32 the numbers must be integers."""
    with np.errstate(over="ignore", invalid="ignore"):
        return ROUND[dtype](np.asarray(x, np.float64)) if dtype in ROUND else np.asarray(
            x, np.float64)


def to_array(numbers, dtype):
    """As a .npy file holds them; bf16 are bit patterns."""
    if dtype != "bf16":
        return np.asarray(numbers, np.float64).astype(ARRAYS[dtype])
    with np.errstate(over="ignore"):
        bits = rounded(numbers, "bf16").astype(np.float32).view(np.uint32)
    return (bits >> 16).astype(np.uint16)


def from_array(array, dtype):
    """The numbers of an array as a .npy file holds it."""
    if dtype == "bf16":
        array = (array.astype(np.uint32) << 16).view(np.float32)
    with np.errstate(invalid="ignore"):  # signalling NaN
        return array.astype(np.float64)


class Value:
    """Values of a dtype, held as float64, and their error bounds; both of one shape, always 2-D."""

    __slots__ = ("v", "e", "dtype")

    def __init__(self, v, e=None, dtype="f32"):
        self.v = np.atleast_2d(np.asarray(v, np.float64))
        self.e = np.zeros(self.v.shape) if e is None else np.broadcast_to(e, self.v.shape)
        self.dtype = dtype

    @property
    def shape(self):
        return self.v.shape


def ulp(magnitude):
    """The distance from |magnitude| to the next f32; that of the last binade beyond the largest."""
    clipped = np.minimum(np.abs(np.nan_to_num(magnitude, nan=0.0)),
                         F32_MAX / 1.5).astype(np.float32)
    return np.spacing(clipped).astype(np.float64)


def _round(exact, spread, slack_ulp, certain, dtype):
    """Value of one rounded op.

    exact: the double result; spread: how far inputs may have moved it; slack_ulp: what the
    implementation adds, in ulp of f32; certain: where the result is known whatever the bounds say.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        result = rounded(exact, dtype)
        magnitude = np.abs(exact)
        moved = spread + slack_ulp * ulp(magnitude + np.where(np.isfinite(spread), spread, 0))
        # A subnormal result is rounded twice (double, then f32), which for quotients is not
        # innocuous.
        twice = (magnitude < F32_TINY) & (exact != rounded(exact, "f32"))
        moved = moved + np.where(twice, magnitude * 2.0**-52, 0.0)
        moved = np.where(np.isnan(moved), np.inf, moved)
        if dtype != "f32":
            # f32 first, where half a unit may be lost, then the dtype.
            moved = np.where(moved > 0, moved + ulp(magnitude), moved)
        error = np.zeros(exact.shape)
        for end in (exact - moved, exact + moved):
            end = rounded(end, dtype)
            away = np.where(end == result, 0.0, np.abs(end - result))
            error = np.maximum(error, np.where(np.isnan(away), np.inf, away))
        error = np.where(np.isinf(result) & (magnitude - moved < np.inf) & (error > 0), np.inf,
                         error)
        error = np.where(moved == 0, 0.0, error)
        # A zero that may have either sign, which rounding to a narrow dtype must not forget.
        error = np.where((moved > 0) & (result == 0), np.maximum(error, ulp(0.0)), error)
        error = np.where(np.isnan(exact) & ~certain, np.inf, error)
    return Value(result, np.where(certain, 0.0, error), dtype)


def _exact_inputs(*operands):
    result = operands[0].e == 0
    for operand in operands[1:]:
        result = result & (operand.e == 0)
    return result


def _some_certain_nan(*operands):
    result = False
    for operand in operands:
        result = result | (np.isnan(operand.v) & (operand.e == 0))
    return result


def _arithmetic(exact, spread, operands, slack_ulp=0.0):
    with np.errstate(invalid="ignore"):
        spread = np.where(_exact_inputs(*operands), 0.0, spread)
        spread = np.where(np.isnan(spread), np.inf, spread)
        known = _exact_inputs(*operands) & (np.isnan(exact) | np.isinf(exact))
        # Infinite results of exact operands are certain only where the double is infinite too:
        # division by zero and infinite operands, not an overflow that is decided by rounding.
        return _round(exact, spread, slack_ulp, known | _some_certain_nan(*operands),
                      operands[0].dtype)


def add(a, b):
    return _arithmetic(a.v + b.v, a.e + b.e, (a, b))


def sub(a, b):
    return _arithmetic(a.v - b.v, a.e + b.e, (a, b))


def mul(a, b):
    return _arithmetic(a.v * b.v, np.abs(a.v) * b.e + np.abs(b.v) * a.e + a.e * b.e, (a, b))


def div(a, b):
    exact = a.v / b.v
    floor = np.abs(b.v) - b.e
    spread = np.where(floor > 0, (a.e + np.abs(exact) * b.e) / np.where(floor > 0, floor, 1),
                      np.inf)
    # An exact zero divisor still decides the result, but only when the dividend is exact.
    return _arithmetic(exact, spread, (a, b))


def _select(a, b, pick_first):
    """max and min: the IEEE 754 minimum/maximum that propagate NaN."""
    value = np.where(np.isnan(a.v) | np.isnan(b.v), np.nan, np.where(pick_first, a.v, b.v))
    error = np.broadcast_to(np.maximum(a.e, b.e), value.shape)
    # Zeros of two signs: which one comes out is nobody's promise; a later division must not rely
    # on it, so the smallest bound there is.
    ambiguous = (a.v == 0) & (b.v == 0) & (np.signbit(a.v) != np.signbit(b.v))
    error = np.where(ambiguous & (error == 0), ulp(0.0), error)
    # Unless one operand lies clear of the other: then only its own bound counts.
    clear_a = np.where(pick_first, np.abs(a.v - b.v) > a.e + b.e, False)
    clear_b = np.where(~pick_first, np.abs(a.v - b.v) > a.e + b.e, False)
    error = np.where(clear_a, a.e, np.where(clear_b, b.e, error))
    return Value(value, np.where(_some_certain_nan(a, b), 0.0, error), a.dtype)


def maximum(a, b):
    return _select(a, b, a.v >= b.v)


def minimum(a, b):
    return _select(a, b, a.v <= b.v)


def neg(a):
    return Value(-a.v, a.e, a.dtype)


def absolute(a):
    return Value(np.abs(a.v), a.e, a.dtype)


def sqrt(a):
    exact = np.sqrt(a.v)
    low = a.v - a.e
    spread = np.where(low >= 0, exact - np.sqrt(np.maximum(low, 0)), np.inf)
    return _arithmetic(exact, spread, (a,))


def exp(a, accuracy):
    exact = np.exp(a.v)
    return _arithmetic(exact, exact * np.expm1(a.e), (a,),
                       accuracy.ulp * ~_certain_point(a, (0.0, np.inf, -np.inf)))


def log(a, accuracy):
    exact = np.log(a.v)
    low = a.v - a.e
    spread = np.where(low > 0, exact - np.log(np.where(low > 0, low, 1)), np.inf)
    return _arithmetic(exact, spread, (a,), accuracy.ulp * ~_certain_point(a, (0.0, 1.0, np.inf)))


def rsqrt(a, accuracy):
    exact = 1 / np.sqrt(a.v)
    low = a.v - a.e
    spread = np.where(low > 0, 1 / np.sqrt(np.where(low > 0, low, 1)) - exact, np.inf)
    return _arithmetic(exact, spread, (a,), accuracy.ulp * ~_certain_point(a, (0.0, np.inf)))


def relu(a):
    return maximum(a, Value(np.zeros(a.shape), dtype=a.dtype))


def _between(function, a):
    """How far function(x) of a bounded function may be from function(a.v). An operand that may be
    anything may be NaN too, which no bound of the function holds."""
    exact = function(a.v)
    spread = np.maximum(np.abs(function(a.v + a.e) - exact), np.abs(function(a.v - a.e) - exact))
    return exact, np.where(np.isinf(a.e), np.inf, spread)


def tanh(a, accuracy):
    exact, spread = _between(np.tanh, a)
    return _arithmetic(exact, spread, (a,), accuracy.ulp * ~_certain_point(a, (0.0, np.inf, -np.inf)))


def _sigmoid(x):
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, 1 / (1 + small), small / (1 + small))


def sigmoid(a, accuracy):
    exact, spread = _between(_sigmoid, a)
    return _arithmetic(exact, spread, (a,), accuracy.ulp * ~_certain_point(a, (0.0, np.inf, -np.inf)))


def _gated(a, accuracy, function):
    """x times something that rises from 0 to 1; of x and its neighbours within the bound, the ends of
    the interval are the furthest but for its curvature, which is below 1."""
    exact, spread = _between(function, a)
    return _arithmetic(exact, spread + a.e * a.e, (a,),
                       accuracy.ulp * ~_certain_point(a, (0.0, np.inf, -np.inf)))


def silu(a, accuracy):
    return _gated(a, accuracy, lambda x: x * _sigmoid(x))


def gelu(a, accuracy):
    # (1 + tanh u) / 2 without the cancellation.
    return _gated(a, accuracy,
                  lambda x: x * _sigmoid(2 * np.sqrt(2 / np.pi) * (x + 0.044715 * x * x * x)))


def _certain_point(a, points):
    """Operands whose result is exact in every decent implementation (exp(0) is 1)."""
    return (a.e == 0) & np.isin(a.v, points)


def row_sum(a, accuracy, mean=False):
    count = a.shape[1]
    if count == 1:
        # A fold that begins with 0 turns -0 into 0; nobody promises either.
        return Value(a.v, np.where((a.v == 0) & (a.e == 0), ulp(0.0), a.e), a.dtype)
    exact = a.v.sum(axis=1, keepdims=True)
    size = np.abs(a.v).sum(axis=1, keepdims=True)
    spread = a.e.sum(axis=1, keepdims=True) + count * accuracy.sum_unit * size
    exact_row = np.all(a.e == 0, axis=1, keepdims=True)
    nan = np.any(np.isnan(a.v) & (a.e == 0), axis=1, keepdims=True)
    plus = np.any(np.isposinf(a.v), axis=1, keepdims=True)
    minus = np.any(np.isneginf(a.v), axis=1, keepdims=True)
    finite = np.where(np.isfinite(a.v), np.abs(a.v), 0).sum(axis=1, keepdims=True)
    certain = nan | (exact_row & ((plus & minus) | ((plus | minus) & (finite < F32_MAX / 2))))
    # Partial sums in f32 may overflow although the total does not.
    spread = np.where((finite >= F32_MAX / 2) & ~certain, np.inf, spread)
    if mean:
        exact, spread = exact / count, spread / count
    spread = np.where(np.isnan(spread), np.inf, spread)
    # Which zero a sum of zero is depends on the order; a later division must not rely on it.
    spread = np.where((exact == 0) & (spread == 0), ulp(0.0), spread)
    return _round(exact, spread, 0.0, certain, a.dtype)


def row_extreme(a, sign):
    """Row maximum (sign 1) or minimum (sign -1), NaN propagating."""
    exact = (a.v * sign).max(axis=1, keepdims=True) * sign
    # Only elements that may be the extreme one pass on their bounds.
    floor = np.max(np.where(np.isnan(a.v), -np.inf, a.v * sign - a.e), axis=1, keepdims=True)
    contender = ~(a.v * sign + a.e < floor)
    error = np.max(np.where(contender, a.e, 0.0), axis=1, keepdims=True)
    zero = contender & (a.v == 0)
    two_zeros = np.any(zero & np.signbit(a.v), 1, keepdims=True) & np.any(
        zero & ~np.signbit(a.v), 1, keepdims=True)
    error = np.where((exact == 0) & two_zeros & (error == 0), ulp(0.0), error)
    certain_nan = np.any(np.isnan(a.v) & (a.e == 0), axis=1, keepdims=True)
    return Value(exact, np.where(certain_nan, 0.0, error), a.dtype)


def _transposed(reduction):
    def reduce(a, accuracy):
        result = reduction(Value(a.v.T, a.e.T, a.dtype), accuracy)
        return Value(result.v.T, result.e.T, a.dtype)
    return reduce


def matmul(accuracy, a, b, c=None):
    """m x k and k x n, and perhaps m x n, in f32 whatever is multiplied."""
    x, y = a.v[:, :, None], b.v[None, :, :]
    size = np.abs(x * y).sum(axis=1)
    exact = (x * y).sum(axis=1)
    spread = (np.abs(x) * b.e[None] + a.e[:, :, None] * (np.abs(y) + b.e[None])).sum(axis=1)
    exact_inputs = np.all(a.e == 0, axis=1)[:, None] & np.all(b.e == 0, axis=0)[None, :]
    nan = (np.isnan(a.v) & (a.e == 0)).any(1)[:, None] | (np.isnan(b.v) & (b.e == 0)).any(0)[None]
    infinite = np.isinf(a.v).any(1)[:, None] | np.isinf(b.v).any(0)[None]
    if c is not None:
        exact, size, spread = exact + c.v, size + np.abs(c.v), spread + c.e
        exact_inputs = exact_inputs & (c.e == 0)
        nan = nan | (np.isnan(c.v) & (c.e == 0))
        infinite = infinite | np.isinf(c.v)
    terms = np.where(np.isfinite(x * y), np.abs(x * y), 0).sum(axis=1)
    if c is not None:
        terms = terms + np.where(np.isfinite(c.v), np.abs(c.v), 0)
    certain = nan | (exact_inputs & infinite & (terms < F32_MAX / 2))
    spread = spread + (a.shape[1] + 1) * accuracy.sum_unit * size
    # Partial sums in f32 may overflow although the total does not; products below the normal range
    # lose bits.
    spread = np.where((terms >= F32_MAX / 2) & ~certain, np.inf, spread)
    spread = spread + np.where(size < 1e-30, (a.shape[1] + 1) * ulp(0.0), 0.0)
    spread = np.where(np.isnan(spread), np.inf, spread)
    spread = np.where((exact == 0) & (spread == 0), ulp(0.0), spread)
    return _round(exact, spread, 0.0, certain, "f32")


def cast(a, dtype):
    if dtype in FLOATS:
        known = np.isnan(a.v) & (a.e == 0)
        return _round(a.v, a.e, 0.0, known | (np.isinf(a.v) & (a.e == 0)), dtype)
    ends = []
    for x in (a.v, a.v - a.e, a.v + a.e):
        # Adding 0: an integer has no -0.
        x = np.clip(np.trunc(np.where(np.isnan(x), 0.0, x)), -2.0**31, 2.0**31 - 1) + 0.0
        ends.append(x)
    unknown = (a.e > 0) & ((ends[1] != ends[2]) | ~np.isfinite(a.e))
    return Value(ends[0], np.where(unknown, np.inf, 0.0), dtype)


def _wrapped(x):
    """int64 modulo 2^32, as int32 has it."""
    return ((x + 2**31) % 2**32 - 2**31).astype(np.float64)


INTEGER = {
    "add": lambda a, b: a + b, "sub": lambda a, b: a - b, "mul": lambda a, b: a * b,
    "max": np.maximum, "min": np.minimum, "neg": lambda a: -a, "abs": np.abs,
    "relu": lambda a: np.maximum(a, 0),
    "rowsum": lambda a: a.sum(axis=1, keepdims=True), "colsum": lambda a: a.sum(axis=0, keepdims=True),
    "rowmax": lambda a: a.max(axis=1, keepdims=True), "colmax": lambda a: a.max(axis=0, keepdims=True),
    "rowmin": lambda a: a.min(axis=1, keepdims=True), "colmin": lambda a: a.min(axis=0, keepdims=True),
}


def _integer(op, operands):
    """Exact and modulo 2^32; of what is not known exactly nothing is known."""
    exact = INTEGER[op](*(a.v.astype(np.int64) for a in operands))
    # A bound above 0 anywhere in the row, column or pair spoils the result.
    if len(operands) == 1 and op in REDUCTION:
        spoilt = operands[0].e.max(axis=1 if op.startswith("row") else 0, keepdims=True) > 0
    else:
        spoilt = sum(a.e for a in operands) > 0
    return Value(_wrapped(exact), np.where(spoilt, np.inf, 0.0), "i32")


BINARY = {"add": add, "sub": sub, "mul": mul, "div": div, "max": maximum, "min": minimum}
UNARY = {
    "exp": exp,
    "log": log,
    "rsqrt": rsqrt,
    "sqrt": lambda a, _: sqrt(a),
    "neg": lambda a, _: neg(a),
    "abs": lambda a, _: absolute(a),
    "relu": lambda a, _: relu(a),
    "tanh": tanh,
    "sigmoid": sigmoid,
    "silu": silu,
    "gelu": gelu,
}
REDUCTION = {
    "rowsum": row_sum,
    "rowmean": lambda a, accuracy: row_sum(a, accuracy, mean=True),
    "rowmax": lambda a, _: row_extreme(a, 1.0),
    "rowmin": lambda a, _: row_extreme(a, -1.0),
}
REDUCTION.update({"colsum": _transposed(row_sum), "colmax": _transposed(REDUCTION["rowmax"]),
                  "colmin": _transposed(REDUCTION["rowmin"])})


def apply(op, operands, accuracy, dtype=None):
    """The result of `op` on Values; shapes broadcast as numpy does. `dtype` is that of a cast."""
    with np.errstate(all="ignore"):
        if op == "cast":
            return cast(operands[0], dtype)
        if op == "matmul":
            return matmul(accuracy, *operands)
        if operands[0].dtype == "i32":
            return _integer(op, operands)
        if op in BINARY:
            return BINARY[op](*operands)
        if op in UNARY:
            return UNARY[op](operands[0], accuracy)
        return REDUCTION[op](operands[0], accuracy)


def mismatch(got, want):
    """Indices of the elements of `got`, numbers, that lie outside the bounds of `want`, of one shape."""
    got = np.asarray(got, np.float64)
    with np.errstate(invalid="ignore"):
        close = np.abs(got - want.v) <= want.e
        same = (got == want.v) | (np.isnan(got) & np.isnan(want.v))
    return np.argwhere(~(close | same | np.isinf(want.e)))
