# SPDX-License-Identifier: MIT
"""From a traced workload to the workload file, its locations, and the tensors' data.

Loops whose values are needed one by one (conditions, lists of indices, rows of different lengths)
are unrolled here; all others stay loops.
"""
from __future__ import annotations

import os

from pto_wsp import _json
from pto_wsp._affine import Affine
from pto_wsp._coverage import Write, complete
from pto_wsp._names import WORDS, fit, unique
from pto_wsp._nodes import Block, Connect, Consume, Loop, ProcessNode, Send, SymbolScalar, Task, When
from pto_wsp.errors import Site, fail
from pto_wsp.csp import LATENCY_SYMBOL
from pto_wsp.types import DType, Lookup, Tensor, View

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Mapping
    import numpy
    from pto_wsp._kernel import Kernel
    from pto_wsp._nodes import Body, Node
    from pto_wsp.builder import Workload
    from pto_wsp.csp import Channel

__all__ = ["Traced", "TracedTensor", "trace"]

_MOST_TASKS = 100_000


class TracedTensor:
    """A tensor of a traced workload. `name`: in the workload file; `label`: the user's, as golden()
    gets it (they differ for names that C++ cannot have); `role`: input, output, inout,
    temporary."""

    __slots__ = ("tensor", "name", "label", "role")

    def __init__(self, tensor: Tensor, name: str, label: str, role: str) -> None:
        self.tensor = tensor
        self.name = name
        self.label = label
        self.role = role

    @property
    def shape(self) -> tuple[int, ...]:
        return self.tensor.shape

    @property
    def dtype(self) -> DType:
        return self.tensor.dtype

    @property
    def nbytes(self) -> int:
        """Bytes of all elements."""
        size = self.dtype.itemsize
        for extent in self.shape:
            size *= extent
        return size

    @property
    def init_file(self) -> str | None:
        """The file that init={"npy": ...} names, relative to the user's Python file; its absolute
        path."""
        tensor = self.tensor
        if tensor.array is not None or not isinstance(tensor.init, dict) \
                or not isinstance(tensor.init.get("npy"), str):
            return None
        folder = os.path.dirname(_path(tensor.site)) if tensor.site else ""
        return os.path.abspath(os.path.join(folder, tensor.init["npy"]))

    def ir(self, npy: str | None = None) -> dict[str, Any]:
        """As the workload file has it; npy: the file with its elements, if there is one."""
        tensor = self.tensor
        ir: dict[str, Any] = {"name": self.name, "dtype": tensor.dtype.value,
                              "shape": list(tensor.shape), "role": self.role}
        if self.role in ("input", "inout"):
            if npy or self.init_file:
                ir["init"] = {"npy": npy or self.init_file}
            elif tensor.init is not None:
                ir["init"] = tensor.init
            elif self.role == "inout" and tensor.array is None:
                ir["init"] = {"constant": 0}  # as execute() allocates it
        if tensor.rtol is not None:
            ir["rtol"] = tensor.rtol
        if tensor.atol is not None:
            ir["atol"] = tensor.atol
        return ir

    def __repr__(self) -> str:
        return f"TracedTensor({self.name}: {self.role} {self.dtype}{list(self.shape)})"


