# SPDX-License-Identifier: MIT
"""Random cases for ops: one kernel, one task and their tensors, of any op, shape, stride and dtype.

make_case(seed, folder, ...) gives {"tensors", "kernels", "program"}; all names begin with the case's
prefix, so that many cases can stand in one workload (join). Kernels are short: what an op does to
special values is seen best near to where they come from.
"""

from __future__ import annotations

import math
import random
from pathlib import Path

import numpy as np

import arithmetic

BINARY = tuple(arithmetic.BINARY)
UNARY = tuple(arithmetic.UNARY)
REDUCTIONS = tuple(arithmetic.REDUCTION)
DTYPES = ("f32", "f16", "bf16", "i32")
LARGEST = {"f32": 3.4028234663852886e38, "f16": 65504.0, "bf16": 3.3895313892515355e38}
SMALLEST = {"f32": 2.0**-149, "f16": 2.0**-24, "bf16": 2.0**-133}
NORMAL = {"f32": 2.0**-126, "f16": 2.0**-14, "bf16": 2.0**-126}
STEP = {"f32": 2.0**-23, "f16": 2.0**-10, "bf16": 2.0**-7}
MOST_ARGUMENTS = 10  # of a kernel; what has more is tested elsewhere


def special_values(dtype):
    if dtype == "i32":
        return [0, 1, -1, 2**31 - 1, -(2**31), 65536, -65537, 46341]
    return [math.nan, math.inf, -math.inf, 0.0, -0.0, 1.0, -1.0, LARGEST[dtype], -LARGEST[dtype],
            SMALLEST[dtype], -SMALLEST[dtype], NORMAL[dtype], NORMAL[dtype] - SMALLEST[dtype],
            1 + STEP[dtype], 1 - STEP[dtype] / 2, 88.8, -103.9, 11.1, -17.4, 2.5, -0.5]


