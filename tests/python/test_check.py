"""ptowsp-gen check finds races, uninitialised reads, bounds, aliasing and incomplete outputs exactly
where the interpreter does; print is a fixed point that keeps the meaning."""

import json
import re

import numpy as np

from conftest import count
from interpreter import Interpreter
from random_workload import generate, generate_near_miss
from toolchain import generator

RULES = {"races": "race", "uninitialised": "uninitialised-read", "aliased": "aliased-arguments",
         "out_of_bounds": "out-of-bounds", "incomplete": "incomplete-output"}


def reported(done):
    return set(re.findall(r": error: .*\[([a-z-]+)\]$", done.stderr, re.M))


def check_failure(cases):
    def failure(workload):
        path = cases.write(workload)
        wanted = {RULES[rule] for rule in Interpreter(workload, cases.folder).check().rules()}
        done = generator("check", path)
        if done.returncode != (1 if wanted else 0):
            return f"exit {done.returncode}, wanted {sorted(wanted) or 'no errors'}\n{done.stderr}"
        if reported(done) != wanted:
            return f"rules {sorted(reported(done))}, wanted {sorted(wanted)}\n{done.stderr}"
        if wanted == {"race"}:
            allowed = generator("check", "--races", "allow", path)
            if allowed.returncode != 0:
                return f"allow: exit {allowed.returncode} with --races allow\n{allowed.stderr}"
        return None
    return failure


def test_valid_workloads_pass(cases):
    for seed in cases.seeds(count(150, 4000)):
        cases.check(generate(seed, cases.folder, wild=seed % 4 == 0), check_failure(cases), seed)


def test_near_misses_are_judged_alike(cases):
    for seed in cases.seeds(count(300, 10000)):
        cases.check(generate_near_miss(seed, cases.folder), check_failure(cases), seed)


def touched(interpreter):
    """Everything that print must keep: per task its kernel, place in the tree, elements and scalars."""
    return [(t.kernel["name"], t.path, {n: i.tolist() for n, i in t.tiles.items()}, t.tensors, t.scalars, t.variables)
            for t in interpreter.tasks]


def print_failure(cases):
    def failure(workload):
        done = generator("print", cases.write(workload))
        if done.returncode != 0:
            return f"exit {done.returncode}\n{done.stderr}"
        again_path = cases.folder / "printed.json"
        again_path.write_text(done.stdout)
        again = generator("print", again_path)
        if again.stdout != done.stdout:
            return f"fixed point: printed again it differs\n{done.stdout}\n{again.stdout}"
        printed = json.loads(done.stdout)
        before, after = Interpreter(workload, cases.folder), Interpreter(printed, cases.folder)
        for key in ("ptowsp", "name", "kernels", "tensors"):
            if strip(printed[key]) != strip(workload[key]):
                return f"meaning of {key}:\n{printed[key]}\n{workload[key]}"
        if touched(before) != touched(after):
            return f"meaning of the program:\n{done.stdout}"
        return None
    return failure


def strip(value):
    """Numbers as f32 where they are literals: 2 and 2.0 mean the same."""
    if isinstance(value, dict):
        # A missing init is the default one; both spellings mean the same.
        return {k: strip(v) for k, v in value.items() if (k, v) != ("init", {"uniform": [-1, 1]})}
    if isinstance(value, list):
        return [strip(v) for v in value]
    return float(value) if isinstance(value, (int, float)) else value


def test_print_is_a_fixed_point_and_keeps_the_meaning(cases):
    for seed in cases.seeds(count(100, 2000)):
        cases.check(generate(seed, cases.folder), print_failure(cases), seed)
