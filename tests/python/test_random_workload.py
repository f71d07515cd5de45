# SPDX-License-Identifier: MIT
"""The random workloads are what the property tests need: varied, mostly valid, repeatable."""

import collections

import numpy as np

from arithmetic import KERNEL
from interpreter import Interpreter
from near_miss import generate_near_miss
from random_kernel import BINARY, REDUCTIONS, UNARY
from random_workload import generate


def shapes_of(kernel):
    """Shape and kind of every operand: (op, (kinds of the operands)) as the issue counts forms."""
    shapes = {p["name"]: tuple(p.get("tile", (1, 1))) for p in kernel["params"]}
    scalars = {p["name"] for p in kernel["params"] if "scalar" in p}
    for op in kernel["body"]:
        if op["op"] == "store":
            continue
        operand_shapes = [shapes[a] if isinstance(a, str) else (1, 1) for a in op["args"]]
        rows, cols = (max(s[d] for s in operand_shapes) for d in (0, 1))
        kinds = []
        for a, shape in zip(op["args"], operand_shapes):
            if not isinstance(a, str):
                kinds.append("literal")
            elif a in scalars:
                kinds.append("scalar")
            else:
                kinds.append({(True, True): "one", (True, False): "row", (False, True): "column",
                              (False, False): "tile"}[(shape[0] == 1, shape[1] == 1)])
        yield op["op"], tuple(kinds)
        shapes[op["result"]] = (rows, 1) if op["op"].startswith("row") else (rows, cols)


def test_same_seed_same_workload(tmp_path):
    assert generate(3, tmp_path) == generate(3, tmp_path)
    assert generate_near_miss(3, tmp_path) == generate_near_miss(3, tmp_path)


def test_they_are_valid_varied_and_well_conditioned(cases):
    seen, features = set(), collections.Counter()
    loose_cases = 0
    for seed in cases.seeds(200):
        workload = generate(seed, cases.folder)
        interpreter = Interpreter(workload, cases.folder)
        assert not interpreter.check().rules(), f"case {seed}"
        for kernel in workload["kernels"]:
            seen.update(shapes_of(kernel))
        features["edges"] += bool(interpreter.conflicts().any())
        for task in interpreter.tasks:
            features[f"depth {len(task.variables)}"] += 1
            features["strided"] += any((np.diff(i[:, 0]) != i.shape[1]).any()
                                       for i in task.tiles.values())
        text = str(workload["program"])
        for word in ("combine", "'sequential': [", "'parallel'"):
            features[word] += word in text
        for tensor in workload["tensors"]:
            features[f"rank {len(tensor['shape'])}"] += 1
            features[tensor["role"]] += 1
        results = interpreter.run(interpreter.inputs(), KERNEL).values()
        loose = sum((value.e > 1e-3 * (1 + np.abs(value.v))).sum() for value in results)
        loose_cases += loose > 0.01 * sum(value.v.size for value in results)
    missing = {op for op in BINARY + UNARY + REDUCTIONS} - {op for op, _ in seen}
    assert not missing
    kinds = ("tile", "row", "column", "one", "literal", "scalar")
    pairs = {forms for op, forms in seen if len(forms) == 2}
    assert {(a, b) for a in kinds for b in kinds if "literal" not in (a, b)} <= pairs
    assert {("tile", "literal"), ("literal", "tile")} <= pairs
    for feature in ("edges", "strided", "depth 0", "depth 2", "depth 3", "combine",
                    "'sequential': [", "rank 1",
                    "rank 3", "rank 4", "temporary", "inout"):
        assert features[feature] >= 5, (feature, features)
    # A comparison within a loose bound would not say much. One large tensor may be loose whole, so
    # workloads are counted, not elements.
    assert loose_cases <= 10


def test_near_misses_break_every_rule_that_needs_the_whole_graph(cases):
    broken = collections.Counter()
    for seed in cases.seeds(250):
        interpreter = Interpreter(generate_near_miss(seed, cases.folder), cases.folder)
        broken.update(interpreter.check().rules() or ["none"])
    assert min(broken[r] for r in ("none", "races", "uninitialised", "out_of_bounds",
                                   "incomplete")) >= 3, broken