class Traced:
    """A traced workload.

    name: for display; tensors: in the order of the workload file; kernels: their names, likewise;
    locations: JSON pointer -> Site; dependences: "dataflow", "program_order" or "explicit"
    (ptowsp-gen --dependences); files: the user's Python files that it came from; symbols: the
    values of those that are scalar arguments. json_text: the workload file;
    it does not depend on the arrays' elements.
    """

    def __init__(self, name: str, tensors: list[TracedTensor], kernels: list[dict[str, Any]],
                 channels: list[dict[str, Any]], program: list[Any], schedule: dict[str, Any],
                 locations: dict[str, Site],
                 dependences: str) -> None:
        self.name = name
        self.tensors = tensors
        self.locations = locations
        self.dependences = dependences
        self.files: list[str] = list(dict.fromkeys(map(_path, locations.values())))
        self.golden: Callable[..., Any] | None = None
        self.symbols: dict[str, float | int] = {}
        self._kernels = kernels
        self._channels = channels
        self._program = program
        self._schedule = schedule
        self.json_text = self.text()

    @property
    def kernels(self) -> list[str]:
        return [kernel["name"] for kernel in self._kernels]

    def kernel_cores(self) -> dict[str, str]:
        """What cores the ops of each kernel are for, as the kernel list says it: aiv, aic, or
        mix."""
        cores = {}
        for kernel in self._kernels:
            ops = {op["op"] for op in kernel["body"]} - {"store"}
            cores[kernel["name"]] = "aiv" if "matmul" not in ops else \
                "aic" if ops == {"matmul"} else "mix"
        return cores

    def text(self, npy: Mapping[str, str] | None = None) -> str:
        """The workload file; npy: files with elements, by tensor."""
        npy = npy or {}
        root: dict[str, Any] = {
            "ptowsp": 1, "name": self.name,
            "tensors": [tensor.ir(npy.get(tensor.name)) for tensor in self.tensors],
            "kernels": self._kernels}
        if self._channels:
            root["channels"] = self._channels
        root["program"] = self._program
        if self._schedule:
            root["schedule"] = self._schedule
        return _json.text(root) + "\n"

    def locations_text(self, json_path: str) -> str:
        """The locations sidecar of a workload file at `json_path`; its files are relative to
        that."""
        folder = os.path.dirname(os.path.abspath(json_path))
        sources = list(dict.fromkeys(map(_path, self.locations.values())))
        numbers = {file: i for i, file in enumerate(sources)}
        files = [os.path.relpath(file, folder) if os.path.isabs(file) else file
                 for file in sources]
        nodes = {pointer: [numbers[_path(site)], site.line]
                 for pointer, site in self.locations.items()}
        lines = ",\n".join(f"  {_json.quoted(pointer)}: {_json.line(at)}"
                           for pointer, at in nodes.items())
        return ('{"ptowsp_locations": 1, "files": ' + _json.line(files) + ', "nodes": {\n'
                + lines + "\n}}\n")

    def write(self, json_path: str) -> list[str]:
        """Writes the workload file, its sidecar, and a .npy for each array that is read, beside it;
        each only when its bytes change. The paths of all of them."""
        stem = json_path[:-5] if json_path.endswith(".json") else json_path
        npy = {tensor.name: f"{stem}.{tensor.name}.npy" for tensor in self.tensors
               if tensor.role in ("input", "inout") and tensor.tensor.array is not None}
        paths = [json_path, stem + ".locations.json", *npy.values()]
        for tensor in self.tensors:
            if tensor.name in npy:
                write_if_changed(npy[tensor.name], npy_bytes(tensor.tensor.gather()))
        base = {name: os.path.basename(path) for name, path in npy.items()}
        folder = os.path.dirname(os.path.abspath(json_path))
        base.update((tensor.name, os.path.relpath(tensor.init_file, folder))
                    for tensor in self.tensors if tensor.init_file)
        write_if_changed(paths[1],
                         self.locations_text(json_path).encode("utf-8", "surrogateescape"))
        write_if_changed(json_path, self.text(base).encode())
        return paths

    def __repr__(self) -> str:
        return f"<traced {self.name}: {len(self.tensors)} tensors, {len(self._kernels)} kernels>"


def _path(site: Site) -> str:
    # A script's own code knows its file as it was given; "<stdin>" and the like are no files.
    return site.file if site.file.startswith("<") else os.path.abspath(site.file)


def npy_bytes(array: numpy.ndarray) -> bytes:
    """The bytes of a .npy file with this array."""
    from io import BytesIO
    from numpy.lib import format as npy_format
    file = BytesIO()
    npy_format.write_array(file, array, allow_pickle=False)
    return file.getvalue()


