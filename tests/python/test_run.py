"""Emitted, compiled and run on the built-in runtime, a random workload gives what the interpreter
gives, with the same bits at any number of workers and in any order of ready tasks."""

import random
import shutil

import numpy as np
import pytest

import arithmetic
from conftest import count
from interpreter import Interpreter
from random_workload import generate
from test_eval import compare
from toolchain import compile_artifact, kernel_levels, run


def within_tolerance(interpreter, wanted):
    """Whether any right result lies well within the tolerance that ptowsp-run applies."""
    for name, want in wanted.items():
        tensor = interpreter.tensors[name]
        limit = np.maximum(tensor.get("atol", 1e-5), tensor.get("rtol", 1e-4) * np.abs(want.v))
        with np.errstate(invalid="ignore"):
            if not np.all((want.e == 0) | (want.e < limit / 2)):
                return False
    return True


def run_failure(cases, seed):
    def failure(workload):
        rng = random.Random(seed)
        path = cases.write(workload)
        artifact = cases.folder / "artifact"
        shutil.rmtree(artifact, ignore_errors=True)
        interpreter = Interpreter(workload, cases.folder)
        if interpreter.check().rules():
            return None
        try:
            compile_artifact(path, artifact, rng.choice(kernel_levels()),
                             rng.choice(("-O1", "-O2", "-O3")))
        except AssertionError as error:
            return f"build: {error}"
        inputs = interpreter.inputs()
        tight = within_tolerance(interpreter, interpreter.run(inputs, arithmetic.KERNEL))
        first = None
        for workers, schedule in ((1, None), (2, rng.getrandbits(31)),
                                  (rng.choice((3, 4, 8)), rng.getrandbits(31))):
            outputs = cases.folder / "outputs"
            shutil.rmtree(outputs, ignore_errors=True)
            done = run(artifact, outputs, workers, schedule)
            how = f"workers={workers} schedule-seed={schedule}\n{done.stdout}{done.stderr}"
            if done.returncode not in ((0,) if tight else (0, 1)):
                return f"exit {done.returncode}, {how}"
            wrong = compare(outputs, interpreter, inputs, arithmetic.KERNEL)
            if wrong:
                return f"{wrong}\n{how}"
            bits = {f.name: np.load(f).tobytes() for f in outputs.glob("*.npy")}
            first = first or bits
            if bits != first:
                return f"bits differ from those of one worker, {how}"
        return None
    return failure


@pytest.mark.parametrize("wild", [False, True])
def test_run_equals_the_interpreter(cases, wild):
    for seed in cases.seeds(count(12 if wild else 32, 400)):
        workload = generate(seed, cases.folder, wild=wild)
        cases.check(workload, run_failure(cases, seed), seed, seconds=90)
