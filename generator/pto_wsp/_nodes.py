# SPDX-License-Identifier: MIT
"""The program as it is traced: loops, tasks, blocks, conditions, and who collects them.

Tracing runs the user's function once. What it calls adds nodes to the body that is open at that
time in that thread; a loop opens a body at its first item and closes it when asked for a second.
"""
from __future__ import annotations

from _thread import _local  # threading.local, without importing threading
from itertools import count

from pto_wsp._affine import Affine, Condition
from pto_wsp._names import loop_names
from pto_wsp.errors import Site, did_you_mean, fail, here
from pto_wsp.types import Lookup, Ragged, Sparse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any, Callable, NoReturn, Sequence, Union
    from pto_wsp._kernel import Kernel

    from pto_wsp.csp import Channel

    Node = Union["Loop", "Task", "Block", "When", "Send", "ProcessNode", "Connect"]
    Body = list[Node]


class Loop:
    """A loop over 0 … values - 1, or over the numbers in `values`; a Lookup stands for either."""

    __slots__ = ("values", "parallel", "hint", "serial", "site", "body")
    _serials = count()

    def __init__(self, values: int | list[int] | Lookup, parallel: bool, hint: str,
                 site: Site | None) -> None:
        self.values = values
        self.parallel = parallel
        self.hint = hint  # the user's name for its variable
        self.serial = next(Loop._serials)  # outer loops before inner ones, in any thread
        self.site = site
        self.body: Body = []


class SymbolScalar:
    """A symbol as a scalar argument, with the value that it has unless a program sets another."""

    __slots__ = ("name", "value")

    def __init__(self, name: str, value: float | int) -> None:
        self.name = name
        self.value = value


class Task:
    """A call of a kernel: `args` by parameter: views, numbers, SymbolScalars; `coords` name the
    task."""

    __slots__ = ("kernel", "args", "coords", "site")

    def __init__(self, kernel: Kernel, args: dict[str, Any], coords: tuple[Any, ...],
                 site: Site | None) -> None:
        self.kernel = kernel
        self.args = args
        self.coords = coords
        self.site = site


class Block:
    """Nodes in order (`parallel` false: a list) or in any order (`combine`)."""

    __slots__ = ("parallel", "body", "site")

    def __init__(self, parallel: bool, body: Body, site: Site | None) -> None:
        self.parallel = parallel
        self.body = body
        self.site = site


class When:
    """One of two bodies, by a condition that is known when loops have values."""

    __slots__ = ("condition", "body", "otherwise", "site")

    def __init__(self, condition: Condition, site: Site | None) -> None:
        self.condition = condition
        self.body: Body = []
        self.otherwise: Body | None = None
        self.site = site


class Consume(Loop):
    """A loop over the tokens of a channel; `values` is their number once that is known."""

    __slots__ = ("channel",)

    def __init__(self, channel: Channel, hint: str, site: Site | None) -> None:
        super().__init__(1, False, hint, site)
        self.channel = channel


class Send:
    """Tasks, and then a token into a channel."""

    __slots__ = ("channel", "body", "site")

    def __init__(self, channel: Channel, body: Body, site: Site | None) -> None:
        self.channel = channel
        self.body = body
        self.site = site


class ProcessNode:
    """Nodes in order, beside other processes."""

    __slots__ = ("name", "consumes", "produces", "body", "site")

    def __init__(self, name: str, site: Site | None) -> None:
        self.name = name
        self.consumes: list[Channel] = []
        self.produces: list[Channel] = []
        self.body: Body = []
        self.site = site

    def copy(self, body: Body | None = None) -> ProcessNode:
        """The same, with another body if one is given."""
        other = ProcessNode(self.name, self.site)
        other.consumes, other.produces = list(self.consumes), list(self.produces)
        other.body = list(self.body) if body is None else body
        return other


class Connect:
    """Processes beside one another, and the channels that order them."""

    __slots__ = ("body", "channels", "site")

    def __init__(self, processes: Sequence[Node], channels: Sequence[Channel],
                 site: Site | None) -> None:
        self.body: Body = list(processes)
        self.channels = list(channels)
        self.site = site


class _State(_local):
    # The open body of this thread, and the loops and conditions around it; None: nothing is traced.
    # Conditions that were made, and that no `with` has opened yet.
    body: Body | None = None
    open: list[Any] = []
    unopened: list[_Branch] = []


_state = _State()


def tracing() -> bool:
    """Whether a workload is being traced in this thread."""
    return _state.body is not None


