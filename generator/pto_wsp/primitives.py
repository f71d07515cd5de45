# SPDX-License-Identifier: MIT
"""Workloads as expressions: tasks, loops over functions, and blocks.

Inside a @workload function they take their place in the program, like kernel calls; outside they
are workloads of their own: `parallel_for(tiles, lambda t: task(k, [t], {"x": X[t]})).compile(...)`.
"""
from __future__ import annotations

from pto_wsp._affine import Affine
from pto_wsp._kernel import Kernel
from pto_wsp._nodes import Block, P, When, as_condition, collect, make_loops
from pto_wsp.builder import Workload, make_task, make_workload, nodes_of
from pto_wsp.errors import fail, here, unsupported

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Mapping, NoReturn, Sequence

__all__ = ["task", "parallel_for", "for_each", "select", "cond", "combine", "sequential", "P",
           "slot_set_u64", "slot_load_u64", "slot_u64", "symbol_u64"]


def task(kernel: Kernel, axes: Sequence[Any] = (),
         args: Mapping[str, Any] | Sequence[Any] = ()) -> Workload:
    """One call of a kernel. axes: its coordinates; args: views and numbers, by parameter or in
    order: `task(load, [t], {"src": X[t], "dst": A[t]})`."""
    if not isinstance(kernel, Kernel):
        fail("bad-program", f"task() takes a kernel, found {type(kernel).__name__}",
             "write task(kernel, axes, {\"param\": view}) with a function with @kernel")
    coords = tuple(axes) if isinstance(axes, (list, tuple)) else (axes,)
    if hasattr(args, "keys"):
        return make_task(kernel, coords, (), dict(args))
    return make_task(kernel, coords, tuple(args), {})


def parallel_for(axis: Any, fn: Callable[..., Any]) -> Workload:
    """A parallel loop: `fn(i)` gives its body, a promise that no iteration writes what another one
    touches. A tuple of axes is a loop over each."""
    return _loop(axis, fn, True)


def for_each(axis: Any, fn: Callable[..., Any]) -> Workload:
    """A sequential loop over one axis, or a tuple of axes; `fn(i)` gives its body."""
    return _loop(axis, fn, False)


def select(indices: Any, fn: Callable[..., Any]) -> Workload:
    """A parallel loop over a list of indices: a Sparse, one of its rows, or a list."""
    return _loop(indices, fn, True)


def _loop(axis: Any, fn: Callable[..., Any], parallel: bool) -> Workload:
    if not callable(fn):
        fail("bad-program", f"a loop's body is a function of its variable, found "
             f"{type(fn).__name__}", "write lambda i: task(...)")
    axes = axis if isinstance(axis, tuple) else (axis,)
    code = getattr(fn, "__code__", None)
    hints = code.co_varnames[:code.co_argcount] if code else ()
    loops = make_loops(axes, parallel, hints, here())
    loops[-1].body.extend(collect(fn, [Affine(0, {loop: 1}) for loop in loops]))
    return make_workload([loops[0]], "parallel_for" if parallel else "for_each")


def cond(predicate: Any, then: Workload, otherwise: Workload | None = None) -> Workload:
    """One of two workloads, by a comparison of loop variables."""
    node = When(as_condition(predicate, "cond"), here())
    node.body = nodes_of((then,), "cond()")
    if otherwise is not None:
        node.otherwise = nodes_of((otherwise,), "cond()")
    return make_workload([node], "cond")


def combine(*workloads: Any) -> Workload:
    """Workloads in any order: a promise that none writes what another one touches."""
    return make_workload([Block(True, nodes_of(workloads, "combine()"), here())], "combine")


def sequential(*workloads: Any) -> Workload:
    """Workloads in order."""
    return make_workload([Block(False, nodes_of(workloads, "sequential()"), here())], "sequential")


def slot_set_u64(slot: int, value: Any) -> NoReturn:
    """Slots hold numbers that are there at run time only: not supported yet."""
    unsupported("slot_set_u64", "decide in Python, before the workload is traced")


def slot_load_u64(slot: int, view: Any, row: int = 0, col: int = 0) -> NoReturn:
    """A number out of a tensor at run time: not supported yet."""
    unsupported("slot_load_u64", "decide in Python, before the workload is traced")


def slot_u64(slot: int) -> NoReturn:
    """A slot's number at run time: not supported yet."""
    unsupported("slot_u64", "decide in Python, before the workload is traced")


def symbol_u64(name: str) -> NoReturn:
    """A number that is given at run time: not supported yet."""
    unsupported(f"the symbol '{name}', whose value is set at run time,",
                "give the number when the workload is traced")
