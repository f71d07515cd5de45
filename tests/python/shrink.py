# SPDX-License-Identifier: MIT
"""Makes a failing workload smaller: tries one deletion after the other while it still fails."""

from __future__ import annotations

import copy
import json
import re
import time


def _result_type(op, operands):
    """Shape and dtype of a result; None where the operands do not fit."""
    name = op["op"]
    shapes, dtypes = [o[0] for o in operands], [o[1] for o in operands]
    if name == "constant":
        return (op.get("rows", 1), op.get("cols", 1)), op["dtype"]
    if name == "matmul":
        (m, k), (other, n) = shapes[:2]
        fits = k == other and dtypes[0] == dtypes[1] and operands[2:] in ([], [((m, n), "f32")])
        return ((m, n), "f32") if fits else None
    rows, cols = (max(shape[d] for shape in shapes) for d in (0, 1))
    if any(s[0] not in (1, rows) or s[1] not in (1, cols) for s in shapes) or len(set(dtypes)) > 1:
        return None
    if name.startswith("row"):
        rows, cols = rows, 1
    elif name.startswith("col"):
        rows, cols = 1, cols
    return (rows, cols), op.get("dtype", dtypes[0])


def well_formed(workload):
    """Whether kernels still obey the rules that an interpretation does not notice."""
    for kernel in workload["kernels"]:
        types, unread = {}, set()
        for parameter in kernel["params"]:
            types[parameter["name"]] = (tuple(parameter.get("tile", (1, 1))),
                                        parameter.get("scalar") or parameter["dtype"])
            if parameter.get("access") == "out":
                unread.add(parameter["name"])
        scalars = {p["name"] for p in kernel["params"] if "scalar" in p}
        stored = set()
        for op in kernel["body"]:
            operands = op["args"][1:] if op["op"] == "store" else op["args"]
            if any(isinstance(a, str) and (a not in types or a in unread - stored)
                   for a in operands):
                return False
            if op["op"].startswith(("row", "col", "matmul")) and any(
                    a in scalars or not isinstance(a, str) for a in operands):
                return False
            # A number is of the dtype of the first operand that is none.
            usual = next((types[a][1] for a in op["args"] if isinstance(a, str) and a in types),
                         "f32")
            used = [types[a] if isinstance(a, str) else ((1, 1), usual) for a in operands]
            result = _result_type(op, used)
            if op["op"] == "store":
                if result is None or types.get(op["args"][0]) != result:
                    return False
                stored.add(op["args"][0])
            elif result is None:
                return False
            else:
                types[op["result"]] = result
                if op["op"] == "constant" and result[0] == (1, 1):
                    scalars.add(op["result"])
        if {p["name"] for p in kernel["params"] if p.get("access", "in") != "in"} != stored:
            return False
    return any(tensor["role"] in ("output", "inout") for tensor in workload["tensors"])


def _smaller(workload):
    """Candidates, each one change away, the big steps first."""

    def variant(change):
        changed = copy.deepcopy(workload)
        change(changed)
        return changed

    def at(tree, path):
        for key in path:
            tree = tree[key]
        return tree

    def nodes(body, path):
        for position, node in enumerate(body):
            yield path, position, node
            for key in ("body", "sequential", "combine"):
                yield from nodes(node.get(key, []), path + [position, key])

    found = list(nodes(workload["program"], ["program"]))
    for path, position, node in found:
        if len(at(workload, path)) > 1:
            yield variant(lambda w: at(w, path).pop(position))
    for path, position, node in found:
        if node.get("extent", 1) > 1:
            for extent in {1, node["extent"] // 2, node["extent"] - 1}:
                yield variant(lambda w: at(w, path)[position].update(extent=extent))
        if node.get("extent") == 1:
            text = re.sub(rf"\b{node['for']}\b", "0", json.dumps(node["body"]))
            # Inner loops have other variables, and no key is a variable's name.
            yield variant(lambda w: at(w, path).__setitem__(slice(position, position + 1),
                                                            json.loads(text)))
        for key in ("sequential", "combine"):
            if key in node:
                yield variant(
                    lambda w: at(w, path).__setitem__(slice(position, position + 1), node[key]))
    for k, kernel in enumerate(workload["kernels"]):
        for o, op in enumerate(kernel["body"]):
            if op["op"] == "store":
                yield variant(lambda w: w["kernels"][k]["body"].pop(o))
                continue
            for stand_in in op["args"]:
                def bypass(w):
                    body = w["kernels"][k]["body"]
                    result = body.pop(o)["result"]
                    for later in body[o:]:
                        later["args"] = [stand_in if a == result else a for a in later["args"]]
                yield variant(bypass)
        for parameter in kernel["params"]:
            def without(w):
                w["kernels"][k]["params"].remove(parameter)
                for path, position, node in found:
                    if node.get("task") == kernel["name"]:
                        del at(w, path)[position]["args"][parameter["name"]]
            yield variant(without)


def _tidied(workload):
    """Without kernels and tensors that nothing uses."""
    text = json.dumps(workload["program"])
    workload["kernels"] = [k for k in workload["kernels"] if f'"task": "{k["name"]}"' in text]
    workload["tensors"] = [t for t in workload["tensors"]
                           if f'"{t["name"]}"' in text or f'"{t["name"]}[' in text]
    return workload


def shrink(workload, fails, seconds=30.0):
    """The smallest workload found for which fails(workload) holds. An exception in `fails` counts
    as not failing: a candidate may have ceased to be a workload at all."""
    deadline = time.monotonic() + seconds

    def still_fails(candidate):
        try:
            return fails(candidate)
        except Exception:
            return False

    progress = True
    while progress:
        progress = False
        for candidate in _smaller(workload):
            if time.monotonic() > deadline:
                return workload
            candidate = _tidied(candidate)
            if well_formed(candidate) and still_fails(candidate):
                workload, progress = candidate, True
                break
    return workload
