"""Random workloads, valid by construction for the most part and numerically well behaved.

generate(seed, folder) gives a workload as a dict and writes the .npy files that it names to `folder`.
The same seed gives the same workload. All tensor contents stay within [-LIMIT, LIMIT]: every value is
scaled or clamped before it is stored, logarithms and divisions get operands away from their poles, so
that comparisons mean something. `wild` lifts all that and adds NaN, infinities and subnormals.
"""

from __future__ import annotations

import json
import math
import random
import re
from pathlib import Path

import numpy as np

from interpreter import Interpreter

LIMIT = 4.0
BINARY = ("add", "sub", "mul", "div", "max", "min")
UNARY = ("exp", "log", "sqrt", "rsqrt", "neg", "abs")
REDUCTIONS = ("rowsum", "rowmax", "rowmin", "rowmean")
LOOP_NAMES = ("i", "j", "k", "m", "line", "step")


# --- kernels -----------------------------------------------------------------------------------------


def _corners(op, a, b):
    values = [op(x, y) for x in a for y in b]
    return (min(values), max(values))


def _joined(a, b):
    """The shape that two shapes broadcast to, or None."""
    shape = []
    for x, y in zip(a, b):
        if x != y and 1 not in (x, y):
            return None
        shape.append(max(x, y))
    return tuple(shape)


