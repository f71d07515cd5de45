# SPDX-License-Identifier: MIT
"""Random kernels, and products of all shapes, as they are emitted for the device, on PTO-ISA's CPU
simulator. tests/python/seed.py says which are drawn."""

import json
import random

import numpy as np

import simulator
from random_workload import generate
from seed import SEED

WORKLOADS = 24
PRODUCTS = 12


def joined(workloads):
    """One workload of many: each one's names get a prefix, so that one compilation does for all."""
    whole = {"ptowsp": 1, "name": "random", "tensors": [], "kernels": [], "program": []}
    for number, workload in enumerate(workloads):
        prefix = f"w{number}_"

        def renamed(node):
            if isinstance(node, list):
                return [renamed(child) for child in node]
            node = dict(node)
            if "task" in node:
                node["task"] = prefix + node["task"]
                node["args"] = {name: prefix + value if isinstance(value, str) else value
                                for name, value in node["args"].items()}
            for key in ("body", "combine", "sequential"):
                if key in node:
                    node[key] = renamed(node[key])
            return node

        for kind in ("tensors", "kernels"):
            whole[kind] += [{**item, "name": prefix + item["name"]} for item in workload[kind]]
        whole["program"] += renamed(workload["program"])
    return whole


def check(workload, folder):
    file = folder / "workload.json"
    file.write_text(json.dumps(workload))
    found = simulator.failure(file, folder / "artifact")
    assert found is None, f"PTOWSP_TEST_SEED={SEED}\n{found}"


def test_random_kernels(tmp_path):
    workloads = [generate(SEED + n, tmp_path, max_tasks=20) for n in range(WORKLOADS)]
    check(joined(workloads), tmp_path)


def test_products(tmp_path):
    """Sides that are no multiples of anything, factors in several slices, strided tiles, sums that go on
    and sums that are added to memory."""
    rng = random.Random(SEED)
    whole = {"ptowsp": 1, "name": "products", "tensors": [], "kernels": [], "program": []}
    for n in range(PRODUCTS):
        dtype = rng.choice(("f32", "f16"))
        m, k, cols = rng.choice((1, 7, 16, 40)), rng.choice((1, 33, 300, 1500)), rng.choice((5, 16, 60))
        gap, accumulate = rng.choice((0, 3)), rng.choice(("none", "memory", "sum"))
        shapes = {"a": (m, k), "b": (k, cols), "c": (m, cols)}
        access = {"a": "in", "b": "in", "c": "inout" if accumulate == "memory" else "out"}
        roles = {"a": "input", "b": "input",
                 "c": "inout" if accumulate == "memory" or gap else "output"}
        for name, (height, width) in shapes.items():
            whole["tensors"].append({
                "name": f"{name}{n}", "dtype": "f32" if name == "c" else dtype, "role": roles[name],
                "shape": [height, width + gap], "rtol": 1e-3, "atol": 1e-3})
            if roles[name] != "output":
                values = np.random.default_rng(rng.getrandbits(32)).uniform(-1, 1, (height, width + gap))
                np.save(tmp_path / f"{name}{n}.npy",
                        values.astype(np.float32 if name == "c" or dtype == "f32" else np.float16))
                whole["tensors"][-1]["init"] = {"npy": f"{name}{n}.npy"}
        body = [{"op": "matmul", "args": ["a", "b"] + ["c"] * (accumulate == "memory"), "result": "s"}]
        if accumulate == "sum":
            body.append({"op": "matmul", "args": ["a", "b", "s"], "result": "s2"})
        body.append({"op": "store", "args": ["c", body[-1]["result"]]})
        whole["kernels"].append({
            "name": f"product{n}", "body": body,
            "params": [{"name": name, "tile": list(shape), "access": access[name],
                        "dtype": "f32" if name == "c" else dtype} for name, shape in shapes.items()]})
        whole["program"].append({"task": f"product{n}", "args": {
            name: f"{name}{n}[:, {gap}:{gap + shape[1]}]" for name, shape in shapes.items()}})
    check(whole, tmp_path)


UNARY = ("exp", "log", "sqrt", "rsqrt", "neg", "abs", "relu", "tanh", "sigmoid", "silu", "gelu")
BINARY = ("add", "sub", "mul", "div", "max", "min")
REDUCTIONS = ("rowsum", "rowmax", "rowmin", "rowmean", "colsum", "colmax", "colmin")
SHAPES = ((5, 37), (1, 37), (5, 1), (1, 1))
TOLERANCE = {"f32": {"rtol": 1e-4, "atol": 1e-5}, "f16": {"rtol": 2e-2, "atol": 2e-2}}


def test_every_op(tmp_path):
    """Every op that PTO-ISA has, on f32 and f16, with operands of every shape, and numbers."""
    whole = {"ptowsp": 1, "name": "ops", "tensors": [], "kernels": [], "program": []}

    def case(op, shapes, dtype, result, to=None, /, **attributes):
        n = len(whole["kernels"])
        params, args, operands = [], {}, []
        for i, shape in enumerate(shapes):
            if not isinstance(shape, tuple):
                operands.append(shape)
                continue
            name = f"x{i}"
            operands.append(name)
            params.append({"name": name, "tile": list(shape), "dtype": dtype, "access": "in"})
            whole["tensors"].append({"name": f"t{n}_{i}", "dtype": dtype, "shape": list(shape),
                                     "role": "input",
                                     "init": {"uniform": [-100, 100] if dtype == "i32" else [0.25, 3]}})
            args[name] = f"t{n}_{i}"
        to = to or dtype
        params.append({"name": "y", "tile": list(result), "dtype": to, "access": "out"})
        whole["tensors"].append({"name": f"t{n}_y", "dtype": to, "shape": list(result), "role": "output",
                                 **TOLERANCE.get(to, {})})
        args["y"] = f"t{n}_y"
        body = [{"op": op, "args": operands, "result": "v", **attributes},
                {"op": "store", "args": ["y", "v"]}]
        whole["kernels"].append({"name": f"k{n}", "params": params, "body": body})
        whole["program"].append({"task": f"k{n}", "args": args})

    for dtype in ("f32", "f16"):
        for op in UNARY:
            case(op, [(5, 37)], dtype, (5, 37))
        for op in BINARY:
            for a in (*SHAPES, 1.5):
                for b in (*SHAPES, 0.75):
                    tiles = [s for s in (a, b) if isinstance(s, tuple)]
                    if tiles:
                        case(op, [a, b], dtype, tuple(max(s[d] for s in tiles) for d in (0, 1)))
        for op in REDUCTIONS:
            case(op, [(5, 37)], dtype, (5, 1) if op.startswith("row") else (1, 37))
        case("constant", [], dtype, (5, 37), value=0.3, rows=5, cols=37, dtype=dtype)
        for to in ("f32", "f16", "i32"):
            case("cast", [(5, 37)], dtype, (5, 37), to, dtype=to)
    for op in ("add", "sub", "mul", "max", "min"):
        for b in ((5, 37), (1, 37), (5, 1), 7):
            case(op, [(5, 37), b], "i32", (5, 37))
    case("constant", [], "i32", (5, 37), value=-3, rows=5, cols=37, dtype="i32")
    for op in ("neg", "relu"):
        case(op, [(5, 37)], "i32", (5, 37))
    for to in ("f32", "f16"):
        case("cast", [(5, 37)], "i32", (5, 37), to, dtype=to)
    check(whole, tmp_path)
