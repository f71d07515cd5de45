# SPDX-License-Identifier: MIT
"""Random workloads, valid by construction for the most part and numerically well behaved.

generate(seed, folder) gives a workload as a dict and writes the .npy files that it names to
`folder`. The same seed gives the same workload. All tensor contents stay within [-LIMIT, LIMIT]:
every value is scaled or clamped before it is stored, logarithms and divisions get operands away
from their poles, so that comparisons mean something. `wild` lifts all that and adds NaN, infinities
and subnormals.
"""

from __future__ import annotations

import math
import random
from pathlib import Path

import numpy as np

from interpreter import Interpreter
from random_kernel import LIMIT, KernelMaker
from random_view import ViewMaker

LOOP_NAMES = ("i", "j", "k", "m", "line", "step")


class WorkloadMaker:
    def __init__(self, seed, folder, wild, max_tasks):
        self.rng = random.Random(seed)
        self.seed, self.folder, self.wild = seed, Path(folder), wild
        self.max_tasks = max_tasks
        self.workload = {"ptowsp": 1, "name": f"random {seed}", "tensors": [], "kernels": [],
                         "program": []}
        self.initialised = set()

    # Tensors.

    def tensor(self, name, role, rows, cols, rank):
        rng = self.rng
        shape = {1: [cols], 2: [rows, cols]}.get(rank) or [
            rng.randint(1, 3) for _ in range(rank - 2)] + [rows, cols]
        tensor = {"name": name, "dtype": "f32", "shape": shape, "role": role}
        if role in ("input", "inout") and (self.wild or rng.random() < 0.85):
            tensor["init"] = self.init(name, shape)
        if role in ("output", "inout") and rng.random() < 0.2:
            tensor["rtol"] = 1e-3
        self.workload["tensors"].append(tensor)
        if role in ("input", "inout"):
            self.initialised.add(name)
        return tensor

    def init(self, name, shape):
        rng = self.rng
        kind = rng.choice(("uniform", "uniform", "normal", "constant", "arange", "npy"))
        if self.wild and rng.random() < 0.7:
            kind = "npy"
        if kind == "uniform":
            return {"uniform": rng.choice(([-4, 4], [-1, 1], [0.25, 3.5], [-0.125, 1]))}
        if kind == "normal":
            return {"normal": [rng.choice((0, 0.5, -1)), rng.choice((0.5, 0.8))]}
        if kind == "constant":
            return {"constant": rng.choice((0, 1, -2.5, 0.1, 3))}
        if kind == "arange":
            return {"arange": [rng.choice((-3, 0, 0.5)), 3 / math.prod(shape)]}
        numbers = np.random.default_rng(rng.getrandbits(32))
        values = numbers.uniform(-LIMIT, LIMIT, shape).astype(np.float32)
        if self.wild:
            special = np.float32([np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-42, -1e-45, 3.4e38, 1e-38,
                                  88.8, -103.5, 1.0, 2.0**-126, 1e30, -1e-30])
            chosen = numbers.random(shape) < rng.choice((0.02, 0.3))
            values = np.where(chosen, numbers.choice(special, shape), values)
        file = f"{name}_{self.seed}.npy"
        np.save(self.folder / file, values)
        return {"npy": file}

    def tensors(self):
        rng = self.rng
        rows, cols = rng.choices((
            ((1, 2, 3, 4, 5, 7, 8, 12), (1, 2, 3, 4, 6, 9, 10, 15, 20)),
            ((1, 2, 3, 4, 5, 7, 8, 12), (16, 31, 33, 48, 64, 70, 130)),
            ((1, 2), (1, 4095, 4097, 4160, 8200))), (70, 27, 3))[0]
        # The first input is as large as any other, so that every tile can be made from something.
        roles = ["output"] + [rng.choice(("input", "input", "output", "inout", "temporary",
                                          "temporary"))
                              for _ in range(rng.randint(1, 5))]
        others = [(role, rng.choice(rows), rng.choice(cols)) for role in roles]
        self.tensor("t0", "input", max(r for _, r, _ in others) + rng.randint(0, 3),
                    max(c for _, _, c in others) + rng.randint(0, 3), rng.choice((2, 2, 3)))
        for number, (role, r, c) in enumerate(others, 1):
            self.tensor(f"t{number}", role, r, c, rng.choice((1, 2, 2, 2, 3, 4)))

    # Tasks.

    def block_of(self, tensor):
        shape = tensor["shape"] if len(tensor["shape"]) > 1 else [1] + tensor["shape"]
        pick = lambda n: self.rng.choice((1, n, self.rng.randint(1, n), max(1, n // 2),
                                          max(1, n // 3)))
        return pick(shape[-2]), pick(shape[-1])

    def view(self, tensor, rows, cols, loops, disjoint):
        for _ in range(4):
            maker = ViewMaker(self.rng, tensor, rows, cols, loops, disjoint)
            if maker.possible:
                return maker.text()
        return None

    def readable(self, rows, cols, loops, avoid):
        """(view) of an initialised tensor, preferably one that nothing around writes."""
        candidates = [t for t in self.workload["tensors"] if t["name"] in self.initialised]
        quiet = [t for t in candidates if t["name"] not in avoid]
        self.rng.shuffle(candidates)
        self.rng.shuffle(quiet)
        for tensor in (quiet if quiet and self.rng.random() < 0.9 else candidates) + quiet:
            view = self.view(tensor, rows, cols, loops, False)
            if view:
                return view
        return None

    def task(self, loops, busy, target=None, block=None):
        """One task node that writes a block of `target`, or None. `busy`: tensors that concurrent
        tasks write; the task's own target is added to it."""
        rng = self.rng
        writable = [t for t in self.workload["tensors"] if t["role"] != "input"]
        target = target or rng.choice(writable)
        rows, cols = block or self.block_of(target)
        ready = target["name"] in self.initialised
        if rng.random() < 0.35 and block is None:
            node = self.call_again(target, loops, busy)
            if node:
                return node
        params, args = [], {}

        def parameter(tile, access, view):
            name = rng.choice(("x", "a", "tile", "p")) + str(len(params))
            params.append({"name": name, "tile": list(tile), "dtype": "f32", "access": access})
            args[name] = view

        view = self.view(target, rows, cols, loops, True)
        if view is None:
            return None
        access = "inout" if ready and rng.random() < 0.4 else "out"
        forms = [(rows, cols), (rows, cols), (1, cols), (rows, 1), (1, 1)]
        if rng.random() < 0.3:
            forms.append((rows, rng.randint(1, 24)))
        needed = [] if access == "inout" else rng.choice(([(rows, cols)], [(rows, cols)],
                                                          [(rows, 1), (1, cols)]))
        avoid = busy | {target["name"]}
        for shape in needed + [rng.choice(forms) for _ in range(rng.choice((0, 1, 1, 2, 3)))]:
            source = self.readable(*shape, loops, avoid)
            if source:
                parameter(shape, "in", source)
            elif shape in needed:
                return None
        parameter((rows, cols), access, view)
        if rng.random() < 0.15:
            second = [t for t in writable if t["name"] not in avoid]
            if second:
                other = rng.choice(second)
                both = self.view(other, rows, cols, loops, True)
                if both:
                    parameter((rows, cols), "out", both)
                    avoid = avoid | {other["name"]}
        for _ in range(rng.choice((0, 0, 0, 1, 2))):
            name = f"s{len(params)}"
            params.append({"name": name, "scalar": "f32"})
            args[name] = self.scalar()
        tiles = sum("tile" in p for p in params)
        if len(params) + tiles + 3 > 16:  # every tile may need a stride; three arguments are hidden
            return None
        rng.shuffle(params)
        kernel = KernelMaker(rng, params, self.wild).make(f"k{len(self.workload['kernels'])}")
        if kernel is None:
            return None
        self.workload["kernels"].append(kernel)
        busy |= avoid
        return {"task": kernel["name"], "args": args}

    def scalar(self):
        return self.rng.choice((round(self.rng.uniform(-2, 2), 3), self.rng.uniform(-2, 2), 1, -2))

    def call_again(self, target, loops, busy):
        """A task of a kernel that is there already, on other views."""
        kernels = list(self.workload["kernels"])
        self.rng.shuffle(kernels)
        for kernel in kernels[:4]:
            args = {}
            avoid = set(busy)
            written = [p for p in kernel["params"] if p.get("access", "in") != "in"]
            tensors = list(self.workload["tensors"])
            self.rng.shuffle(tensors)
            for p, tensor in zip(written, [target] + tensors):
                usable = tensor["role"] != "input" and (p["access"] == "out"
                                                        or tensor["name"] in self.initialised)
                args[p["name"]] = usable and self.view(tensor, *p["tile"], loops, True)
                avoid.add(tensor["name"])
            for p in kernel["params"]:
                if p["name"] not in args:
                    args[p["name"]] = self.scalar() if "scalar" in p else self.readable(
                        *p["tile"], loops, avoid)
            if len(args) == len(kernel["params"]) and not any(
                v is None or v is False for v in args.values()):
                busy |= avoid
                return {"task": kernel["name"], "args": args}
        return None

    # Nodes.

    def node(self, loops, depth, busy, budget):
        """A random node of at most `budget` tasks, or None."""
        rng = self.rng
        kinds = ["task", "parallel", "sequential", "list", "combine"]
        kind = "task"
        if depth < 4 and budget > 1:
            kind = rng.choices(kinds, (2 + depth * depth, 4, 3, 1, 1))[0]
        if kind == "task":
            return self.task(loops, busy)
        if kind in ("list", "combine"):
            body = []
            for _ in range(rng.randint(1, 3)):
                child = self.node(loops, depth + 1, busy if kind == "combine" else set(busy),
                                  budget // 3)
                if child:
                    body.append(child)
            return {"sequential" if kind == "list" else "combine": body} if body else None
        extent = rng.choice([e for e in (1, 2, 2, 3, 3, 4, 5) if e <= budget])
        variable = rng.choice([v for v in LOOP_NAMES if v not in [l[0] for l in loops]])
        inner = loops + [(variable, extent, kind == "parallel")]
        body = []
        around = set(busy)
        for _ in range(rng.choice((1, 1, 2, 3))):
            child = self.node(inner, depth + 1, around, budget // extent // 2 or 1)
            if child:
                body.append(child)
        return {"for": variable, "extent": extent, "mode": kind, "body": body} if body else None

    def fill(self, tensor):
        """Nodes that write the whole tensor once: full tiles in parallel loops, then the tails."""
        rng = self.rng
        shape = tensor["shape"] if len(tensor["shape"]) > 1 else [1] + tensor["shape"]
        rows, cols = self.block_of(tensor)
        rows, cols = max(rows, shape[-2] // 4), max(cols, shape[-1] // 4)
        nodes = []
        for r0, r1 in self.cut(shape[-2], rows):
            for c0, c1 in self.cut(shape[-1], cols):
                block = (min(rows, r1 - r0), min(cols, c1 - c0))
                loops = [(f"b{d}", n, True) for d, n in enumerate(shape[:-2]) if n > 1]
                counts = ((r1 - r0) // block[0], (c1 - c0) // block[1])
                loops += [(v, n, True) for v, n in zip(("r", "c"), counts) if n > 1]
                node = self.task(loops, set(), tensor, block)
                if node is None:
                    return None
                kernel = next(k for k in self.workload["kernels"] if k["name"] == node["task"])
                for p in kernel["params"]:
                    if p.get("access") == "inout":  # nothing to read yet
                        return None
                name = next(p["name"] for p in kernel["params"] if p.get("access") == "out"
                            and node["args"][p["name"]].split("[")[0] == tensor["name"])
                starts = [f"b{d}" if n > 1 else "0" for d, n in enumerate(shape[:-2])]
                for axis, (variable, low) in enumerate((("r", r0), ("c", c0))):
                    step = block[axis]
                    base = f"{variable}*{step}+{low}" if counts[axis] > 1 else str(low)
                    starts.append(f"{base}:{base}+{step}")
                subscripts = ", ".join(starts if len(tensor["shape"]) > 1 else starts[1:])
                node["args"][name] = f"{tensor['name']}[{subscripts}]"
                for variable, extent, _ in reversed(loops):
                    mode = "parallel" if rng.random() < 0.8 else "sequential"
                    node = {"for": variable, "extent": extent, "mode": mode, "body": [node]}
                nodes.append(node)
        return nodes

    @staticmethod
    def cut(size, block):
        whole = size // block * block
        return [(0, whole)] + ([(whole, size)] if whole < size else [])

    # The whole.

    def sound(self, nodes):
        """Whether the program may go on with these nodes; what is not called is dropped."""
        interpreter = Interpreter({**self.workload, "program": self.workload["program"] + nodes},
                                  self.folder)
        if len(interpreter.tasks) > self.max_tasks:
            return False
        return not interpreter.check().rules() - {"incomplete", "never_written"}

    def append(self, nodes):
        if not nodes or not self.sound(nodes):
            return False
        self.workload["program"] += nodes
        return True

    def make(self):
        rng = self.rng
        self.tensors()
        tensors = self.workload["tensors"]
        for tensor in tensors:
            if tensor["role"] in ("output", "temporary") and rng.random() < 0.6:
                if self.append(self.fill(tensor)):
                    self.initialised.add(tensor["name"])
        for _ in range(rng.choice((1, 2, 3, 4, 6))):
            for _ in range(6):
                node = self.node([], 0, set(), rng.choice((4, 16, 40)))
                if node and self.append([node]):
                    break
        if rng.random() < 0.2:
            output = rng.choice([t for t in tensors if t["role"] != "input"])
            self.append(self.fill(output))
        interpreter = Interpreter(self.workload, self.folder)
        found = interpreter.check()
        for tensor in tensors:
            # A tensor that is not written whole has to bring its elements along.
            if tensor["name"] in found.incomplete:
                tensor["role"] = "inout"
            if tensor["name"] in found.never_written:
                tensor["role"] = "input"
        used = {task.kernel["name"] for task in interpreter.tasks}
        self.workload["kernels"] = [k for k in self.workload["kernels"] if k["name"] in used]
        touched = {name for task in interpreter.tasks for name in task.tensors.values()}
        self.workload["tensors"] = [t for t in tensors if t["name"] in touched]
        results = [t for t in self.workload["tensors"] if t["role"] in ("output", "inout")]
        return self.workload if results else None


def generate(seed, folder, *, wild=False, max_tasks=120):
    """A valid workload for `seed`."""
    attempt = 0
    while True:
        # A seed whose first attempt comes to nothing tries on with numbers derived from it.
        workload = WorkloadMaker(seed + attempt * 1_000_003, folder, wild, max_tasks).make()
        if workload:
            return workload
        attempt += 1