class CaseMaker:
    def __init__(self, seed, prefix, folder, supported, kind):
        self.rng = random.Random(seed)
        self.numbers = np.random.default_rng(self.rng.getrandbits(63))
        self.prefix, self.folder, self.supported, self.kind = prefix, Path(folder), supported, kind
        self.params, self.args, self.tensors, self.body = [], {}, [], []
        self.pool = {}  # name -> (shape, dtype)
        self.scalars = set()

    # Data.

    def elements(self, shape, dtype):
        numbers, rng = self.numbers, self.rng
        if dtype == "i32":
            size = rng.choice((10, 1000, 2**31 - 1))
            values = numbers.integers(-size, size, shape, endpoint=True).astype(np.float64)
        else:
            kind = rng.choice(("near", "near", "positive", "wide", "any"))
            values = numbers.uniform(-4, 4, shape)
            if kind == "positive":
                values = np.abs(values) + 2.0**-6
            if kind == "wide":
                values *= np.exp2(numbers.integers(-12, 6, shape))
            if kind == "any":
                low = math.log2(SMALLEST[dtype])
                values = np.sign(values) * np.exp2(numbers.uniform(low, -low if dtype == "f32" and
                                                                   -low < 128 else
                                                                   math.log2(LARGEST[dtype]), shape))
        chosen = numbers.random(shape) < rng.choice((0, 0, 0, 0.05, 0.4))
        values = np.where(chosen, numbers.choice(special_values(dtype), shape), values)
        return arithmetic.to_array(values, dtype)

    def tensor(self, shape, dtype, access):
        """A tensor with a tile of `shape` somewhere in it, and the text of that view."""
        rng = self.rng
        name = f"{self.prefix}_t{len(self.tensors)}"
        (rows, cols), view, role = shape, name, "input" if access == "in" else "output"
        if rng.random() < 0.35:
            top, left = rng.choice((0, 1, 3)), rng.choice((0, 1, 5, 8))
            view = f"{name}[{top}:{top + rows}, {left}:{left + cols}]"
            shape = (rows + top + rng.choice((0, 1)), cols + left + rng.choice((0, 1, 7)))
            role = "input" if access == "in" else "inout"  # an output is written completely
        if access == "inout":
            role = "inout"
        tensor = {"name": name, "dtype": dtype, "shape": list(shape), "role": role}
        if role != "output":
            np.save(self.folder / f"{name}.npy", self.elements(shape, dtype))
            tensor["init"] = {"npy": f"{name}.npy"}
        self.tensors.append(tensor)
        return view

    def tile(self, shape, dtype, access):
        name = f"p{len(self.params)}"
        self.params.append({"name": name, "tile": list(shape), "dtype": dtype, "access": access})
        self.args[name] = self.tensor(shape, dtype, access)
        if access != "out":
            self.pool[name] = (tuple(shape), dtype)
        return name

    def number(self, dtype):
        rng = self.rng
        if dtype == "i32":
            return rng.choice((0, 1, -1, 3, -7, 100000, 2**31 - 1, -(2**31)))
        return rng.choice((round(rng.uniform(-3, 3), 2), rng.uniform(-3, 3), 0, 1, 2, -0.5, 1e-3, 30))

    def scalar(self, dtype):
        name = f"p{len(self.params)}"
        self.params.append({"name": name, "scalar": dtype})
        self.args[name] = self.number(dtype)
        self.pool[name] = ((1, 1), dtype)
        self.scalars.add(name)

    # Code.

    def add(self, op, args, shape, of, /, **attributes):
        """`of`: the result's dtype."""
        result = f"v{len(self.body)}"
        self.body.append({"op": op, "args": args, **attributes, "result": result})
        self.pool[result] = (tuple(shape), of)
        return result

    def having(self, ops, dtype):
        return [op for op in ops if self.supported(op, dtype)]

    def recent(self):
        names = list(self.pool)
        return self.rng.choice(names[-2:] if self.rng.random() < 0.6 else names)

    def step(self):
        name = self.recent()
        shape, dtype = self.pool[name]
        kind = self.rng.choices(("binary", "unary", "reduction", "cast", "constant", "matmul"),
                                (8, 8, 4, 3, 1, 12 if self.kind == "mixed" else 0))[0]
        getattr(self, kind)(name, shape, dtype)

    def binary(self, name, shape, dtype):
        ops = self.having(BINARY, dtype)
        others = [n for n, (s, d) in self.pool.items()
                  if d == dtype and all(x == y or 1 in (x, y) for x, y in zip(s, shape))]
        other = self.rng.choice(others + [self.number(dtype)])
        if not ops:
            return
        other_shape = self.pool[other][0] if isinstance(other, str) else (1, 1)
        pair = [name, other] if self.rng.random() < 0.5 else [other, name]
        self.add(self.rng.choice(ops), pair, map(max, shape, other_shape), dtype)

    def unary(self, name, shape, dtype):
        ops = self.having(UNARY, dtype)
        if ops:
            self.add(self.rng.choice(ops), [name], shape, dtype)

    def reduction(self, name, shape, dtype):
        ops = self.having(REDUCTIONS, dtype)
        if ops and name not in self.scalars:
            op = self.rng.choice(ops)
            self.add(op, [name], (shape[0], 1) if op.startswith("row") else (1, shape[1]), dtype)

    def cast(self, name, shape, dtype):
        to = self.rng.choice(DTYPES)
        if self.supported("cast", dtype) and self.supported("cast", to):
            self.add("cast", [name], shape, to, dtype=to)

    def constant(self, name, shape, dtype):
        if not self.supported("constant", dtype):
            return
        extents = self.rng.choice(((1, 1), shape, shape))
        sizes = {key: n for key, n in zip(("rows", "cols"), extents) if n > 1}
        name = self.add("constant", [], extents, dtype, value=self.number(dtype), dtype=dtype,
                        **sizes)
        if not sizes:
            self.scalars.add(name)

    def matmul(self, *_):
        tiles = {n: facts for n, facts in self.pool.items() if n not in self.scalars}
        pairs = [(a, b) for a, (s, d) in tiles.items() for b, (t, e) in tiles.items()
                 if s[1] == t[0] and d == e and self.supported("matmul", d)]
        if not pairs:
            return
        a, b = self.rng.choice(pairs)
        shape = (self.pool[a][0][0], self.pool[b][0][1])
        sums = [n for n, facts in tiles.items() if facts == (shape, "f32")]
        c = [self.rng.choice(sums)] if sums and self.rng.random() < 0.6 else []
        self.add("matmul", [a, b, *c], shape, "f32")

    # The whole.

    def dtype(self):
        return self.rng.choice([d for d in DTYPES if self.supported("store", d)])

    def vector_parameters(self):
        rng = self.rng
        rows = rng.choice((1, 2, 3, 5, 8, 16))
        cols = rng.choice((1, 2, 4, 7, 8, 9, 16, 17, 31, 33, 64, 70))
        main = self.dtype()
        forms = ((rows, cols), (rows, cols), (rows, cols), (1, cols), (rows, 1), (1, 1))
        for position in range(rng.choice((1, 2, 2, 3))):
            dtype = main if position == 0 or rng.random() < 0.8 else self.dtype()
            self.tile(rng.choice(forms), dtype, rng.choice(("in", "in", "in", "inout")))
        for _ in range(rng.choice((0, 0, 1))):
            self.scalar(main)

    def matmul_parameters(self):
        rng = self.rng
        m, k, n = (rng.choice((1, 2, 3, 5, 8, 16, 17, 24)) for _ in range(3))
        dtype = rng.choice([d for d in ("f32", "f16", "bf16") if self.supported("matmul", d)])
        self.tile((m, k), dtype, "in")
        self.tile((k, n), dtype, "in")
        if rng.random() < 0.5:
            self.tile((m, n), "f32", rng.choice(("in", "inout")))

    def make(self):
        rng = self.rng
        if self.kind == "vector":
            self.vector_parameters()
        else:
            self.matmul_parameters()
            self.matmul()
        wanted = len(self.body) + rng.choice((1, 2, 3, 4, 6, 9))
        for _ in range(20):
            if self.kind == "matmul":
                if rng.random() < 0.2:
                    self.matmul()
                break
            if len(self.body) >= wanted:
                break
            self.step()
        if self.kind == "mixed" and all(o["op"] == "matmul" for o in self.body):
            self.unary(*(lambda name: (name, *self.pool[name]))(self.body[-1]["result"]))
        self.stores()
        kernel = {"name": f"{self.prefix}_k", "params": self.params, "body": self.body}
        task = {"task": kernel["name"], "args": self.args}
        return {"tensors": self.tensors, "kernels": [kernel], "program": [task]}

    def stores(self):
        """Every result that nothing uses is stored, and every inout parameter to."""
        used = {a for o in self.body for a in o["args"]}
        idle = [n for n in self.pool if n not in used and n[0] == "v"] or [next(iter(self.pool))]
        stores = []
        for param in list(self.params):
            if param.get("access") != "inout":
                continue
            fitting = [n for n, facts in self.pool.items()
                       if facts == (tuple(param["tile"]), param["dtype"]) and n[0] == "v"]
            if not fitting:
                param["access"] = "in"
                name = self.args[param["name"]].split("[")[0]
                next(t for t in self.tensors if t["name"] == name)["role"] = "input"
                continue
            value = fitting[-1]
            idle = [n for n in idle if n != value] or idle[:0]
            stores.append((param["name"], value))
        written = {name for name, _ in stores}
        for value in idle[:MOST_ARGUMENTS - len(self.params)]:
            shape, dtype = self.pool[value]
            if value not in written:
                stores.append((self.tile(shape, dtype, "out"), value))
        for name, value in stores:
            self.body.append({"op": "store", "args": [name, value]})


def make_case(seed, prefix, folder, supported, kind="vector"):
    """`kind`: vector, matmul or mixed; `supported(op, dtype)`: what may occur."""
    return CaseMaker(seed, prefix, folder, supported, kind).make()


def join(cases):
    """One workload of all the cases."""
    workload = {"ptowsp": 1, "name": "ops"}
    for key in ("tensors", "kernels", "program"):
        workload[key] = [item for case in cases for item in case[key]]
    return workload
