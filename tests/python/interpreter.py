# SPDX-License-Identifier: MIT
"""An interpreter of workload files, independent of the generator: it shares no code and no table.

It unrolls a workload into tasks in program order, knows for every task the elements it touches one
by one, and derives everything from those sets: bounds, races, uninitialised reads, the dependence
closure and the values. It is slow and plain on purpose; it is what the generator is held against.
Only valid JSON of the documented form is expected here; a malformed workload raises any exception.
"""

from __future__ import annotations

import itertools
import json
import math
import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

import arithmetic
from arithmetic import Value
from network import Deadlock, Network, UnknownTokens, token_counts

MASK = (1 << 64) - 1


# --- random numbers -----------------------------------------------------------


def _finalize(z):
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def _fnv1a64(data: bytes):
    h = 0xCBF29CE484222325
    for byte in data:
        h = ((h ^ byte) * 0x100000001B3) & MASK
    return h


def random_units(name, seed, count):
    """`count` numbers in [0, 1), 53 bits each, of the tensor's own stream."""
    start = _fnv1a64(name.encode()) ^ _finalize(seed & MASK)
    words = [_finalize((start + (i + 1) * 0x9E3779B97F4A7C15) & MASK) for i in range(count)]
    return np.array([w >> 11 for w in words], np.float64) * 2.0**-53


def initial_values(tensor, seed, folder):
    """The elements that `init` gives an input or inout tensor, as a .npy file holds them."""
    shape = tuple(tensor["shape"])
    count = math.prod(shape)
    dtype = tensor["dtype"]
    usual = {"uniform": [-100, 100] if dtype == "i32" else [-1, 1]}
    ((kind, a),) = tensor.get("init", usual).items()
    if kind == "uniform":
        values = a[0] + (a[1] - a[0]) * random_units(tensor["name"], seed, count)
    elif kind == "normal":
        u = random_units(tensor["name"], seed, 2 * count)
        values = a[0] + a[1] * np.sqrt(-2 * np.log1p(-u[0::2])) * np.cos(2 * np.pi * u[1::2])
    elif kind == "constant":
        values = np.full(count, float(a))
    elif kind == "arange":
        values = a[0] + np.arange(count, dtype=np.float64) * a[1]
    elif kind == "npy":
        values = np.load(Path(folder) / a)
        assert values.shape == shape and values.dtype == arithmetic.ARRAYS[dtype]
        return values
    else:
        raise ValueError(f"init {kind}")
    values = np.asarray(values).reshape(shape)
    if dtype == "i32":
        values = np.floor(values) if kind == "uniform" else np.rint(values)
    return arithmetic.to_array(values, dtype)


# --- views --------------------------------------------------------------------


class ViewParser:
    """`x[b, 2*r:2*r+2, :]` as (name, subscripts). A subscript is ("index", expression) or ("slice",
    start, stop); an expression is a dict {variable or "": coefficient}."""

    TOKEN = re.compile(r"\s*([A-Za-z_]\w*|\d+|[][():,*+-])")

    def __init__(self, text):
        self.tokens = []
        position = 0
        while position < len(text.rstrip()):
            match = self.TOKEN.match(text, position)
            if not match:
                raise ValueError(f"view {text!r}")
            self.tokens.append(match.group(1))
            position = match.end()
        self.tokens.append("end")

    def take(self, *wanted):
        if not self.tokens or wanted and self.tokens[0] not in wanted:
            raise ValueError(f"expected {wanted}, found {self.tokens[:1]}")
        return self.tokens.pop(0)

    def view(self):
        name = self.take()
        subscripts = []
        while self.tokens[0] == "[":
            self.take()
            subscripts.append(self.subscript())
            while self.take(",", "]") == ",":
                subscripts.append(self.subscript())
        self.take("end")
        return name, subscripts

    def subscript(self):
        start = None if self.tokens[0] == ":" else self.expression()
        if self.tokens[0] != ":":
            return ("index", start)
        self.take()
        stop = None if self.tokens[0] in ",]" else self.expression()
        return ("slice", start, stop)

    def expression(self):
        total = self.product()
        while self.tokens[0] in "+-":
            sign = 1 if self.take() == "+" else -1
            for key, value in self.product().items():
                total[key] = total.get(key, 0) + sign * value
        return total

    def product(self):
        total = self.atom()
        while self.tokens[0] == "*":
            self.take()
            other = self.atom()
            if set(other) - {""}:
                total, other = other, total
            if set(other) - {""}:
                raise ValueError("product of two variables")
            total = {key: value * other.get("", 0) for key, value in total.items()}
        return total

    def atom(self):
        token = self.take()
        if token == "(":
            inner = self.expression()
            self.take(")")
            return inner
        if token in "+-":
            inner = self.atom()
            return inner if token == "+" else {key: -value for key, value in inner.items()}
        if token.isdigit():
            return {"": int(token)}
        if token == "end" or not (token[0].isalpha() or token[0] == "_"):
            raise ValueError(f"unexpected {token}")
        return {token: 1}


