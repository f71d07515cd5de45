# SPDX-License-Identifier: MIT
"""Index expressions over loop variables: sums of variable times constant, and comparisons of them.

The variables are the loops themselves (objects with `serial` and `hint`); what a loop is stands in
_nodes.py. Nothing here has a value while a workload is traced: what would need one is an error.
"""
from __future__ import annotations

import operator

from pto_wsp.errors import fail

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Mapping, NoReturn, Union
    from pto_wsp._nodes import Loop

    Index = Union[int, "Affine"]
    Substitution = Mapping[Loop, "Affine"]

_HOW = "indices are sums of loop variables times constants, such as 16*i + j"


class Affine:
    """A sum of loop variables times integers, plus an integer. What a loop variable is."""

    __slots__ = ("terms", "const")
    __array_ufunc__ = None  # numpy's integers leave the arithmetic to this class

    def __init__(self, const: int = 0, terms: Mapping[Loop, int] | None = None) -> None:
        self.const = const
        self.terms = {loop: c for loop, c in (terms or {}).items() if c}

    @staticmethod
    def of(value: Any) -> Affine | None:
        """`value` as an index expression; None when it is not an integer of any kind."""
        if isinstance(value, Affine):
            return value
        if type(value).__name__ in ("bool", "bool_"):  # Python's and numpy's: a mask has no indices
            return None
        try:
            return Affine(operator.index(value))
        except TypeError:
            return None

    def _plus(self, other: Any, sign: int) -> Affine:
        right = Affine.of(other)
        if right is None:
            return NotImplemented
        terms = dict(self.terms)
        for loop, c in right.terms.items():
            terms[loop] = terms.get(loop, 0) + sign * c
        return Affine(self.const + sign * right.const, terms)

    def scaled(self, factor: int) -> Affine:
        return Affine(self.const * factor, {loop: c * factor for loop, c in self.terms.items()})

    def __add__(self, other: Any) -> Affine:
        return self._plus(other, 1)

    __radd__ = __add__

    def __sub__(self, other: Any) -> Affine:
        return self._plus(other, -1)

    def __rsub__(self, other: Any) -> Affine:
        return self.scaled(-1)._plus(other, 1)

    def __neg__(self) -> Affine:
        return self.scaled(-1)

    def __pos__(self) -> Affine:
        return self

    def __mul__(self, other: Any) -> Affine:
        right = Affine.of(other)
        if right is None:
            return NotImplemented
        if self.terms and right.terms:
            self._not_affine(f"({self}) * ({right})")
        return self.scaled(right.const) if not right.terms else right.scaled(self.const)

    __rmul__ = __mul__

    def _not_affine(self, what: str) -> NoReturn:
        fail("non-affine", f"{what} is not affine in the loop variables", _HOW)

    def __floordiv__(self, other: Any) -> NoReturn:
        self._not_affine(f"({self}) // {_shown(other)}")

    def __truediv__(self, other: Any) -> NoReturn:
        self._not_affine(f"({self}) / {_shown(other)}")

    def __mod__(self, other: Any) -> NoReturn:
        self._not_affine(f"({self}) % {_shown(other)}")

    def __pow__(self, other: Any) -> NoReturn:
        self._not_affine(f"({self}) ** {_shown(other)}")

    def __rfloordiv__(self, other: Any) -> NoReturn:
        self._not_affine(f"{_shown(other)} // ({self})")

    def __rtruediv__(self, other: Any) -> NoReturn:
        self._not_affine(f"{_shown(other)} / ({self})")

    def __rmod__(self, other: Any) -> NoReturn:
        self._not_affine(f"{_shown(other)} % ({self})")

    def __rpow__(self, other: Any) -> NoReturn:
        self._not_affine(f"{_shown(other)} ** ({self})")

    def __abs__(self) -> NoReturn:
        self._not_affine(f"abs({self})")

    def __index__(self) -> int:
        if not self.terms:
            return self.const
        fail("non-affine", f"'{self}' has no value while the workload is traced: "
             "the loop's body is traced once, for all iterations",
             "use the variable in indices of tensors, or loop with Python's range() to have a "
             "value")

    __int__ = __index__
    __float__ = __index__  # type: ignore[assignment]

    def __bool__(self) -> bool:
        self._undecided(str(self))

    def _undecided(self, what: str) -> NoReturn:
        fail("non-affine", f"Python cannot decide '{what}': the loop's body is traced once, for "
             "all iterations", "use `with P.when(...):`, or loop with Python's range()")

    def __lt__(self, other: Any) -> Condition:
        return _compared(self, other, "<")

    def __le__(self, other: Any) -> Condition:
        return _compared(self, other, "<=")

    def __gt__(self, other: Any) -> Condition:
        return _compared(self, other, ">")

    def __ge__(self, other: Any) -> Condition:
        return _compared(self, other, ">=")

    def __eq__(self, other: Any) -> Condition:  # type: ignore[override]
        return _compared(self, other, "==")

    def __ne__(self, other: Any) -> Condition:  # type: ignore[override]
        return _compared(self, other, "!=")

    __hash__ = object.__hash__

    def substitute(self, values: Substitution) -> Affine:
        """This expression with loops replaced; those that `values` does not have stay."""
        if not any(loop in values for loop in self.terms):
            return self
        const, terms = self.const, {}
        for loop, c in self.terms.items():
            value = values.get(loop)
            for inner, inner_c in (value.terms if value is not None else {loop: 1}).items():
                terms[inner] = terms.get(inner, 0) + c * inner_c
            const += c * value.const if value is not None else 0
        return Affine(const, terms)

    def same(self, other: Affine) -> bool:
        """Whether both mean the same number in every iteration."""
        return self.const == other.const and self.terms == other.terms

    def text(self, name: Callable[[Loop], str]) -> str:
        """As a workload file has it: `8*r+1`."""
        parts = []
        for loop in sorted(self.terms, key=lambda loop: loop.serial):
            c = self.terms[loop]
            factor = "" if abs(c) == 1 else f"{abs(c)}*"
            parts.append(("-" if c < 0 else "+") + factor + name(loop))
        if self.const or not parts:
            parts.append(f"{self.const:+d}")
        text = "".join(parts)
        return text[1:] if text[0] == "+" else text

    def __str__(self) -> str:
        return self.text(lambda loop: loop.hint)

    __repr__ = __str__