class KernelMaker:
    """Straight-line code over given parameters. Every value has a shape and the interval it lies in."""

    def __init__(self, rng, params, wild):
        self.rng, self.wild = rng, wild
        self.params = params
        self.body = []
        self.pool = {}  # readable name -> (shape, interval)
        for p in params:
            if "scalar" in p:
                self.pool[p["name"]] = ((1, 1), (-2.0, 2.0))
            elif p["access"] != "out":
                self.pool[p["name"]] = (tuple(p["tile"]), (-LIMIT, LIMIT))

    def emit(self, op, *args, shape, interval):
        result = f"v{sum(o['op'] != 'store' for o in self.body)}"
        self.body.append({"op": op, "args": list(args), "result": result})
        self.pool[result] = (shape, interval)
        return result

    def literal(self, low=-2.0, high=2.0):
        number = self.rng.uniform(low, high)
        return self.rng.choice([round(number, 1), round(number, 3), number, float(f"{number:.1e}")]) or 1

    def facts(self, operand):
        if isinstance(operand, str):
            return self.pool[operand]
        return (1, 1), (float(operand), float(operand))

    def positive(self, name, floor=0.25):
        """A value of the same shape that lies above `floor`."""
        shape, (low, high) = self.pool[name]
        if low >= floor or self.wild:
            return name
        if low < 0:
            high = max(-low, high)
            name = self.emit("abs", name, shape=shape, interval=(0.0, high))
        return self.emit("add", name, floor, shape=shape, interval=(floor, high + floor))

    def step(self):
        rng = self.rng
        kind = rng.choices(("binary", "unary", "reduction"), (5, 3, 2))[0]
        # Later values first, so that code is a chain with side inputs rather than a bush.
        names = list(self.pool)
        name = rng.choice(names[-3:] if rng.random() < 0.6 else names)
        shape, (low, high) = self.pool[name]
        scalars = {p["name"] for p in self.params if "scalar" in p}
        if kind == "reduction" and name not in scalars:
            op = rng.choice(REDUCTIONS + ("rowsum",))
            count = shape[1]
            if op == "rowsum":
                name = self.bounded(name)
                low, high = (end * count for end in self.pool[name][1])
            self.emit(op, name, shape=(shape[0], 1), interval=(low, high))
        elif kind != "binary":
            self.unary(rng.choice(UNARY + ("exp",)), name)
        else:
            self.binary(rng.choice(BINARY), name)

    def fits(self, interval):
        return self.wild or max(map(abs, interval)) <= 1000

    def unary(self, op, name):
        if op in ("log", "sqrt", "rsqrt"):
            name = self.positive(name)
        if op == "exp":
            name = self.bounded(name)
        shape, (low, high) = self.pool[name]
        if self.wild:
            interval = (low, high)
        elif op == "neg":
            interval = (-high, -low)
        elif op == "abs":
            interval = (0.0 if low <= 0 <= high else min(-high, low, key=abs), max(-low, high))
            interval = (abs(interval[0]), interval[1])
        else:
            function = {"exp": math.exp, "log": math.log, "sqrt": math.sqrt,
                        "rsqrt": lambda x: 1 / math.sqrt(x)}[op]
            interval = tuple(sorted((function(low), function(high))))
        self.emit(op, name, shape=shape, interval=interval)

    def binary(self, op, name):
        shape = self.pool[name][0]
        others = [n for n, (s, _) in self.pool.items() if _joined(shape, s)]
        other = self.rng.choice(others + [self.literal(), self.literal()])
        if op == "div":
            if not isinstance(other, str):
                other = other if abs(other) > 0.2 or self.wild else 0.7
            else:
                other = self.positive(other)
        elif self.rng.random() < 0.5:
            name, other = other, name
        elif not isinstance(other, str) and self.rng.random() < 0.3:
            op, name, other = "div", other, self.positive(name)
        self.joined(op, name, other)

    def joined(self, op, x, y):
        (shape_x, x_range), (shape_y, y_range) = self.facts(x), self.facts(y)
        interval = x_range
        if not self.wild:
            function = {"add": lambda x, y: x + y, "sub": lambda x, y: x - y, "mul": lambda x, y: x * y,
                        "div": lambda x, y: x / y, "max": max, "min": min}[op]
            interval = _corners(function, x_range, y_range)
        if self.fits(interval):
            return self.emit(op, x, y, shape=_joined(shape_x, shape_y), interval=interval)
        return None

    def gathered(self, name):
        """`name` joined with results that nothing used yet, so that little code is dead."""
        shape = self.pool[name][0]
        used = {a for o in self.body for a in o["args"]}
        idle = [n for n in self.pool if n not in used and n != name and _joined(self.pool[n][0], shape) == shape]
        for other in idle:
            if self.rng.random() < 0.8:
                op = self.rng.choice(("add", "sub", "add", "max", "min", "mul"))
                name = self.bounded(name) if op == "mul" else name
                joined = self.joined(op, *((name, other) if self.rng.random() < 0.5 else (other, name)))
                name = joined or name
        return name

    def bounded(self, name):
        shape, (low, high) = self.pool[name]
        size = max(abs(low), abs(high))
        if size <= LIMIT or self.wild:
            return name
        if self.rng.random() < 0.5:
            factor = LIMIT / size * 0.99
            return self.emit("mul", name, factor, shape=shape, interval=(low * factor, high * factor))
        name = self.emit("min", name, LIMIT, shape=shape, interval=(min(low, LIMIT), LIMIT))
        return self.emit("max", name, -LIMIT, shape=shape, interval=(-LIMIT, LIMIT))

    def of_shape(self, shape):
        """A value of exactly `shape`; the parameters make sure that there is one to be had."""
        exact = [n for n, (s, _) in self.pool.items() if s == shape]
        if exact and self.rng.random() < 0.9:
            return exact[-1] if self.rng.random() < 0.7 else self.rng.choice(exact)
        names = list(self.pool)
        self.rng.shuffle(names)
        for a in names[:12]:
            for b in names[:12]:
                if _joined(self.pool[a][0], self.pool[b][0]) == shape:
                    op = self.rng.choice(("add", "sub", "max", "min"))
                    return self.emit(op, a, b, shape=shape, interval=(-2 * 1000.0, 2 * 1000.0))
        return exact[-1] if exact else None

    def make(self, name):
        rng = self.rng
        written = [p for p in self.params if p.get("access", "in") != "in"]
        for _ in range(rng.choice((1, 2, 3, 4, 6, 9))):
            self.step()
        for p in written:
            for _ in range(2 if rng.random() < 0.1 else 1):
                value = self.of_shape(tuple(p["tile"]))
                if value is None:
                    return None
                value = self.bounded(self.gathered(value) if rng.random() < 0.9 else value)
                self.body.append({"op": "store", "args": [p["name"], value]})
                self.pool[p["name"]] = (tuple(p["tile"]), self.pool[value][1])
                for _ in range(rng.choice((0, 0, 1))):
                    self.step()
        while self.body[-1]["op"] != "store":
            self.body.pop()
        return {"name": name, "params": self.params, "body": self.body}