def _literal(number, dtype="f32"):
    return float(arithmetic.rounded(number, dtype))


def _evaluate(expression, variables):
    return sum(c * (variables[v] if v else 1) for v, c in expression.items())


# --- tasks --------------------------------------------------------------------


@dataclass
class Task:
    kernel: dict
    scalars: dict
    # Parameter -> flat element numbers of its tile, rows x cols.
    tiles: dict
    tensors: dict  # parameter -> tensor name
    # Where the task stands: (how siblings stand to one another, which one) per enclosing node.
    path: tuple
    variables: dict
    place: str

    def name(self):
        indices = ", ".join(f"{v}={i}" for v, i in self.variables.items())
        return self.kernel["name"] + (f"[{indices}]" if indices else "")


class OutOfBounds(Exception):
    pass


@dataclass
class Findings:
    """What is wrong with a workload: rule -> set of what it was found on."""

    races: set = field(default_factory=set)  # pairs of task numbers
    uninitialised: set = field(default_factory=set)  # task numbers
    aliased: set = field(default_factory=set)  # task numbers
    out_of_bounds: set = field(default_factory=set)  # places of task nodes
    incomplete: set = field(default_factory=set)  # output tensors that some task writes in part
    never_written: set = field(default_factory=set)  # output tensors that no task writes
    deadlocks: set = field(default_factory=set)  # places of connect nodes
    unknown_tokens: set = field(default_factory=set)  # names of workloads

    def rules(self):
        return {rule for rule, found in vars(self).items() if found}