def emit(node: Node) -> None:
    """Adds a node to the open body, if there is one."""
    if _state.body is not None:
        _state.body.append(node)


def take(nodes: Body) -> Body:
    """The nodes, taken out of the open body if they stand there: they go somewhere else."""
    if _state.body is not None:
        moved = {id(node) for node in nodes}
        _state.body[:] = [node for node in _state.body if id(node) not in moved]
    return nodes


def collect(function: Callable[..., Any], arguments: Sequence[Any],
            keywords: dict[str, Any] | None = None) -> Body:
    """What `function` adds to the program: by calls, or by returning workloads."""
    outer = _state.body, _state.open, _state.unopened
    _state.body, _state.open, _state.unopened = [], [], []
    try:
        _absorb(function(*arguments, **(keywords or {})), function)
        if _state.open:
            _left(_state.open[-1])
        for branch in _state.unopened:
            # What was meant to stand under it runs in all iterations.
            fail("bad-program", "this P.when or P.otherwise has no block",
                 "write `with P.when(condition):`, and its tasks below it", branch.site)
        return _state.body
    finally:
        _state.body, _state.open, _state.unopened = outer


def outside(function: Callable[..., Any], keywords: dict[str, Any]) -> Any:
    """What `function` returns, called where no workload is traced: a kernel's body has no loops and
    no tasks."""
    outer_body, outer_open = _state.body, _state.open
    _state.body, _state.open = None, []
    try:
        return function(**keywords)
    finally:
        _state.body, _state.open = outer_body, outer_open


def _absorb(returned: Any, function: Callable[..., Any]) -> None:
    assert _state.body is not None
    if returned is None:
        return
    if isinstance(returned, (list, tuple)):
        for item in returned:
            _absorb(item, function)
    elif hasattr(returned, "nodes"):
        present = {id(node) for node in _state.body}
        _state.body.extend(node for node in returned.nodes if id(node) not in present)
    else:
        fail("bad-program", f"expected tasks and workloads, found {type(returned).__name__}",
             "return task(...), or call kernels", _place_of(function))


def _place_of(function: Callable[..., Any]) -> Site | None:
    # Of a function that has returned no frame is left; what is no function has no place.
    code = getattr(function, "__code__", None)
    return Site(code.co_filename, code.co_firstlineno) if code else None


def _left(opened: Any) -> NoReturn:
    fail("bad-program", f"this {opened.what} was left by break or return",
         "its body is traced once, for all iterations: let it run to its end", opened.site)


# --- axes ----------------------------------------------------------------------------------------


def axis_values(axis: Any) -> int | list[int] | Lookup:
    """What a loop over `axis` counts through: 0 … n - 1, or a list of integers."""
    # Numbers of numpy have a size, too: 1.
    size = None if hasattr(axis, "dtype") else getattr(axis, "size", None)
    if isinstance(axis, Ragged):
        return axis.total()
    if isinstance(axis, Sparse):
        return list(axis.indices)
    if isinstance(axis, Lookup):
        return axis
    if isinstance(axis, type) and isinstance(getattr(axis, "_class_size", None), int):
        return axis._class_size  # Dense[8] without its parentheses
    number = Affine.of(axis if size is None or hasattr(axis, "__iter__") else size)
    if number is not None:
        if number.terms:
            fail("bad-axis", f"a loop's extent is known when traced, found '{number}'",
                 "loop over a number; for rows of different lengths use Ragged(n, "
                 "lengths).length(b)")
        if number.const < 0:
            fail("bad-axis", f"a loop's extent is not negative, found {number.const}")
        if number.const >= 1 << 63:
            fail("bad-axis", f"a loop's extent is below 2^63, found {number.const}")
        return number.const
    if isinstance(axis, (list, tuple, range)) or (
            hasattr(axis, "tolist") and getattr(axis, "shape", None) != ()):
        values = [Affine.of(item) for item in axis]
        if all(value is not None and not value.terms for value in values):
            return [value.const for value in values if value is not None]
    fail("bad-axis", f"a loop runs over an axis, a number, or a list of integers, found "
         f"{type(axis).__name__}", "write P(Dense[8]()), P(8) or P(range(0, 64, 16))")


def make_loops(axes: Sequence[Any], parallel: bool, hints: Sequence[str],
               site: Site | None) -> list[Loop]:
    """Loops, one inside the other, the first outermost."""
    loops: list[Loop] = []
    for i, axis in enumerate(axes):
        hint = hints[i] if i < len(hints) else ""
        loops.append(Loop(axis_values(axis), parallel, hint or "i", site))
        if i:
            loops[i - 1].body.append(loops[i])
    return loops


