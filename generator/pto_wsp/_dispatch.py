# SPDX-License-Identifier: MIT
"""Functions of dispatch policies: evaluated for each task, and put into the form that the workload
file has for them: an expression over the loop variables where they are one, else a table of all
tasks.
"""
from __future__ import annotations

from itertools import product

from pto_wsp._affine import Affine
from pto_wsp._nodes import Loop, Task
from pto_wsp.errors import fail
from pto_wsp.schedule import TaskInfo

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Sequence
    from pto_wsp._nodes import Body
    from pto_wsp.errors import Site
    from pto_wsp.schedule import DispatchPolicy

# Calls of the user's function; a table of more would be no readable workload file.
_MOST_CALLS = 1 << 22


class _Statement:
    # A task node: its loops, outermost first, the number of its first task, and how far that moves
    # with each loop; then the function's values, the last loop's variable changing fastest.
    def __init__(self, task: Task, loops: list[Loop], first: int, strides: list[int]) -> None:
        self.task = task
        self.loops = loops
        self.first = first
        self.strides = strides
        self.extents: list[int] = [loop.values for loop in loops]  # type: ignore[misc]
        self.values: list[int] = []

    def evaluate(self, policy: DispatchPolicy, site: Site | None) -> None:
        function = policy.function
        assert function is not None
        names = tuple(str(c) if isinstance(c, Affine) else None for c in self.task.coords)
        kernel = self.task.kernel.name
        for iteration in product(*map(range, self.extents)):
            at = dict(zip(self.loops, iteration))
            coords = tuple(c.const + sum(k * at[loop] for loop, k in c.terms.items())
                           if isinstance(c, Affine) else c for c in self.task.coords)
            value = function(TaskInfo(kernel, coords, names))
            number = Affine.of(value)
            if number is None:
                shown = ", ".join(map(str, coords))
                fail("bad-schedule", f"the function of DispatchPolicy.{policy.kind} gives "
                     f"{value!r} for task {kernel}[{shown}], expected an integer",
                     "return a coordinate, such as t[0], or a sum of them", site)
            if policy.kind == "dispatch_by" and not 0 <= number.const < policy.targets:
                shown = ", ".join(map(str, coords))
                fail("bad-schedule", f"the function of DispatchPolicy.dispatch_by gives "
                     f"{number.const} for task {kernel}[{shown}], expected an AICPU, 0 to "
                     f"{policy.targets - 1}", "take the remainder: "
                     f"lambda t: (...) % {policy.targets}", site)
            self.values.append(number.const)

    def fit(self, modulus: int) -> Affine | None:
        """The affine expression that has these values, modulo `modulus` if that is not 0."""
        const = self.values[0]
        terms: dict[Loop, int] = {}
        step = 1
        for loop, extent in reversed(list(zip(self.loops, self.extents))):
            if extent > 1:
                slope = self.values[step] - const
                if modulus:  # the shortest way round, so that -1 stays -1
                    slope = (slope + modulus // 2) % modulus - modulus // 2
                terms[loop] = slope
            step *= extent
        slopes = [terms.get(loop, 0) for loop in self.loops]
        for value, iteration in zip(self.values, product(*map(range, self.extents))):
            expected = const + sum(k * i for k, i in zip(slopes, iteration))
            if value != (expected % modulus if modulus else expected):
                return None
        return Affine(const, terms)

    def numbers(self) -> Any:
        """The tasks' numbers in program order, as the values are ordered."""
        for iteration in product(*map(range, self.extents)):
            yield self.first + sum(k * i for k, i in zip(self.strides, iteration))


class _Statements:
    # All task nodes of a program, in its order.
    def __init__(self, program: Body) -> None:
        self.found: list[_Statement] = []
        self._sizes: dict[int, int] = {}
        self._loops: list[Loop] = []
        self._strides: list[int] = []
        self.tasks = self._visit(program, 0)

    def _size(self, nodes: Body) -> int:
        total = 0
        for node in nodes:
            if isinstance(node, Task):
                total += 1
                continue
            if id(node) not in self._sizes:
                below = self._size(node.body)
                self._sizes[id(node)] = below * node.values if isinstance(node, Loop) else below
            total += self._sizes[id(node)]
        return total

    def _visit(self, nodes: Body, first: int) -> int:
        for node in nodes:
            if isinstance(node, Task):
                self.found.append(_Statement(node, list(self._loops), first, list(self._strides)))
                first += 1
            elif isinstance(node, Loop):
                self._loops.append(node)
                self._strides.append(self._size(node.body))
                self._visit(node.body, first)
                self._loops.pop()
                self._strides.pop()
                first += self._size([node])
            else:
                first = self._visit(node.body, first)
        return first


def function_ir(policy: DispatchPolicy, program: Body,
                names: Sequence[Callable[[Loop], str]], site: Site | None) -> Any:
    """The function of a policy as `schedule.dispatch` has it. program: loops over numbers, tasks
    and blocks; names: for each task node in order, what the loops around it are called there."""
    statements = _Statements(program)
    if statements.tasks > _MOST_CALLS:
        fail("too-many-tasks", f"the function of DispatchPolicy.{policy.kind} would be called for "
             f"each of {statements.tasks} tasks, at most {_MOST_CALLS} are possible",
             "use DispatchPolicy.round_robin", site)
    targets = policy.targets
    texts = []
    for statement, name in zip(statements.found, names):
        statement.evaluate(policy, site)
        exact = statement.fit(0)
        if exact is not None:
            texts.append(exact.text(name))
            continue
        # Only what is modulo the number of schedulers anyway can be said so.
        round_ = statement.fit(targets) if policy.kind in ("dispatch_by", "affinity") else None
        if policy.kind == "affinity" and round_ is None:
            statement.values = [value % targets for value in statement.values]
            round_ = statement.fit(targets)
        texts.append(None if round_ is None else f"({round_.text(name)}) % {targets}")
    if all(text is not None for text in texts):
        return texts[0] if len(set(texts)) == 1 else texts
    table = [0] * statements.tasks
    for statement in statements.found:
        for number, value in zip(statement.numbers(), statement.values):
            table[number] = value
    return {"table": table}
