# SPDX-License-Identifier: MIT
"""The inferred graph against element-wise brute force: the edges' transitive closure is that of all
conflicts and channels, and every edge is one of them itself."""

import json

from conftest import count
from interpreter import Interpreter, closure
from near_miss import generate_near_miss
from random_workload import generate
from toolchain import generator
from workloads import loop, negation, task


def read_graph(path, *options):
    """(task names, edges), or the failed process."""
    done = generator("graph", path, "--format", "json", "--limit", "1000000", *options)
    if done.returncode != 0:
        return done
    graph = json.loads(done.stdout)
    assert [node["id"] for node in graph["nodes"]] == list(range(len(graph["nodes"])))
    edges = [(edge["from"], edge["to"]) for edge in graph["edges"]]
    return [node["name"] for node in graph["nodes"]], edges


def graph_failure(cases, *options):
    def failure(workload):
        path = cases.write(workload)
        interpreter = Interpreter(workload, cases.folder)
        if interpreter.check().rules() - ({"races"} if options else set()):
            return None
        graph = read_graph(path, *options)
        if not isinstance(graph, tuple):
            return f"exit {graph.returncode}\n{graph.stderr}"
        names, edges = graph
        wanted = [task.name() for task in interpreter.tasks]
        if names != wanted:
            return f"names {names}\nwanted {wanted}"
        if len(set(edges)) != len(edges):
            return f"double edges: {sorted(e for e in set(edges) if edges.count(e) > 1)}"
        conflicts = interpreter.conflicts()
        for i, j in interpreter.channel_edges:
            conflicts[i, j] = True
        for i, j in edges:
            if not (0 <= i < j < len(names)) or not conflicts[i, j]:
                return f"unjustified edge {i} {names[i]} -> {j} {names[j]}"
        got = closure(len(names), edges)
        want = closure(len(names), [(i, j) for i, j in zip(*conflicts.nonzero())])
        for i, (a, b) in enumerate(zip(got, want)):
            if a != b:
                missing = [j for j in range(len(names)) if (b & ~a) >> j & 1]
                later = [f"{j} {names[j]}" for j in missing]
                return f"missing order: {i} {names[i]} must come before {later}"
        return None
    return failure


def test_closure_equals_brute_force(cases):
    for seed in cases.seeds(count(300, 3000)):
        cases.check(generate(seed, cases.folder, max_tasks=250), graph_failure(cases), seed)


def test_allowed_races_keep_program_order(cases):
    raced = 0
    for seed in cases.seeds(count(200, 1500)):
        workload = generate_near_miss(seed, cases.folder)
        rules = Interpreter(workload, cases.folder).check().rules()
        if rules == {"races"}:
            raced += 1
            cases.check(workload, graph_failure(cases, "--races", "allow"), seed)
    assert raced >= 3


def test_program_order_is_a_chain(cases):
    for seed in cases.seeds(count(40, 200)):
        workload = generate(seed, cases.folder)
        names, edges = read_graph(cases.write(workload), "--dependences", "program_order")
        assert edges == [(i, i + 1) for i in range(len(names) - 1)], f"case {seed}"


def test_limit_collapses_instead_of_hanging(cases):
    """A million tasks in a short time and a small graph."""
    call = task("negate", x="x[i, j]")
    program = [loop(1000, "parallel", loop(1000, "parallel", call, variable="j"))]
    path = cases.write(negation([1000, 1000], (1, 1), program))
    for form in ("dot", "mermaid", "json"):
        done = generator("graph", path, "--format", form)
        assert done.returncode == 0, done.stderr
        assert len(done.stdout) < 10000