def write_if_changed(path: str, data: bytes) -> bool:
    """Writes a file whole or not at all, and only when its bytes change; whether it was written."""
    try:
        with open(path, "rb") as file:
            if file.read() == data:
                return False
    except FileNotFoundError:
        pass
    partial = f"{path}.{os.getpid()}.partial"
    try:
        with open(partial, "wb") as file:
            file.write(data)
        os.replace(partial, path)
    except BaseException:
        if os.path.exists(partial):
            os.remove(partial)
        raise
    return True


def trace(workload: Workload, symbols: Mapping[str, float | int] | None = None) -> Traced:
    """The traced form of a workload; symbols: values in the place of their own. CompileError for a
    mistake."""
    return _Serializer(workload, symbols or {}).traced()


class _Unroller:
    # Gives the program without conditions, lists and lookups: loops of numbers, tasks and blocks.

    def __init__(self, nodes: Body) -> None:
        self._needed: set[Loop] = set()
        self._tasks = 0
        self._find(nodes)

    def _find(self, nodes: Body) -> None:
        for node in nodes:
            if isinstance(node, When):
                self._needed |= node.condition.loops
                self._find(node.otherwise or [])
            if isinstance(node, Loop) and isinstance(node.values, Lookup):
                self._needed |= set(node.values.index.terms)
            if not isinstance(node, Task):
                self._find(node.body)

    def nodes(self, nodes: Body, values: Mapping[Loop, Affine]) -> Body:
        result: Body = []
        for node in nodes:
            if isinstance(node, Task):
                result.append(self._task(node, values))
            elif isinstance(node, When):
                holds = node.condition.decide(values)
                result += self.nodes(node.body if holds else node.otherwise or [], values)
            elif isinstance(node, Loop):
                result += self._loop(node, values)
            elif isinstance(node, Connect):
                result.append(Connect(self.nodes(node.body, values), node.channels, node.site))
            elif isinstance(node, ProcessNode):
                result.append(node.copy(self.nodes(node.body, values)))
            elif isinstance(node, Send):
                body = self.nodes(node.body, values)
                result += [Send(node.channel, body, node.site)] if body else []
            else:
                body = self.nodes(node.body, values)
                result += [Block(node.parallel, body, node.site)] if body or not node.body else []
        return result

    def _consume(self, consume: Consume, values: Mapping[Loop, Affine]) -> Body:
        if consume in self._needed:
            fail("unsupported-feature", f"a condition or an index list on '{consume.hint}', the index of "
                 "a token, is not supported yet", "send what differs through channels of its own; see "
                 "docs/future/pto_runtime_gaps.md", consume.site)
        made = Consume(consume.channel, consume.hint, consume.site)
        made.body = self.nodes(consume.body, {**values, consume: Affine(0, {made: 1})})
        return [made]

    def _task(self, task: Task, values: Mapping[Loop, Affine]) -> Task:
        self._tasks += 1
        if self._tasks > _MOST_TASKS:
            fail("too-many-tasks", f"conditions and index lists unroll this program to more than "
                 f"{_MOST_TASKS} tasks", "use loops over numbers where every iteration is alike",
                 task.site)
        args = {name: View(value.tensor, [(start.substitute(values), extent)
                                          for start, extent in value.dims])
                if isinstance(value, View) else value for name, value in task.args.items()}
        coords = tuple(coord.substitute(values) if isinstance(coord, Affine) else coord
                       for coord in task.coords)
        return Task(task.kernel, args, coords, task.site)

    def _loop(self, loop: Loop, values: Mapping[Loop, Affine]) -> Body:
        if isinstance(loop, Consume):
            return self._consume(loop, values)
        counted = loop.values
        if isinstance(counted, Lookup):
            counted = counted.at(counted.index.substitute(values).const, loop.site)
        steps: Any = range(counted) if isinstance(counted, int) else counted
        if loop not in self._needed and (isinstance(counted, int) or _is_progression(steps)):
            if not len(steps) and isinstance(loop.values, Lookup):
                return []  # a row without elements
            made = Loop(len(steps), loop.parallel, loop.hint, loop.site)
            start, step = (steps[0], steps[1] - steps[0]) if len(steps) > 1 else (0, 1)
            made.body = self.nodes(loop.body, {**values, loop: Affine(start, {made: step})})
            # A loop that was empty from the start is told of; one of which nothing is left is gone.
            return [made] if made.body or not loop.body else []
        children: Body = []
        for value in steps:
            body = self.nodes(loop.body, {**values, loop: Affine(value)})
            children += body if len(body) <= 1 or not loop.parallel else \
                [Block(False, body, loop.site)]
        return [Block(loop.parallel, children, loop.site)] if children else []