# --- views -------------------------------------------------------------------------------------------


class ViewMaker:
    """The text of a rows x cols block of a tensor that stays inside it in every iteration."""

    def __init__(self, rng, tensor, rows, cols, loops, disjoint):
        self.rng = rng
        shape = tensor["shape"]
        self.rank1 = len(shape) == 1
        self.shape = [1] + shape if self.rank1 else shape
        self.blocks = [1] * (len(self.shape) - 2) + [rows, cols]
        self.name = tensor["name"]
        self.coefficients = [{} for _ in self.shape]
        self.constants = [0] * len(self.shape)
        self.possible = all(b <= s for b, s in zip(self.blocks, self.shape)) and self.place(loops, disjoint)

    def place(self, loops, disjoint):
        """Offsets as affine expressions, innermost loop first. With `disjoint` the iterations of a
        parallel loop get blocks that do not meet, whatever the loops inside it do."""
        rng = self.rng
        spans = [0] * len(self.shape)
        slack = lambda d: self.shape[d] - self.blocks[d] - spans[d]
        for variable, extent, parallel in reversed(loops):
            if extent == 1 and rng.random() < 0.5:
                continue
            must = disjoint and parallel and extent > 1
            dimensions = [d for d in range(len(self.shape))
                          if not (must and slack(d) < (extent - 1) * (spans[d] + self.blocks[d]))]
            if must and not dimensions:
                return False
            if not must and rng.random() < 0.35:
                continue
            d = rng.choice(dimensions)
            least = spans[d] + self.blocks[d] if must else 1
            most = slack(d) // max(extent - 1, 1)
            if most < least:
                continue
            typical = [least, self.blocks[d], min(2, most)]
            step = rng.choice([t for t in typical if least <= t <= most] or [least])
            if rng.random() < 0.2:
                step = rng.randint(least, most)
            spans[d] += step * (extent - 1)
            if rng.random() < 0.15:
                self.constants[d] += step * (extent - 1)
                step = -step
            self.coefficients[d][variable] = step
        for d in range(len(self.shape)):
            self.constants[d] += rng.choice((0, rng.randint(0, slack(d)), slack(d)))
        return True

    def expression(self, d, extra=0):
        rng = self.rng
        terms = []
        for variable, c in self.coefficients[d].items():
            size = abs(c)
            forms = [f"{size}*{variable}", f"{variable}*{size}", f"{variable} * {size}"]
            if size == 1:
                forms = [variable, f"1*{variable}"]
            if size == 2:
                forms.append(f"({variable} + {variable})")
            if size > 2:
                forms.append(f"({size - 1}*{variable}+{variable})")
            terms.append(("-" if c < 0 else "+", rng.choice(forms)))
        constant = self.constants[d] + extra
        if constant or not terms:
            terms.append(("+", str(constant)))
        terms.sort(key=lambda t: t[0] == "-")
        if terms[0][0] == "-":
            terms.insert(0, ("+", "0"))
        space = rng.choice(("", " "))
        return terms[0][1] + "".join(f"{space}{sign}{space}{text}" for sign, text in terms[1:])

    def text(self):
        rng = self.rng
        parts = []
        for d in range(len(self.shape)):
            fixed = not self.coefficients[d]
            leading = d < len(self.shape) - 2
            block = self.blocks[d]
            if leading or (block == 1 and rng.random() < 0.4):
                parts.append(self.expression(d))
            elif fixed and block == self.shape[d] and rng.random() < 0.7:
                parts.append(":")
            else:
                start, stop = self.expression(d), self.expression(d, block)
                if rng.random() < 0.3:
                    stop = f"{self.expression(d)}+{block}"
                if fixed and self.constants[d] == 0 and rng.random() < 0.3:
                    start = ""
                if fixed and self.constants[d] + block == self.shape[d] and rng.random() < 0.3:
                    stop = ""
                parts.append(f"{start}:{stop}")
        if self.rank1:
            parts = parts[1:]
        while parts and parts[-1] == ":" and rng.random() < 0.6:
            parts.pop()
        if not parts:
            return self.name
        # Leading dimensions may have brackets of their own.
        cut = rng.randint(0, len(parts) - 1) if rng.random() < 0.3 else 0
        separator = rng.choice((", ", ","))
        groups = [[p] for p in parts[:cut]] + [parts[cut:]]
        return self.name + "".join(f"[{separator.join(g)}]" for g in groups)