class Interpreter:
    def __init__(self, workload, folder="."):
        self.workload = workload
        self.folder = Path(folder)
        self.tensors = {t["name"]: t for t in workload["tensors"]}
        self.kernels = {k["name"]: k for k in workload["kernels"]}
        self.findings = Findings()
        self.tasks = []
        self._views = {}
        self.channel_edges = set()  # pairs of task numbers
        self._before = {}  # task number in a process -> bits of the tasks that happen before it
        try:
            self.tokens = token_counts(workload)
            self._unroll(workload["program"])
        except UnknownTokens:
            self.findings.unknown_tokens.add(workload["name"])
        # Elements of all tensors stand in one long line, so that a task's accesses are one set.
        self._offset = {}
        total = 0
        for name, tensor in self.tensors.items():
            self._offset[name] = total
            total += math.prod(tensor["shape"])
        self.element_count = total

    @classmethod
    def load(cls, path):
        path = Path(path)
        return cls(json.loads(path.read_text()), path.parent)

    # Unrolling.

    def _unroll(self, program):
        for kind, what in self._steps(program, "ordered", (), {}, "/program"):
            if kind == "task":
                self._add_task(what)
            else:
                self._run_processes(*what)

    def _steps(self, body, kind, path, variables, place):
        """What happens in turn: ("task", ...), ("connect", ...), and what Network knows. `kind` says
        how the children of `body` stand to one another: "ordered", "parallel" or "process"."""
        for position, node in enumerate(body):
            here = f"{place}/{position}"
            inside = path + ((kind, position),)
            if "task" in node:
                yield "task", (node, inside, variables, here)
            elif "for" in node:
                mode = {"parallel": "parallel", "sequential": "ordered"}[node["mode"]]
                for i in range(node["extent"]):
                    yield from self._steps(node["body"], "ordered", inside + ((mode, i),),
                                           {**variables, node["for"]: i}, f"{here}/body")
            elif "sequential" in node:
                yield from self._steps(node["sequential"], "ordered", inside, variables,
                                       f"{here}/sequential")
            elif "combine" in node:
                yield from self._steps(node["combine"], "parallel", inside, variables,
                                       f"{here}/combine")
            elif "connect" in node:
                yield "connect", (node, inside, variables, here)
            elif "send" in node:
                yield "room", node["send"]
                yield from self._steps(node["body"], "ordered", inside, variables, f"{here}/body")
                yield "send", node["send"]
                yield "taken", node["send"]
            else:
                for token in range(self.tokens[node["consume"]]):
                    yield "receive", node["consume"]
                    yield from self._steps(node["body"], "ordered", inside + (("ordered", token),),
                                           {**variables, node["as"]: token}, f"{here}/body")
                    yield "release", node["consume"]

    def _run_processes(self, node, path, variables, place):
        network = Network({c["name"]: c["depth"] for c in self.workload.get("channels", [])},
                          self._add_task)
        try:
            network.run(self._processes(node, path, variables, place))
        except Deadlock:
            self.findings.deadlocks.add(place)
            return
        if not self.findings.out_of_bounds:
            self.channel_edges |= network.edges()
            self._before.update(network.predecessors())

    def _processes(self, node, path, variables, place):
        return [self._steps(process["body"], "ordered", path + (("process", number),), variables,
                            f"{place}/connect/{number}/body")
                for number, process in enumerate(node["connect"])]

    def in_file_order(self, steps=None):
        """(place, variables) of each task, where processes stand one after the other."""
        if steps is None:
            steps = self._steps(self.workload["program"], "ordered", (), {}, "/program")
        for kind, what in steps:
            if kind == "task":
                yield what[3], what[2]
            elif kind == "connect":
                for process in self._processes(*what):
                    yield from self.in_file_order(process)

    def _add_task(self, step):
        """The number of the task."""
        node, path, variables, place = step
        kernel = self.kernels[node["task"]]
        scalars, tiles, tensors = {}, {}, {}
        assert {p["name"] for p in kernel["params"]} == set(node["args"])
        for parameter in kernel["params"]:
            name = parameter["name"]
            value = node["args"][name]
            if "scalar" in parameter:
                scalars[name] = _literal(value, parameter["scalar"])
                continue
            try:
                tensors[name], tiles[name] = self._tile(value, parameter["tile"], variables)
            except OutOfBounds:
                self.findings.out_of_bounds.add(place)
        if place in self.findings.out_of_bounds:
            return None
        self.tasks.append(Task(kernel, scalars, tiles, tensors, path, variables, place))
        return len(self.tasks) - 1

    def _tile(self, text, tile, variables):
        if text not in self._views:
            self._views[text] = ViewParser(text).view()
        name, subscripts = self._views[text]
        shape = self.tensors[name]["shape"]
        if len(shape) == 1:
            shape = [1] + shape
            subscripts = [("slice", None, None)] + subscripts
        subscripts = subscripts + [("slice", None, None)] * (len(shape) - len(subscripts))
        assert len(subscripts) == len(shape)
        starts, stops = [], []
        for dimension, (extent, subscript) in enumerate(zip(shape, subscripts)):
            if subscript[0] == "index":
                start = _evaluate(subscript[1], variables)
                stop = start + 1
            else:
                assert dimension >= len(shape) - 2, "leading dimensions take an index"
                start = 0 if subscript[1] is None else _evaluate(subscript[1], variables)
                stop = extent if subscript[2] is None else _evaluate(subscript[2], variables)
            starts.append(start)
            stops.append(stop)
        assert [stops[d] - starts[d]
                for d in (-2, -1)] == list(tile), f"{text} is no tile of {tile}"
        if min(starts) < 0 or any(stop > extent for stop, extent in zip(stops, shape)):
            raise OutOfBounds
        plane = 0
        for start, extent in zip(starts[:-2], shape):
            plane = plane * extent + start
        rows = plane * shape[-2] + np.arange(starts[-2], stops[-2])
        return name, rows[:, None] * shape[-1] + np.arange(starts[-1], stops[-1])

    # Element sets.

    def accesses(self):
        """(reads, writes): bool matrices, one row per task, one column per element."""
        reads = np.zeros((len(self.tasks), self.element_count), bool)
        writes = np.zeros_like(reads)
        for number, task in enumerate(self.tasks):
            for parameter in task.kernel["params"]:
                if "scalar" in parameter:
                    continue
                name = parameter["name"]
                columns = self._offset[task.tensors[name]] + task.tiles[name].ravel()
                if parameter["access"] != "out":
                    reads[number, columns] = True
                if parameter["access"] != "in":
                    writes[number, columns] = True
        return reads, writes

    def conflicts(self):
        """conflicts[i, j], i < j: the tasks touch one element, one of them writing."""
        return self._conflicts(*self.accesses())

    @staticmethod
    def _conflicts(reads, writes):
        reads, writes = reads.astype(np.float32), writes.astype(np.float32)
        touched = np.maximum(reads, writes)
        meet = writes @ touched.T + touched @ writes.T
        return np.triu(meet > 0, 1)

    def check(self):
        """All findings. Elements are looked at only when every view lies in its tensor."""
        found = self.findings
        if found.out_of_bounds or found.deadlocks or found.unknown_tokens:
            return found
        reads, writes = self.accesses()
        for i, j in np.argwhere(self._conflicts(reads, writes)):
            if self.concurrent(i, j):
                found.races.add((int(i), int(j)))
        written = np.zeros(self.element_count, bool)
        ready = np.zeros(self.element_count, bool)
        for name, tensor in self.tensors.items():
            if tensor["role"] in ("input", "inout"):
                ready[self._span(name)] = True
        for number, task in enumerate(self.tasks):
            if np.any(reads[number] & ~ready):
                found.uninitialised.add(number)
            ready |= writes[number]
            written |= writes[number]
            if self._aliased(task):
                found.aliased.add(number)
        for name, tensor in self.tensors.items():
            if tensor["role"] == "output" and not written[self._span(name)].any():
                found.never_written.add(name)
            elif tensor["role"] == "output" and not written[self._span(name)].all():
                found.incomplete.add(name)
        return found

    def overwritten(self):
        """Numbers of the tasks of which every written element is written again before it is read."""
        reads, writes = self.accesses()
        dead = set()
        for number in range(len(self.tasks)):
            open_ = writes[number].copy()  # neither read nor written since
            for later in range(number + 1, len(self.tasks)):
                if np.any(reads[later] & open_):
                    break
                open_ &= ~writes[later]
                if not open_.any():
                    dead.add(number)
                    break
        return dead

    def _span(self, name):
        start = self._offset[name]
        return slice(start, start + math.prod(self.tensors[name]["shape"]))

    def concurrent(self, i, j):
        """Whether tasks i < j stand in different iterations or children of something parallel, or in
        processes that no channel orders."""
        for a, b in zip(self.tasks[i].path, self.tasks[j].path):
            if a != b:
                if a[0] == "process":
                    return not self._before[j] >> int(i) & 1
                return a[0] == "parallel"
        return False

    @staticmethod
    def _aliased(task):
        tiles = [p for p in task.kernel["params"] if "tile" in p]
        for a, b in itertools.combinations(tiles, 2):
            if "in" == a["access"] == b["access"] or task.tensors[a["name"]] != task.tensors[
                b["name"]]:
                continue
            if np.intersect1d(task.tiles[a["name"]], task.tiles[b["name"]]).size:
                return True
        return False

    # Values.

    def inputs(self, seed=0):
        return {name: initial_values(t, seed, self.folder) for name, t in self.tensors.items()
                if t["role"] in ("input", "inout")}

    def run(self, inputs, accuracy=arithmetic.REFERENCE):
        """The outputs, name -> Value of the tensor's shape, after all tasks in program order."""
        memory = {}
        for name, tensor in self.tensors.items():
            count = math.prod(tensor["shape"])
            start = np.full(count, np.nan)
            if name in inputs:
                start = arithmetic.from_array(inputs[name], tensor["dtype"]).ravel()
            memory[name] = (start.copy(), np.zeros(count))
        for task in self.tasks:
            run_task(task, memory, accuracy)
        result = {}
        for name, tensor in self.tensors.items():
            if tensor["role"] in ("output", "inout"):
                value, error = memory[name]
                result[name] = Value(value.reshape(1, -1), error.reshape(1, -1), tensor["dtype"])
        return result