def _is_progression(values: Any) -> bool:
    if len(values) < 2:
        return False
    return all(b - a == values[1] - values[0] for a, b in zip(values, values[1:]))


def _count_tokens(connect: Connect) -> None:
    # Consume nodes get the number of their channel's tokens, on which roles of tensors depend. Where
    # it follows from itself ptowsp-gen says so.
    sends: dict[Channel, list[list[Loop]]] = {}
    consumes: list[Consume] = []

    def find(nodes: Body, around: list[Loop]) -> None:
        for node in nodes:
            if isinstance(node, Task):
                continue
            if isinstance(node, Send):
                sends.setdefault(node.channel, []).append(around)
            if isinstance(node, Consume):
                consumes.append(node)
            find(node.body, [*around, node] if isinstance(node, Loop) else around)

    known: dict[Channel, int] = {}

    def tokens(channel: Channel) -> int:
        if channel not in known:
            known[channel] = 1
            known[channel] = sum(times(around) for around in sends.get(channel, [])) or 1
        return known[channel]

    def times(around: list[Loop]) -> int:
        result = 1
        for loop in around:
            assert isinstance(loop.values, int)
            result *= tokens(loop.channel) if isinstance(loop, Consume) else loop.values
        return result

    find(connect.body, [])
    for consume in consumes:
        consume.values = tokens(consume.channel)


