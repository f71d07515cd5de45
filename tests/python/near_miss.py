# SPDX-License-Identifier: MIT
"""Workloads that are nearly valid: a small change of a random one."""

from __future__ import annotations

import json
import random
import re

from interpreter import Interpreter
from random_workload import generate


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
    kind = rng.choice(("mode", "mode", "mode", "extent", "drop", "swap", "number", "number",
                       "tensor", "role", "access"))
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
