# SPDX-License-Identifier: MIT
"""Processes and channels against brute force: what is refused, in which order tasks come, the graph's
closure, and that every edge is a conflict or one of a channel."""

import json
import re

import pytest

from conftest import count
from interpreter import Interpreter
from random_network import KERNELS, generate_network
from test_graph import graph_failure
from toolchain import generator
from workloads import loop, task, tensor
from workloads import workload as make

RULES = {"races": "race", "uninitialised": "uninitialized-read", "aliased": "aliased-arguments",
         "out_of_bounds": "out-of-bounds", "incomplete": "output-not-complete",
         "never_written": "never-written", "deadlocks": "deadlock", "unknown_tokens": "token-count"}


def refused(path):
    """The rules of the errors of check."""
    done = generator("check", path)
    rules = set(re.findall(r": error: .* \[([a-z-]+)\]$", done.stderr, re.M))
    assert done.returncode == (1 if rules else 0), done.stderr
    return rules, done.stderr


def network_failure(cases, seen):
    def failure(workload):
        interpreter = Interpreter(workload, cases.folder)
        wanted = interpreter.check().rules()
        rules, text = refused(cases.write(workload))
        expected = {RULES[rule] for rule in wanted}
        # The interpreter goes no further where tokens cannot be counted.
        if rules != expected and not (expected == {"token-count"} and expected <= rules):
            return f"rules {sorted(rules)}, wanted {sorted(expected)}\n{text}"
        for rule in wanted or {"valid"}:
            seen[rule] = seen.get(rule, 0) + 1
        if wanted == {"deadlocks"}:
            return depth_failure(workload, text)
        if wanted == {"races"}:
            return graph_failure(cases, "--races", "allow")(workload)
        return None if wanted else graph_failure(cases)(workload)
    return failure


def deadlocks(workload, depth_of):
    """Whether it still does, with depth_of(channel)."""
    changed = json.loads(json.dumps(workload))
    for channel in changed["channels"]:
        channel["depth"] = depth_of(channel)
    return bool(Interpreter(changed).findings.deadlocks)


def depth_failure(workload, text):
    """Why the depth that the error asks for is not the smallest that is enough."""
    def judge(depth_of, depth):
        if deadlocks(workload, lambda c: depth_of(c, depth)):
            return f"depth {depth} is not enough\n{text}"
        if depth > 1 and not deadlocks(workload, lambda c: depth_of(c, depth - 1)):
            return f"depth {depth - 1} is enough\n{text}"
        return None

    one = re.search(r"fix: give channel '(\w+)' a depth of at least (\d+)$", text, re.M)
    if one:
        return judge(lambda c, depth: depth if c["name"] == one[1] else c["depth"], int(one[2]))
    everything = re.search(r"give each channel a depth of at least (\d+)$", text, re.M)
    if everything:
        return judge(lambda c, depth: max(c["depth"], depth), int(everything[1]))
    if "no depth is enough" not in text:
        return f"fix without a depth\n{text}"
    return None if deadlocks(workload, lambda _: 1000) else f"depth 1000 is enough\n{text}"


def test_networks_equal_brute_force(cases):
    seen = {}
    for seed in cases.seeds(count(300, 5000)):
        cases.check(generate_network(seed), network_failure(cases, seen), seed)
    assert min(seen[rule] for rule in ("valid", "races", "deadlocks", "unknown_tokens")) >= 5, seen


def test_program_order_of_networks_is_a_chain(cases):
    for seed in cases.seeds(count(20, 200)):
        workload = generate_network(seed)
        interpreter = Interpreter(workload)
        if interpreter.check().rules():
            continue
        done = generator("graph", cases.write(workload), "--format", "json", "--dependences",
                         "program_order")
        graph = json.loads(done.stdout)
        assert [n["name"] for n in graph["nodes"]] == [t.name() for t in interpreter.tasks]
        assert [(e["from"], e["to"]) for e in graph["edges"]] == [
            (i, i + 1) for i in range(len(interpreter.tasks) - 1)], f"case {seed}"


def pipeline(tokens, depth, second_first=False):
    """Two processes; with second_first, each waits for the other."""
    x, y = (tensor(name, (tokens, 2, 3), role) for name, role in (("x", "input"), ("y", "output")))
    move = lambda source, v: task("copy_2x3", s=f"x[{v}]", y=f"{source}[{v}]")
    first = [loop(tokens, "sequential", {"send": "go", "body": [move("a", "i")]})]
    wait = {"consume": "back", "as": "j", "body": [move("b", "j")]}
    program = [{"connect": [
        {"process": "first", "produces": ["go"], "consumes": ["back"],
         "body": [wait, *first] if second_first else [*first, wait]},
        {"process": "second", "produces": ["back"], "consumes": ["go"], "body": [
            {"consume": "go", "as": "t", "body": [{"send": "back", "body": [move("y", "t")]}]}]}]}]
    made = make([x, *(tensor(n, (tokens, 2, 3), "temporary") for n in "ab"), y],
                [KERNELS["copy_2x3"]], program)
    made["channels"] = [{"name": name, "depth": depth} for name in ("go", "back")]
    return made


def test_emitted_code_does_not_grow_with_tokens(cases):
    texts = []
    for tokens in (4, 4000):
        folder = cases.folder / str(tokens)
        path = cases.write(pipeline(tokens, 2 * tokens), str(tokens))
        assert generator("emit", path, "-o", folder, "--name", "w").returncode == 0
        source = json.loads((folder / "manifest.json").read_text())["orchestration"]["source"]
        texts.append((folder / source).read_text().replace(f"{path.name}", ""))
    strip = lambda text: re.sub(r"0x[0-9a-f]+|\d+", "#", text)
    assert strip(texts[0]) == strip(texts[1])
    assert len(texts[1]) - len(texts[0]) < 100


@pytest.mark.parametrize("workload, told", [
    (pipeline(9, 1), "a depth of at least"), (pipeline(9, 2, True), "no depth is enough")])
def test_no_command_goes_past_a_deadlock(cases, workload, told):
    path, folder = cases.write(workload), cases.folder / "out"
    for command in (["check"], ["check", "--races", "allow"], ["graph"], ["eval", "-o", folder],
                    ["emit", "-o", folder, "--name", "w"],
                    ["emit", "-o", folder, "--name", "w", "--dependences", "program_order"]):
        done = generator(*command, path)
        assert done.returncode == 1 and "[deadlock]" in done.stderr and told in done.stderr, command
        assert done.stdout == "" and not folder.exists(), command
