# SPDX-License-Identifier: MIT
"""ptowsp-gen check finds races, uninitialised reads, bounds, aliasing and incomplete outputs
exactly where the interpreter does; print is a fixed point that keeps the meaning."""

import json
import re

from conftest import count
from interpreter import Interpreter
from near_miss import generate_near_miss
from random_workload import generate
from toolchain import generator

RULES = {"races": "race", "uninitialised": "uninitialized-read", "aliased": "aliased-arguments",
         "out_of_bounds": "out-of-bounds", "incomplete": "output-not-complete",
         "never_written": "never-written"}
# What can be asked only of a workload whose statements are sound one by one.
WHOLE_GRAPH = {"race", "uninitialized-read", "output-not-complete"}


def reported(done):
    """(rule, place, message) of every error."""
    pattern = r": error: (.*) \[([a-z-]+)\]\n  at (\S+)$"
    found = re.findall(pattern, done.stderr, re.M)
    return [(rule, place, message) for message, rule, place in found]


def wanted_rules(findings):
    rules = {RULES[rule] for rule in findings.rules()}
    return rules - WHOLE_GRAPH if rules - WHOLE_GRAPH else rules


def wrong_places(errors, interpreter):
    """Why the errors name other places or tasks than the interpreter found, or None."""
    found = interpreter.check()
    at = lambda rule: {re.sub(r"/args/\w+$", "", place) for r, place, _ in errors if r == rule}
    for rule, tasks in (("uninitialized-read", found.uninitialised),
                        ("aliased-arguments", found.aliased)):
        places = {interpreter.tasks[task].place for task in tasks}
        if at(rule) and at(rule) != places:
            return f"places of {rule}: {sorted(at(rule))}, wanted {sorted(places)}"
    if at("out-of-bounds") != found.out_of_bounds:
        wanted = sorted(found.out_of_bounds)
        return f"places of out-of-bounds: {sorted(at('out-of-bounds'))}, wanted {wanted}"
    pairs = {(interpreter.tasks[i].name(), interpreter.tasks[j].name()) for i, j in found.races}
    for rule, _, message in errors:
        if rule == "race":
            task = r"task (\w+(?:\[.*?\])?) (?:reads|writes)"
            named = re.search(f"{task} .*, {task}", message)
            if not named or named.groups() not in pairs:
                return f"tasks of the race are no race: {message}"
    return None


def check_failure(cases):
    def failure(workload):
        path = cases.write(workload)
        interpreter = Interpreter(workload, cases.folder)
        wanted = wanted_rules(interpreter.check())
        done = generator("check", path)
        if done.returncode != (1 if wanted else 0):
            return f"exit {done.returncode}, wanted {sorted(wanted) or 'no errors'}\n{done.stderr}"
        errors = reported(done)
        rules = {rule for rule, _, _ in errors}
        # The interpreter asks no further once a view leaves its tensor.
        if rules != wanted and not ("out-of-bounds" in wanted
                                    and wanted <= rules <= set(RULES.values())):
            return f"rules {sorted(rules)}, wanted {sorted(wanted)}\n{done.stderr}"
        wrong = wrong_places(errors, interpreter)
        if wrong:
            return f"{wrong}\n{done.stderr}"
        if wanted == {"race"}:
            allowed = generator("check", "--races", "allow", path)
            if allowed.returncode != 0:
                return f"allow: exit {allowed.returncode} with --races allow\n{allowed.stderr}"
        return None
    return failure


def warned_of(stderr):
    """(tasks named, number of tasks) of the warnings of dead writes."""
    warnings = re.findall(r"warning: what task (\w+(?:\[.*?\])?) writes, .* overwritten,? .*?reads it"
                          r"(?: \((\d+) more tasks? .*\))? \[dead-write\]$", stderr, re.M)
    assert len(warnings) == stderr.count("[dead-write]")
    return {name for name, _ in warnings}, sum(1 + int(more or 0) for _, more in warnings)


def test_dead_writes_are_found(cases):
    """None is made up; one may stay unsaid where pieces of what was written overlap."""
    wanted_in_all = found_in_all = 0

    def failure(workload):
        nonlocal wanted_in_all, found_in_all
        done = generator("check", "--races", "allow", cases.write(workload))
        if done.returncode != 0:
            return f"exit {done.returncode}\n{done.stderr}"
        interpreter = Interpreter(workload, cases.folder)
        wanted = interpreter.overwritten()
        names, found = warned_of(done.stderr)
        if found > len(wanted) or not names <= {interpreter.tasks[i].name() for i in wanted}:
            return f"dead writes of tasks {sorted(wanted)}, found\n{done.stderr}"
        wanted_in_all += len(wanted)
        found_in_all += found
        return None

    for seed in cases.seeds(count(100, 1000)):
        cases.check(generate(seed, cases.folder), failure, seed)
    print(f"{found_in_all} of {wanted_in_all} dead writes found")
    assert wanted_in_all > 20 and found_in_all >= 0.9 * wanted_in_all


def test_valid_workloads_pass(cases):
    for seed in cases.seeds(count(150, 1500)):
        cases.check(generate(seed, cases.folder, wild=seed % 4 == 0), check_failure(cases), seed)


def test_near_misses_are_judged_alike(cases):
    for seed in cases.seeds(count(300, 3000)):
        cases.check(generate_near_miss(seed, cases.folder), check_failure(cases), seed)


def touched(interpreter):
    """What print must keep: per task its kernel, place in the tree, elements and scalars."""
    return [(t.kernel["name"], t.path, {n: i.tolist() for n, i in t.tiles.items()}, t.tensors,
             t.scalars, t.variables)
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
    for seed in cases.seeds(count(100, 800)):
        cases.check(generate(seed, cases.folder), print_failure(cases), seed)