class _Iteration:
    # What P(...) gives: an iterator of one item, the loop variables.
    what = "loop"

    def __init__(self, axes: tuple[Any, ...], parallel: bool, name: str | None) -> None:
        self.site = here()
        if not tracing():
            fail("bad-program", "P(...) loops stand in functions with @workload",
                 "put the loop into one, or use parallel_for(axis, fn); in a kernel use Python's "
                 "range()")
        if not axes:
            fail("bad-axis", "P() has no axis", "write P(axis) or P(axis, axis)")
        self.axes = axes
        self.parallel = parallel
        self.name = name
        self.outer: Body | None = None
        self.done = False

    def __iter__(self) -> _Iteration:
        if self.done or self.outer is not None:
            # The second loop would end at once, and its tasks be missing.
            fail("bad-program", "this P(...) has been looped over before",
                 "write P(...) in each `for` statement", notes=[f"it was made here: {self.site}"])
        return self

    def __next__(self) -> Any:
        if self.outer is not None:
            if _state.open and _state.open[-1] is not self:
                _left(_state.open[-1])
            _state.open.pop()
            _state.body, self.outer, self.done = self.outer, None, True
        if self.done:
            raise StopIteration
        assert _state.body is not None
        loops = make_loops(self.axes, self.parallel, [self.name] if self.name else loop_names(),
                           self.site)
        self.outer = _state.body
        self.outer.append(loops[0])
        _state.body = loops[-1].body
        _state.open.append(self)
        variables = tuple(Affine(0, {loop: 1}) for loop in loops)
        return variables[0] if len(variables) == 1 else variables


class _Branch:
    # What P.when and P.otherwise give: a context that opens the body of a condition.
    what = "condition"

    def __init__(self, condition: Any, site: Site | None) -> None:
        self.condition = condition
        self.site = site
        if tracing():
            _state.unopened.append(self)

    def __enter__(self) -> None:
        _state.unopened = [branch for branch in _state.unopened if branch is not self]
        body = _state.body
        if body is None:
            fail("bad-program", "P.when and P.otherwise stand in functions with @workload")
        if self.condition is None:
            last = body[-1] if body else None
            if not isinstance(last, When) or last.otherwise is not None:
                fail("bad-program", "P.otherwise() has no P.when before it",
                     "write it right after the block of P.when(...)")
            last.otherwise = inner = []
        else:
            node = When(as_condition(self.condition, "P.when"), self.site)
            body.append(node)
            inner = node.body
        self.outer = body
        _state.body = inner
        _state.open.append(self)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        if kind is None and _state.open[-1] is not self:
            _left(_state.open[-1])
        while _state.open and _state.open.pop() is not self:
            pass
        _state.body = self.outer


def as_condition(value: Any, what: str) -> Condition:
    """`value` as a condition, or the error that it depends on data."""
    condition = Condition.of(value)
    if condition is None:
        fail("unsupported-feature", f"{what} on {type(value).__name__}, which depends on data, is "
             "not supported yet", "compare loop variables with numbers; see "
             "docs/future/pto_runtime_gaps.md")
    return condition


class _P:
    """The loops of workloads: `for b, t in P(batch, tiles):` parallel, `P.seq` one after another.

    The body is traced once; the loop variables stand for all iterations. Axes are Dense[8](),
    numbers, Ragged, Sparse and lists of integers.
    """

    __slots__ = ()

    def __call__(self, *axes: Any, name: str | None = None) -> _Iteration:
        """A parallel loop: a promise that no iteration writes what another one touches."""
        return _Iteration(axes, True, name)

    def seq(self, *axes: Any, name: str | None = None) -> _Iteration:
        """A sequential loop, iteration after iteration."""
        return _Iteration(axes, False, name)

    def sel(self, indices: Any, *, name: str | None = None) -> _Iteration:
        """A parallel loop over a list of indices: a Sparse, one of its rows, or a list."""
        return _Iteration((indices,), True, name)

    def when(self, condition: Any) -> _Branch:
        """`with P.when(b < 2):` - its tasks are there in those iterations only."""
        return _Branch(condition, here())

    def otherwise(self) -> _Branch:
        """`with P.otherwise():` after a P.when - in all the other iterations."""
        return _Branch(None, here())

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("_"):
            raise AttributeError(name)
        fail("unknown-name", f"P has no '{name}'",
             did_you_mean(name, ["seq", "sel", "when", "otherwise"], "P has"))


P = _P()
