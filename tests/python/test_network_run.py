# SPDX-License-Identifier: MIT
"""Networks on the built-in runtime: any number of workers and any order of ready tasks give the bits
that one worker gives, and what the interpreter gives; with races that are allowed, too."""

import hashlib
import json
import random
import shutil
from pathlib import Path

import numpy as np

import arithmetic
from conftest import count
from interpreter import Interpreter
from random_network import generate_network
from test_eval import compare
from toolchain import (compile_all, emit_artifact, kernel_compiler, kernel_levels, libraries,
                       orchestration_job, run, seal_artifact)


class Kernels:
    """Compiled kernels by source: networks draw on few of them."""

    def __init__(self, folder):
        self.folder, self.level = folder, kernel_levels()[0]
        folder.mkdir()

    def of(self, artifact, manifest):
        binaries, jobs = {}, []
        for name, source in libraries(manifest).items():
            # The library of a kernel that was split includes the sources of its stages.
            parts = sorted((artifact / source).parent.glob(f"kernel_{name}*"))
            text = name + "".join(map(Path.read_text, parts))
            binaries[name] = self.folder / f"{hashlib.sha256(text.encode()).hexdigest()}.so"
            if not binaries[name].exists():
                jobs.append([*kernel_compiler(self.level, "-O1"), "-o", str(binaries[name]),
                             str(artifact / source)])
        compile_all(jobs)
        return binaries


def build(path, artifact, kernels, races):
    shutil.rmtree(artifact, ignore_errors=True)
    manifest = emit_artifact(path, artifact, races=races)
    compile_all([orchestration_job(artifact, manifest)])
    seal_artifact(artifact, kernels.level, kernels.of(artifact, manifest))


def run_failure(cases, kernels, seed):
    def failure(workload):
        interpreter = Interpreter(workload, cases.folder)
        artifact, outputs = cases.folder / "artifact", cases.folder / "outputs"
        try:
            build(cases.write(workload), artifact, kernels,
                  "allow" if interpreter.check().races else "error")
        except AssertionError as error:
            return f"build: {error}"
        first = None
        for workers in (1, 2, 4, 8):
            shutil.rmtree(outputs, ignore_errors=True)
            done = run(artifact, outputs, workers, None if first is None else seed + workers)
            how = f"workers={workers}\n{done.stdout}{done.stderr}"
            if done.returncode != 0:
                return f"exit {done.returncode}, {how}"
            bits = {f.name: np.load(f).tobytes() for f in outputs.glob("*.npy")}
            if first is None:
                first = bits
                wrong = compare(outputs, interpreter, interpreter.inputs(), arithmetic.KERNEL)
                if wrong:
                    return f"{wrong}\n{how}"
            if bits != first:
                return f"bits differ from those of one worker, {how}"
        return None
    return failure


def check_runs(cases, kernels, wanted, rules, two_cores):
    """Runs `wanted` networks in which the interpreter finds just `rules` wrong."""
    ran = 0
    for seed in cases.seeds(20 * wanted):
        workload = generate_network(seed, two_cores=two_cores)
        if ran < wanted and Interpreter(workload).check().rules() == rules:
            ran += 1
            cases.check(workload, run_failure(cases, kernels, seed % (1 << 30)), seed, seconds=60)
        if ran == wanted:
            return
    raise AssertionError(f"only {ran} of {wanted} networks")


def test_networks_in_any_order(cases):
    check_runs(cases, Kernels(cases.folder / "kernels"), count(16, 700), set(), False)


def test_allowed_races_in_any_order(cases):
    check_runs(cases, Kernels(cases.folder / "kernels"), count(6, 150), {"races"}, False)


def test_kernels_on_two_cores(cases):
    kernels = Kernels(cases.folder / "kernels")
    check_runs(cases, kernels, count(4, 75), set(), True)
    check_runs(cases, kernels, count(6, 75), {"races"}, True)


def policies(interpreter, rng):
    """(directive, scheduler of each task in the order of the graph), by the definitions in ir.md."""
    tasks = interpreter.tasks
    yield {"round_robin": 3}, [number % 3 for number in range(len(tasks))]
    in_file = list(interpreter.in_file_order())
    table = [rng.randrange(3) for _ in in_file]
    number = {(place, str(variables)): i for i, (place, variables) in enumerate(in_file)}
    yield ({"dispatch_by": {"aicpus": 3, "aicpu": {"table": table}}},
           [table[number[t.place, str(t.variables)]] for t in tasks])
    weights = {}  # of each task node, those of the variables around it
    for place, variables in in_file:
        weights.setdefault(place, {v: rng.randrange(4) for v in variables})
    sums = ["(" + " + ".join(["1", *(f"{k}*{v}" for v, k in w.items())]) + ") % 3"
            for w in weights.values()]
    yield ({"affinity": {"aicpus": 3, "key": sums}},
           [(1 + sum(k * t.variables[v] for v, k in weights[t.place].items())) % 3 for t in tasks])


def test_schedulers_of_processes(cases):
    """Who runs a task, as the trace has it: by its number in the graph, its number in the file, and
    the function of its node."""
    kernels, ran = Kernels(cases.folder / "kernels"), 0
    for seed in cases.seeds(200):
        workload = generate_network(seed)
        interpreter = Interpreter(workload)
        if interpreter.check().rules() or ran == count(3, 20):
            continue
        ran += 1
        for directive, wanted in policies(interpreter, random.Random(seed)):
            workload["schedule"] = {"dispatch": directive}
            artifact, trace = cases.folder / "artifact", cases.folder / "trace.json"
            build(cases.write(workload), artifact, kernels, "error")
            done = run(artifact, cases.folder / "outputs", 2, seed % 1000,
                       more=["--trace", str(trace)])
            assert done.returncode == 0, done.stderr
            events = [e["args"] for e in json.loads(trace.read_text())["traceEvents"]
                      if e["ph"] == "X" and "core" in e["args"]]
            found = {event["task"]: event["aicpu"] for event in events}
            assert [found[i] for i in range(len(wanted))] == wanted, (seed, directive)
    assert ran == count(3, 20)