def _shown(value: Any) -> str:
    return f"({value})" if isinstance(value, Affine) else str(value)


_DECIDE: dict[str, Callable[[int], bool]] = {
    "<": lambda d: d < 0, "<=": lambda d: d <= 0, ">": lambda d: d > 0, ">=": lambda d: d >= 0,
    "==": lambda d: d == 0, "!=": lambda d: d != 0}


class Condition:
    """What a comparison of index expressions gives; for `P.when` and `cond`. Joined by & | ~."""

    __slots__ = ("decide", "loops", "shown")

    def __init__(self, decide: Callable[[Substitution], bool], loops: frozenset[Loop],
                 shown: str) -> None:
        self.decide = decide  # whether it holds, once its loops have been given values
        self.loops = loops
        self.shown = shown

    @staticmethod
    def of(value: Any) -> Condition | None:
        """`value` as a condition: a condition, or what Python has decided already."""
        if isinstance(value, Condition):
            return value
        if isinstance(value, (bool, int)) or type(value).__module__ == "numpy":
            known = bool(value)
            return Condition(lambda values: known, frozenset(), str(known))
        return None

    def __and__(self, other: Any) -> Condition:
        return self._joined(other, "&", lambda a, b: a and b)

    def __or__(self, other: Any) -> Condition:
        return self._joined(other, "|", lambda a, b: a or b)

    __rand__ = __and__
    __ror__ = __or__

    def _joined(self, other: Any, sign: str, join: Callable[[bool, bool], bool]) -> Condition:
        right = Condition.of(other)
        if right is None:
            return NotImplemented
        return Condition(lambda values: join(self.decide(values), right.decide(values)),
                         self.loops | right.loops, f"({self.shown}) {sign} ({right.shown})")

    def __invert__(self) -> Condition:
        return Condition(lambda values: not self.decide(values), self.loops, f"~({self.shown})")

    def __bool__(self) -> bool:
        fail("non-affine", f"Python cannot decide '{self.shown}': the loop's body is traced once, "
             "for all iterations", "use `with P.when(...):` (and & | ~ instead of and, or, not), "
             "or loop with Python's range()")


def _compared(left: Affine, right: Any, sign: str) -> Condition:
    other = Affine.of(right)
    if other is None:
        return NotImplemented
    difference = left - other
    decide = _DECIDE[sign]
    return Condition(lambda values: decide(difference.substitute(values).const),
                     frozenset(difference.terms), f"{left} {sign} {other}")
