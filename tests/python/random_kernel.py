# SPDX-License-Identifier: MIT
"""Random kernels: straight-line code over given parameters, whose values stay well behaved."""

from __future__ import annotations

import math

LIMIT = 4.0  # of the elements of every tensor
BINARY = ("add", "sub", "mul", "div", "max", "min")
UNARY = ("exp", "log", "sqrt", "rsqrt", "neg", "abs")
REDUCTIONS = ("rowsum", "rowmax", "rowmin", "rowmean")


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
    """Straight-line code over parameters. Values have a shape and the interval they lie in."""

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
        return self.rng.choice([round(number, 1), round(number, 3), number,
                                float(f"{number:.1e}")]) or 1

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
            function = {"add": lambda x, y: x + y, "sub": lambda x, y: x - y,
                        "mul": lambda x, y: x * y, "div": lambda x, y: x / y,
                        "max": max, "min": min}[op]
            interval = _corners(function, x_range, y_range)
        if self.fits(interval):
            return self.emit(op, x, y, shape=_joined(shape_x, shape_y), interval=interval)
        return None

    def gathered(self, name):
        """`name` joined with results that nothing used yet, so that little code is dead."""
        shape = self.pool[name][0]
        used = {a for o in self.body for a in o["args"]}
        idle = [n for n in self.pool if n not in used and n != name
                and _joined(self.pool[n][0], shape) == shape]
        for other in idle:
            if self.rng.random() < 0.8:
                op = self.rng.choice(("add", "sub", "add", "max", "min", "mul"))
                name = self.bounded(name) if op == "mul" else name
                pair = (name, other) if self.rng.random() < 0.5 else (other, name)
                joined = self.joined(op, *pair)
                name = joined or name
        return name

    def bounded(self, name):
        shape, (low, high) = self.pool[name]
        size = max(abs(low), abs(high))
        if size <= LIMIT or self.wild:
            return name
        if self.rng.random() < 0.5:
            factor = LIMIT / size * 0.99
            return self.emit("mul", name, factor, shape=shape,
                             interval=(low * factor, high * factor))
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
