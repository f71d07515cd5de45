# SPDX-License-Identifier: MIT
"""What goes wrong, and where in the user's own files.

A message names the place, what was found, what was expected, and the fix, as ptowsp-gen's do:

    wl.py:12: error: pto.add: 4x4 and 4x8 do not broadcast [shape-mismatch]
      fix: ...
"""
from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType
    from typing import Iterable, NoReturn

__all__ = ["PtoError", "CompileError", "ExecutionError", "Site"]

_PACKAGE = os.path.dirname(os.path.abspath(__file__)) + os.sep
GAPS = "docs/future/pto_runtime_gaps.md"


class PtoError(Exception):
    """Base of all errors that pto_wsp raises on purpose."""


class ExecutionError(PtoError):
    """A failure at run time: says task, kernel and core where they are known."""


class Site:
    """A place in a Python file: `file` as Python knows it, `line` from 1."""

    __slots__ = ("file", "line")

    def __init__(self, file: str, line: int) -> None:
        self.file = file
        self.line = line

    def __str__(self) -> str:
        """file:line, the file relative to the current folder when it lies below it."""
        here = os.getcwd() + os.sep
        file = self.file[len(here):] if self.file.startswith(here) else self.file
        return f"{file}:{self.line}"


class CompileError(PtoError):
    """A mistake in a workload.

    message: what was found and what was expected; rule: its stable name ("shape-mismatch");
    fix: what to change, may be empty; site: the user's file and line, None when there is none;
    notes: further lines. `str()` gives all of it; `text`, when given, is that whole text as some
    other tool wrote it (ptowsp-gen's report).
    """

    def __init__(self, message: str, *, rule: str = "", fix: str = "", site: Site | None = None,
                 notes: Iterable[str] = (), text: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.rule = rule
        self.fix = fix
        self.site = site
        self.notes = tuple(notes)
        self.text = text

    @property
    def file(self) -> str:
        """The user's file, empty when it is not known."""
        return self.site.file if self.site else ""

    @property
    def line(self) -> int:
        """The line in `file`, 0 when it is not known."""
        return self.site.line if self.site else 0

    def __str__(self) -> str:
        if self.text:
            return self.text
        place = f"{self.site}: " if self.site else ""
        rule = f" [{self.rule}]" if self.rule else ""
        lines = [f"{place}error: {self.message}{rule}"]
        if self.fix:
            lines.append(f"  fix: {self.fix}")
        lines.extend(f"  note: {note}" for note in self.notes)
        return "\n".join(lines)


def user_frame(depth: int = 1) -> FrameType | None:
    """The innermost frame, `depth` calls up or further, that is not of this package."""
    frame: FrameType | None = sys._getframe(depth)
    while frame is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame = frame.f_back
    return frame


def here() -> Site | None:
    """The place in the user's code that led to this call."""
    frame = user_frame(2)
    return Site(frame.f_code.co_filename, frame.f_lineno) if frame else None


def fail(rule: str, message: str, fix: str = "", site: Site | None = None,
         notes: Iterable[str] = ()) -> NoReturn:
    """Raises a CompileError at `site`, or else where the user's code is."""
    raise CompileError(message, rule=rule, fix=fix, site=site or here(), notes=notes)


def unsupported(feature: str, instead: str = "", site: Site | None = None) -> NoReturn:
    """Raises the CompileError of a feature that this version does not have."""
    fix = f"{instead}; see {GAPS}" if instead else f"see {GAPS}"
    fail("unsupported-feature", f"{feature} is not supported yet", fix, site)


def nearest(name: str, known: Iterable[str]) -> str:
    """The known name that `name` may be a misspelling of, or an empty string."""
    best, best_distance = "", max(1, len(name) // 3) + 1
    for candidate in known:
        distance = _distance(name.lower(), candidate.lower())
        if distance < best_distance:
            best, best_distance = candidate, distance
    return best


def did_you_mean(name: str, known: Iterable[str], what: str) -> str:
    """The fix for an unknown name: the nearest known one, else all of them."""
    known = list(known)
    best = nearest(name, known)
    if best:
        return f"did you mean '{best}'?"
    return f"{what}: {', '.join(known)}" if known else ""


def _distance(a: str, b: str) -> int:
    # Levenshtein's distance, where two letters that changed places count once.
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i, letter in enumerate(a, 1):
        before, last, row = row, before, [i]
        for j, other in enumerate(b, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != other))
            if i > 1 and j > 1 and letter == b[j - 2] and a[i - 2] == other:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
    return row[-1]
