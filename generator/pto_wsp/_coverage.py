# SPDX-License-Identifier: MIT
"""Whether tasks write every element of a tensor. Exact, or "no" where finding out would take long:
a tensor that counts as not completely written keeps its old elements, which is right in any
case."""
from __future__ import annotations

from itertools import product

from pto_wsp._affine import Affine

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Iterator, Optional, Sequence
    from pto_wsp._nodes import Loop

    Interval = tuple[int, int]
    Box = list[list[Interval]]  # for each dimension the intervals written: their product is written

_MOST_PIECES = 1 << 16
_MOST_CELLS = 1 << 22


class Write:
    """A view that a task writes, and the loops around the task with their extents."""

    __slots__ = ("dims", "loops")

    def __init__(self, dims: Sequence[tuple[Affine, int | None]], loops: dict[Loop, int]) -> None:
        self.dims = dims
        self.loops = loops


def complete(shape: Sequence[int], writes: Sequence[Write]) -> bool:
    """Whether the writes, in all iterations together, touch every element of `shape`."""
    boxes: list[Box] = []
    for write in writes:
        for box in _boxes(write, shape) or []:
            if all(intervals == [(0, n)] for intervals, n in zip(box, shape)):
                return True
            boxes.append(box)
        if len(boxes) > _MOST_PIECES:
            return False
    return _union_is_all(shape, boxes)


def _boxes(write: Write, shape: Sequence[int]) -> Optional[list[Box]]:
    # A loop whose variable stands in one dimension only widens the intervals of that dimension; one
    # that stands in several is gone through value by value.
    seen: dict[Loop, int] = {}
    for start, _ in write.dims:
        for loop in start.terms:
            seen[loop] = seen.get(loop, 0) + 1
    shared = [loop for loop, count in seen.items() if count > 1]
    number = 1
    for loop in shared:
        number *= write.loops[loop]
    if number > _MOST_PIECES:
        return None
    boxes = []
    for values in product(*(range(write.loops[loop]) for loop in shared)):
        fixed = {loop: Affine(value) for loop, value in zip(shared, values)}
        box = []
        for (start, extent), n in zip(write.dims, shape):
            intervals = _intervals(start.substitute(fixed), extent or 1, write.loops, n)
            if intervals is None:
                return None
            box.append(intervals)
        boxes.append(box)
    return boxes


def _intervals(start: Affine, extent: int, loops: dict[Loop, int],
               size: int) -> Optional[list[Interval]]:
    pieces = [(start.const, start.const + extent)]
    for loop, step in sorted(start.terms.items(), key=lambda item: abs(item[1])):
        count = loops[loop]
        if len(pieces) == 1 and abs(step) <= pieces[0][1] - pieces[0][0]:
            first, last = pieces[0]
            moved = step * (count - 1)
            pieces = [(first + min(moved, 0), last + max(moved, 0))]
            continue
        if len(pieces) * count > _MOST_PIECES:
            return None
        pieces = _merged([(a + step * i, b + step * i) for a, b in pieces for i in range(count)])
    return [(max(a, 0), min(b, size)) for a, b in pieces if b > 0 and a < size]


def _merged(pieces: list[Interval]) -> list[Interval]:
    merged: list[Interval] = []
    for first, last in sorted(pieces):
        if merged and first <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], last))
        else:
            merged.append((first, last))
    return merged


def _union_is_all(shape: Sequence[int], boxes: list[Box]) -> bool:
    # Cells between the places where some interval begins or ends are written wholly or not at all.
    cuts = [sorted({0, n, *(edge for box in boxes for piece in box[i] for edge in piece)})
            for i, n in enumerate(shape)]
    counts = [len(edges) - 1 for edges in cuts]
    cells = 1
    for count in counts:
        cells *= count
    if cells > _MOST_CELLS:
        return False
    places = [{edge: place for place, edge in enumerate(edges)} for edges in cuts]
    written = bytearray(cells)
    for box in boxes:
        ranges = [[(place[a], place[b]) for a, b in intervals] for place, intervals in
                  zip(places, box)]
        for row in _rows(ranges[:-1], counts):
            for first, last in ranges[-1]:
                written[row + first:row + last] = b"\1" * (last - first)
    return 0 not in written


def _rows(ranges: list[list[Interval]], counts: list[int]) -> Iterator[int]:
    strides = [1] * len(counts)
    for i in range(len(counts) - 2, -1, -1):
        strides[i] = strides[i + 1] * counts[i + 1]
    cells = [[cell * stride for first, last in pieces for cell in range(first, last)]
             for pieces, stride in zip(ranges, strides)]
    return (sum(at) for at in product(*cells))
