"""The ops of a workload on numpy arrays, each with a bound on how far a right answer may be away.

An op is evaluated in double on f32 operands and rounded once to f32. Beside its value every element
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
# Kernels work in f32: at most 2 ulp from the true value (half a unit more from the rounded one) and
# sums in an order of their own, as docs/ops.md states.
KERNEL = Accuracy(ulp=2.5, sum_unit=2.0**-24)


class Value:
    """f32 values, held as float64, and their error bounds; both of one shape, always 2-D."""

    __slots__ = ("v", "e")

    def __init__(self, v, e=None):
        self.v = np.atleast_2d(np.asarray(v, np.float64))
        self.e = np.zeros(self.v.shape) if e is None else np.broadcast_to(e, self.v.shape)

    @property
    def shape(self):
        return self.v.shape


def ulp(magnitude):
    """The distance from |magnitude| to the next f32; that of the last binade beyond the largest."""
    clipped = np.minimum(np.abs(np.nan_to_num(magnitude, nan=0.0)),
                         F32_MAX / 1.5).astype(np.float32)
    return np.spacing(clipped).astype(np.float64)


def _round(exact, spread, slack_ulp, certain):
    """Value of one rounded op.

    exact: the double result; spread: how far inputs may have moved it; slack_ulp: what the
    implementation adds, in ulp; certain: where the result is known whatever the bounds say.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        rounded = exact.astype(np.float32).astype(np.float64)
        magnitude = np.abs(exact)
        # Rounding a moved value may land one float further; a subnormal result is rounded twice
        # (double, then f32), which for quotients is not innocuous.
        inexact = (spread > 0) | ((magnitude < F32_TINY) & (exact != rounded))
        error = spread + (slack_ulp + inexact) * ulp(magnitude
                                                     + np.where(np.isfinite(spread), spread, 0))
        error = np.where(np.isnan(error), np.inf, error)
        low, high = magnitude - error, magnitude + error
        error = np.where((error > 0) & (high >= F32_MAX), np.inf, error)
        error = np.where(low > F32_OVERFLOW, 0.0, error)
        error = np.where(np.isnan(exact) & ~certain, np.inf, error)
    return Value(rounded, np.where(certain, 0.0, error))


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
        return _round(exact, spread, slack_ulp, known | _some_certain_nan(*operands))


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
    return Value(value, np.where(_some_certain_nan(a, b), 0.0, error))


def maximum(a, b):
    return _select(a, b, a.v >= b.v)


def minimum(a, b):
    return _select(a, b, a.v <= b.v)


def neg(a):
    return Value(-a.v, a.e)


def absolute(a):
    return Value(np.abs(a.v), a.e)


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


def _certain_point(a, points):
    """Operands whose result is exact in every decent implementation (exp(0) is 1)."""
    return (a.e == 0) & np.isin(a.v, points)


def row_sum(a, accuracy, mean=False):
    count = a.shape[1]
    if count == 1:
        # A fold that begins with 0 turns -0 into 0; nobody promises either.
        return Value(a.v, np.where((a.v == 0) & (a.e == 0), ulp(0.0), a.e))
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
    return _round(exact, spread, 0.0, certain)


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
    return Value(exact, np.where(certain_nan, 0.0, error))


BINARY = {"add": add, "sub": sub, "mul": mul, "div": div, "max": maximum, "min": minimum}
UNARY = {
    "exp": exp,
    "log": log,
    "rsqrt": rsqrt,
    "sqrt": lambda a, _: sqrt(a),
    "neg": lambda a, _: neg(a),
    "abs": lambda a, _: absolute(a),
}
REDUCTION = {
    "rowsum": row_sum,
    "rowmean": lambda a, accuracy: row_sum(a, accuracy, mean=True),
    "rowmax": lambda a, _: row_extreme(a, 1.0),
    "rowmin": lambda a, _: row_extreme(a, -1.0),
}


def apply(op, operands, accuracy):
    """The result of `op` on Values; shapes broadcast as numpy does."""
    with np.errstate(all="ignore"):
        if op in BINARY:
            return BINARY[op](*operands)
        if op in UNARY:
            return UNARY[op](operands[0], accuracy)
        return REDUCTION[op](operands[0], accuracy)


def mismatch(got, want):
    """Indices of the elements of `got` that lie outside the bounds of `want`, of one shape."""
    got = np.asarray(got, np.float64)
    with np.errstate(invalid="ignore"):
        close = np.abs(got - want.v) <= want.e
        same = (got == want.v) | (np.isnan(got) & np.isnan(want.v))
    return np.argwhere(~(close | same | np.isinf(want.e)))