# --- workloads ---------------------------------------------------------------------------------------


class WorkloadMaker:
    def __init__(self, seed, folder, wild, max_tasks):
        self.rng = random.Random(seed)
        self.seed, self.folder, self.wild = seed, Path(folder), wild
        self.max_tasks = max_tasks
        self.workload = {"ptowsp": 1, "name": f"random {seed}", "tensors": [], "kernels": [], "program": []}
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
            special = np.float32([np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-42, -1e-45, 3.4e38, 1e-38, 88.8, -103.5,
                                  1.0, 2.0**-126, 1e30, -1e-30])
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
        # The first input is as large as any other, so that every tile has something to be made from.
        roles = ["output"] + [rng.choice(("input", "input", "output", "inout", "temporary", "temporary"))
                              for _ in range(rng.randint(1, 5))]
        others = [(role, rng.choice(rows), rng.choice(cols)) for role in roles]
        self.tensor("t0", "input", max(r for _, r, _ in others) + rng.randint(0, 3),
                    max(c for _, _, c in others) + rng.randint(0, 3), rng.choice((2, 2, 3)))
        for number, (role, r, c) in enumerate(others, 1):
            self.tensor(f"t{number}", role, r, c, rng.choice((1, 2, 2, 2, 3, 4)))

    # Tasks.

    def block_of(self, tensor):
        shape = tensor["shape"] if len(tensor["shape"]) > 1 else [1] + tensor["shape"]
        pick = lambda n: self.rng.choice((1, n, self.rng.randint(1, n), max(1, n // 2), max(1, n // 3)))
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
        needed = [] if access == "inout" else rng.choice(([(rows, cols)], [(rows, cols)], [(rows, 1), (1, cols)]))
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
            for p, tensor in zip(written, [target] + self.rng.sample(self.workload["tensors"],
                                                                      len(self.workload["tensors"]))):
                usable = tensor["role"] != "input" and (p["access"] == "out" or tensor["name"] in self.initialised)
                args[p["name"]] = usable and self.view(tensor, *p["tile"], loops, True)
                avoid.add(tensor["name"])
            for p in kernel["params"]:
                if p["name"] not in args:
                    args[p["name"]] = self.scalar() if "scalar" in p else self.readable(*p["tile"], loops, avoid)
            if len(args) == len(kernel["params"]) and not any(v is None or v is False for v in args.values()):
                busy |= avoid
                return {"task": kernel["name"], "args": args}
        return None

    # Nodes.

    def node(self, loops, depth, busy, budget):
        """A random node of at most `budget` tasks, or None."""
        rng = self.rng
        kinds = ["task", "parallel", "sequential", "list", "combine"]
        kind = rng.choices(kinds, (2 + depth * depth, 4, 3, 1, 1))[0] if depth < 4 and budget > 1 else "task"
        if kind == "task":
            return self.task(loops, busy)
        if kind in ("list", "combine"):
            body = []
            for _ in range(rng.randint(1, 3)):
                child = self.node(loops, depth + 1, busy if kind == "combine" else set(busy), budget // 3)
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
                node["args"][name] = f"{tensor['name']}[{', '.join(starts if len(tensor['shape']) > 1 else starts[1:])}]"
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
        interpreter = Interpreter({**self.workload, "program": self.workload["program"] + nodes}, self.folder)
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


# --- near misses -------------------------------------------------------------------------------------


def _nodes(body):
    """Every (list, position) of the program tree."""
    for position, node in enumerate(body):
        yield body, position
        for key in ("body", "sequential", "combine"):
            yield from _nodes(node.get(key, []))


def _mutate(rng, workload):
    """One small change that may break a rule: a race, a bound, an order, a missing write."""
    places = list(_nodes(workload["program"]))
    body, position = rng.choice(places)
    node = body[position]
    kind = rng.choice(("mode", "mode", "mode", "extent", "drop", "swap", "number", "number", "tensor", "role", "access"))
    if kind == "mode" and "for" in node:
        node["mode"] = "parallel" if node["mode"] == "sequential" else "sequential"
    elif kind == "mode" and "sequential" in node:
        node["combine"] = node.pop("sequential")
    elif kind == "mode":
        body[position:] = [{"combine": body[position:]}]
    elif kind == "extent" and "for" in node:
        node["extent"] += 1
    elif kind == "drop" and len(body) > 1:
        del body[position]
    elif kind == "swap" and len(body) > 1:
        other = rng.randrange(len(body))
        body[position], body[other] = body[other], body[position]
    elif kind in ("number", "tensor") and "task" in node:
        views = [name for name, value in node["args"].items() if isinstance(value, str)]
        name = rng.choice(views)
        text = node["args"][name]
        if kind == "number":
            # The same shift in all numbers of one slice keeps its extent.
            subscripts = list(re.finditer(r"[^][,]+", text))[1:]
            if subscripts:
                chosen = rng.choice(subscripts)
                shift = rng.choice(("+1", "-1", "+2", "+4"))
                parts = [part and part + shift for part in chosen.group().split(":")]
                node["args"][name] = text[: chosen.start()] + ":".join(parts) + text[chosen.end():]
        else:
            other = rng.choice(workload["tensors"])["name"]
            node["args"][name] = other + text[len(text.split("[")[0]):]
    elif kind == "role":
        tensor = rng.choice(workload["tensors"])
        if tensor["role"] == "inout":
            tensor["role"] = rng.choice(("output", "temporary"))
            for key in ("init", "rtol", "atol"):
                tensor.pop(key, None)
    elif kind == "access":
        kernel = rng.choice(workload["kernels"])
        for parameter in kernel["params"]:
            if parameter.get("access") == "out":
                parameter["access"] = "inout"


def generate_near_miss(seed, folder, **options):
    """A valid workload with one or two small changes: about half of them break a rule that asks for
    the whole graph (race, bounds, uninitialised read, aliasing, incomplete output)."""
    rng = random.Random(seed)
    while True:
        workload = generate(rng.getrandbits(40), folder, **options)
        for _ in range(20):
            changed = json.loads(json.dumps(workload))
            for _ in range(rng.choice((1, 1, 2))):
                _mutate(rng, changed)
            roles = {t["name"]: t["role"] for t in changed["tensors"]}
            try:
                interpreter = Interpreter(changed, folder)
            except (AssertionError, ValueError):
                continue  # a tile of another shape: not the kind of mistake that is asked for
            tasks = interpreter.tasks
            writes_input = any(roles[task.tensors[p["name"]]] == "input" for task in tasks
                               for p in task.kernel["params"] if p.get("access", "in") != "in")
            results = {"output", "inout"} & set(roles.values())
            if changed != workload and results and tasks and len(tasks) <= 200 and not writes_input:
                return changed
