# SPDX-License-Identifier: MIT
"""Directives on how tasks are dispatched and how many are in flight.

They go into the workload file's `schedule`. Functions of tasks are evaluated when the workload is
traced, with the coordinates that the task was given: `k[b, t](...)`.
"""
from __future__ import annotations

from enum import Enum

from pto_wsp.errors import did_you_mean, fail, unsupported

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, NoReturn, Sequence

__all__ = ["DispatchPolicy", "TaskWindow", "WindowMode", "Deps", "TaskInfo"]


class TaskInfo:
    """A task as functions of dispatch policies see it: `kernel` (its name) and the coordinates,
    which are integers, as `params`, by `task[0]` or `task.get(0)`, or by the names of the loop
    variables: `task.b`."""

    __slots__ = ("kernel", "params", "_names")

    def __init__(self, kernel: str, params: Sequence[Any],
                 names: Sequence[str | None] = ()) -> None:
        self.kernel = kernel
        self.params = tuple(params)
        self._names = tuple(names)

    @property
    def axes(self) -> tuple[Any, ...]:
        return self.params

    def __getitem__(self, index: int) -> Any:
        return self.get(index)

    def get(self, which: int | str) -> Any:
        """A coordinate, by its place or by the name of its loop variable."""
        if isinstance(which, str):
            if which in self._names:
                return self.params[self._names.index(which)]
        elif -len(self.params) <= which < len(self.params):
            return self.params[which]
        shown = ", ".join(str(name if name is not None else value)
                          for name, value in zip(self._names, self.params))
        fail("unknown-name", f"a task of kernel '{self.kernel}' has the coordinates [{shown}], not "
             f"{which!r}", f"name the task: {self.kernel}[b, t](...)")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return self.get(name)


class DispatchPolicy:
    """Which AICPU scheduler takes a task: make one by the methods below."""

    __slots__ = ("kind", "targets", "function")

    def __init__(self, kind: str, targets: int,
                 function: Callable[[TaskInfo], Any] | None = None) -> None:
        if isinstance(targets, bool) or not isinstance(targets, int) or not 1 <= targets <= 64:
            fail("bad-schedule", "the number of AICPUs is an integer from 1 to 64, found "
                                 f"{targets!r}")
        if function is not None and not callable(function):
            fail("bad-schedule", f"DispatchPolicy.{kind} takes a function of a task, found "
                 f"{type(function).__name__}", f"write DispatchPolicy.{kind}(lambda t: t[0], 4)")
        self.kind = kind
        self.targets = targets
        self.function = function

    @classmethod
    def round_robin(cls, num_aicpus: int) -> DispatchPolicy:
        """Task i goes to scheduler i modulo num_aicpus."""
        return cls("round_robin", num_aicpus)

    @classmethod
    def hash(cls, key_fn: Callable[[TaskInfo], Any], num_aicpus: int) -> DispatchPolicy:
        """By a hash of a key; tasks of one key go to one scheduler."""
        return cls("hash", num_aicpus, key_fn)

    @classmethod
    def affinity(cls, key_fn: Callable[[TaskInfo], Any], num_aicpus: int) -> DispatchPolicy:
        """By a key modulo num_aicpus; neighbouring keys go to neighbouring schedulers."""
        return cls("affinity", num_aicpus, key_fn)

    @classmethod
    def dispatch_by(cls, fn: Callable[[TaskInfo], Any], num_aicpus: int) -> DispatchPolicy:
        """By a function that gives the scheduler's number, 0 to num_aicpus - 1."""
        return cls("dispatch_by", num_aicpus, fn)

    @classmethod
    def work_steal(cls, num_aicpus: int = 4) -> DispatchPolicy:
        """As round_robin, and a scheduler without ready tasks takes those of another one."""
        return cls("work_steal", num_aicpus)

    def ir(self, function: Callable[[], Any]) -> Any:
        """As `schedule.dispatch` of the workload file has it; function: gives the form of this
        policy's function, see _dispatch.py."""
        if self.function is None:
            return {self.kind: self.targets}
        key = "aicpu" if self.kind == "dispatch_by" else "key"
        return {self.kind: {"aicpus": self.targets, key: function()}}


class WindowMode(Enum):
    """What happens to a task that finds the window full."""

    STALL = "stall"          # it waits
    ABORT = "abort"          # the run fails
    BENCHMARK = "benchmark"  # it goes on, and is counted


class TaskWindow:
    """A bound on tasks in flight: `TaskWindow(8192, "tasks", WindowMode.STALL)`."""

    __slots__ = ("size", "unit", "mode")

    def __init__(self, size: int, unit: str = "tasks", mode: WindowMode = WindowMode.STALL) -> None:
        if isinstance(size, bool) or not isinstance(size, int) or size < 1:
            fail("bad-schedule", f"a task window is an integer of at least 1, found {size!r}")
        if unit != "tasks":
            unsupported(f"a task window in '{unit}'", 'use "tasks"')
        if not isinstance(mode, WindowMode):
            fail("bad-schedule", f"the mode of a task window is a WindowMode, found {mode!r}",
                 "write WindowMode.STALL")
        self.size = size
        self.unit = unit
        self.mode = mode

    def ir(self) -> Any:
        """As `schedule.task_window` of the workload file has it."""
        return self.size if self.mode is WindowMode.STALL else \
            {"tasks": self.size, "mode": self.mode.value}


class Deps:
    """Where the edges of the task graph come from."""

    __slots__ = ("kind",)

    def __init__(self, kind: str) -> None:
        self.kind = kind  # as ptowsp-gen --dependences has it

    @classmethod
    def infer_tensor_map_exact(cls) -> Deps:
        """From the elements that tasks touch. The default."""
        return cls("dataflow")

    @classmethod
    def infer_bytes_overlap(cls) -> Deps:
        """From the bytes that tasks touch: the same, as elements do not overlap in part."""
        return cls("dataflow")

    @classmethod
    def program_order(cls) -> Deps:
        """One task after another."""
        return cls("program_order")

    @classmethod
    def explicit(cls) -> Deps:
        """As it is written: by sequential loops and lists, and by channels. Of two tasks that this
        does not order, neither may write what the other touches: that is an error, and never an
        edge."""
        return cls("explicit")

    @classmethod
    def hybrid(cls, **kwargs: Any) -> NoReturn:
        """Not supported yet."""
        unsupported("Deps.hybrid", "use Deps.infer_tensor_map_exact() or Deps.program_order()")


def unknown_directive(name: str, known: Sequence[str]) -> NoReturn:
    """A keyword of task_graph() that there is not, or not yet."""
    if name in ("pools", "ready", "start", "trace", "tracer"):
        unsupported(f"task_graph({name}=...)")
    fail("unknown-argument", f"task_graph() has no keyword '{name}'",
         did_you_mean(name, known, "its keywords are"))