class _Serializer:
    def __init__(self, workload: Workload, symbols: Mapping[str, float | int]) -> None:
        self._workload = workload
        self._given = symbols
        self._symbols: dict[str, float | int] = {}
        self._program = _Unroller(workload.nodes).nodes(workload.nodes, {})
        self._kernels: dict[int, tuple[Kernel, str]] = {}
        self._kernel_irs: list[dict[str, Any]] = []
        self._tensors: dict[int, Tensor] = {}
        self._read: set[int] = set()
        self._writes: dict[int, list[Write]] = {}
        self._locations: dict[str, Site] = {}
        self._loop_names: list[Callable[[Loop], str]] = []  # of the task nodes, in order
        self._taken: set[str] = set()
        self._channels: list[dict[str, Any]] = []
        self._channel_names: set[str] = set()
        self._process_names: set[str] = set()
        self._of_connect: dict[Channel, str] = {}

    def traced(self) -> Traced:
        workload = self._workload
        if not self._program:
            fail("empty-body", f"workload '{workload.name}' has no task",
                 "call a kernel in it", workload.site)
        self._visit(self._program, {})
        self._name_kernels()
        tensors = self._name_tensors()
        self._names = {id(tensor.tensor): tensor.name for tensor in tensors}
        program = [self._node(node, f"/program/{i}", {}) for i, node in enumerate(self._program)]
        schedule: dict[str, Any] = {}
        if workload.policy is not None:
            from pto_wsp._dispatch import function_ir
            policy, site = workload.policy, workload.schedule_site
            schedule["dispatch"] = policy.ir(
                lambda: function_ir(policy, self._program, self._loop_names, site))
        if workload.window is not None:
            schedule["task_window"] = workload.window.ir()
        if schedule:
            self._at("/schedule", workload.schedule_site)
        traced = Traced(workload.name, tensors, self._kernel_irs, self._channels, program,
                        schedule, self._locations, workload.deps.kind)
        traced.symbols = {name: self._given.get(name, value)
                          for name, value in self._symbols.items()}
        return traced

    def _at(self, pointer: str, site: Site | None) -> None:
        if site is not None:
            self._locations[pointer] = site

    # What is used, and how.
    def _visit(self, nodes: Body, loops: dict[Loop, int]) -> None:
        for node in nodes:
            if isinstance(node, Task):
                self._visit_task(node, loops)
            elif isinstance(node, Loop):
                assert isinstance(node.values, int)
                self._visit(node.body, {**loops, node: node.values})
            elif isinstance(node, Connect):
                _count_tokens(node)
                self._visit(node.body, loops)
            else:
                self._visit(node.body, loops)

    def _visit_task(self, task: Task, loops: dict[Loop, int]) -> None:
        self._kernels.setdefault(id(task.kernel), (task.kernel, ""))
        for param in task.kernel.params:
            view = task.args[param.name]
            if not isinstance(view, View):
                continue
            for loop in (loop for start, _ in view.dims for loop in start.terms):
                if loop not in loops:  # before anything is asked about the elements of the view
                    fail("unknown-name", f"'{loop.hint}' in {view} is the variable of a loop that "
                         "has ended", "use it inside of its loop", task.site)
            key = id(view.tensor)
            self._tensors.setdefault(key, view.tensor)
            if param.access in ("in", "inout"):
                self._read.add(key)
            if param.access in ("out", "inout"):
                self._writes.setdefault(key, []).append(Write(view.dims, loops))

    def _name_kernels(self) -> None:
        explicit = {tensor.name for tensor in self._tensors.values() if tensor.named}
        self._taken |= explicit
        by_text: dict[str, str] = {}
        for key, (kernel, _) in self._kernels.items():
            kernel_trace = kernel.trace()
            ir = {"name": "", "params": [param.ir() for param in kernel_trace.params],
                  "body": [op.ir() for op in kernel_trace.body]}
            text = kernel.name + _json.line(ir)
            if text not in by_text:  # the same function made twice is one kernel
                name = unique(fit(kernel.name, "kernel", WORDS), self._taken)
                by_text[text] = ir["name"] = name
                pointer = f"/kernels/{len(self._kernel_irs)}"
                self._at(pointer, kernel.site)
                for i, op in enumerate(kernel_trace.body):
                    self._at(f"{pointer}/body/{i}", op.site)
                self._kernel_irs.append(ir)
            self._kernels[key] = (kernel, by_text[text])

    def _name_tensors(self) -> list[TracedTensor]:
        tensors = sorted(self._tensors.values(), key=lambda tensor: tensor.serial)
        named: dict[str, Tensor] = {}
        for tensor in tensors:
            if tensor.named and tensor.name in named:
                other = named[tensor.name].site
                fail("duplicate-name", f"two tensors have the name '{tensor.name}'",
                     "give one of them another name=", tensor.site,
                     [f"the other one is at {other}"] if other else [])
            if tensor.named:
                named[tensor.name] = tensor
        labels = set(named)
        result = []
        for i, tensor in enumerate(tensors):
            label = name = tensor.name
            if not tensor.named:
                label = unique(tensor.name or f"tensor{i}", labels)
                name = unique(fit(label, "tensor"), self._taken)
            self._at(f"/tensors/{i}", tensor.site)
            result.append(TracedTensor(tensor, name, label, self._role(tensor)))
        return result

    def _role(self, tensor: Tensor) -> str:
        writes = self._writes.get(id(tensor))
        if tensor.temporary:
            return "temporary"
        if writes is None:
            return "input"
        tensor.check_writable()
        alone = id(tensor) not in self._read
        return "output" if alone and complete(tensor.shape, writes) else "inout"

    # The program.
    def _node(self, node: Node, pointer: str, loops: dict[Loop, str]) -> dict[str, Any]:
        self._at(pointer, node.site)
        if isinstance(node, Task):
            return self._task(node, loops)
        if isinstance(node, Loop):
            # A variable may be named like one of a loop that stands beside it, not around it.
            name = unique(fit(node.hint, "i"), self._taken | set(loops.values()))
            loops = {**loops, node: name}
            if isinstance(node, Consume):
                return {"consume": self._channel(node.channel, node.site), "as": name,
                        "body": self._nodes(node.body, pointer + "/body", loops)}
            return {"for": name, "extent": node.values,
                    "mode": "parallel" if node.parallel else "sequential",
                    "body": self._nodes(node.body, pointer + "/body", loops)}
        if isinstance(node, Connect):
            return self._connect(node, pointer, loops)
        if isinstance(node, ProcessNode):
            name = unique(fit(node.name, "process"), self._process_names)
            return {"process": name,
                    "consumes": [self._channel(c, node.site) for c in node.consumes],
                    "produces": [self._channel(c, node.site) for c in node.produces],
                    "body": self._nodes(node.body, pointer + "/body", loops)}
        if isinstance(node, Send):
            return {"send": self._channel(node.channel, node.site),
                    "body": self._nodes(node.body, pointer + "/body", loops)}
        assert isinstance(node, Block)
        key = "combine" if node.parallel else "sequential"
        return {key: self._nodes(node.body, f"{pointer}/{key}", loops)}

    def _connect(self, connect: Connect, pointer: str, loops: dict[Loop, str]) -> dict[str, Any]:
        # Channels belong to their connect node: one that is traced twice has two sets of them.
        outer, self._of_connect = self._of_connect, {}
        for channel in connect.channels:
            name = unique(fit(channel.name, "channel"), self._channel_names)
            self._of_connect[channel] = name
            self._at(f"/channels/{len(self._channels)}", channel.site)
            ir = {"name": name, "depth": channel.depth}
            self._symbols.setdefault(LATENCY_SYMBOL, 0)
            latency = (self._given.get(LATENCY_SYMBOL, 0) if channel.latency is None
                       else channel.latency)
            self._channels.append({**ir, "latency": latency} if latency else ir)
        result = {"connect": self._nodes(connect.body, pointer + "/connect", loops)}
        self._of_connect = outer
        return result

    def _channel(self, channel: Channel, site: Site | None) -> str:
        if channel not in self._of_connect:
            fail("channel-ends", f"channel '{channel.name}' is used outside of the processes that connect() "
                 "joins by it", "send and consume in the body of a process, which names the channel with "
                 ".produces() or .consumes()", site)
        return self._of_connect[channel]

    def _nodes(self, nodes: Body, pointer: str, loops: dict[Loop, str]) -> list[dict[str, Any]]:
        return [self._node(node, f"{pointer}/{i}", loops) for i, node in enumerate(nodes)]

    def _symbol(self, symbol: SymbolScalar, task: Task) -> float | int:
        if self._symbols.setdefault(symbol.name, symbol.value) != symbol.value:
            fail("duplicate-name", f"the symbol '{symbol.name}' has two values, "
                 f"{self._symbols[symbol.name]} and {symbol.value}", "give one of them another "
                                                                     "name",
                 task.site)
        return self._given.get(symbol.name, symbol.value)

    def _task(self, task: Task, loops: dict[Loop, str]) -> dict[str, Any]:
        args = {}
        for param in task.kernel.params:
            value = task.args[param.name]
            if isinstance(value, View):
                value = value.text(self._names[id(value.tensor)], loops.__getitem__)
            elif isinstance(value, SymbolScalar):
                value = self._symbol(value, task)
            args[param.ir_name] = value
        name = self._kernels[id(task.kernel)][1]
        self._loop_names.append(loops.__getitem__)
        return {"task": name, "args": args}
