# SPDX-License-Identifier: MIT
"""Short ways to write workloads by hand."""


def tensor(name, shape, role, **more):
    return {"name": name, "shape": list(shape), "role": role, "dtype": "f32", **more}


def tile(name, rows, cols, access):
    return {"name": name, "tile": [rows, cols], "dtype": "f32", "access": access}


def scalar(name):
    return {"name": name, "scalar": "f32"}


def kernel(name, params, *ops):
    """Ops from texts: "s = sub x m" or "store y p"; numbers are literals."""
    body = []
    for text in ops:
        words = text.split()
        result = {"result": words[0]} if "=" in words else {}
        words = words[2:] if result else words
        args = [float(w) if w[0].isdigit() or w[0] == "-" else w for w in words[1:]]
        body.append({"op": words[0], "args": args, **result})
    return {"name": name, "params": params, "body": body}


def task(name, **args):
    return {"task": name, "args": args}


def loop(extent, mode, *body, variable="i"):
    return {"for": variable, "extent": extent, "mode": mode, "body": list(body)}


def workload(tensors, kernels, program):
    return {"ptowsp": 1, "name": "w", "tensors": tensors, "kernels": kernels, "program": program}


def negation(shape, block, program):
    """A workload of tensor x and a kernel `negate` of one inout tile x."""
    negate = kernel("negate", [tile("x", *block, "inout")], "y = neg x", "store x y")
    return workload([tensor("x", shape, "inout")], [negate], program)
