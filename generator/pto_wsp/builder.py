# SPDX-License-Identifier: MIT
"""@kernel and @workload, and the workload object that they lead to."""
from __future__ import annotations

import sys

from pto_wsp import pto
from pto_wsp._kernel import In, InOut, Kernel, Out
from pto_wsp._kernel_ops import Value
from pto_wsp._nodes import Block, P, Task, collect, emit, take, tracing
from pto_wsp.errors import Site, fail, here, unsupported
from pto_wsp.schedule import Deps, DispatchPolicy, TaskWindow, unknown_directive
from pto_wsp.types import Scalar, Tile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable
    from pto_wsp._nodes import Body
    from pto_wsp.program import Program
    from pto_wsp.trace import Traced

__all__ = ["kernel", "workload", "Workload", "WorkloadFunction", "Kernel", "Value", "P", "In",
           "Out", "InOut", "Tile", "Scalar", "pto"]


class Workload:
    """A program with its schedule. Methods that set something return a new workload.

    nodes: the program as it was traced; name: for display; site: where it was made.
    """

    def __init__(self, nodes: Body, name: str, site: Site | None) -> None:
        self.nodes = nodes
        self.name = name
        self.site = site
        self.policy: DispatchPolicy | None = None
        self.window: TaskWindow | None = None
        self.deps = Deps("dataflow")
        self.schedule_site = site
        self._traced: Traced | None = None

    def _with(self, **changes: Any) -> Workload:
        other = Workload.__new__(Workload)
        other.__dict__.update({**self.__dict__, **changes, "_traced": None})
        return other

    def named(self, name: str) -> Workload:
        """The same with another name."""
        if not isinstance(name, str) or not name:
            fail("bad-name", f"a workload's name is a string, found {name!r}")
        return self._with(name=name)

    def dispatch(self, policy: DispatchPolicy) -> Workload:
        """The same with a policy on which AICPU scheduler takes a task."""
        if not isinstance(policy, DispatchPolicy):
            fail("bad-schedule", f"dispatch() takes a DispatchPolicy, found "
                                 f"{type(policy).__name__}",
                 "write dispatch(DispatchPolicy.round_robin(4))")
        return self._with(policy=policy, schedule_site=here())

    def task_graph(self, window: TaskWindow | None = None, deps: Deps | None = None,
                   **directives: Any) -> Workload:
        """The same with a bound on tasks in flight, and with where its edges come from."""
        for name in directives:
            unknown_directive(name, ["window", "deps"])
        if window is not None and not isinstance(window, TaskWindow):
            fail("bad-schedule", f"window= takes a TaskWindow, found {type(window).__name__}",
                 'write window=TaskWindow(8192, "tasks", WindowMode.STALL)')
        if deps is not None and not isinstance(deps, Deps):
            fail("bad-schedule", f"deps= takes a Deps, found {type(deps).__name__}",
                 "write deps=Deps.infer_tensor_map_exact()")
        return self._with(window=window or self.window, deps=deps or self.deps,
                          schedule_site=here())

    def traced(self) -> Traced:
        """The workload file's text, the locations, and the tensors. CompileError for a mistake."""
        if self._traced is None:
            from pto_wsp.trace import trace
            self._traced = trace(self)
        return self._traced

    def compile(self, target: str = "cpu_sim", **options: Any) -> Program:
        """Traces, checks and builds the workload for a target; see pto_wsp.program."""
        from pto_wsp.program import compile_workload
        return compile_workload(self, target, **options)

    def __repr__(self) -> str:
        return f"<workload {self.name}>"


def make_workload(nodes: Body, name: str) -> Workload:
    """A workload of nodes that take their place in the program that is being traced, if one is."""
    for node in nodes:
        emit(node)
    return Workload(nodes, name, here())


def call_kernel(kernel: Kernel, coords: tuple[Any, ...], args: tuple[Any, ...],
                kwargs: dict[str, Any]) -> Workload:
    """A kernel called in a workload: a task."""
    if not tracing():
        fail("bad-program", f"kernel '{kernel.name}' is called outside of a workload",
             "call it in a function with @workload, or use task(kernel, axes, {\"param\": view}); "
             "what kernels share is a plain function")
    return make_task(kernel, coords, args, kwargs)


def make_task(kernel: Kernel, coords: tuple[Any, ...], args: tuple[Any, ...],
              kwargs: dict[str, Any]) -> Workload:
    """One call of a kernel, as a workload."""
    kernel.trace()
    return make_workload([Task(kernel, kernel.bind(args, kwargs), coords, here())], kernel.name)


class WorkloadFunction:
    """A function with @workload. Calling it traces it: its arguments are numbers, axes, tensors."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.name: str = function.__name__
        self.__name__ = self.name
        self.__doc__ = function.__doc__
        self.__module__ = function.__module__
        self.site = Site(function.__code__.co_filename, function.__code__.co_firstlineno)

    def __call__(self, *args: Any, **kwargs: Any) -> Workload:
        nodes = collect(self.function, args, kwargs)
        if tracing():
            return make_workload([Block(False, nodes, here())] if nodes else [], self.name)
        return Workload(nodes, self.name, self.site)

    def __repr__(self) -> str:
        return f"<@workload {self.name} at {self.site}>"


def workload(function: Callable[..., Any]) -> WorkloadFunction:
    """Makes a function a workload: `wl()` traces it, `wl().compile(target=...)` builds it."""
    if not callable(function) or not hasattr(function, "__code__"):
        fail("bad-program", f"@workload stands above a function, found {type(function).__name__}",
             "write @workload above def")
    return WorkloadFunction(function)


def kernel(function: Callable[..., Any] | None = None, **options: Any) -> Any:
    """Makes a function over tiles a kernel; its parameters say what they are:

        @kernel
        def scale(x: In[Tile[8, 64, DType.F32]], y: Out[Tile[8, 64, DType.F32]], s:
        Scalar[DType.F32]):
            pto.store(y, x * s)
    """
    for name in options:
        unsupported(f"@kernel({name}=...)")
    if function is None:
        return kernel
    if not hasattr(function, "__code__"):
        fail("bad-program", f"@kernel stands above a function, found {type(function).__name__}",
             "write @kernel above def")
    return Kernel(function, sys._getframe(1))


def nodes_of(workloads: tuple[Any, ...], what: str) -> Body:
    """The nodes of workloads, taken out of where they stood: they become children of a block."""
    nodes: Body = []
    for item in workloads:
        if isinstance(item, (list, tuple)):
            nodes += nodes_of(tuple(item), what)
        elif isinstance(item, WorkloadFunction):
            fail("bad-program", f"{what} takes workloads, found the function '{item.name}'",
                 f"call it: {item.name}()")
        elif not isinstance(item, Workload):
            fail("bad-program", f"{what} takes workloads, found {type(item).__name__}",
                 "give task(...), or what a @workload function returns")
        else:
            children = take(item.nodes)
            nodes += children if len(children) == 1 else [Block(False, children, item.site)]
    return nodes