def run_task(task, memory, accuracy):
    dtypes = {p["name"]: p.get("scalar") or p["dtype"] for p in task.kernel["params"]}
    values = {name: Value(number, dtype=dtypes[name]) for name, number in task.scalars.items()}
    for name, index in task.tiles.items():
        value, error = memory[task.tensors[name]]
        values[name] = Value(value[index], error[index], dtypes[name])
    stored = {}
    for op in task.kernel["body"]:
        if op["op"] == "constant":
            shape = op.get("rows", 1), op.get("cols", 1)
            number = _literal(op["value"], op["dtype"])
            values[op["result"]] = Value(np.full(shape, number), dtype=op["dtype"])
            continue
        # A number is of the dtype of the first operand that is none.
        dtype = next((values[a].dtype for a in op["args"] if isinstance(a, str)), "f32")
        operands = [values[a] if isinstance(a, str) else Value(_literal(a, dtype), dtype=dtype)
                    for a in op["args"]]
        if op["op"] == "store":
            tile = op["args"][0]
            shape = task.tiles[tile].shape
            stored[tile] = Value(np.broadcast_to(operands[1].v, shape),
                                 np.broadcast_to(operands[1].e, shape), dtype)
            # From here on the name stands for what was stored.
            values[tile] = stored[tile]
        else:
            values[op["result"]] = arithmetic.apply(op["op"], operands, accuracy, op.get("dtype"))
    for name, result in stored.items():
        value, error = memory[task.tensors[name]]
        value[task.tiles[name]] = result.v
        error[task.tiles[name]] = result.e


def closure(count, edges):
    """Reachability as one bit set per task; edges lead from smaller to larger numbers."""
    successors = [[] for _ in range(count)]
    for i, j in edges:
        assert i < j, f"edge {i} -> {j} runs against program order"
        successors[i].append(j)
    reach = [0] * count
    for i in range(count - 1, -1, -1):
        for j in successors[i]:
            reach[i] |= (1 << int(j)) | reach[j]
    return reach
